"""What has happened to messages (facts/sending.md, 3). Only `pipeline.record` adds to it."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Index, bindparam, delete, insert, literal_column
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.tags import Tag
from mailgun_emulator.state.transaction import Tx


class EventType(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DELIVERED = "delivered"
    FAILED = "failed"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    STORED = "stored"
    LIST_MEMBER_UPLOADED = "list_member_uploaded"
    LIST_MEMBER_UPLOAD_ERROR = "list_member_upload_error"
    LIST_UPLOADED = "list_uploaded"


OF_LISTS = (EventType.LIST_MEMBER_UPLOADED, EventType.LIST_MEMBER_UPLOAD_ERROR, EventType.LIST_UPLOADED)
"""Those that are of no message; nobody counts them, and no webhook takes them."""


UNIQUE_AGAIN_AFTER = 7 * 86400
"""Opens and clicks are unique if none of the same recipient and message came in the week before, as published."""


class Event(SQLModel, table=True):
    """`payload` is the event's JSON as Mailgun gives it; the other columns are what it is looked for by.

    `at` is the payload's timestamp, `key` its id on the wire; `recipient` and `message_id`, which has no angle
    brackets, are in lower case. There is no index on the time of events of any type: each costs a message 20 µs,
    and those of the types can be read side by side.
    """

    __tablename__: ClassVar[Any] = "event"
    __table_args__ = (
        Index("event_type", "domain_id", "type", "at", "id"),
        Index("event_recipient", "domain_id", "recipient", "at"),
    )
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    at: float
    type: str
    key: str
    recipient: str = ""
    message_id: str = Field(default="", index=True)
    payload: str


class EventTag(SQLModel, table=True):
    """The events that carry a tag, in the order of their time; `tag` is in lower case. The event may be gone."""

    __tablename__: ClassVar[Any] = "event_tag"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    tag: str = Field(primary_key=True)
    at: float = Field(primary_key=True)
    event_id: int = Field(primary_key=True)


class Engagement(NamedTuple):
    at: float
    payload: str


MOST_ENGAGEMENT = 100
_ENGAGEMENT = Query(
    select(*columns(Event, Engagement._fields))
    .where(
        col(Event.domain_id) == bindparam("domain_id"),
        col(Event.recipient) == bindparam("recipient"),
        col(Event.type).in_([literal_column(f"'{each}'") for each in (EventType.OPENED, EventType.CLICKED)]),
    )
    .order_by(col(Event.at).desc())
    .limit(MOST_ENGAGEMENT),
    Engagement,
)
_INSERT = Statement(insert(Event).values({name: bindparam(name) for name in Event.model_fields}))
_INSERT_TAG = Statement(
    insert(EventTag)
    .values({name: bindparam(name) for name in EventTag.model_fields})
    .prefix_with("OR IGNORE")
)
_EXPIRED = select(Event.id).where(
    col(Event.domain_id) == bindparam("domain_id"),
    col(Event.type).in_([literal_column(f"'{each}'") for each in EventType]),
    col(Event.at) < bindparam("before"),
)
_EXPIRE = Statement(delete(Event).where(col(Event.id).in_(_EXPIRED.limit(bindparam("most")))))
_EXPIRE_TAGS = Statement(
    delete(EventTag).where(
        col(EventTag.domain_id) == bindparam("domain_id"),
        col(EventTag.tag).in_(select(Tag.key).where(col(Tag.domain_id) == bindparam("domain_id"))),
        col(EventTag.at) < bindparam("before"),
    )
)


def add(
    tx: Tx,
    *,
    domain_id: str,
    type: EventType,  # noqa: A002 - the column's own name
    key: str,
    recipient: str,
    message_id: str,
    payload: str,
    tags: list[str],
) -> int:
    """The event's row."""
    at, row = tx.now, tx.next_id("event")
    _INSERT.later(
        tx,
        id=row,
        domain_id=domain_id,
        at=at,
        type=type.value,
        key=key,
        recipient=recipient.lower(),
        message_id=message_id.lower(),
        payload=payload,
    )
    for tag in tags:
        _INSERT_TAG.later(tx, domain_id=domain_id, tag=tag.lower(), at=at, event_id=row)
    return row


def list_engagement(tx: Tx, domain_id: str, recipient: str) -> list[Engagement]:
    """What a recipient opened and clicked lately, the latest first."""
    tx.settle()
    return _ENGAGEMENT.list(tx, domain_id=domain_id, recipient=recipient.lower())


def expire(tx: Tx, domain_id: str, most: int) -> int:
    """Forget some of those that are kept no longer; how many."""
    before = tx.now - tx.settings.event_retention * 86400.0
    gone = _EXPIRE.run(tx, domain_id=domain_id, before=before, most=most).rowcount
    if 0 < gone < most:
        _EXPIRE_TAGS.run(tx, domain_id=domain_id, before=before)
    return gone


def find_first(
    tx: Tx,
    domain_id: str,
    type: EventType,  # noqa: A002 - the column's own name
    message_id: str,
    recipient: str,
    since: float = 0.0,
) -> dict[str, Any] | None:
    """The payload of the first event of that type of a message and a recipient, since then."""
    tx.settle()
    row = tx.read(
        "SELECT payload FROM event INDEXED BY ix_event_message_id WHERE message_id = :message_id "
        "AND recipient = :recipient AND type = :type AND domain_id = :domain_id AND at >= :since "
        "ORDER BY at, id LIMIT 1",
        {
            "domain_id": domain_id,
            "type": type.value,
            "message_id": message_id.lower(),
            "recipient": recipient.lower(),
            "since": since,
        },
    ).fetchone()
    return None if row is None else orjson.loads(row[0])
