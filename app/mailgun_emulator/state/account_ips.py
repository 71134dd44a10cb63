"""The IPs that an account sends by (facts/account.md, 5.1).

Addresses are of the ranges for documentation and benchmarks (RFC 5737, RFC 2544): nobody has them.
"""

import zlib
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.transaction import Tx

SHARED_RANGE = "198.51.100"
"""The last part of an account's shared IP follows from its id, so that nothing need be stored."""


class IpNotFound(NotFound):
    message = "not found"


class AccountIp(SQLModel, table=True):
    """A dedicated one. `band` is what `ip_band` set; times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "account_ip"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    ip: str = Field(primary_key=True)
    enabled: bool = True
    band: str = ""
    created_at: float


def shared_ip(account_id: str) -> str:
    return f"{SHARED_RANGE}.{zlib.crc32(account_id.encode()) % 254 + 1}"


def list_dedicated(tx: Tx) -> list[AccountIp]:
    """In the order they were given in."""
    own = select(AccountIp).where(AccountIp.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(AccountIp.created_at), col(AccountIp.ip))))


def get_dedicated(tx: Tx, ip: str) -> AccountIp:
    found = tx.session.get(AccountIp, (tx.account_id, ip))
    if found is None:
        raise IpNotFound
    return found
