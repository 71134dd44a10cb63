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
    """From now on the domain sends by these: its own, or those of the pool. The shared one alone is kept as none."""
    own = list(dict.fromkeys(ips))
    domain.ips = "[]" if own == [shared_ip(domain.account_id)] else orjson.dumps(own).decode()
    domain.pool_id = pool_id
    if domain not in tx.session:
        tx.session.merge(domain)


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
        assign(tx, domain, ips)
    elif free := account_ips.free(tx):
        assign(tx, domain, free)


def add(tx: Tx, domain: Domain, ip: str) -> None:
    """The first dedicated one takes the place of the shared one."""
    _check_unlinked(domain)
    ip = shared_ip(tx.account_id) if ip == SHARED else ip
    account_ips.check_usable(tx, [ip])
    now = [] if domain.ips == domains.NO_IPS else assigned(domain)
    assign(tx, domain, [*now, ip])


def remove(tx: Tx, domain: Domain, ip: str, instead: Sequence[str] = ()) -> None:
    """After the last one it sends by the shared one: Mailgun refuses that to accounts that have none; here all do."""
    _check_unlinked(domain)
    if ip not in list_ips(domain):
        raise NotOfDomain
    assign(tx, domain, [*(each for each in assigned(domain) if each != ip), *instead])


def remove_all(tx: Tx, domain: Domain) -> None:
    """It sends no more."""
    _check_unlinked(domain)
    domain.ips = domains.NO_IPS


def link(tx: Tx, domain: Domain, pool_id: str) -> None:
    """It sends by the pool's IPs, whichever they are."""
    check_in_no_dynamic_pool(tx, domain)
    assign(tx, domain, *ip_pools.replacement(tx, None, pool_id))


def check_in_no_dynamic_pool(tx: Tx, domain: Domain) -> None:
    """It is to be taken out of it before it is linked to another."""
    if domain.pool_id is not None and ip_pools.is_dynamic(tx, domain.pool_id):
        raise PoolLinked


def unlink(tx: Tx, domain: Domain, ip: str | None, pool_id: str | None) -> None:
    """From a dedicated pool: out of a dynamic one lead other ways."""
    if domain.pool_id is None or ip_pools.is_dynamic(tx, domain.pool_id):
        raise NoPoolLinked
    if bool(ip) == bool(pool_id):
        raise OneReplacement
    assign(tx, domain, *ip_pools.replacement(tx, ip, pool_id))


def list_by_ip(
    tx: Tx, ip: str, search: str = "", skip: int = 0, limit: int | None = None
) -> tuple[list[Domain], int]:
    """The account's domains that send by it, by their ids, and how many match; one of the words is in the name."""
    found = [domain for domain in list_all(tx) if _has(domain, ip)]
    words = re.findall(r"[^\W_]+", search.lower())
    if words:
        found = [domain for domain in found if any(word in domain.name for word in words)]
    return found[skip : None if limit is None else skip + limit], len(found)


def list_all(tx: Tx) -> list[Domain]:
    """The account's, by their ids, without those that all IPs were taken from: to Mailgun they exist no longer."""
    own = select(Domain).where(
        Domain.account_id == tx.account_id, Domain.ips != domains.NO_IPS, col(Domain.deleted).is_(False)
    )
    return list(tx.session.exec(own.order_by(col(Domain.id))))


def _has(domain: Domain, ip: str) -> bool:
    return f'"{ip}"' in domain.ips or (domain.ips == "[]" and ip == shared_ip(domain.account_id))


def _check_unlinked(domain: Domain) -> None:
    if domain.pool_id is not None:
        raise PoolLinked
