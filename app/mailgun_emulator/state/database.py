"""One database, one transaction at a time, one commit for all that ended in the same turn of the loop."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.ids import Ids

if TYPE_CHECKING:
    from sqlalchemy import Executable
    from sqlmodel import Session, SQLModel

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D47454D  # "MGEM", so that a file of another program is told from ours
IN_MEMORY = ":memory:"

Row = TypeVar("Row", bound="SQLModel")
Record = TypeVar("Record", bound=NamedTuple)


class DatabaseUnusable(Exception):
    """The file can't hold our state; the message says why and what to do."""


class HeldConnection(sqlite3.Connection):
    """Leaves BEGIN and COMMIT to `Database`, also when SQLAlchemy uses it."""

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass


class Statement:
    """A SQLAlchemy Core statement, compiled once and run on the driver's own connection.

    It costs a third of what executing it through SQLAlchemy does (facts/performance.md, 1), so the
    paths of messages, events, suppressions, jobs and statistics use it; all else uses `Tx.session`.
    """

    def __init__(self, statement: "Executable") -> None:
        self._statement = statement

    @cached_property
    def sql(self) -> str:
        from sqlalchemy.dialects import sqlite

        return str(self._statement.compile(dialect=sqlite.dialect(paramstyle="named")))  # type: ignore[attr-defined]  # SQLAlchemy declares compile() one class further down

    def run(self, tx: "Tx", **parameters: Any) -> sqlite3.Cursor:
        return tx.connection.execute(self.sql, parameters)


class Query(Statement, Generic[Record]):
    """A SELECT whose columns are the fields of `record`, in their order."""

    def __init__(self, statement: "Executable", record: type[Record]) -> None:
        super().__init__(statement)
        self._make = record._make

    def find(self, tx: "Tx", **parameters: Any) -> Record | None:
        row = tx.connection.execute(self.sql, parameters).fetchone()
        return None if row is None else self._make(row)

    def list(self, tx: "Tx", **parameters: Any) -> list[Record]:
        return [self._make(row) for row in tx.connection.execute(self.sql, parameters)]


class Tx:
    """One transaction: the only door to the state. Ends well or leaves nothing behind.

    `account_id` is whom the caller speaks for, `now` the instant it all happens at (seconds since 1970).
    """

    def __init__(self, database: "Database", account_id: str = "") -> None:
        self._database = database
        self.connection = database.connection
        self.now = database.clock.now()
        self.ids = database.ids
        self.account_id = account_id

    @cached_property
    def session(self) -> "Session":
        from sqlmodel import Session

        return Session(self._database.engine, expire_on_commit=False)

    def add(self, row: Row) -> Row:
        """Put a new row where later statements of this transaction see it."""
        self.session.add(row)
        self.session.flush()
        return row

    def due(self, at: float) -> None:
        """A job is due at that instant: the worker is woken once this is committed."""
        self._database.wake_at(at)

    def _end(self, *, keep: bool) -> None:
        session: Session | None = self.__dict__.get("session")
        if session is not None:
            if keep:
                session.flush()
            session.close()


class Database:
    """Refuses a file that is not ours or of another schema, and leaves it as it was."""

    def __init__(self, path: str, clock: Clock, ids: Ids) -> None:
        self.path = path
        self.clock = clock
        self.ids = ids
        self.changed = asyncio.Event()
        self.next_due = 0.0
        self._open: Tx | None = None
        self._batch: asyncio.Future[None] | None = None
        try:
            self.connection = sqlite3.connect(
                path,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
                factory=HeldConnection,
            )
            self._prepare()
        except sqlite3.Error as error:
            raise DatabaseUnusable(
                f"The database {path!r} can't be used: {error}. Name another with --database."
            ) from error
        self._pristine: sqlite3.Connection | None = None

    def _prepare(self) -> None:
        application, version = (
            self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        empty = not self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not empty and application != APPLICATION_ID:
            raise DatabaseUnusable(f"{self.path!r} belongs to another program. Name another with --database.")
        if not empty and version != SCHEMA_VERSION:
            raise DatabaseUnusable(
                f"{self.path!r} has schema version {version}, this program writes version {SCHEMA_VERSION}. "
                "Name another with --database, or delete the file."
            )
        self.connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;"
        )
        if empty:
            schema = files("mailgun_emulator.state").joinpath("schema.sql").read_text()
            self.connection.executescript(
                f"BEGIN; {schema} PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )

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

    @asynccontextmanager
    async def begin(self, account_id: str = "") -> AsyncIterator[Tx]:
        """Nothing may be awaited inside that suspends: there is one transaction at a time."""
        if self._open is not None:
            raise RuntimeError("A transaction was left open while something was awaited.")
        batch = self._join_batch()
        self.connection.execute("SAVEPOINT tx")
        tx = self._open = Tx(self, account_id)
        try:
            yield tx
            tx._end(keep=True)
        except BaseException:
            tx._end(keep=False)
            self.connection.execute("ROLLBACK TO tx")
            raise
        finally:
            self._open = None
            self.connection.execute("RELEASE tx")
        await asyncio.shield(batch)

    def _join_batch(self) -> "asyncio.Future[None]":
        if self._batch is None:
            loop = asyncio.get_running_loop()
            self._batch = loop.create_future()
            self.connection.execute("BEGIN")
            loop.call_soon(self._commit)
        return self._batch

    def _commit(self) -> None:
        batch, self._batch = self._batch, None
        if batch is None:
            return
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            batch.set_exception(error)
            batch.exception()  # those who wait are told; nobody waiting is no fault
        else:
            batch.set_result(None)
        if self.next_due <= self.clock.now():
            self.changed.set()

    def wake_at(self, at: float) -> None:
        self.next_due = min(self.next_due, at)

    def keep_pristine(self) -> None:
        """What `reset` goes back to is what is there now."""
        self._commit()
        self._pristine = sqlite3.connect(IN_MEMORY, check_same_thread=False)
        self.connection.backup(self._pristine)

    def reset(self) -> None:
        """Go back to the state at the start, in one copy, however much there is (facts/performance.md, 7)."""
        self._commit()
        if self._pristine is not None:
            self._pristine.backup(self.connection)

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
        if self._pristine is not None:
            self._pristine.close()
