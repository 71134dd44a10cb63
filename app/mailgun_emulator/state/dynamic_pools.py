"""Dynamic IP pools: domains send by IPs that fit their reputation (facts/account.md, 5.5).

An account has all three pools or none; its subaccounts' domains may be in them, too. A domain is enrolled as long as
the pool it is linked to is one of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, select

from mailgun_emulator.core.errors import BadRequest, Forbidden, NotFound
from mailgun_emulator.state import account_ips, domain_ips, ip_pools, ip_warmups
from mailgun_emulator.state.domain_health import Band
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx


class PoolNotFound(NotFound):
    message = "not found"


class NotEnabled(BadRequest):
    message = "dynamic IP pools are not enabled for the account"


class DomainsEnrolled(BadRequest):
    message = "all domains must be removed from dynamic IP pools first"


class OnlyForParents(Forbidden):
    def __init__(self) -> None:
        super().__init__(hint="The dynamic IP pools of a subaccount are its parent account's.")


class InAnotherDynamicPool(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} belongs to a dynamic IP pool")


class NoWarmIp(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} must contain at least 1 IP that is not warming")


class NothingToChange(BadRequest):
    message = "Missing mandatory parameter: add_ip or remove_ip"


class DynamicPool(SQLModel, table=True):
    """`ips` is a JSON list."""

    __tablename__: ClassVar[Any] = "dynamic_pool"
    __table_args__ = (UniqueConstraint("account_id", "name"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    name: str
    ips: str = "[]"

    def list_ips(self) -> list[str]:
        return list(orjson.loads(self.ips))


def owner_of(tx: Tx) -> str:
    """Whose pools the account uses."""
    return tx.parent_id or tx.account_id


def check_is_parent(tx: Tx) -> None:
    if tx.parent_id:
        raise OnlyForParents


def find_pools(tx: Tx) -> dict[Band, DynamicPool]:
    """All three in Mailgun's order, or none."""
    found = tx.session.exec(select(DynamicPool).where(DynamicPool.account_id == owner_of(tx)))
    by_name = {each.name: each for each in found}
    return {band: by_name[band] for band in Band if band in by_name}


def get_pools(tx: Tx) -> dict[Band, DynamicPool]:
    pools = find_pools(tx)
    if not pools:
        raise NotEnabled
    return pools


def get_pool(tx: Tx, name: str) -> DynamicPool:
    if name not in list(Band):
        raise PoolNotFound
    return get_pools(tx)[Band(name)]


def holds(tx: Tx, ip: str) -> bool:
    """Whether it is in one of the pools."""
    return any(ip in pool.list_ips() for pool in find_pools(tx).values())


def put_all(tx: Tx, wanted: Mapping[Band, Sequence[str]]) -> None:
    """Make the pools, or give them other IPs."""
    check_is_parent(tx)
    pools, seen = find_pools(tx), set[str]()
    for band, ips in wanted.items():
        for ip in dict.fromkeys(ips):
            _check_usable(tx, ip)
            if ip in seen:
                raise InAnotherDynamicPool(ip)
            seen.add(ip)
        _check_warm(tx, band, ips)
    for band, ips in wanted.items():
        pool = pools.get(band) or DynamicPool(id=tx.ids.object_id(), account_id=tx.account_id, name=band)
        _fill(tx, pool, ips)


def change(tx: Tx, name: str, add: Sequence[str], remove: Collection[str] = ()) -> None:
    check_is_parent(tx)
    pool = get_pool(tx, name)
    if not add and not remove:
        raise NothingToChange
    before = pool.list_ips()
    for ip in remove:
        if ip not in before:
            raise ip_pools.NotInPool(ip)
    for ip in add:
        _check_usable(tx, ip)
        if ip not in before and holds(tx, ip):
            raise InAnotherDynamicPool(ip)
    after = [ip for ip in dict.fromkeys([*before, *add]) if ip not in remove]
    _check_warm(tx, name, after)
    _fill(tx, pool, after)


def delete_all(tx: Tx) -> None:
    check_is_parent(tx)
    pools = get_pools(tx)
    if any(ip_pools.list_linked(tx, pool.id, everywhere=True) for pool in pools.values()):
        raise DomainsEnrolled
    for pool in pools.values():
        tx.session.delete(pool)
    tx.session.flush()


def check_has_warm(tx: Tx, ip: str) -> None:
    """That the pool which the IP is in, if any, still has one that isn't warming."""
    for pool in find_pools(tx).values():
        if ip in (ips := pool.list_ips()):
            _check_warm(tx, pool.name, ips)


def _check_usable(tx: Tx, ip: str) -> None:
    own = account_ips.find_dedicated(tx, ip)
    if own is None:
        raise ip_pools.NotDedicated(ip)
    if not own.enabled:
        raise account_ips.DisabledIp(ip)
    if ip_pools.is_pooled(tx, ip):
        raise ip_pools.InAnotherPool(ip)


def _check_warm(tx: Tx, name: str, ips: Iterable[str]) -> None:
    if not set(ips) - ip_warmups.list_ips(tx):
        raise NoWarmIp(name)


def _fill(tx: Tx, pool: DynamicPool, ips: Iterable[str]) -> None:
    """Its domains send by these from now on."""
    pool.ips = orjson.dumps(list(dict.fromkeys(ips))).decode()
    tx.add(pool)
    for domain in ip_pools.list_linked(tx, pool.id, everywhere=True):
        link(tx, domain, pool)


def link(tx: Tx, domain: Domain, pool: DynamicPool) -> None:
    domain_ips.assign(tx, domain, pool.list_ips(), pool.id)


def find_band(tx: Tx, domain: Domain) -> Band | None:
    """The pool that the domain is in."""
    found = (band for band, pool in find_pools(tx).items() if pool.id == domain.pool_id)
    return next(found, None)
