"""One database, one transaction at a time, one commit for all that ended in the same turn of the loop."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.ids import Ids
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail.dkim import KeyPairs
from mailgun_emulator.state.connection import connect
from mailgun_emulator.state.lock import IN_MEMORY, DatabaseUnusable
from mailgun_emulator.state.notices import Listener, Notice
from mailgun_emulator.state.row_ids import RowIds
from mailgun_emulator.state.statements import PutOff
from mailgun_emulator.state.transaction import Tx

log = logging.getLogger(__name__)


class Database:
    """Refuses a file that is not ours or of another schema, and leaves it as it was."""

    def __init__(self, settings: Settings, clock: Clock, path: str | None = None) -> None:
        self.settings = settings
        self.path = settings.database if path is None else path
        self.clock = clock
        self.base_url = f"http://{settings.host}:{settings.port}"
        self.clocks: dict[str, Clock] = {}
        """Of those accounts whose time is not the emulator's own."""
        self.key_pairs = KeyPairs(settings.seed)
        self.changed = asyncio.Event()
        self.next_due = 0.0
        self._woken = False
        self._open: Tx | None = None
        self.memory: dict[Any, Any] = {}
        """What was looked up lately, until something is written: see `Query.recall`."""
        self.listeners: set[Listener] = set()
        self.notices: list[Notice] = []
        """What is told as soon as it is committed."""
        self._put_off: PutOff = {}
        self._batch: list[asyncio.Future[None]] | None = None
        try:
            self.connection = connect(self.path)
            try:
                self.row_ids = RowIds(self.connection)
                self.ids = self._new_ids()
                self.read_clocks()
                self.read_marks()
                self.read_parents()
            except BaseException:
                self.connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise DatabaseUnusable(
                f"The database {self.path!r} can't be used: {error}. Name another with --database."
            ) from error

    def _new_ids(self) -> Ids:
        """A seed gives other ids on each start on the same file, or they would meet those of the last."""
        self.connection.execute("INSERT INTO start (at) VALUES (?)", (self.clock.now(),))
        (starts,) = self.connection.execute("SELECT count(*) FROM start").fetchone()
        return Ids(None if self.settings.seed is None else f"{self.settings.seed}/{starts}")

    def read_clocks(self) -> None:
        """As they were kept."""
        rows = self.connection.execute(
            "SELECT id, clock_offset, clock_frozen_at FROM account "
            "WHERE clock_offset != 0 OR clock_frozen_at IS NOT NULL"
        )
        self.clocks = {account: Clock(self.clock.now, *set_to) for account, *set_to in rows}

    def read_marks(self) -> None:
        """The accounts that have something few have, so that the others pay nothing for it: `faults`,
        `ip_allowlists`, `alerts`. `checked_soon` are those of the last whose figures are going to be checked: see
        `pipeline.thresholds`.
        """
        self.faults, self.ip_allowlists, self.alerts = (
            frozenset(one for (one,) in self.connection.execute(f"SELECT DISTINCT account_id FROM {rows}"))  # noqa: S608 - names of ours
            for rows in ("fault", "allowed_address", "threshold WHERE kind = 'alert'")
        )
        self.checked_soon: set[str] = set()

    def read_parents(self) -> None:
        """`parents` are those of the subaccounts, by their ids."""
        found = self.connection.execute("SELECT id, parent_id FROM account WHERE parent_id IS NOT NULL")
        self.parents: dict[str, str] = dict(found)

    def clock_of(self, account_id: str) -> Clock:
        return self.clocks.get(account_id, self.clock)

    @cached_property
    def engine(self) -> Any:
        import orjson
        from sqlalchemy.pool import StaticPool
        from sqlmodel import create_engine

        return create_engine(
            "sqlite://",
            creator=lambda: self.connection,
            poolclass=StaticPool,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )

    def begin(self, account_id: str = "") -> Tx:
        """To be used in `async with`, or in `with` by who waits for `committed`. Nothing that suspends may be awaited
        while it is open.
        """
        return Tx(self, account_id)

    def open(self, tx: Tx) -> None:
        if self._open is not None:
            raise RuntimeError("A transaction was left open while something was awaited.")
        self._join_batch()
        self._open = tx

    def end(self, *, wrote: bool) -> None:
        self._open = None
        if wrote:
            self.connection.execute("RELEASE tx")
            self.memory.clear()

    @contextmanager
    def reading(self, account_id: str = "") -> Iterator[Tx]:
        """A transaction for a busy path that only reads: nothing is begun, so there is no commit to wait for."""
        if self._open is not None:
            raise RuntimeError("A transaction was left open while something was awaited.")
        tx = self._open = Tx(self, account_id)
        try:
            yield tx
        finally:
            tx.end_reading()

    def put_off(self, rows: PutOff) -> None:
        for statement, more in rows.items():
            self._put_off.setdefault(statement, []).extend(more)

    def has_put_off(self) -> bool:
        return bool(self._put_off)

    def settle(self, settled: PutOff) -> None:
        """Write all that was put off, and note it down: it must be written again if this is rolled back."""
        self.write(self._put_off)
        settled.update(self._put_off)
        self._put_off = {}

    def write(self, rows: PutOff) -> None:
        for statement, many in rows.items():
            statement.run_many(self.connection, many)

    async def committed(self) -> None:
        """Wait until all that has ended is committed; raise if that failed."""
        if self._batch is not None:
            waiting = asyncio.get_running_loop().create_future()
            self._batch.append(waiting)
            await waiting

    def _join_batch(self) -> None:
        if self._batch is None:
            self._batch = []
            self.connection.execute("BEGIN")
            asyncio.get_running_loop().call_soon(self._commit)

    def flush(self) -> None:
        """Commit now what has ended, for who uses the connection outside any transaction."""
        if self._open is not None:
            raise RuntimeError("A transaction is open.")
        self._commit()

    def _commit(self) -> None:
        batch, self._batch = self._batch, None
        if batch is None:
            return
        put_off, self._put_off = self._put_off, {}
        notices, self.notices = self.notices, []
        failure: Exception | None = None
        try:
            self.write(put_off)
            self.connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it was, all who wait are told
            failure = error
            self.memory.clear()
            self.checked_soon.clear()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        for waiting in batch:
            if not waiting.done():
                waiting.set_exception(failure) if failure else waiting.set_result(None)
        if failure is None:
            for notice in notices:
                self.publish(notice)
        if self._woken:
            self._woken = False
            self.changed.set()

    def publish(self, notice: Notice) -> None:
        """A listener that fails keeps nothing from the others."""
        for listener in tuple(self.listeners):
            try:
                listener(notice)
            except Exception:
                log.exception("A listener failed of a notice of kind %s", notice.kind)

    def wake_at(self, at: float) -> None:
        if at < self.next_due:
            self.next_due = at
            self._woken = True

    def sleep_until(self, at: float | None) -> None:
        """The worker has done all that is due; the next job is due then."""
        self.next_due = inf if at is None else at

    def restore(self, pristine: "Database") -> None:
        """Back to the start: also ids and keys are given once more."""
        self.become(pristine.connection)
        self.key_pairs = KeyPairs(self.settings.seed)
        self.ids.rewind()

    def copied(self) -> "Database":
        """All as it is now, in memory: to be read at length, in a thread, while this one goes on."""
        copy = Database(self.settings, self.clock, IN_MEMORY)
        self.flush()
        copy.become(self.connection)
        return copy

    def become(self, other: sqlite3.Connection) -> None:
        """Become a copy of another, in one go, however much there is (facts/performance.md, 7)."""
        self.flush()
        starts = self.connection.execute("SELECT at FROM start").fetchall()
        with self.row_ids.renewed():
            other.backup(self.connection)
        self.connection.execute("DELETE FROM start")
        self.connection.executemany("INSERT INTO start (at) VALUES (?)", starts)
        self.read_clocks()
        self.read_marks()
        self.read_parents()
        self.memory.clear()
        self.next_due = 0.0
        self.changed.set()

    def pending_jobs(self) -> int:
        (jobs,) = self.connection.execute("SELECT count(*) FROM job").fetchone()
        return int(jobs)

    def signing_key(self, *, first: bool = False) -> str | None:
        """That of the oldest account, the default one: see `accounts.ensure_default`; or the `first` that it had."""
        column = "coalesce(first_signing_key, signing_key)" if first else "signing_key"
        row = self.connection.execute(
            f"SELECT {column} FROM account ORDER BY created_at LIMIT 1"  # noqa: S608 - a column's name
        ).fetchone()
        return None if row is None else str(row[0])

    def reachable(self) -> bool:
        try:
            self.connection.execute("SELECT 1 FROM account LIMIT 1")
        except sqlite3.Error:
            return False
        return True

    def where(self) -> str:
        """Where the state is, for people."""
        return "in memory, gone at exit" if self.path == IN_MEMORY else str(Path(self.path).resolve())

    def close(self) -> None:
        self._commit()
        self.connection.close()
