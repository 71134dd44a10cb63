"""Setting an account's clock. What falls due on the way is done on the way, each thing at its own instant."""

from copy import copy

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.pipeline.worker import Worker
from mailgun_emulator.state import accounts, jobs
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.transaction import Tx


async def advance(database: Database, worker: Worker, account_id: str, seconds: float) -> None:
    """Whether it runs or stands still, it does so afterwards as well. Return when all is done."""
    async with worker.clock_locks[account_id]:
        clock = database.clock_of(account_id)
        runs = clock.frozen_at is None
        try:
            await _go(database, worker, account_id, clock.now() + seconds, runs=runs)
        finally:
            if runs:
                await _resume(database, account_id)
        await _do_all(worker, account_id)


async def freeze(database: Database, worker: Worker, account_id: str, at: float) -> None:
    """At that instant. Going back undoes nothing."""
    async with worker.clock_locks[account_id]:
        clock = database.clock_of(account_id)
        is_ahead = at >= clock.now()
        if is_ahead:
            await _go(database, worker, account_id, at, runs=clock.frozen_at is None)
        await _stand_still(database, account_id, at)
        if is_ahead:
            await _do_all(worker, account_id)


async def resume(database: Database, worker: Worker, account_id: str) -> None:
    """Run on from where it stands."""
    async with worker.clock_locks[account_id]:
        await _resume(database, account_id)


async def follow(database: Database, worker: Worker, account_id: str) -> None:
    """Back to the emulator's own time."""
    async with worker.clock_locks[account_id]:
        clock, now = database.clock_of(account_id), database.clock.now()
        if clock.now() < now:
            await _go(database, worker, account_id, now, runs=clock.frozen_at is None)
        async with database.begin(account_id) as tx:
            _set(tx, Clock(database.clock.now))
        await _do_all(worker, account_id)


async def _go(database: Database, worker: Worker, account_id: str, to: float, *, runs: bool) -> None:
    """Stand still at each instant that something is due at, and in the end at `to`.

    What is under way comes first: a post that fails is to be tried again on the way.
    """
    await worker.drain(account_id)
    await _stand_still(database, account_id, database.clock_of(account_id).now(), runs=runs)
    while await _step(database, account_id, to, runs=runs):
        await worker.drain(account_id)
    await _stand_still(database, account_id, to, runs=runs)


async def _step(database: Database, account_id: str, to: float, *, runs: bool) -> bool:
    """On to the next instant that something is due at; False if that is not before `to`.

    The account's other jobs wait for the end of it, whenever they are due: nothing is gained by telling them now.
    """
    async with database.begin(account_id) as tx:
        due = jobs.next_due(tx)
        if due is None or due > to:
            return False
        _freeze(tx, _own_clock(database, account_id), max(due, tx.now), runs=runs)
        return True


async def _do_all(worker: Worker, account_id: str) -> None:
    await worker.drain(account_id)
    await worker.expire(account_id)


async def _resume(database: Database, account_id: str) -> None:
    async with database.begin(account_id) as tx:
        clock = _own_clock(database, account_id)
        clock.resume()
        _set(tx, clock)


async def _stand_still(database: Database, account_id: str, at: float, *, runs: bool = False) -> None:
    async with database.begin(account_id) as tx:
        jobs.follow_clock(tx, _freeze(tx, _own_clock(database, account_id), at, runs=runs))


def _freeze(tx: Tx, clock: Clock, at: float, *, runs: bool) -> Clock:
    """If it `runs` otherwise, it is kept so, lest it stood still after a kill."""
    clock.freeze(at)
    tx.set_clock(clock)
    kept = copy(clock)
    if runs:
        kept.resume()
    accounts.keep_clock(tx, kept)
    return clock


def _own_clock(database: Database, account_id: str) -> Clock:
    """To be set, without touching the one that is in use."""
    known = database.clock_of(account_id)
    return Clock(database.clock.now) if known is database.clock else copy(known)


def _set(tx: Tx, clock: Clock) -> None:
    tx.set_clock(clock)
    accounts.keep_clock(tx, clock)
    jobs.follow_clock(tx, clock)
