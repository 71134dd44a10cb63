"""Work to be done later: a row each, written in the transaction of what it follows from."""

import re
from collections.abc import Mapping
from enum import StrEnum
from math import inf
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Float, Index, bindparam, case, delete, insert, literal, text, update
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.clock import Clock, to_the_microsecond
from mailgun_emulator.state.statements import Query, Statement
from mailgun_emulator.state.transaction import Tx


class Step(StrEnum):
    DELIVER = "deliver"
    RECEIVE = "receive"
    FOLLOW_UP = "follow-up"
    EXPAND_LIST = "expand-list"
    UPLOAD_MEMBERS = "upload-members"
    NOTIFY = "notify"
    FORWARD = "forward"
    STORE_NOTIFY = "store-notify"
    RELAY = "relay"
    DELETE_DOMAIN = "delete-domain"
    ENABLE_DOMAIN = "enable-domain"
    ROTATE_KEYS = "rotate-keys"
    ARCHIVE = "archive"
    IMPORT = "import"
    CERTIFY = "certify"
    VALIDATE = "validate"
    EXPORT = "export"
    PLACE = "place"
    CHECK_THRESHOLDS = "check-thresholds"
    ALERT = "alert"
    DELIST = "delist"
    MOVE_IPS = "move-ips"
    ENROLL_DOMAINS = "enroll-domains"
    CHECK_HEALTH = "check-health"


NUMBERED: Mapping[str, str] = {
    Step.DELIVER: "message",
    Step.RECEIVE: "message",
    Step.FOLLOW_UP: "message",
    Step.FORWARD: "message",
    Step.STORE_NOTIFY: "message",
    Step.RELAY: "message",
    Step.ARCHIVE: "message",
    Step.EXPAND_LIST: "list_posting",
    Step.NOTIFY: "webhook_delivery",
}
"""The steps whose subjects begin with the number of a row, and the table it is in."""
_NUMBER = re.compile(r'((?:\[|\{"message":\{"id":)?)(\d+)')
"""In text, in a JSON list, and in a message told in full."""


class Job(SQLModel, table=True):
    """To be done at `at` by the account's clock, which is `due_at` by the emulator's; seconds since 1970.

    `subject` says what to, in the step's own terms. Those of one `lane` are done one after another; `taken` are
    those that wait in theirs or are under way.
    """

    __tablename__: ClassVar[Any] = "job"
    __table_args__ = (
        Index("job_due", "due_at", "at", sqlite_where=text("NOT taken")),
        Index("job_of_account", "account_id", "at"),
    )
    id: int = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    domain_id: str | None = Field(default=None, foreign_key="domain.id", ondelete="CASCADE")
    at: float
    due_at: float
    step: str
    subject: str
    attempt: int = 1
    lane: str = ""
    taken: bool = False


class DueJob(NamedTuple):
    id: int
    account_id: str
    domain_id: str | None
    at: float
    step: str
    subject: str
    attempt: int
    lane: str


class _Count(NamedTuple):
    jobs: int


class _Next(NamedTuple):
    at: float | None


_ID = col(Job.id) == bindparam("id")
_OF_ACCOUNT = col(Job.account_id) == bindparam("account_id")
_FREE = text("NOT taken")
_INSERT = Statement(insert(Job).values({name: bindparam(name) for name in Job.model_fields}))
_POSTPONE = Statement(
    update(Job).where(_ID).values(at=bindparam("at"), due_at=bindparam("due_at"), taken=False)
)
_HASTEN = Statement(
    update(Job)
    .where(
        _OF_ACCOUNT,
        col(Job.step) == bindparam("step"),
        col(Job.subject) == bindparam("subject"),
    )
    .values(at=func.min(col(Job.at), bindparam("now")), due_at=func.min(col(Job.due_at), bindparam("due_at")))
)
_TAKE = Statement(update(Job).where(_ID).values(taken=True))
_FREE_ALL = Statement(update(Job).values(taken=False, due_at=col(Job.at)))
_MOVE = Statement(
    update(Job).where(_OF_ACCOUNT).values(due_at=col(Job.at) - bindparam("offset", type_=Float))
)
_STOP = Statement(
    update(Job)
    .where(_OF_ACCOUNT)
    .values(due_at=case((col(Job.at) <= bindparam("now"), -inf), else_=literal(inf)))
)
_DELETE = Statement(delete(Job).where(_ID))
_CANCEL_OF_DOMAIN = Statement(delete(Job).where(col(Job.domain_id) == bindparam("domain_id")))
_CANCEL = Statement(
    delete(Job).where(col(Job.domain_id) == bindparam("domain_id"), col(Job.step) == bindparam("step"))
)
_FIELDS = select(*(getattr(Job, name) for name in DueJob._fields)).where(_FREE).limit(bindparam("most"))
_DUE = Query(
    _FIELDS.where(col(Job.due_at) <= bindparam("now")).order_by(col(Job.due_at), col(Job.at), col(Job.id)),
    DueJob,
)
_DUE_OF_ACCOUNT = Query(
    _FIELDS.where(_OF_ACCOUNT, col(Job.at) <= bindparam("now")).order_by(col(Job.at), col(Job.id)), DueJob
)
_NEXT = Query(select(func.min(Job.due_at)).where(_FREE), _Next)
_NEXT_OF_ACCOUNT = Query(select(func.min(Job.at)).where(_FREE, _OF_ACCOUNT), _Next)
_COUNT = Query(select(func.count()).select_from(Job), _Count)


