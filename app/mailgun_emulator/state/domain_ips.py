"""The IPs that a domain sends by (facts/account.md, 5.2)."""

import re
from collections.abc import Sequence

import orjson
from sqlmodel import col, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.state import account_ips, domains, ip_pools
from mailgun_emulator.state.account_ips import SHARED
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx


class PoolLinked(BadRequest):
    message = "Domain IPs can't be changed while an IP pool is linked to the domain"


class NoPoolLinked(BadRequest):
    message = "No IP pool is linked to the domain"


class NotOfDomain(NotFound):
    message = "not found"


class OneReplacement(BadRequest):
    message = "Either ip or pool_id must be specified, but not both"


def assign(tx: Tx, domain: Domain, ips: Sequence[str], pool_id: str | None = None) -> None:
    """From now on the domain sends by these: its own, or those of the pool. By none means by the shared one."""
    domain.ips, domain.pool_id = orjson.dumps(list(dict.fromkeys(ips))).decode(), pool_id
    tx.session.merge(domain)
    tx.session.flush()


def assigned(domain: Domain) -> list[str]:
    """None if it sends by the shared one."""
    if domain.ips == domains.NO_IPS:
        raise domains.DomainNotFound
    return list(orjson.loads(domain.ips))


def list_ips(domain: Domain) -> list[str]:
    return assigned(domain) or [shared_ip(domain.account_id)]


def assign_at_creation(
    tx: Tx, domain: Domain, ips: Sequence[str] | None = None, pool_id: str | None = None
) -> None:
    """Those asked for, or all dedicated ones that are in no pool."""
    if pool_id and ips:
        raise OneReplacement
    if pool_id:
        link(tx, domain, pool_id)
    elif ips:
        account_ips.check_usable(tx, ips)
        assign(tx, domain, [] if list(ips) == [shared_ip(tx.account_id)] else ips)
    elif free := account_ips.free(tx):
        assign(tx, domain, free)


def add(tx: Tx, domain: Domain, ip: str) -> None:
    """The first dedicated one takes the place of the shared one."""
    _check_unlinked(domain)
    ip = shared_ip(tx.account_id) if ip == SHARED else ip
    account_ips.check_usable(tx, [ip])
    now = [] if domain.ips == domains.NO_IPS else assigned(domain)
    if now or ip != shared_ip(tx.account_id):
        now.append(ip)
    assign(tx, domain, now)


def remove(tx: Tx, domain: Domain, ip: str, replacement: str | None = None) -> None:
    """After the last one it sends by the shared one."""
    _check_unlinked(domain)
    if ip not in list_ips(domain):
        raise NotOfDomain
    left = [each for each in assigned(domain) if each != ip]
    if replacement:
        left += ip_pools.replacement(tx, replacement, None)[0]
    assign(tx, domain, [] if left == [shared_ip(tx.account_id)] else left)


def remove_all(tx: Tx, domain: Domain) -> None:
    """It sends no more."""
    _check_unlinked(domain)
    domain.ips = domains.NO_IPS


def link(tx: Tx, domain: Domain, pool_id: str) -> None:
    """It sends by the pool's IPs, whichever they are."""
    pool = ip_pools.find(tx, pool_id)
    if pool is None:
        raise ip_pools.UnknownPool
    assign(tx, domain, ip_pools.list_ips(tx, pool.id), pool.id)


def unlink(tx: Tx, domain: Domain, ip: str | None, pool_id: str | None) -> None:
    if domain.pool_id is None:
        raise NoPoolLinked
    if bool(ip) == bool(pool_id):
        raise OneReplacement
    assign(tx, domain, *ip_pools.replacement(tx, ip, pool_id))


def list_by_ip(
    tx: Tx, ip: str, search: str = "", skip: int = 0, limit: int | None = None
) -> tuple[list[Domain], int]:
    """The account's domains that send by it, by their ids, and how many match; one of the words is in the name."""
    found = [domain for domain in list_all(tx) if _has(domain, ip)]
    words = [word for word in re.split(r"[^\w-]+", search.lower()) if word]
    if words:
        found = [domain for domain in found if any(word in domain.name for word in words)]
    return found[skip : None if limit is None else skip + limit], len(found)


def list_all(tx: Tx) -> list[Domain]:
    own = select(Domain).where(Domain.account_id == tx.account_id, col(Domain.deleted).is_(False))
    return list(tx.session.exec(own.order_by(col(Domain.id))))


def _has(domain: Domain, ip: str) -> bool:
    return f'"{ip}"' in domain.ips or (domain.ips == "[]" and ip == shared_ip(domain.account_id))


def _check_unlinked(domain: Domain) -> None:
    if domain.pool_id is not None:
        raise PoolLinked
