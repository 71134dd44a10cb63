"""IPs that are looked up in blocklists (facts/account.md, 11.6)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import Conflict, NotFound
from mailgun_emulator.state import usage
from mailgun_emulator.state.transaction import Tx

METRIC = "ip_blocklist_monitoring"
"""Counted once for each that is registered."""


class MonitoredIpNotFound(NotFound):
    """Mailgun's own words are not known, as those of the other."""

    message = "IP address not found"


class MonitoredIpExists(Conflict):
    message = "IP address already exists"


class MonitoredIp(SQLModel, table=True):
    """`ip_pool` and `description` are the user's words. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "monitored_ip"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    ip: str = Field(primary_key=True)
    ip_pool: str = ""
    description: str = ""
    created_at: float


def list_all(tx: Tx) -> list[MonitoredIp]:
    """In the order they were registered."""
    own = select(MonitoredIp).where(MonitoredIp.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(MonitoredIp.created_at), col(MonitoredIp.ip))))


def find(tx: Tx, ip: str) -> MonitoredIp | None:
    return tx.session.get(MonitoredIp, (tx.account_id, ip))


def get(tx: Tx, ip: str) -> MonitoredIp:
    found = find(tx, ip)
    if found is None:
        raise MonitoredIpNotFound
    return found


def create(tx: Tx, ip: str, ip_pool: str = "", description: str = "") -> MonitoredIp:
    if find(tx, ip) is not None:
        raise MonitoredIpExists
    usage.count(tx, METRIC, 1)
    return tx.add(
        MonitoredIp(
            account_id=tx.account_id, ip=ip, ip_pool=ip_pool, description=description, created_at=tx.now
        )
    )


def put(tx: Tx, ip: str, ip_pool: str | None = None, description: str | None = None) -> MonitoredIp:
    """What is None stays."""
    found = get(tx, ip)
    found.ip_pool = found.ip_pool if ip_pool is None else ip_pool
    found.description = found.description if description is None else description
    return found


def delete(tx: Tx, ip: str) -> None:
    tx.session.delete(get(tx, ip))
