"""Rows as they are kept, for who copies them from one place to another and has to have all of them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlmodel import SQLModel

from mailgun_emulator.state.transaction import Tx

Table = type[SQLModel]


def read(tx: Tx, table: Table, where: Mapping[str, Any], order: str) -> list[dict[str, Any]]:
    """All columns of those that have these values, in the order of some columns."""
    tx.settle()
    names = tuple(table.model_fields)
    sql = f"SELECT {_quoted(names)} FROM {_name(table)} WHERE {_equal(where)} ORDER BY {order}"  # noqa: S608 - names of columns
    return [dict(zip(names, row, strict=True)) for row in tx.read(sql, dict(where))]


def insert(tx: Tx, table: Table, values: Mapping[str, Any]) -> int:
    """What is not given has its default, or comes from the database; the row's number."""
    made = {**_defaults(table), **values}
    unknown = made.keys() - table.model_fields.keys()
    if unknown:
        raise LookupError(f"{_name(table)} has no {sorted(unknown)}")
    places = ", ".join(f":{name}" for name in made)
    sql = f"INSERT INTO {_name(table)} ({_quoted(made)}) VALUES ({places})"  # noqa: S608 - names of columns
    return tx.execute(sql, made).lastrowid or 0


def update(tx: Tx, table: Table, where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """How many rows were changed. No column may be in both."""
    changes = ", ".join(f'"{name}" = :{name}' for name in values)
    sql = f"UPDATE {_name(table)} SET {changes} WHERE {_equal(where)}"  # noqa: S608 - names of columns
    return tx.execute(sql, {**where, **values}).rowcount if values else 0


def delete(tx: Tx, table: Table, where: Mapping[str, Any]) -> int:
    """How many rows are gone."""
    tx.settle()
    return tx.execute(f"DELETE FROM {_name(table)} WHERE {_equal(where)}", dict(where)).rowcount  # noqa: S608 - names of columns


def is_taken(tx: Tx, table: Table, **where: Any) -> bool:
    """Whether there is such a row, whosever it is."""
    sql = f"SELECT 1 FROM {_name(table)} WHERE {_equal(where)} LIMIT 1"  # noqa: S608 - names of columns
    return tx.read(sql, where).fetchone() is not None


def empty_account(tx: Tx, account_id: str) -> None:
    """All that belongs to it goes; itself and its subaccounts stay."""
    tx.settle()
    held = (
        "SELECT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE f.\"table\" = 'account' "
        "AND f.\"from\" = 'account_id' AND m.type = 'table'"
    )
    for (name,) in tx.read(held, {}).fetchall():
        tx.execute(f"DELETE FROM {name} WHERE account_id = :account_id", {"account_id": account_id})  # noqa: S608 - name of a table


def last_id(tx: Tx, table: Table) -> int:
    tx.settle()
    (found,) = tx.read(f"SELECT coalesce(max(id), 0) FROM {_name(table)}", {}).fetchone()  # noqa: S608 - name of a table
    return int(found)


def _name(table: Table) -> str:
    return str(table.__tablename__)


@lru_cache(maxsize=64)
def _defaults(table: Table) -> dict[str, Any]:
    return {
        name: field.default
        for name, field in table.model_fields.items()
        if not field.is_required() and not (name in ("id", "number") and field.default is None)
    }


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _equal(where: Mapping[str, Any]) -> str:
    return " AND ".join(f'"{name}" = :{name}' for name in where)
