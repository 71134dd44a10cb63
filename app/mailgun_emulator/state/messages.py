"""Accepted messages, and one envelope for each of their recipients."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class Message(SQLModel, table=True):
    """One copy as it goes out. JSON is kept as text, times are seconds since 1970.

    `headers` are those that events repeat, `options` what deliver needs of `o:` parameters, `url` where the stored
    copy is read, on the host the sender called.
    """

    __tablename__: ClassVar[Any] = "message"
    id: int = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", index=True)
    storage_key: str = Field(unique=True)
    message_id: str = Field(index=True)
    sender: str
    recipients: str
    headers: str
    tags: str
    variables: str
    options: str
    attachments: str
    size: int
    url: str
    accepted_at: float
    expires_at: float = Field(index=True)
    mime: bytes | None = None


class Envelope(SQLModel, table=True):
    """`state` is queued until the last event: delivered or failed."""

    __tablename__: ClassVar[Any] = "envelope"
    id: int = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", ondelete="CASCADE", index=True)
    recipient: str
    state: str = "queued"
    attempts: int = 0
