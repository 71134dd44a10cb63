"""Domains whose reputation is watched (facts/account.md, 11.6)."""

from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import Conflict, NotFound
from mailgun_emulator.state import domains, usage
from mailgun_emulator.state.domains import State
from mailgun_emulator.state.transaction import Tx

METRIC = "domain_blocklist_monitoring"
"""Counted once for each that comes to be watched."""


class MonitoredDomainNotFound(NotFound):
    """Mailgun's own words are not known, as those of the others here."""

    message = "domain not found"

    def __init__(self, name: str, *, pending: bool = False) -> None:
        mended = "its records were not found, and it was not verified since" if pending else "add it"
        super().__init__(hint=f"{name} is not watched, see /v1/inboxready/domains: {mended}")


class MonitoredDomainExists(Conflict):
    message = "domain already exists"


class Status(StrEnum):
    """Whose it is. `sending`: it sends by Mailgun and is verified; `inbox_ready`: it has the TXT record asked for."""

    PENDING = "pending"
    INBOX_READY = "inbox_ready"
    SENDING = "sending"


class MonitoredDomain(SQLModel, table=True):
    """Nothing is told of one that is `pending`. `txt_record` proves that it is the account's; `verified_at` is 0 until
    that was asked for. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "monitored_domain"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    name: str = Field(primary_key=True)
    id: str
    status: str = Status.INBOX_READY
    txt_record: str
    created_at: float
    verified_at: float = 0.0


def list_all(tx: Tx) -> list[MonitoredDomain]:
    """In the order they were added."""
    own = select(MonitoredDomain).where(MonitoredDomain.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(MonitoredDomain.created_at), col(MonitoredDomain.name))))


def list_watched(tx: Tx) -> list[MonitoredDomain]:
    """Those that are known to be the account's."""
    return [each for each in list_all(tx) if each.status != Status.PENDING]


def find(tx: Tx, name: str) -> MonitoredDomain | None:
    return tx.session.get(MonitoredDomain, (tx.account_id, name.lower()))


def get(tx: Tx, name: str) -> MonitoredDomain:
    found = find(tx, name)
    if found is None:
        raise MonitoredDomainNotFound(name)
    return found


def get_watched(tx: Tx, name: str) -> MonitoredDomain:
    found = get(tx, name)
    if found.status == Status.PENDING:
        raise MonitoredDomainNotFound(name, pending=True)
    return found


def create(tx: Tx, name: str) -> MonitoredDomain:
    """It is watched from now on, unless it is to be the account's own domain and isn't verified."""
    if find(tx, name) is not None:
        raise MonitoredDomainExists
    domain = MonitoredDomain(
        account_id=tx.account_id,
        name=name.lower(),
        id=tx.ids.object_id(),
        txt_record=tx.ids.hex(40),
        created_at=tx.now,
    )
    if _ownership(tx, domain) == Status.PENDING:
        domain.status = Status.PENDING
    else:
        usage.count(tx, METRIC, 1)
    return tx.add(domain)


def verify(tx: Tx, name: str) -> None:
    """Look for the proof that it is the account's, as it stands in the simulated DNS."""
    domain = get(tx, name)
    before, domain.status = domain.status, _ownership(tx, domain)
    if before == Status.PENDING != domain.status:
        usage.count(tx, METRIC, 1)
    domain.verified_at = tx.now if domain.status != Status.PENDING else 0.0


def _ownership(tx: Tx, domain: MonitoredDomain) -> Status:
    """Of a domain that sends by the account, what was found of it counts; of others the TXT record, which is there."""
    own = domains.find(tx, domain.name)
    if own is None:
        return Status.INBOX_READY
    return Status.SENDING if own.verified and own.state != State.UNVERIFIED else Status.PENDING


def delete(tx: Tx, name: str) -> None:
    tx.session.delete(get(tx, name))
