"""Deletes domains: gone at once for all who ask, their rows in the background (facts/account.md, 1.9)."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import delete as delete_from
from sqlmodel import col, select

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state import jobs
from mailgun_emulator.state.domains import SANDBOX, Domain, FormerDomain, State
from mailgun_emulator.state.statements import Statement
from mailgun_emulator.state.transaction import Tx

REMOVED_AT_ONCE = 1000
_LARGE = (
    ("webhook_delivery", "id"),
    ("event", "id"),
    ("event_tag", "tag, at, event_id"),
    ("message", "id"),
    ("suppression", "address"),
)
"""Tables too large to be emptied in one go, and by which columns a part of each is chosen."""


class DomainStays(BadRequest): ...


_REMOVE = Statement(delete_from(Domain).where(col(Domain.id) == bindparam("id")))


def delete(tx: Tx, domain: Domain) -> None:
    """Gone for all who ask, its pending deliveries cancelled; the rows that hang on it go in the background."""
    if domain.type == SANDBOX:
        raise DomainStays("Sandbox domains can't be deleted")
    if domain.state == State.DISABLED:
        raise DomainStays("Disabled domains can't be deleted")
    if tx.session.exec(_dependent_on(domain)).first():
        raise DomainStays(f"Domain {domain.name} is the DKIM authority of another domain")
    jobs.cancel_of_domain(tx, domain.id)
    jobs.schedule(tx, jobs.Step.DELETE_DOMAIN, domain.id, domain_id=domain.id)
    tx.session.merge(FormerDomain(account_id=domain.account_id, name=domain.name))
    domain.name, domain.deleted = f"{domain.name} {domain.id}", True


def _dependent_on(domain: Domain) -> Any:
    return select(Domain).where(
        Domain.account_id == domain.account_id,
        Domain.authority == domain.name,
        Domain.id != domain.id,
        col(Domain.deleted).is_(False),
    )


def remove_some(tx: Tx, job: jobs.DueJob) -> None:
    """Take away what hangs on a deleted domain, a part at a time, so that nobody waits for long; the domain last."""
    tx.settle()
    for table, key in _LARGE:
        part = f"SELECT {key} FROM {table} WHERE domain_id = :id LIMIT {REMOVED_AT_ONCE}"  # noqa: S608 - no input
        rows = f"DELETE FROM {table} WHERE domain_id = :id AND ({key}) IN ({part})"  # noqa: S608 - no input
        if tx.execute(rows, {"id": job.subject}).rowcount:
            jobs.schedule(tx, jobs.Step.DELETE_DOMAIN, job.subject, domain_id=job.domain_id)
            return
    _REMOVE.run(tx, id=job.subject)
