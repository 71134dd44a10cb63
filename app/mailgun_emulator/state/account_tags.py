"""The tags of all of an account's domains, each name once (facts/sending.md, 7.3)."""

from typing import NamedTuple

from sqlmodel import col, select

from mailgun_emulator.state import tags
from mailgun_emulator.state.domains import Domain, of_accounts
from mailgun_emulator.state.tags import PAST_ALL, Tag, TagNotFound
from mailgun_emulator.state.transaction import Tx

LIMIT = 100_000
"""How many an account may have."""


class AccountTag(NamedTuple):
    """`key` is the name in lower case. Times: seconds since 1970. It is an account's, or one of its subaccounts'."""

    account_id: str
    parent_id: str | None
    account_name: str
    key: str
    name: str
    description: str
    first_seen: float
    last_seen: float


def list_tags(
    tx: Tx, prefix: str = "", *, order: str = "key", descending: bool = False, subaccounts: bool = False
) -> list[AccountTag]:
    """Those whose names begin so, in whatever case, by a column of `AccountTag`; each account's by themselves."""
    tx.settle()
    sql = (
        "SELECT account.id, parent_id, account.name, key, min(tag.name) AS name, max(description) AS description,"  # noqa: S608 - a column's name
        " min(first_seen) AS first_seen, max(last_seen) AS last_seen"
        " FROM domain CROSS JOIN tag ON tag.domain_id = domain.id CROSS JOIN account ON account.id = account_id"
        f" WHERE {of_accounts(':account_id', subaccounts=subaccounts)}"
        " AND NOT deleted AND key >= :prefix AND key < :past_prefix"
        f" GROUP BY account.id, key ORDER BY {order} {'DESC' if descending else 'ASC'}, key, account.id"
    )
    begins = prefix.lower()
    about = {"account_id": tx.account_id, "prefix": begins, "past_prefix": begins + PAST_ALL}
    return [AccountTag._make(row) for row in tx.read(sql, about)]


def count(tx: Tx) -> int:
    tx.settle()
    sql = (
        "SELECT count(DISTINCT key) FROM domain CROSS JOIN tag ON tag.domain_id = domain.id"
        " WHERE account_id = :account_id AND NOT deleted"
    )
    (found,) = tx.read(sql, {"account_id": tx.account_id}).fetchone()
    return int(found)


def _of_domains(tx: Tx, name: str) -> list[Tag]:
    """Raise if no domain has it."""
    tx.settle()
    found = (
        select(Tag)
        .join(Domain, col(Domain.id) == Tag.domain_id)
        .where(Domain.account_id == tx.account_id, col(Domain.deleted).is_(False), Tag.key == name.lower())
    )
    rows = list(tx.session.exec(found).all())
    if not rows:
        raise TagNotFound
    return rows


def describe(tx: Tx, name: str, description: str) -> None:
    for tag in _of_domains(tx, name):
        tag.description = description


def delete(tx: Tx, name: str) -> None:
    """With what was counted for it at each domain."""
    for tag in _of_domains(tx, name):
        tags.delete(tx, tag)
