"""Who may be written to from an account's sandbox domain (facts/account.md, 9.3)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state.database import Tx

MOST = 5


class TooManyRecipients(BadRequest):
    message = f"Only {MOST} sandbox recipients are allowed"


class InvalidRecipient(BadRequest):
    message = "Invalid email address."


class SandboxRecipient(SQLModel, table=True):
    """`activated`: the recipient has agreed."""

    __tablename__: ClassVar[Any] = "sandbox_recipient"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    email: str = Field(primary_key=True)
    activated: bool = False
    created_at: float


def list_recipients(tx: Tx) -> list[SandboxRecipient]:
    own = select(SandboxRecipient).where(SandboxRecipient.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(SandboxRecipient.created_at), col(SandboxRecipient.email))))


def list_authorized(tx: Tx) -> set[str]:
    """Here, without a mail to answer, whoever was added counts as having agreed."""
    return {recipient.email for recipient in list_recipients(tx)}


def create(tx: Tx, email: str) -> SandboxRecipient:
    if "@" not in email:
        raise InvalidRecipient
    known = {recipient.email: recipient for recipient in list_recipients(tx)}
    if email.lower() in known:
        return known[email.lower()]
    if len(known) >= MOST:
        raise TooManyRecipients
    return tx.add(SandboxRecipient(account_id=tx.account_id, email=email.lower(), created_at=tx.now))


def delete(tx: Tx, email: str) -> None:
    found = tx.session.get(SandboxRecipient, (tx.account_id, email.lower()))
    if found is None:
        raise InvalidRecipient
    tx.session.delete(found)
