"""Snapshots from outside. Nothing of such a file is used but rows: known columns of known tables, put into a new
database of our own.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import NamedTuple

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail.periods import LATEST
from mailgun_emulator.state import snapshots
from mailgun_emulator.state.connection import APPLICATION_ID, SCHEMA_VERSION, connect, schema
from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.state.owned_rows import WITHOUT_OWNER, Column, Table

BEGINNING = b"SQLite format 3\0"
MARKS = (APPLICATION_ID, snapshots.ACCOUNT_MARK)
HEAD_BYTES = 100
MOST_NUMBER = 1 << 48
"""Rows with higher numbers would leave no room for others."""
_KINDS = {"VARCHAR": "'text'", "BLOB": "'blob'", "INTEGER": "'integer'", "BOOLEAN": "'integer'"}
_FLOAT = "'real', 'integer'"
_ANY_TIME = ("due_at",)
"""Infinite where a clock stands still."""
_OBJECTS = {
    "domain": ("dns", "checked", "disabled"),
    "event": ("payload",),
    "fault": ("wanted", "does"),
    "list_member": ("vars",),
    "message": ("headers", "options"),
    "outcome_rule": ("wanted", "outcome"),
    "template_version": ("headers",),
}
_LISTS = {
    "account_webhook": ("event_types",),
    "domain": ("ips",),
    "message": ("recipients", "tags", "attachments", "addressees"),
    "route": ("actions",),
    "suppression": ("tags",),
}
"""Columns that hold these as JSON, by table."""


class NoSnapshot(BadRequest):
    def __init__(self, why: str) -> None:
        super().__init__(f"The file can't be taken as a snapshot: {why}.")


class Upload(NamedTuple):
    """`account_id` is whose it is, None if it is of everything."""

    content: bytes
    account_id: str | None


def read(content: bytes, tables: list[Table]) -> Upload:
    """Raise `NoSnapshot` for all that no emulator of this version can have written."""
    of_account = _check_head(content)
    try:
        with closing(sqlite3.connect(IN_MEMORY, isolation_level=None, check_same_thread=False)) as given:
            given.executescript("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
            given.deserialize(snapshots.readable(content))
            _check_schema(given)
            _check_whole(given)
            for table in tables:
                _check_rows(given, table)
            with closing(_empty(of_account=of_account)) as own:
                _copy(given, own, tables)
                _check_references(own)
                return Upload(own.serialize(), _check_accounts(own, of_account=of_account))
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise NoSnapshot(str(error) or type(error).__name__) from error


def _check_head(content: bytes) -> bool:
    """Whether it is of one account."""
    if not content:
        raise NoSnapshot("the body of the request is empty")
    if not content.startswith(BEGINNING) or len(content) < HEAD_BYTES:
        raise NoSnapshot("it is no SQLite database")
    if snapshots.mark_of(content) not in MARKS:
        raise NoSnapshot("it is another program's database")
    version = snapshots.version_of(content)
    if version != SCHEMA_VERSION:
        raise NoSnapshot(f"it has schema version {version}, this program has {SCHEMA_VERSION}")
    return snapshots.is_of_account(content)


def _empty(*, of_account: bool) -> sqlite3.Connection:
    return snapshots.empty_for_account() if of_account else connect(IN_MEMORY)


def _check_schema(given: sqlite3.Connection) -> None:
    """It has our tables and indices to the letter, and neither views nor triggers nor anything else."""
    with closing(sqlite3.connect(IN_MEMORY)) as ours:
        ours.executescript(schema())
        told = "SELECT type, name, tbl_name, sql FROM sqlite_master"
        wanted, found = set(ours.execute(told)), set(given.execute(told))
    for kind, name, *_ in sorted(found - wanted, key=str):
        raise NoSnapshot(f"its {kind} {name} is not what this program has")
    for kind, name, *_ in sorted(wanted - found, key=str):
        raise NoSnapshot(f"its {kind} {name} is missing")


def _check_whole(given: sqlite3.Connection) -> None:
    (said,) = given.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise NoSnapshot(f"it is damaged ({said})")


def _check_rows(given: sqlite3.Connection, table: Table) -> None:
    """Each value is of its column's kind."""
    for column in table.columns:
        wrong = _wrong(table, column)
        if given.execute(f"SELECT 1 FROM {table.name} WHERE {wrong} LIMIT 1").fetchone():  # noqa: S608 - our schema's own names
            raise NoSnapshot(f"a {column.name} of its table {table.name} can't be right")


def _wrong(table: Table, column: Column) -> str:
    name, kinds = f'"{column.name}"', _KINDS.get(column.kind, _FLOAT)
    allowed = kinds if column.required else f"{kinds}, 'null'"
    wrong = f"typeof({name}) NOT IN ({allowed})"
    if column.name in table.numbers:
        return f"{wrong} OR {name} NOT BETWEEN 1 AND {MOST_NUMBER}"
    if kinds == _FLOAT and column.name not in _ANY_TIME:
        return f"{wrong} OR abs({name}) > {LATEST}"
    for kind, tables in (("object", _OBJECTS), ("array", _LISTS)):
        if column.name in tables.get(table.name, ()):
            is_other = f"CASE json_valid({name}) WHEN 1 THEN json_type({name}) != '{kind}' ELSE 1 END"
            return f"{wrong} OR ({name} IS NOT NULL AND {is_other})"
    return wrong


def _copy(given: sqlite3.Connection, own: sqlite3.Connection, tables: Iterable[Table]) -> None:
    own.execute("PRAGMA foreign_keys = OFF")
    own.execute("BEGIN")
    for table in tables:
        own.executemany(table.insert, given.execute(table.select()))
    own.executemany(
        f"INSERT INTO {WITHOUT_OWNER} (at) VALUES (?)",  # noqa: S608 - our own name
        given.execute(f"SELECT at FROM {WITHOUT_OWNER}"),  # noqa: S608 - our own name
    )
    own.execute("COMMIT")


def _check_references(own: sqlite3.Connection) -> None:
    """Of an account's snapshot the account's own parent is not in it."""
    for table, *_ in own.execute("PRAGMA foreign_key_check"):
        if table != "account":
            raise NoSnapshot(f"its table {table} refers to rows that are missing")


def _check_accounts(own: sqlite3.Connection, *, of_account: bool) -> str | None:
    """Whose it is. Subaccounts have no subaccounts."""
    accounts = dict(own.execute("SELECT id, parent_id FROM account ORDER BY created_at"))
    roots = [each for each, parent in accounts.items() if parent not in accounts]
    if not roots:
        raise NoSnapshot("it has no account")
    if any(parent in accounts and accounts[parent] in accounts for parent in accounts.values()):
        raise NoSnapshot("a subaccount in it has subaccounts")
    if not of_account:
        if any(accounts[each] for each in roots):
            raise NoSnapshot("the parent of a subaccount is missing")
        return None
    if len(roots) > 1:
        raise NoSnapshot("it is of several accounts")
    if accounts[roots[0]] and len(accounts) > 1:
        raise NoSnapshot("a subaccount in it has subaccounts")
    return str(roots[0])
