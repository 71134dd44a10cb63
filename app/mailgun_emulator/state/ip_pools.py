"""Dedicated IP pools: IPs that domains share, and subaccounts have from their parents (facts/account.md, 5.3)."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, delete, or_, select

from mailgun_emulator.core.errors import BadRequest, Forbidden, NotFound
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.state import account_ips, ip_warmups, subaccounts
from mailgun_emulator.state.account_ips import SHARED
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx

NAME_COUNTED = (
    "coalesce((SELECT name FROM ip_pool WHERE id = dimension_count.ip_pool),"
    " (SELECT name FROM dynamic_pool WHERE id = dimension_count.ip_pool), dimension_count.ip_pool)"
)
"""As SQL: the name of the pool that statistics tell of, or its id when it is gone."""


class PoolNotFound(NotFound):
    message = "not found"


class UnknownPool(BadRequest):
    """One that a parameter names."""

    message = "IP pool does not belong to the account"


class InheritedPool(Forbidden):
    message = "Inherited IP pool can't be modified"


class NotDedicated(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} is not a dedicated IP of the account")


class OnWarmup(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} is on warmup")


class InAnotherPool(BadRequest):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} belongs to an IP pool")


class NotInPool(NotFound):
    def __init__(self, ip: str) -> None:
        super().__init__(f"IP {ip} does not belong to the IP pool")


class NoIps(BadRequest):
    message = "IP pool has no IPs"


class SubaccountNotFound(NotFound):
    message = "account not found"


class NotDelegated(BadRequest):
    message = "IP pool is not delegated to the subaccount"


class IpPool(SQLModel, table=True):
    """Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "ip_pool"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    name: str
    description: str = ""
    created_at: float


class IpPoolIp(SQLModel, table=True):
    """One of the account's dedicated IPs in a pool; in one only."""

    __tablename__: ClassVar[Any] = "ip_pool_ip"
    pool_id: str = Field(foreign_key="ip_pool.id", ondelete="CASCADE", primary_key=True)
    ip: str = Field(primary_key=True)
    linked_at: float


class IpPoolDelegation(SQLModel, table=True):
    """The pool that a subaccount inherits. There is one at most; that of a pool that is gone means nothing."""

    __tablename__: ClassVar[Any] = "ip_pool_delegation"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    pool_id: str


def list_pools(tx: Tx) -> list[IpPool]:
    """The account's own, oldest first, and the inherited one."""
    inherited = select(IpPoolDelegation.pool_id).where(IpPoolDelegation.account_id == tx.account_id)
    found = select(IpPool).where(or_(IpPool.account_id == tx.account_id, col(IpPool.id).in_(inherited)))
    return list(tx.session.exec(found.order_by(col(IpPool.created_at), col(IpPool.id))))


def find(tx: Tx, pool_id: str) -> IpPool | None:
    """Own or inherited."""
    pool = tx.session.get(IpPool, pool_id)
    if pool is None or pool.account_id == tx.account_id:
        return pool
    inherited = tx.session.get(IpPoolDelegation, tx.account_id)
    return pool if inherited is not None and inherited.pool_id == pool_id else None


def get(tx: Tx, pool_id: str) -> IpPool:
    pool = find(tx, pool_id)
    if pool is None:
        raise PoolNotFound
    return pool


def name_of(tx: Tx, pool_id: str) -> str:
    """Of any pool, be it a dynamic one."""
    found = tx.read(
        "SELECT name FROM ip_pool WHERE id = :id UNION ALL SELECT name FROM dynamic_pool WHERE id = :id",
        {"id": pool_id},
    ).fetchone()
    return found[0] if found else ""


def is_dynamic(tx: Tx, pool_id: str) -> bool:
    return tx.read("SELECT 1 FROM dynamic_pool WHERE id = :id", {"id": pool_id}).fetchone() is not None


def get_own(tx: Tx, pool_id: str) -> IpPool:
    """For who changes it."""
    pool = get(tx, pool_id)
    if pool.account_id != tx.account_id:
        raise InheritedPool
    return pool


def assignments(tx: Tx, pool_id: str) -> dict[str, float]:
    """Its IPs, and since when each is in it."""
    found = select(IpPoolIp).where(IpPoolIp.pool_id == pool_id)
    return {
        each.ip: each.linked_at
        for each in tx.session.exec(found.order_by(col(IpPoolIp.linked_at), col(IpPoolIp.ip)))
    }


def list_ips(tx: Tx, pool_id: str) -> list[str]:
    return list(assignments(tx, pool_id))


def list_linked(tx: Tx, pool_id: str, *, everywhere: bool = False) -> list[Domain]:
    """The account's domains that send by it; with `everywhere` those of subaccounts, too."""
    found = select(Domain).where(Domain.pool_id == pool_id, col(Domain.deleted).is_(False))
    if not everywhere:
        found = found.where(Domain.account_id == tx.account_id)
    return list(tx.session.exec(found.order_by(col(Domain.id))))


