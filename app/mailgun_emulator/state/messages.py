"""Accepted messages as they were sent, kept for as long as Mailgun stores them (facts/sending.md, 1.13)."""

from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Index, bindparam, delete, insert, select, update
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx


class MessageNotFound(NotFound):
    message = "Message not found"


class Message(SQLModel, table=True):
    """One copy as it goes out. JSON is kept as text, times are seconds since 1970.

    `sender` is the envelope's, `recipients` a list of addresses, `headers` those that events repeat, `options` what
    delivery needs to know, `url` where the stored copy is read, on the host the sender called. `addressees` are two
    lists: whom the header fields To and Cc name, with the names they have there.
    """

    __tablename__: ClassVar[Any] = "message"
    __table_args__ = (Index("message_expiry", "domain_id", "expires_at"),)
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    storage_key: str = Field(unique=True)
    message_id: str
    sender: str
    recipients: str
    headers: str
    tags: str
    variables: str
    options: str
    attachments: str
    size: int
    url: str
    addressees: str
    accepted_at: float
    expires_at: float
    mime: bytes


class SentMessage(NamedTuple):
    """A message as the steps of its life need it: all but its MIME, and the name of its domain."""

    id: int
    domain_id: str
    storage_key: str
    message_id: str
    sender: str
    recipients: str
    headers: str
    tags: str
    variables: str
    options: str
    attachments: str
    size: int
    url: str
    addressees: str
    accepted_at: float
    expires_at: float
    domain_name: str


class _Mime(NamedTuple):
    mime: bytes


class StoredMime(NamedTuple):
    id: int
    sender: str
    recipients: str
    variables: str
    tags: str
    options: str
    mime: bytes


_INSERT = Statement(insert(Message).values({name: bindparam(name) for name in Message.model_fields}))
_SENT = Query(
    select(*columns(Message, SentMessage._fields[:-1]), col(Domain.name))
    .join(Domain, col(Domain.id) == Message.domain_id)
    .where(col(Message.id) == bindparam("id")),
    SentMessage,
)
_STORED = Query(
    select(*columns(Message, StoredMime._fields)).where(
        col(Message.storage_key) == bindparam("storage_key"),
        col(Message.domain_id) == bindparam("domain_id"),
        col(Message.expires_at) > bindparam("now"),
    ),
    StoredMime,
)
_MIME = Query(select(col(Message.mime)).where(col(Message.id) == bindparam("id")), _Mime)
_DELETE = Statement(delete(Message).where(col(Message.id) == bindparam("id")))
_KEEP = Statement(
    update(Message)
    .where(col(Message.id) == bindparam("id"), col(Message.expires_at) < bindparam("until"))
    .values(expires_at=bindparam("until"))
)
_EXPIRED = select(col(Message.id)).where(
    col(Message.domain_id) == bindparam("domain_id"), col(Message.expires_at) <= bindparam("now")
)
_EXPIRE = Statement(delete(Message).where(col(Message.id).in_(_EXPIRED.limit(bindparam("most")))))


def add(tx: Tx, message: SentMessage, mime: bytes) -> None:
    parameters = message._asdict()
    del parameters["domain_name"]
    _INSERT.later(tx, mime=mime, **parameters)


def find_sent(tx: Tx, id: int) -> SentMessage | None:  # noqa: A002 - the column's own name
    tx.settle()
    return _SENT.find(tx, id=id)


def find_mime(tx: Tx, id: int) -> bytes | None:  # noqa: A002 - the column's own name
    tx.settle()
    found = _MIME.find(tx, id=id)
    return None if found is None else found.mime


def get_stored(tx: Tx, domain_id: str, storage_key: str) -> StoredMime:
    """Refuse what was never stored here or is stored no longer."""
    tx.settle()
    found = _STORED.find(tx, domain_id=domain_id, storage_key=storage_key, now=tx.now)
    if found is None:
        raise MessageNotFound
    return found


def delete_stored(tx: Tx, domain_id: str, storage_key: str) -> None:
    """Delivery of what was not delivered yet ends with it."""
    _DELETE.run(tx, id=get_stored(tx, domain_id, storage_key).id)


def keep(tx: Tx, message: SentMessage, until: float) -> None:
    """It is needed until then, even if its domain stores messages for a shorter time."""
    if message.expires_at < until:
        tx.settle()
        _KEEP.run(tx, id=message.id, until=until)


def expire(tx: Tx, domain_id: str, most: int) -> int:
    """Forget some of those whose time is over; how many."""
    return _EXPIRE.run(tx, domain_id=domain_id, now=tx.now, most=most).rowcount
