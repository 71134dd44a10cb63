"""Which rows belong to an account, found by walking the schema's foreign keys: a new table needs no line here."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

OWNER = "account"
WITHOUT_OWNER = "start"
"""Belongs to the database, not to an account."""


class Column(NamedTuple):
    """`kind` as it is declared."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True)
class Table:
    """`number` is the column by which SQLite numbers its rows, empty if it is not numbered.

    `numbers` tells of each column that holds such a number whose it is. `condition` selects the rows of the account
    `:account`, and of its subaccounts; `depth` is how many tables lie between.
    """

    name: str
    columns: tuple[Column, ...]
    number: str
    numbers: Mapping[str, str]
    condition: str
    depth: int

    @cached_property
    def select_owned(self) -> str:
        return f"{self.select()} WHERE {self.condition}"

    @cached_property
    def insert(self) -> str:
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        return f"INSERT INTO {self.name} ({names}) VALUES ({', '.join('?' for _ in self.columns)})"  # noqa: S608 - the schema's own names

    def select(self, shifts: Mapping[str, int] | None = None) -> str:
        """All rows; what holds the number of a row that is moved, by so much, is moved with it."""
        moves = {column: (shifts or {}).get(table, 0) for column, table in self.numbers.items()}
        wanted = ", ".join(_moved(column.name, moves.get(column.name, 0)) for column in self.columns)
        return f"SELECT {wanted} FROM {self.name}"  # noqa: S608 - the same

    def place(self, name: str) -> int:
        return [column.name for column in self.columns].index(name)


def _moved(name: str, shift: int) -> str:
    return f'"{name}" + {shift}' if shift else f'"{name}"'


class _Key(NamedTuple):
    """A foreign key: `column` refers to the table's column `to`."""

    column: str
    table: str
    to: str


def read(connection: sqlite3.Connection) -> list[Table]:
    """All tables whose rows belong to an account, each after those that it refers to."""
    found: dict[str, Table] = {}
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    for (name,) in names.fetchall():
        if name != WITHOUT_OWNER:
            found[name] = _read(connection, name, found)
    return list(found.values())


def _read(connection: sqlite3.Connection, name: str, found: Mapping[str, Table]) -> Table:
    told = connection.execute(f"PRAGMA table_info({name})").fetchall()
    columns = tuple(Column(column, kind, bool(required)) for _, column, kind, required, *_ in told)
    keys = [column for _, column, kind, *_, key in told if key]
    whole = [column for _, column, kind, *_, key in told if key and kind == "INTEGER"]
    number = keys[0] if len(keys) == 1 and keys == whole else ""
    foreign = [
        _Key(column, table, to)
        for *_, table, column, to, _, _, _ in connection.execute(f"PRAGMA foreign_key_list({name})")
    ]
    condition, depth = _condition(name, columns, foreign, found)
    return Table(name, columns, number, _numbers(name, columns, number, foreign, found), condition, depth)


def _condition(
    name: str, columns: tuple[Column, ...], foreign: list[_Key], found: Mapping[str, Table]
) -> tuple[str, int]:
    """By the shortest way to the account. A key that may be empty is none."""
    if name == OWNER:
        return "(id = :account OR parent_id = :account)", 0
    required = {column.name for column in columns if column.required}
    ways = [key for key in foreign if key.column in required]
    if not ways:
        raise LookupError(f"No foreign key of {name} says whose its rows are.")
    key = min(ways, key=lambda way: found[way.table].depth)
    owner = found[key.table]
    condition = f'"{key.column}" IN (SELECT "{key.to}" FROM {owner.name} WHERE {owner.condition})'  # noqa: S608 - the schema's own names
    return condition, owner.depth + 1


def _numbers(
    name: str, columns: tuple[Column, ...], number: str, foreign: list[_Key], found: Mapping[str, Table]
) -> dict[str, str]:
    """Also by names as `event_id`: the busiest tables have no foreign key for it."""
    whole = [column.name for column in columns if column.kind == "INTEGER"]
    numbers = {
        column: column.removesuffix("_id")
        for column in whole
        if column.endswith("_id") and _is_numbered(found, column.removesuffix("_id"))
    }
    numbers |= {key.column: key.table for key in foreign if _is_numbered(found, key.table)}
    return {**numbers, **({number: name} if number else {})}


def _is_numbered(found: Mapping[str, Table], name: str) -> bool:
    return name in found and found[name].number != ""
