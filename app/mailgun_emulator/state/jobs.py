"""Work to be done later: a row each, written in the transaction of what it follows from."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.statements import Query, Statement


class Step(StrEnum):
    DELIVER = "deliver"
    DELETE_DOMAIN = "delete-domain"
    ENABLE_DOMAIN = "enable-domain"
    ROTATE_KEYS = "rotate-keys"
    ARCHIVE = "archive"
    IMPORT = "import"
    CERTIFY = "certify"


class Job(SQLModel, table=True):
    """Done when `due_at` (seconds since 1970) has come; `subject` says what to, in the step's own terms."""

    __tablename__: ClassVar[Any] = "job"
    id: int = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    domain_id: str | None = Field(default=None, foreign_key="domain.id", ondelete="CASCADE")
    due_at: float = Field(index=True)
    step: str
    subject: str
    attempt: int = 1


class DueJob(NamedTuple):
    id: int
    account_id: str
    domain_id: str | None
    due_at: float
    step: str
    subject: str
    attempt: int


class _Count(NamedTuple):
    jobs: int


class _Next(NamedTuple):
    due_at: float | None


_INSERT = Statement(insert(Job).values({name: bindparam(name) for name in DueJob._fields[1:]}))
_POSTPONE = Statement(update(Job).where(col(Job.id) == bindparam("id")).values(due_at=bindparam("due_at")))
_DELETE = Statement(delete(Job).where(col(Job.id) == bindparam("id")))
_CANCEL_OF_DOMAIN = Statement(delete(Job).where(col(Job.domain_id) == bindparam("domain_id")))
_CANCEL = Statement(
    delete(Job).where(col(Job.domain_id) == bindparam("domain_id"), col(Job.step) == bindparam("step"))
)
_DUE = Query(
    select(*(getattr(Job, name) for name in DueJob._fields))
    .where(col(Job.due_at) <= bindparam("now"))
    .order_by(col(Job.due_at), col(Job.id))
    .limit(bindparam("most")),
    DueJob,
)
_NEXT = Query(select(func.min(Job.due_at)), _Next)
_COUNT = Query(select(func.count()).select_from(Job), _Count)


def schedule(
    tx: Tx,
    step: Step,
    subject: str | int,
    *,
    domain_id: str | None = None,
    after: float = 0,
    attempt: int = 1,
) -> None:
    """`after` in seconds from now."""
    due_at = tx.now + after
    _INSERT.run(
        tx,
        account_id=tx.account_id,
        domain_id=domain_id,
        due_at=due_at,
        step=str(step),
        subject=str(subject),
        attempt=attempt,
    )
    tx.due(due_at)


def list_due(tx: Tx, most: int) -> list[DueJob]:
    """Those due longest first."""
    return _DUE.list(tx, now=tx.now, most=most)


def complete(tx: Tx, job: DueJob) -> bool:
    """Belongs in the transaction that does the work, so that a killed process repeats nothing it finished.

    False: the job was cancelled in the meantime, and nothing is to be done.
    """
    return _DELETE.run(tx, id=job.id).rowcount == 1


def postpone(tx: Tx, job: DueJob, seconds: float) -> None:
    """It failed, and is tried again then."""
    _POSTPONE.run(tx, id=job.id, due_at=tx.now + seconds)
    tx.due(tx.now + seconds)


def cancel_of_domain(tx: Tx, domain_id: str) -> None:
    _CANCEL_OF_DOMAIN.run(tx, domain_id=domain_id)


def cancel(tx: Tx, step: Step, domain_id: str) -> None:
    _CANCEL.run(tx, domain_id=domain_id, step=step.value)


def cancel_deliveries(tx: Tx, domain_id: str) -> None:
    cancel(tx, Step.DELIVER, domain_id)


def next_due(tx: Tx) -> float | None:
    found = _NEXT.find(tx)
    return found.due_at if found else None


def count(tx: Tx) -> int:
    found = _COUNT.find(tx)
    return found.jobs if found else 0
