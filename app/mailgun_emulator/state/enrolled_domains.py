"""Domains in dynamic IP pools: health checks move them from one to another (facts/account.md, 5.5)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.clock import to_the_microsecond
from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state import (
    accounts,
    domain_health,
    domain_ips,
    dynamic_pool_moves,
    dynamic_pools,
    ip_pools,
    jobs,
    rows,
)
from mailgun_emulator.state.domain_health import Band, Health
from mailgun_emulator.state.domains import SANDBOX, Domain
from mailgun_emulator.state.jobs import DueJob, Job, Step
from mailgun_emulator.state.transaction import Tx

CHECK_SECONDS = DAY
"""From one health check to the next."""
AT_ONCE = 10
"""Domains that one job enrolls."""
SYSTEM = "system"
"""Who moves a domain after a health check."""
ENROLLED = "Domain enrolled in dynamic IP pools"
REMOVED = "Domain removed from dynamic IP pools"
OVERRIDDEN = "Domain assignment overridden"


class AlreadyEnrolled(BadRequest):
    message = "domain is already enrolled in dynamic IP pools"


class NotEnrolled(BadRequest):
    message = "domain is not enrolled in dynamic IP pools"


class SandboxDomain(BadRequest):
    message = "sandbox domains can't be enrolled in dynamic IP pools"


class EnrolledDomain(SQLModel, table=True):
    """With an `override` no health check moves it. The next check is at `check_at`, none while nothing is sent.

    All of an account's domains are checked by one job.
    """

    __tablename__: ClassVar[Any] = "dynamic_pool_domain"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    registered_at: float
    override: bool = False
    check_at: float | None = None


class Enrolled(NamedTuple):
    domain: Domain
    band: Band
    row: EnrolledDomain
    health: Health


def list_enrolled(tx: Tx, account_ids: Collection[str], bands: Collection[str] = ()) -> list[Enrolled]:
    """By their names, with the health they are of by now; in these pools, or in all."""
    by_id = {
        pool.id: band for band, pool in dynamic_pools.find_pools(tx).items() if not bands or band in bands
    }
    found = (
        select(Domain, EnrolledDomain)
        .join(EnrolledDomain, col(EnrolledDomain.domain_id) == Domain.id)
        .where(
            col(Domain.account_id).in_(account_ids),
            col(Domain.pool_id).in_(list(by_id)),
            col(Domain.deleted).is_(False),
        )
        .order_by(col(Domain.name), col(Domain.id))
    )
    enrolled = tx.session.exec(found).all()
    health = {each: _health_in(tx, each) for each in {domain.account_id for domain, _ in enrolled}}
    return [
        Enrolled(domain, by_id[domain.pool_id or ""], row, health[domain.account_id][domain.name])
        for domain, row in enrolled
    ]


def _health_in(tx: Tx, account_id: str) -> Mapping[str, Health]:
    with tx.speaking_for(account_id):
        return domain_health.examine_all(tx)


def list_assignable(tx: Tx, account_id: str) -> list[Domain]:
    """The account's domains that could be enrolled, by their names."""
    pools = [pool.id for pool in dynamic_pools.find_pools(tx).values()]
    found = select(Domain).where(
        Domain.account_id == account_id, Domain.type != SANDBOX, col(Domain.deleted).is_(False)
    )
    domains = tx.session.exec(found.order_by(col(Domain.name)))
    return [domain for domain in domains if domain.pool_id not in pools]


def get_band(tx: Tx, domain: Domain) -> Band:
    band = dynamic_pools.find_band(tx, domain)
    if band is None:
        raise NotEnrolled
    return band


def enroll(tx: Tx, domain: Domain, by: str) -> None:
    """Into the pool that it is fit for by now."""
    with tx.speaking_for(domain.account_id):
        dynamic_pools.get_pools(tx)
        if domain.type == SANDBOX:
            raise SandboxDomain
        if dynamic_pools.find_band(tx, domain) is not None:
            raise AlreadyEnrolled
        _forget(tx, domain)
        row = tx.add(EnrolledDomain(domain_id=domain.id, registered_at=tx.now))
        health = domain_health.examine(tx, domain)
        _move(tx, domain, "", health.band, health, ENROLLED, by)
        _schedule_check(tx, [row])


def enroll_all(tx: Tx, job: DueJob) -> None:
    """Some of what can be enrolled of the account's, and of its subaccounts'; the rest goes on as another job."""
    asked = orjson.loads(job.subject)
    whose = list(accounts.names(tx)) if asked["subaccounts"] else [tx.account_id]
    if not dynamic_pools.find_pools(tx):
        return
    waiting = [each for account_id in whose for each in list_assignable(tx, account_id)]
    for domain in waiting[:AT_ONCE]:
        enroll(tx, domain, asked["by"])
    if waiting[AT_ONCE:]:
        jobs.schedule(tx, Step.ENROLL_DOMAINS, job.subject)


