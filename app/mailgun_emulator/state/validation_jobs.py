"""Lists of addresses that are validated, and previews of such (facts/account.md, 11.2 and 11.3)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

import orjson
from sqlmodel import Field, SQLModel, col, delete, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.validation import Result, Risk
from mailgun_emulator.mail.validation_lists import AT_ONCE, AddressList
from mailgun_emulator.state import jobs, usage
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.state.transaction import Tx

MOST_AT_ONCE = 10
SAMPLED_PARTS = 40
"""A preview looks at no more than these, spread over the whole list."""


class Kind(StrEnum):
    """`list` is of a mailing list's members."""

    BULK = "bulk"
    PREVIEW = "preview"
    LIST = "list"


class Status(StrEnum):
    CREATED = "created"
    PROCESSING = "processing"
    UPLOADED = "uploaded"
    DELETED = "deleted"


UNFINISHED = (Status.CREATED, Status.PROCESSING)


class JobNotFound(NotFound):
    """Mailgun's own text is not known."""

    message = "validation job not found"


class PreviewNotFound(NotFound):
    """Mailgun's own text is not known."""

    message = "validation preview not found"


class InvalidName(BadRequest):
    """Mailgun's own text is not known."""

    message = "list id can't contain '@'"


class NameTaken(BadRequest):
    """Mailgun's own text is not known."""

    def __init__(self, name: str) -> None:
        super().__init__(f"list id '{name}' already exists")


class TooManyJobs(BadRequest):
    """Mailgun's own text is not known."""

    message = f"max number of validation jobs in parallel is {MOST_AT_ONCE}"


class ValidationJob(SQLModel, table=True):
    """`quantity` addresses, of which `size` are different, and `records_processed` of those are validated.

    `name` is unique for its kind: that of the list, or the address of a mailing list in lower case. `summary` (JSON)
    counts results and risks. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "validation_job"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    kind: str
    name: str
    status: str = Status.CREATED
    quantity: int
    size: int
    records_processed: int = 0
    summary: str
    created_at: float
    finished_at: float | None = None

    @property
    def stride(self) -> int:
        """Which parts are validated: each, or each so many-th."""
        parts = -(-self.size // AT_ONCE)
        return max(1, -(-parts // SAMPLED_PARTS)) if self.kind == Kind.PREVIEW else 1


class ValidationPart(SQLModel, table=True):
    """At most `AT_ONCE` addresses; `results` are what came out, empty before and in previews. Both are JSON arrays."""

    __tablename__: ClassVar[Any] = "validation_part"
    job_id: str = Field(foreign_key="validation_job.id", ondelete="CASCADE", primary_key=True)
    number: int = Field(primary_key=True)
    addresses: str
    results: str = ""


_ADD_PART = "INSERT INTO validation_part (job_id, number, addresses, results) VALUES (?, ?, ?, '')"
_ADD_MEMBERS = f"""
INSERT INTO validation_part (job_id, number, addresses, results)
SELECT :job, place / {AT_ONCE}, json_group_array(spelled), '' FROM (
    SELECT spelled, row_number() OVER (ORDER BY address) - 1 AS place FROM list_member WHERE mailing_list_id = :list
) GROUP BY place / {AT_ONCE}
"""  # noqa: S608 - a number of our own


def nothing_counted() -> dict[str, dict[str, int]]:
    return {"result": {each.value: 0 for each in Result}, "risk": {each.value: 0 for each in Risk}}


def create(tx: Tx, kind: Kind, name: str, addresses: AddressList) -> ValidationJob:
    """Validate them in the background. Of a name that was deleted nothing is left then."""
    if addresses.refusal is not None:
        raise addresses.refusal
    if "@" in name:
        raise InvalidName
    job = _create(tx, kind, name, addresses.quantity, addresses.size)
    tx.execute_many(_ADD_PART, ((job.id, number, part) for number, part in enumerate(addresses.parts)))
    return job


def create_of_list(tx: Tx, listed: ListDetails) -> ValidationJob:
    """Validate its members, subscribed or not; one that is done, or of an earlier list, gives way to the new one."""
    known = _find(tx, Kind.LIST, listed.address)
    if known is not None and (known.status not in UNFINISHED or known.created_at < listed.created_at):
        tx.session.delete(known)
        tx.session.flush()
    job = _create(tx, Kind.LIST, listed.address, listed.members_count, listed.members_count)
    tx.settle()
    tx.execute(_ADD_MEMBERS, {"job": job.id, "list": listed.id})
    return job


def promote(tx: Tx, preview: ValidationJob) -> ValidationJob:
    """Validate all that the preview is of."""
    job = _create(tx, Kind.BULK, preview.name, preview.quantity, preview.size)
    copy = "INSERT INTO validation_part SELECT :job, number, addresses, '' FROM validation_part WHERE job_id = :preview"
    tx.execute(copy, {"job": job.id, "preview": preview.id})
    return job


def _create(tx: Tx, kind: Kind, name: str, quantity: int, size: int) -> ValidationJob:
    known = _find(tx, kind, name)
    if known is not None and known.status != Status.DELETED:
        raise NameTaken(name)
    if _count_unfinished(tx, kind) >= MOST_AT_ONCE:
        raise TooManyJobs
    if known is not None:
        tx.session.delete(known)
    job = tx.add(
        ValidationJob(
            id=tx.ids.uuid(),
            account_id=tx.account_id,
            kind=kind,
            name=name,
            quantity=quantity,
            size=size,
            summary=orjson.dumps(nothing_counted()).decode(),
            created_at=tx.now,
        )
    )
    go_on(tx, job.id, 0)
    return job


def go_on(tx: Tx, job_id: str, number: int) -> None:
    """With that part."""
    jobs.schedule(tx, Step.VALIDATE, f"{job_id} {number}")


def _find(tx: Tx, kind: Kind, name: str) -> ValidationJob | None:
    asked = select(ValidationJob).where(
        ValidationJob.account_id == tx.account_id, ValidationJob.kind == kind, ValidationJob.name == name
    )
    return tx.session.exec(asked).first()


def get(tx: Tx, kind: Kind, name: str) -> ValidationJob:
    found = _find(tx, kind, name)
    if found is None:
        raise PreviewNotFound if kind is Kind.PREVIEW else JobNotFound
    return found


def get_of_list(tx: Tx, listed: ListDetails) -> ValidationJob:
    """One of an earlier list of that address does not count."""
    found = get(tx, Kind.LIST, listed.address)
    if found.created_at < listed.created_at:
        raise JobNotFound
    return found


def find_anybodys(tx: Tx, job_id: str) -> ValidationJob | None:
    """Of any account: who knows the id may download the results."""
    return tx.session.get(ValidationJob, job_id)


def list_jobs(tx: Tx, kind: Kind) -> list[ValidationJob]:
    """The newest first."""
    asked = select(ValidationJob).where(ValidationJob.account_id == tx.account_id, ValidationJob.kind == kind)
    return list(tx.session.exec(asked.order_by(col(ValidationJob.created_at).desc(), col(ValidationJob.id))))


def _count_unfinished(tx: Tx, kind: Kind) -> int:
    """Previews don't count among jobs, nor jobs among previews."""
    alike = (Kind.PREVIEW,) if kind is Kind.PREVIEW else (Kind.BULK, Kind.LIST)
    asked = select(func.count()).where(
        ValidationJob.account_id == tx.account_id,
        col(ValidationJob.kind).in_(alike),
        col(ValidationJob.status).in_(UNFINISHED),
    )
    return tx.session.exec(asked).one()


