"""What has happened to messages."""

from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


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


class Event(SQLModel, table=True):
    """`payload` is the event's JSON as Mailgun gives it; the other columns are what it is looked for by."""

    __tablename__: ClassVar[Any] = "event"
    __table_args__ = (
        Index("event_at", "domain_id", "at", "id"),
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
    """The events that carry a tag; `tag` is in lower case."""

    __tablename__: ClassVar[Any] = "event_tag"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    tag: str = Field(primary_key=True)
    event_id: int = Field(primary_key=True, foreign_key="event.id", ondelete="CASCADE", index=True)
