"""Setting an account's clock. What falls due on the way is done on the way, each thing at its own instant."""

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.pipeline.worker import Worker
from mailgun_emulator.state import accounts, jobs
from mailgun_emulator.state.database import Database, Tx


async def advance(database: Database, worker: Worker, account_id: str, seconds: float) -> None:
    """Whether it runs or stands still, it does so afterwards as well. Return when all is done."""
    clock = database.clock_of(account_id)
    if clock.frozen_at is None:
        await _go(database, worker, account_id, clock.now() + seconds)
        await resume(database, account_id)
    else:
        await _go(database, worker, account_id, clock.frozen_at + seconds)
    await worker.drain(account_id)
    await worker.expire(account_id)


async def freeze(database: Database, worker: Worker, account_id: str, at: float | None = None) -> None:
    """At that instant, or now. Going back undoes nothing."""
    now = database.clock_of(account_id).now()
    if at is None or at < now:
        await _stand_still(database, account_id, now if at is None else at)
        return
    await _go(database, worker, account_id, at)
    await worker.drain(account_id)
    await worker.expire(account_id)


async def resume(database: Database, account_id: str) -> None:
    """Run on from where it stands."""
    async with database.begin(account_id) as tx:
        clock = _own_clock(database, account_id)
        clock.resume()
        _set(tx, clock)


async def follow(database: Database, worker: Worker, account_id: str) -> None:
    """Back to the emulator's own time."""
    async with database.begin(account_id) as tx:
        _set(tx, Clock(database.clock.now))
    await worker.drain(account_id)


async def _go(database: Database, worker: Worker, account_id: str, to: float) -> None:
    """Stand still at each instant that something is due at, and in the end at `to`.

    What is under way comes first: a post that fails is to be tried again on the way.
    """
    await worker.drain(account_id)
    while True:
        async with database.begin(account_id) as tx:
            due = jobs.next_due(tx)
        if due is None or due > to:
            break
        await _stand_still(database, account_id, max(due, database.clock_of(account_id).now()))
        await worker.drain(account_id)
    await _stand_still(database, account_id, to)


async def _stand_still(database: Database, account_id: str, at: float) -> None:
    async with database.begin(account_id) as tx:
        clock = _own_clock(database, account_id)
        clock.freeze(at)
        _set(tx, clock)


def _own_clock(database: Database, account_id: str) -> Clock:
    known = database.clock_of(account_id)
    return (
        Clock(database.clock.now)
        if known is database.clock
        else Clock(database.clock.now, known.offset, known.frozen_at)
    )


def _set(tx: Tx, clock: Clock) -> None:
    tx.set_clock(clock)
    accounts.keep_clock(tx, clock)
    jobs.follow_clock(tx, clock)
