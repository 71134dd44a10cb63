"""SQL for the busy paths: written with SQLAlchemy, run without it."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Executable
    from sqlmodel import SQLModel

    from mailgun_emulator.state.transaction import Tx

MOST_REMEMBERED = 10_000
UNASKED: Any = object()

Record = TypeVar("Record", bound=NamedTuple)


class Statement:
    """A SQLAlchemy Core statement, compiled once and run on the driver's own connection.

    It costs a third of what executing it through SQLAlchemy does (facts/performance.md, 1), so the
    paths of messages, events, suppressions, jobs and statistics use it; all else uses `Tx.session`.
    """

    def __init__(self, statement: "Executable") -> None:
        self._statement = statement

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        """The SQL, and the values that are written into the statement itself."""
        from sqlalchemy.dialects import sqlite

        compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="named"))  # type: ignore[attr-defined]  # SQLAlchemy declares compile() one class further down
        return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, tx: "Tx", **parameters: Any) -> sqlite3.Cursor:
        sql, constants = self._compiled
        return tx.execute(sql, {**constants, **parameters} if constants else parameters)

    def later(self, tx: "Tx", **parameters: Any) -> None:
        """Run it together with all others of the turn, just before they are committed: see `Tx.settle`."""
        tx.put_off(self, parameters)

    def run_many(self, connection: sqlite3.Connection, rows: "list[dict[str, Any]]") -> None:
        sql, constants = self._compiled
        connection.executemany(sql, [{**constants, **row} for row in rows] if constants else rows)


class Tally(Statement):
    """An upsert of a row that holds a `count`, for rows that often come again in one turn: see `later`."""

    def run_many(self, connection: sqlite3.Connection, rows: "list[dict[str, Any]]") -> None:
        counts = Counter(tuple(row.values()) for row in rows)
        counted = [{**dict(zip(rows[0], key, strict=True)), "count": n} for key, n in counts.items()]
        super().run_many(connection, counted)


PutOff: TypeAlias = "dict[Statement, list[dict[str, Any]]]"


class Query(Statement, Generic[Record]):
    """A SELECT whose columns are the fields of `record`, in their order."""

    def __init__(self, statement: "Executable", record: type[Record]) -> None:
        super().__init__(statement)
        self._make = record._make

    def run(self, tx: "Tx", **parameters: Any) -> sqlite3.Cursor:
        sql, constants = self._compiled
        return tx.read(sql, {**constants, **parameters} if constants else parameters)

    def find(self, tx: "Tx", **parameters: Any) -> Record | None:
        row = self.run(tx, **parameters).fetchone()
        return None if row is None else self._make(row)

    def recall(self, tx: "Tx", **parameters: Any) -> Record | None:
        """As `find`, but remembered until anything is written that is not put off for later.

        So it is for what messages ask of every time, and for tables to which nothing is put off.
        """
        memory = tx.memory
        if memory is None:
            return self.find(tx, **parameters)
        key = (self, *parameters.values())
        found: Record | None = memory.get(key, UNASKED)
        if found is UNASKED:
            if len(memory) >= MOST_REMEMBERED:
                memory.clear()
            found = memory[key] = self.find(tx, **parameters)
        return found

    def list(self, tx: "Tx", **parameters: Any) -> list[Record]:
        return [self._make(row) for row in self.run(tx, **parameters)]


def columns(table: "type[SQLModel]", names: Iterable[str]) -> "list[ColumnElement[Any]]":
    """The table's columns of these names, to select a record's fields."""
    return [getattr(table, name) for name in names]