def create(tx: Tx, name: str, description: str, ips: Sequence[str] = ()) -> IpPool:
    pool = IpPool(
        id=tx.ids.object_id(),
        account_id=tx.account_id,
        name=name,
        description=description,
        created_at=tx.now,
    )
    tx.add(pool)
    add_ips(tx, pool, ips)
    return pool


def add_ips(tx: Tx, pool: IpPool, ips: Iterable[str]) -> bool:
    """Whether any is new in it. Each is to be dedicated, in no other pool, and warmed up."""
    there = assignments(tx, pool.id)
    new = [ip for ip in dict.fromkeys(ips) if ip not in there]
    for ip in new:
        check_free(tx, ip)
        tx.add(IpPoolIp(pool_id=pool.id, ip=ip, linked_at=tx.now))
    return bool(new)


def check_free(tx: Tx, ip: str) -> None:
    own = account_ips.find_dedicated(tx, ip)
    if own is None:
        raise NotDedicated(ip)
    if not own.enabled:
        raise account_ips.DisabledIp(ip)
    if is_taken(tx, ip):
        raise InAnotherPool(ip)
    if ip_warmups.is_on_warmup(tx, ip):
        raise OnWarmup(ip)


def is_pooled(tx: Tx, ip: str) -> bool:
    """Whether it is in one of the account's pools."""
    own = select(IpPool.id).where(IpPool.account_id == tx.account_id)
    found = select(IpPoolIp).where(IpPoolIp.ip == ip, col(IpPoolIp.pool_id).in_(own))
    return tx.session.exec(found).first() is not None


def is_taken(tx: Tx, ip: str) -> bool:
    """Whether it is in one of the account's pools, be it a dynamic one."""
    found = tx.read(
        "SELECT 1 FROM dynamic_pool WHERE account_id = :account_id AND instr(ips, :quoted)",
        {"account_id": tx.account_id, "quoted": f'"{ip}"'},
    )
    return found.fetchone() is not None or is_pooled(tx, ip)


def remove_ips(tx: Tx, pool: IpPool, ips: Iterable[str]) -> bool:
    """Whether any was in it."""
    gone = list(ips)
    for ip in gone:
        found = tx.session.get(IpPoolIp, (pool.id, ip))
        if found is None:
            raise NotInPool(ip)
        tx.session.delete(found)
    tx.session.flush()
    return bool(gone)


def replacement(tx: Tx, ip: str | None, pool_id: str | None) -> tuple[list[str], str | None]:
    """The IPs and the pool that domains send by instead, of which one is named; `shared` is no IP at all."""
    if pool_id:
        if find(tx, pool_id) is None:
            raise UnknownPool
        ips = list_ips(tx, pool_id)
        if not ips:
            raise NoIps
        return ips, pool_id
    if ip in (SHARED, shared_ip(tx.account_id)):
        return [], None
    account_ips.check_usable(tx, [str(ip)])
    if is_taken(tx, str(ip)):
        raise InAnotherPool(str(ip))
    return [str(ip)], None


def remove(tx: Tx, pool: IpPool, successor_id: str | None) -> None:
    """Subaccounts that have it inherit its successor instead. `pipeline.ip_moves` sees to the domains."""
    for each in list_delegations(tx):
        if each.pool_id == pool.id and successor_id:
            each.pool_id = successor_id
        elif each.pool_id == pool.id:
            tx.session.delete(each)
    tx.session.delete(pool)
    tx.session.flush()


def check_subaccount(tx: Tx, account_id: str) -> None:
    if not subaccounts.is_live(tx, tx.account_id, account_id):
        raise SubaccountNotFound


def delegated_to(tx: Tx, account_id: str) -> str | None:
    """The id of the pool that the subaccount has from its parent."""
    found = tx.session.get(IpPoolDelegation, account_id)
    return found.pool_id if found and tx.session.get(IpPool, found.pool_id) is not None else None


def check_delegated(tx: Tx, pool_id: str, account_id: str) -> None:
    check_subaccount(tx, account_id)
    if delegated_to(tx, account_id) != pool_id:
        raise NotDelegated


def list_delegations(tx: Tx) -> list[IpPoolDelegation]:
    """Those of the account's own pools."""
    own = select(IpPool.id).where(IpPool.account_id == tx.account_id)
    found = select(IpPoolDelegation).where(col(IpPoolDelegation.pool_id).in_(own))
    return list(tx.session.exec(found.order_by(col(IpPoolDelegation.account_id))))


def delegate(tx: Tx, pool_id: str, account_id: str) -> str | None:
    """Return the id of the pool that it takes the place of, if that is another."""
    before = tx.session.get(IpPoolDelegation, account_id)
    if before is None:
        tx.add(IpPoolDelegation(account_id=account_id, pool_id=pool_id))
        return None
    replaced, before.pool_id = before.pool_id, pool_id
    return replaced if replaced != pool_id else None


def revoke(tx: Tx, account_id: str) -> None:
    tx.session.exec(delete(IpPoolDelegation).where(col(IpPoolDelegation.account_id) == account_id))
