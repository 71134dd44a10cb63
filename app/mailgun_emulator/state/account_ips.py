"""The IPs that an account sends by (facts/account.md, 5.1): one that it shares with others, and dedicated ones."""

from collections.abc import Iterable, Sequence
from itertools import count, islice
from typing import Any, ClassVar

from sqlalchemy import text
from sqlmodel import Field, SQLModel, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.ip_ranges import dedicated_ip, shared_ip
from mailgun_emulator.state.transaction import Tx

MOST_DEDICATED = 10
"""So many an account may order; one can have more from a fixture file."""
SHARED = "shared"
"""Stands for the shared IP, whichever it is."""


class IpNotFound(NotFound):
    message = "not found"


class ForeignIp(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} is not assigned to the account")


class InheritedIp(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} belongs to an inherited IP pool")


class DisabledIp(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} is disabled")


class NoMoreIps(BadRequest):
    message = "The account's plan does not allow more dedicated IPs"


class AccountIp(SQLModel, table=True):
    """A dedicated one. `band` is what `ip_band` set; times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "account_ip"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    ip: str = Field(primary_key=True)
    enabled: bool = True
    band: str = ""
    created_at: float


def list_dedicated(tx: Tx) -> list[AccountIp]:
    """In the order they were given in; of one instant the lower number first."""
    own = select(AccountIp).where(AccountIp.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(text("created_at, length(ip), ip"))))


def find_dedicated(tx: Tx, ip: str) -> AccountIp | None:
    return tx.session.get(AccountIp, (tx.account_id, ip))


def get_dedicated(tx: Tx, ip: str) -> AccountIp:
    found = find_dedicated(tx, ip)
    if found is None:
        raise IpNotFound
    return found


def list_inherited(tx: Tx) -> list[str]:
    """Those of the pool that a subaccount has from its parent."""
    found = tx.read(
        "SELECT ip FROM ip_pool_delegation AS delegation JOIN ip_pool_ip ON ip_pool_ip.pool_id = delegation.pool_id"
        " WHERE delegation.account_id = :account_id ORDER BY linked_at, ip",
        {"account_id": tx.account_id},
    )
    return [ip for (ip,) in found]


def list_ips(tx: Tx, *, dedicated: bool = False, enabled: bool = False) -> list[str]:
    """All, or only those that are dedicated or enabled; the shared one comes first."""
    own = [each.ip for each in list_dedicated(tx) if each.enabled or not enabled]
    shared = [] if dedicated else [shared_ip(tx.account_id)]
    return list(dict.fromkeys([*shared, *own, *list_inherited(tx)]))


def check(tx: Tx, ip: str) -> None:
    """That it is the account's."""
    if ip not in list_ips(tx):
        raise IpNotFound


def check_usable(tx: Tx, ips: Iterable[str]) -> None:
    """That domains can be given them."""
    for ip in ips:
        own = find_dedicated(tx, ip)
        if own is None and ip != shared_ip(tx.account_id):
            raise InheritedIp(ip) if ip in list_inherited(tx) else ForeignIp(ip)
        if own is not None and not own.enabled:
            raise DisabledIp(ip)


def allowed(tx: Tx) -> int:
    """How many dedicated ones more the account may order."""
    return max(MOST_DEDICATED - len(list_dedicated(tx)), 0)


def order(tx: Tx, number: int = 1) -> None:
    """So many new dedicated ones, which no other account has."""
    if number > allowed(tx):
        raise NoMoreIps
    taken = {ip for (ip,) in tx.read("SELECT ip FROM account_ip", {})}
    unused = (ip for ip in map(dedicated_ip, count()) if ip not in taken)
    for ip in islice(unused, number):
        tx.add(AccountIp(account_id=tx.account_id, ip=ip, created_at=tx.now))


def free(tx: Tx) -> Sequence[str]:
    """Dedicated ones that are in no pool: what a new domain sends by."""
    found = tx.read(
        "SELECT ip FROM account_ip WHERE account_id = :account_id AND enabled AND ip NOT IN"
        " (SELECT ip_pool_ip.ip FROM ip_pool_ip JOIN ip_pool ON ip_pool.id = pool_id"
        " WHERE ip_pool.account_id = :account_id) AND NOT EXISTS (SELECT 1 FROM dynamic_pool"
        " WHERE dynamic_pool.account_id = :account_id AND instr(dynamic_pool.ips, '\"' || ip || '\"'))"
        " ORDER BY created_at, length(ip), ip",
        {"account_id": tx.account_id},
    )
    return [ip for (ip,) in found]


def share(tx: Tx, ips: Iterable[str], account_id: str) -> None:
    """With a subaccount, which has them, too."""
    for ip in ips:
        if tx.session.get(AccountIp, (account_id, ip)) is None:
            tx.add(AccountIp(account_id=account_id, ip=ip, created_at=tx.now))
