"""Who may be written to from an account's sandbox domain (facts/account.md, 9.3)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses
from mailgun_emulator.state.transaction import Tx

MOST = 5


class TooManyRecipients(BadRequest):
    message = f"Only {MOST} sandbox recipients are allowed"


class InvalidRecipient(BadRequest):
    message = "Invalid email address."


class SandboxRecipient(SQLModel, table=True):
    """`email` in lower case; `activated`: the recipient has agreed."""

    __tablename__: ClassVar[Any] = "sandbox_recipient"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    email: str = Field(primary_key=True)
    activated: bool = False
    created_at: float


def list_recipients(tx: Tx) -> list[SandboxRecipient]:
    own = select(SandboxRecipient).where(SandboxRecipient.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(SandboxRecipient.created_at), col(SandboxRecipient.email))))


def list_authorized(tx: Tx) -> set[str]:
    return {recipient.email for recipient in list_recipients(tx) if recipient.activated}


def find(tx: Tx, email: str) -> SandboxRecipient | None:
    return tx.session.get(SandboxRecipient, (tx.account_id, email.lower()))


def create(tx: Tx, email: str) -> SandboxRecipient:
    """One that is known already is returned as it is."""
    email = _checked(email)
    known = {recipient.email: recipient for recipient in list_recipients(tx)}
    if email in known:
        return known[email]
    if len(known) >= MOST:
        raise TooManyRecipients
    return tx.add(SandboxRecipient(account_id=tx.account_id, email=email, created_at=tx.now))


def _checked(email: str) -> str:
    try:
        address = addresses.parse(email)
    except addresses.NotAnAddress:
        raise InvalidRecipient from None
    if address.name:
        raise InvalidRecipient
    return address.email.lower()


def agree(recipient: SandboxRecipient) -> None:
    """What the invitation asks the recipient to do."""
    recipient.activated = True


def delete(tx: Tx, email: str) -> None:
    found = find(tx, email)
    if found is None:
        raise InvalidRecipient
    tx.session.delete(found)