def cancel(tx: Tx, job: ValidationJob) -> None:
    """Nothing more is validated, and what was is gone; the job itself stays to be seen as deleted."""
    if job.status == Status.DELETED:
        raise JobNotFound
    job.status = Status.DELETED
    _forget_parts(tx, job)


def delete_preview(tx: Tx, preview: ValidationJob) -> None:
    tx.session.delete(preview)


def _forget_parts(tx: Tx, job: ValidationJob) -> None:
    tx.session.exec(delete(ValidationPart).where(col(ValidationPart.job_id) == job.id))


def find_addresses(tx: Tx, job_id: str, number: int) -> list[str] | None:
    """Of that part."""
    asked = "SELECT addresses FROM validation_part WHERE job_id = :job AND number = :number"
    row = tx.read(asked, {"job": job_id, "number": number}).fetchone()
    return None if row is None else list(orjson.loads(row[0]))


def results(tx: Tx, job: ValidationJob) -> list[str]:
    """Of its parts, in their order."""
    asked = "SELECT results FROM validation_part WHERE job_id = :job ORDER BY number"
    return [text for (text,) in tx.read(asked, {"job": job.id})]


def add_results(tx: Tx, job: ValidationJob, number: int, told: Sequence[dict[str, Any]]) -> None:
    """Of that part. Previews only count them."""
    summary = orjson.loads(job.summary)
    for each in told:
        summary["result"][each["result"]] += 1
        summary["risk"][each["risk"]] += 1
    job.status, job.summary = Status.PROCESSING, orjson.dumps(summary).decode()
    job.records_processed += len(told)
    if job.kind != Kind.PREVIEW:
        put = "UPDATE validation_part SET results = :results WHERE job_id = :job AND number = :number"
        tx.execute(put, {"results": orjson.dumps(told).decode(), "job": job.id, "number": number})


def finish(tx: Tx, job: ValidationJob) -> None:
    job.status, job.finished_at = Status.UPLOADED, tx.now
    count(tx, job)


def count(tx: Tx, job: ValidationJob) -> None:
    """Among what is billed for when it was finished; previews are free."""
    if job.kind != Kind.PREVIEW and job.finished_at is not None:
        valid = orjson.loads(job.summary)["result"][Result.DELIVERABLE]
        count_validations(tx, job.kind, job.records_processed, valid, job.finished_at)


def count_validations(tx: Tx, how: str, number: int, valid: int, at: float | None = None) -> None:
    """`how` is single, bulk, list or public, which is single as well."""
    names = {"", "_mailgun", f"_{how}", *(("_single",) if how == "public" else ())}
    for name in sorted(names):
        usage.count(tx, f"email_validation{name}", number, at)
    usage.count(tx, "email_validation_valid", valid, at)
