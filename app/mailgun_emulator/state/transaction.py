"""A transaction: the only door to the state."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mailgun_emulator.core.clock import Clock, to_the_microsecond
from mailgun_emulator.state.notices import Kind, Notice
from mailgun_emulator.state.statements import PutOff, Statement

if TYPE_CHECKING:
    from sqlmodel import Session, SQLModel

    from mailgun_emulator.state.database import Database

Row = TypeVar("Row", bound="SQLModel")


class Tx:
    """One transaction: the only door to the state. Ends well or leaves nothing behind.

    `account_id` is whom the caller speaks for, `now` the instant it all happens at by the account's clock (seconds
    since 1970), `ids` and `key_pairs` where new ids and keys come from.
    """

    def __init__(self, database: "Database", account_id: str = "") -> None:
        self._database = database
        self.ids = database.ids
        self.row_ids = database.row_ids
        self.key_pairs = database.key_pairs
        self.settings = database.settings
        self.account_id = account_id
        self.memory: dict[Any, Any] | None = database.memory
        """What was looked up lately, until this transaction changes something."""
        self._writes = False
        self._sets_clock = False
        self._put_off: PutOff = {}
        self._settled: PutOff = {}
        self._notices: list[Notice] = []

    @property
    def account_id(self) -> str:
        return self._account_id

    @account_id.setter
    def account_id(self, account_id: str) -> None:
        """With the account comes its time."""
        self._account_id = account_id
        self.now = to_the_microsecond(self._database.clock_of(account_id).now())

    @contextmanager
    def speaking_for(self, account_id: str) -> Iterator[None]:
        """Of another account, by its clock, meanwhile; afterwards it is whose it was, at the instant it was."""
        own_id, now = self._account_id, self.now
        if account_id != own_id:
            self.account_id = account_id
        try:
            yield
        finally:
            self._account_id, self.now = own_id, now

    def __enter__(self) -> Self:
        """What ends it is committed later in the same turn of the loop: see `Database.committed`."""
        self._database.open(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._end(keep=kind is None)
        except BaseException:
            self._end(keep=False)
            raise
        finally:
            self._database.end(wrote=self._writes)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End once it is committed."""
        self.__exit__(kind)
        if kind is None:
            await self._database.committed()

    @cached_property
    def session(self) -> "Session":
        from sqlmodel import Session

        self.settle()
        self._begin_to_write()
        return Session(self._database.engine, expire_on_commit=False)

    def add(self, row: Row) -> Row:
        """Put a new row where later statements of this transaction see it."""
        self.session.add(row)
        self.session.flush()
        return row

    def execute(self, sql: str, parameters: dict[str, Any]) -> sqlite3.Cursor:
        """Run SQL that writes."""
        self._begin_to_write()
        return self.read(sql, parameters)

    def read(self, sql: str, parameters: dict[str, Any]) -> sqlite3.Cursor:
        """Run a SELECT on the driver's connection; it sees what the session has changed."""
        session: Session | None = self.__dict__.get("session")
        if session is not None:
            session.flush()
        return self._database.connection.execute(sql, parameters)

    def _begin_to_write(self) -> None:
        if not self._writes:
            self._database.connection.execute("SAVEPOINT tx")
            self._writes = True
            self.memory = None

    def put_off(self, statement: Statement, row: dict[str, Any]) -> None:
        self._put_off.setdefault(statement, []).append(row)

    def next_id(self, table: str) -> int:
        """For a row that is inserted `later`, so that others can refer to it at once."""
        return self.row_ids.next(table)

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._begin_to_write()
        self._database.connection.executemany(sql, rows)

    def settle(self) -> None:
        """Write what was put off in this turn. A verb that reads or deletes what is written `later` begins with it."""
        if self._put_off or self._database.has_put_off():
            self._begin_to_write()
            self._database.settle(self._settled)
            self._database.write(self._put_off)
            self._put_off = {}

    def due(self, at: float) -> float:
        """A job is due at that instant of the account's: the worker is woken once this is committed.

        Return when that is by the emulator's clock.
        """
        clock = self._database.clocks.get(self._account_id)
        due_at = at if clock is None else clock.is_due_at(at)
        self._database.wake_at(due_at)
        return due_at

    def tell(self, kind: Kind, subject: Any) -> None:
        """Let those who listen know of it once it is committed."""
        if self._database.listeners:
            self._notices.append(Notice(kind, self._account_id, subject))

    def now_of(self, account_id: str) -> float:
        """By that account's clock."""
        return to_the_microsecond(self._database.clock_of(account_id).now())

    @property
    def own_clock(self) -> Clock | None:
        """The account's, if its time is not the emulator's."""
        return self._database.clocks.get(self._account_id)

    def set_clock(self, clock: Clock) -> None:
        """From now on it is the time of the transaction's account."""
        self._sets_clock = True
        self._database.clocks[self._account_id] = clock
        self.account_id = self._account_id

    def forget_clock(self, account_id: str) -> None:
        """The emulator's own time is the account's again."""
        self._sets_clock = True
        self._database.clocks.pop(account_id, None)
        self.account_id = self._account_id

    @property
    def base_url(self) -> str:
        """Where the emulator is reached, for links in what nobody asked for by HTTP."""
        return self._database.base_url

    @property
    def meets_faults(self) -> bool:
        return self._account_id in self._database.faults

    @property
    def has_alerts(self) -> bool:
        """About its figures: the account's own, or its parent's."""
        alerts = self._database.alerts
        return bool(alerts) and bool(self._watchers & alerts)

    @property
    def _watchers(self) -> set[str]:
        return {self._account_id, self._database.parents.get(self._account_id, "")}

    def check_soon(self) -> list[str]:
        """Of the accounts with alerts about this one those that nothing is going to check yet; now something is."""
        found = sorted(self._watchers & self._database.alerts - self._database.checked_soon)
        self._database.checked_soon.update(found)
        return found

    def check_now(self) -> None:
        """What happens to the account from now on has to be checked anew."""
        self._database.checked_soon.discard(self._account_id)

    @property
    def has_ip_allowlist(self) -> bool:
        """The account is to be used from some addresses only: see `state.ip_allowlist`."""
        return self._account_id in self._database.ip_allowlists

    def read_marks(self) -> None:
        """Faults, alerts or entries of IP allowlists were added or deleted."""
        self._database.read_marks()

    @property
    def parent_id(self) -> str | None:
        """The account whose subaccount the transaction's account is, if it is one."""
        return self._database.parents.get(self._account_id)

    @property
    def account(self) -> dict[str, str]:
        """As events tell it: a subaccount with its parent."""
        parent_id = self._database.parents.get(self._account_id)
        own = {"id": self._account_id}
        return own if parent_id is None else {**own, "parent-id": parent_id}

    def read_parents(self) -> None:
        """Subaccounts were added or deleted."""
        self._database.read_parents()

    def end_reading(self) -> None:
        self._end(keep=True)
        self._database.end(wrote=self._writes)

    def undo(self) -> None:
        """Take back all that was changed so far."""
        session: Session | None = self.__dict__.pop("session", None)
        if session is not None:
            session.close()
        if self._writes:
            self._database.connection.execute("ROLLBACK TO tx")
            if self._sets_clock:
                self._database.read_clocks()
            self._database.read_marks()
            self._database.read_parents()
        self._database.checked_soon.clear()
        self._database.put_off(self._settled)
        self._put_off, self._settled, self._notices = {}, {}, []

    def _end(self, *, keep: bool) -> None:
        if not keep:
            self.undo()
            return
        session: Session | None = self.__dict__.get("session")
        if session is not None:
            session.flush()
            session.close()
        self._database.put_off(self._put_off)
        if self._notices:
            self._database.notices += self._notices
            self._notices = []