def schedule(
    tx: Tx,
    step: Step,
    subject: str | int,
    *,
    domain_id: str | None = None,
    after: float = 0,
    attempt: int = 1,
    lane: str = "",
) -> None:
    """`after` in seconds from now. Steps that speak to the outside have a `lane`: whom they speak to."""
    at = to_the_microsecond(tx.now + after)
    _INSERT.later(
        tx,
        id=tx.next_id("job"),
        account_id=tx.account_id,
        domain_id=domain_id,
        at=at,
        due_at=tx.due(at),
        step=step.value,
        subject=str(subject),
        attempt=attempt,
        lane=lane,
        taken=False,
    )


def list_due(tx: Tx, most: int) -> list[DueJob]:
    """Those due longest first; of the transaction's account or, if it has none, of all."""
    tx.settle()
    if tx.account_id:
        return _DUE_OF_ACCOUNT.list(tx, account_id=tx.account_id, now=tx.now, most=most)
    return _DUE.list(tx, now=tx.now, most=most)


def moved(step: str, subject: str, shifts: Mapping[str, int]) -> str:
    """The same job's subject, when the rows of these tables have numbers that are higher by so much."""
    shift = shifts.get(NUMBERED.get(step, ""), 0)
    found = _NUMBER.match(subject) if shift else None
    return f"{found[1]}{int(found[2]) + shift}{subject[found.end() :]}" if found else subject


def take(tx: Tx, job: DueJob) -> None:
    """It goes into its lane, and is not listed again while it is there."""
    _TAKE.run(tx, id=job.id)


def free_all(tx: Tx, clocks: Mapping[str, Clock]) -> None:
    """It is the start: no lane has anything in it, and the accounts' clocks are as they were kept."""
    _FREE_ALL.run(tx)
    for account_id, clock in clocks.items():
        tx.account_id = account_id
        follow_clock(tx, clock)


def complete(tx: Tx, job: DueJob) -> bool:
    """Belongs in the transaction that does the work, so that a killed process repeats nothing it finished.

    False: the job was cancelled in the meantime, and nothing is to be done.
    """
    return _DELETE.run(tx, id=job.id).rowcount == 1


def postpone(tx: Tx, job: DueJob, seconds: float) -> None:
    """It failed, and is tried again then."""
    at = to_the_microsecond(tx.now + seconds)
    _POSTPONE.run(tx, id=job.id, at=at, due_at=tx.due(at))


def hasten(tx: Tx, step: Step, subject: str | int) -> bool:
    """What would be done later is due now. False: there is no such job."""
    tx.settle()
    due_at = tx.due(tx.now)
    hastened = _HASTEN.run(
        tx, account_id=tx.account_id, step=step.value, subject=str(subject), now=tx.now, due_at=due_at
    )
    return hastened.rowcount > 0


def follow_clock(tx: Tx, clock: Clock) -> None:
    """The clock of the transaction's account was set: its jobs are due when they are by the new time."""
    tx.settle()
    if clock.frozen_at is None:
        _MOVE.run(tx, account_id=tx.account_id, offset=clock.offset)
    else:
        _STOP.run(tx, account_id=tx.account_id, now=clock.frozen_at)
    tx.due(tx.now)


def cancel_of_domain(tx: Tx, domain_id: str) -> None:
    tx.settle()
    _CANCEL_OF_DOMAIN.run(tx, domain_id=domain_id)


def cancel(tx: Tx, step: Step, domain_id: str) -> None:
    tx.settle()
    _CANCEL.run(tx, domain_id=domain_id, step=step.value)


def cancel_deliveries(tx: Tx, domain_id: str) -> None:
    for step in (Step.DELIVER, Step.EXPAND_LIST):
        cancel(tx, step, domain_id)


def next_due(tx: Tx) -> float | None:
    """Of the account by its clock, or of all by the emulator's."""
    tx.settle()
    found = _NEXT_OF_ACCOUNT.find(tx, account_id=tx.account_id) if tx.account_id else _NEXT.find(tx)
    return found.at if found else None


def count(tx: Tx) -> int:
    tx.settle()
    found = _COUNT.find(tx)
    return found.jobs if found else 0