def start_enrolling_all(tx: Tx, by: str, *, subaccounts: bool) -> None:
    dynamic_pools.check_is_parent(tx)
    dynamic_pools.get_pools(tx)
    jobs.schedule(tx, Step.ENROLL_DOMAINS, orjson.dumps({"subaccounts": subaccounts, "by": by}).decode())


def remove(tx: Tx, domain: Domain, ips: Sequence[str], pool_id: str | None, by: str) -> None:
    """It sends by these instead, or by a dedicated pool's."""
    with tx.speaking_for(domain.account_id):
        before = get_band(tx, domain)
        for ip in ips:
            if dynamic_pools.holds(tx, ip):
                raise dynamic_pools.InAnotherDynamicPool(ip)
        instead = (
            ip_pools.replacement(tx, None, pool_id)[0]
            if pool_id
            else [each for ip in ips for each in ip_pools.replacement(tx, ip, None)[0]]
        )
        _forget(tx, domain)
        domain_ips.assign(tx, domain, instead, pool_id)
        health = domain_health.examine(tx, domain)
        dynamic_pool_moves.add(tx, domain, before, "", REMOVED, health, by)


def override(tx: Tx, domain: Domain, band: Band, by: str) -> None:
    """It stays in that pool, whatever its health is."""
    with tx.speaking_for(domain.account_id):
        before, row = get_band(tx, domain), _row_of(tx, domain)
        row.override, row.check_at = True, None
        if band is not before:
            _move(tx, domain, before, band, domain_health.examine(tx, domain), OVERRIDDEN, by)


def end_override(tx: Tx, domain: Domain, by: str) -> None:
    """Its health counts again, at once."""
    with tx.speaking_for(domain.account_id):
        band, row = get_band(tx, domain), _row_of(tx, domain)
        if row.override:
            row.override = False
            if _check(tx, Enrolled(domain, band, row, domain_health.examine(tx, domain)), by):
                _schedule_check(tx, [row])


def wake(tx: Tx, domain_id: str) -> None:
    """The domain sends: if it is enrolled, its health is checked within a day, also when the clock was set back."""
    asleep = (
        "SELECT 1 FROM dynamic_pool_domain WHERE domain_id = :id AND NOT override"
        " AND (check_at IS NULL OR check_at > :within)"
    )
    if tx.read(asleep, {"id": domain_id, "within": tx.now + CHECK_SECONDS}).fetchone() is not None:
        row = tx.session.get(EnrolledDomain, domain_id)
        if row is not None:
            _schedule_check(tx, [row])


def check_when_due(tx: Tx, _: DueJob) -> None:
    """All of the account's that are not left alone."""
    enrolled = list_enrolled(tx, [tx.account_id])
    waiting = [each for each in enrolled if each.row.check_at is not None]
    _schedule_check(tx, [each.row for each in waiting if _check(tx, each, SYSTEM)])


def _check(tx: Tx, enrolled: Enrolled, by: str) -> bool:
    """Without anything to look back upon the domain is left alone until it sends."""
    domain, band, row, health = enrolled
    row.check_at = None
    if health.band is not band:
        _move(tx, domain, band, health.band, health, health.reason, by)
    return bool(health.processed_count.value)


def _move(tx: Tx, domain: Domain, before: str, band: Band, health: Health, reason: str, by: str) -> None:
    dynamic_pools.link(tx, domain, dynamic_pools.get_pools(tx)[band])
    dynamic_pool_moves.add(tx, domain, before, band, reason, health, by)


def _schedule_check(tx: Tx, those: Sequence[EnrolledDomain]) -> None:
    if those:
        at = have_checked(tx, to_the_microsecond(tx.now + CHECK_SECONDS))
        for row in those:
            row.check_at = at


def have_checked(tx: Tx, at: float) -> float:
    """The account's domains are checked then, unless that is due sooner anyway; return when."""
    own = {"account_id": tx.account_id, "step": Step.CHECK_HEALTH.value}
    sooner = [each["at"] for each in rows.read(tx, Job, own, "at") if each["at"] <= at]
    if not sooner:
        rows.delete(tx, Job, own)
        jobs.schedule(tx, Step.CHECK_HEALTH, "", after=at - tx.now)
    return min(sooner, default=at)


def _row_of(tx: Tx, domain: Domain) -> EnrolledDomain:
    row = tx.session.get(EnrolledDomain, domain.id)
    return row or tx.add(EnrolledDomain(domain_id=domain.id, registered_at=tx.now))


def _forget(tx: Tx, domain: Domain) -> None:
    row = tx.session.get(EnrolledDomain, domain.id)
    if row is not None:
        tx.session.delete(row)
        tx.session.flush()
