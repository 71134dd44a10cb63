"""Tags that messages were sent with (facts/sending.md, 7.2)."""

from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Index, bindparam, func, text
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state import statistics
from mailgun_emulator.state.domains import Domain, of_accounts
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

LIMIT = 20_000
"""How many a domain may have (facts/sending.md, 7.2)."""
PAST_ALL = "\U0010ffff"
"""Comes after every name."""


class TagNotFound(NotFound):
    message = "tag not found"


class Tag(SQLModel, table=True):
    """`key` is the name in lower case, `name` the case of its first use. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "tag"
    __table_args__ = (Index("tag_name", "domain_id", "name"),)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    key: str = Field(primary_key=True)
    name: str
    description: str = ""
    first_seen: float
    last_seen: float


class ListedTag(NamedTuple):
    name: str
    description: str
    first_seen: float
    last_seen: float


_SEE = Statement(
    insert(Tag)
    .values(
        domain_id=bindparam("domain_id"),
        key=bindparam("key"),
        name=bindparam("name"),
        description="",
        first_seen=bindparam("now"),
        last_seen=bindparam("now"),
    )
    .on_conflict_do_update(index_elements=["domain_id", "key"], set_={"last_seen": bindparam("now")})
)
_LISTED = (
    select(*columns(Tag, ListedTag._fields))
    .where(
        col(Tag.domain_id) == bindparam("domain_id"),
        col(Tag.key) >= bindparam("prefix"),
        col(Tag.key) < bindparam("past_prefix"),
    )
    .limit(bindparam("limit"))
)
_AFTER = Query(_LISTED.where(col(Tag.name) > bindparam("pivot")).order_by(col(Tag.name)), ListedTag)
_BEFORE = Query(_LISTED.where(col(Tag.name) < bindparam("pivot")).order_by(col(Tag.name).desc()), ListedTag)


def see(tx: Tx, domain_id: str, names: list[str]) -> None:
    """A message with these tags was accepted."""
    for name in names:
        _SEE.later(tx, domain_id=domain_id, key=name.lower(), name=name, now=tx.now)


def get(tx: Tx, domain_id: str, name: str) -> Tag:
    """In whatever case it is written."""
    tx.settle()
    tag = tx.session.get(Tag, (domain_id, name.lower()))
    if tag is None:
        raise TagNotFound
    return tag


def list_after(tx: Tx, domain_id: str, pivot: str, *, prefix: str = "", limit: int) -> list[ListedTag]:
    """By name, capitals first as recorded, from the one that follows the pivot."""
    tx.settle()
    return _AFTER.list(tx, domain_id=domain_id, pivot=pivot, limit=limit, **_range(prefix))


def list_before(tx: Tx, domain_id: str, pivot: str, *, prefix: str = "", limit: int) -> list[ListedTag]:
    """Backwards, from the one before the pivot."""
    tx.settle()
    return _BEFORE.list(tx, domain_id=domain_id, pivot=pivot, limit=limit, **_range(prefix))


def _range(prefix: str) -> dict[str, str]:
    return {"prefix": prefix.lower(), "past_prefix": prefix.lower() + PAST_ALL}


def count(tx: Tx, domain_id: str) -> int:
    tx.settle()
    return tx.session.exec(select(func.count()).select_from(Tag).where(Tag.domain_id == domain_id)).one()


def names(tx: Tx) -> dict[str, str]:
    """How the tags of the account and its subaccounts are written, by their keys."""
    tx.settle()
    owned = text(of_accounts(":owner", subaccounts=True)).bindparams(owner=tx.account_id)
    found = (
        select(Tag.key, func.min(Tag.name))
        .join(Domain, col(Domain.id) == Tag.domain_id)
        .where(owned)
        .group_by(Tag.key)
    )
    return dict(tx.session.exec(found).all())


def delete(tx: Tx, tag: Tag) -> None:
    """With what was counted for it; events keep the tag, and the next message with it begins anew."""
    statistics.forget_tag(tx, tag.domain_id, tag.key)
    tx.session.delete(tag)
    tx.session.flush()
