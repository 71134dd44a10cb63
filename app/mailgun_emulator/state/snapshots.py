"""What snapshots hold, everything or one account with its subaccounts, and how it comes back.

Both are SQLite databases of the emulator's own schema; that of an account has its rows only, and another mark.
"""

import sqlite3
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.errors import Conflict
from mailgun_emulator.state import jobs, owned_rows
from mailgun_emulator.state.connection import SCHEMA_VERSION, schema
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.state.owned_rows import Table
from mailgun_emulator.state.transaction import Tx

ACCOUNT_MARK = 0x4D474541  # "MGEA", where a database has "MGEM"
MARK_AT, VERSION_AT, JOURNAL_AT = 68, 60, 18
"""Places in the head of a database file (sqlite.org/fileformat.html, 1.3)."""
ACCOUNT_PAGE_SIZE = 1024
"""Small, because each table and index takes a page at least, and a snapshot of a test's account holds little more."""
MOVED_APART = 1e-6
"""Seconds between the default account, which is the oldest, and one that has to be younger."""


class Taken(Conflict):
    def __init__(self, table: Table, column: str, value: Any) -> None:
        super().__init__(
            f"The snapshot can't be restored: the {column} {value!r} of its {table.name.replace('_', ' ')} "
            "belongs to another account by now."
        )


class ParentGone(Conflict):
    def __init__(self, account_id: str, parent_id: str) -> None:
        super().__init__(
            f"The snapshot can't be restored: {account_id} is a subaccount of {parent_id}, which isn't there."
        )


class OtherVersion(Conflict):
    def __init__(self, version: int) -> None:
        super().__init__(
            f"The snapshot can't be restored: it was made with schema version {version}, this program has "
            f"{SCHEMA_VERSION}."
        )


class AccountCopies:
    """Makes snapshots of accounts: in a database that is empty again after each."""

    def __init__(self) -> None:
        self._empty = empty_for_account()

    @cached_property
    def tables(self) -> list[Table]:
        return owned_rows.read(self._empty)

    def make(self, database: Database, account_id: str) -> bytes:
        """Everything of the account is committed and nothing else under way: see `Database.flush`."""
        owner = {"account": account_id}
        self._empty.execute("BEGIN")
        try:
            for table in self.tables:
                self._empty.executemany(table.insert, database.connection.execute(table.select_owned, owner))
            starts = database.connection.execute("SELECT at FROM start")
            self._empty.executemany("INSERT INTO start (at) VALUES (?)", starts)
            return self._empty.serialize()
        finally:
            self._empty.execute("ROLLBACK")

    def close(self) -> None:
        self._empty.close()


def empty_for_account() -> sqlite3.Connection:
    connection = _connection()
    connection.executescript(
        f"PRAGMA page_size = {ACCOUNT_PAGE_SIZE}; BEGIN; {schema()} PRAGMA application_id = {ACCOUNT_MARK};"
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )
    return connection


def _connection() -> sqlite3.Connection:
    return sqlite3.connect(IN_MEMORY, isolation_level=None, check_same_thread=False)


def opened(content: bytes) -> sqlite3.Connection:
    """Raise `OtherVersion` for one that a program of another version has kept."""
    if version_of(content) != SCHEMA_VERSION:
        raise OtherVersion(version_of(content))
    connection = _connection()
    try:
        connection.deserialize(content)
    except BaseException:
        connection.close()
        raise
    return connection


def size_of(connection: sqlite3.Connection) -> int:
    """In bytes."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * size)


def copy_of(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = _connection()
    connection.backup(copy)
    return copy


def is_of_account(content: bytes) -> bool:
    return mark_of(content) == ACCOUNT_MARK


def mark_of(content: bytes) -> int:
    return _number(content, MARK_AT)


def version_of(content: bytes) -> int:
    return _number(content, VERSION_AT)


def readable(content: bytes) -> bytes:
    """By itself: one that was written ahead of asks for the log as well."""
    if content[JOURNAL_AT : JOURNAL_AT + 2] != b"\2\2":
        return content
    rest = memoryview(content)[JOURNAL_AT + 2 :]
    return b"".join((content[:JOURNAL_AT], b"\1\1", rest))


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 4])


def root_of(connection: sqlite3.Connection) -> str:
    """The account that a snapshot of one is of: the one whose parent, if it has any, isn't in it."""
    (account_id,) = connection.execute(
        "SELECT id FROM account WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM account)"
    ).fetchone()
    return str(account_id)


def account_ids(kept: sqlite3.Connection, live: sqlite3.Connection) -> set[str]:
    """Of a snapshot's account and its subaccounts, those of then and those of now."""
    now = live.execute("SELECT id FROM account WHERE :id IN (id, parent_id)", {"id": root_of(kept)})
    then = kept.execute("SELECT id FROM account")
    return {each for found in (now, then) for (each,) in found}


def default_of(connection: sqlite3.Connection) -> str:
    """The oldest, as `accounts.ensure_default` has it."""
    (account_id,) = connection.execute("SELECT id FROM account ORDER BY created_at LIMIT 1").fetchone()
    return str(account_id)


