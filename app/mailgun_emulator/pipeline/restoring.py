"""Making snapshots and going back to them, whatever the emulator is doing meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import ParamSpec, TypeVar

from mailgun_emulator.pipeline.worker import Worker
from mailgun_emulator.state import jobs, snapshots
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.snapshots import AccountCopies

LARGE = 4_000_000
"""Bytes from which on a thread is worth its while."""

Given = ParamSpec("Given")
Made = TypeVar("Made")


async def call(size: int, work: Callable[Given, Made], *given: Given.args, **more: Given.kwargs) -> Made:
    """In a thread, if there is so much to do that others would wait for long."""
    return await asyncio.to_thread(work, *given, **more) if size > LARGE else work(*given, **more)


async def take_everything(database: Database) -> bytes:
    database.flush()
    size = snapshots.size_of(database.connection)
    if size <= LARGE:
        return snapshots.readable(database.connection.serialize())
    with closing(snapshots.copy_of(database.connection)) as copy:
        return await asyncio.to_thread(lambda: snapshots.readable(copy.serialize()))


def take_account(database: Database, copies: AccountCopies, account_id: str) -> bytes:
    database.flush()
    return copies.make(database, account_id)


async def restore_account(database: Database, worker: Worker, copies: AccountCopies, content: bytes) -> None:
    """Nobody else notices. Raise `Taken`, `ParentGone` or `OtherVersion`."""
    with closing(await call(len(content), snapshots.opened, content)) as kept:
        account_ids = snapshots.account_ids(kept, database.connection)

        def put_back() -> None:
            with database.begin() as tx:
                snapshots.put_back(tx, kept, copies.tables, database.clock)

        async with _still(worker, account_ids):
            await worker.replace(put_back, account_ids)


async def restore_everything(database: Database, worker: Worker, content: bytes) -> str:
    """The id of the account that is the default one then. Raise `OtherVersion`."""
    with closing(await call(len(content), snapshots.opened, content)) as kept:
        starts, default_id = snapshots.starts_of(kept), snapshots.default_of(kept)

        def put_back() -> None:
            database.become(kept)
            with database.begin() as tx:
                snapshots.go_on(tx, starts)
                jobs.free_all(tx, database.clocks)

        async with _still(worker, list(worker.clock_locks)):
            await worker.replace(put_back)
    return default_id


@asynccontextmanager
async def _still(worker: Worker, account_ids: Collection[str]) -> AsyncIterator[None]:
    """Nobody is setting the clock of these accounts."""
    async with AsyncExitStack() as held:
        for account_id in sorted(account_ids):
            await held.enter_async_context(worker.clock_locks[account_id])
        yield