def put_back(tx: Tx, kept: sqlite3.Connection, tables: list[Table], real: Clock) -> None:
    """An account becomes what it was, with its subaccounts, whatever there is of it now. `real` is the emulator's time.

    Rows whose numbers are in use by now get others, and what refers to them follows. Raise `Taken` for an id or a
    secret that is another account's by now.
    """
    account_id = root_of(kept)
    tx.settle()
    births = dict(tx.read("SELECT id, created_at FROM account", {}).fetchall())
    gone = _delete(tx, account_id)
    _check_parent(tx, kept, account_id)
    shifts = {table.name: _shift(tx, kept, table) for table in tables if table.number}
    for table in tables:
        _copy(tx, kept, table, shifts)
    _set_births(tx, kept, births)
    _set_clocks(tx, kept, gone, real)
    tx.read_marks()
    tx.read_parents()
    go_on(tx, starts_of(kept))


def starts_of(connection: sqlite3.Connection) -> int:
    (starts,) = connection.execute("SELECT count(*) FROM start").fetchone()
    return int(starts)


def go_on(tx: Tx, starts: int) -> None:
    """With a seed: ids that came neither here nor, after so many starts, where a snapshot was made."""
    if tx.settings.seed is None:
        return
    (own,) = tx.read("SELECT count(*) FROM start", {}).fetchone()
    number = max(own, starts) + 1
    tx.execute_many("INSERT INTO start (at) VALUES (?)", [(tx.now,)] * (number - own))
    tx.ids.go_on(f"{tx.settings.seed}/{number}")


def _delete(tx: Tx, account_id: str) -> list[str]:
    """The ids of it and its subaccounts."""
    owner = {"account": account_id}
    found = tx.read("SELECT id FROM account WHERE id = :account OR parent_id = :account", owner).fetchall()
    tx.execute("DELETE FROM account WHERE id = :account", owner)
    return [each for (each,) in found]


def _check_parent(tx: Tx, kept: sqlite3.Connection, account_id: str) -> None:
    (parent_id,) = kept.execute("SELECT parent_id FROM account WHERE id = ?", (account_id,)).fetchone()
    if parent_id and not tx.read("SELECT 1 FROM account WHERE id = :id", {"id": parent_id}).fetchone():
        raise ParentGone(account_id, parent_id)


def _shift(tx: Tx, kept: sqlite3.Connection, table: Table) -> int:
    """By how much the table's rows are moved: 0 if their numbers are free. Jobs never get one that was given before:
    the posts of those that went may be under way.
    """
    ends = f"SELECT min({table.number}), max({table.number}) FROM {table.name}"  # noqa: S608 - the schema's own names
    first, last = kept.execute(ends).fetchone()
    if first is None:
        return 0
    is_free = table.name != "job" and not _any_taken(tx, kept, table, first, last)
    shift = 0 if is_free else _highest(tx, table) + 1 - first
    tx.row_ids.skip_to(table.name, last + shift)
    return shift


def _any_taken(tx: Tx, kept: sqlite3.Connection, table: Table, first: int, last: int) -> bool:
    between = f"SELECT {table.number} FROM {table.name} WHERE {table.number} BETWEEN :first AND :last"  # noqa: S608 - the same
    here = set(tx.read(between, {"first": first, "last": last}))
    return bool(here) and not here.isdisjoint(kept.execute(f"SELECT {table.number} FROM {table.name}"))  # noqa: S608 - the same


def _highest(tx: Tx, table: Table) -> int:
    (highest,) = tx.read(f"SELECT coalesce(max({table.number}), 0) FROM {table.name}", {}).fetchone()  # noqa: S608 - the same
    return max(int(highest), tx.row_ids.last(table.name))


def _copy(tx: Tx, kept: sqlite3.Connection, table: Table, shifts: dict[str, int]) -> None:
    last: list[tuple[Any, ...]] = [()]

    def noting(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            last[0] = row
            yield row

    rows: Iterator[tuple[Any, ...]] = kept.execute(table.select(shifts))
    if table.name == "job":
        rows = _moved(table, rows, shifts)
    try:
        tx.execute_many(table.insert, noting(rows))
    except sqlite3.IntegrityError as error:
        column = str(error).rpartition(".")[2]
        raise Taken(table, column, last[0][table.place(column)]) from None


def _moved(
    table: Table, rows: Iterator[tuple[Any, ...]], shifts: dict[str, int]
) -> Iterator[tuple[Any, ...]]:
    """Jobs name rows in their subjects, and none is in a lane."""
    step, subject, taken = (table.place(name) for name in ("step", "subject", "taken"))
    for row in rows:
        values = list(row)
        values[subject] = jobs.moved(row[step], row[subject], shifts)
        values[taken] = False
        yield tuple(values)


def _set_births(tx: Tx, kept: sqlite3.Connection, births: dict[str, float]) -> None:
    """As they are here; one that wasn't here does not become the oldest, which is the default one."""
    for account_id, created_at in kept.execute("SELECT id, created_at FROM account").fetchall():
        at = births.get(account_id, max(created_at, min(births.values()) + MOVED_APART))
        tx.execute("UPDATE account SET created_at = :at WHERE id = :id", {"id": account_id, "at": at})


def _set_clocks(tx: Tx, kept: sqlite3.Connection, gone: list[str], real: Clock) -> None:
    """Each goes on as it was kept, and jobs are due by it."""
    for account_id in gone:
        tx.forget_clock(account_id)
    found = kept.execute("SELECT id, clock_offset, clock_frozen_at FROM account").fetchall()
    for account_id, offset, frozen_at in found:
        tx.account_id = account_id
        clock = Clock(real.now, offset, frozen_at)
        if offset or frozen_at is not None:
            tx.set_clock(clock)
        jobs.follow_clock(tx, clock)
