"""The four lists of a domain: bounces, complaints, unsubscribes, allowlist (facts/sending.md, 6)."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.state.database import Query, Tx
from mailgun_emulator.state.jobs import DueJob


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    ALLOW = "allow"


class Suppression(SQLModel, table=True):
    """`address` in lower case is the key, `spelled` as it was given.

    Bounces have `code` and `error`, unsubscribes `tags` (JSON), the allowlist `reason`, and `is_domain` where its
    entry is a whole domain. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "suppression"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    spelled: str
    code: str = "550"
    error: str = ""
    tags: str = '["*"]'
    reason: str = ""
    is_domain: bool = False
    created_at: float


class Suppressed(NamedTuple):
    """What delivery asks of an address."""

    kind: str
    tags: str


_OF_ADDRESS = Query(
    select(Suppression.kind, Suppression.tags).where(
        col(Suppression.domain_id) == bindparam("domain_id"),
        col(Suppression.address) == bindparam("address"),
    ),
    Suppressed,
)


def list_of_address(tx: Tx, domain_id: str, address: str) -> list[Suppressed]:
    """The lists that hold an address; `address` may also be a whole domain, for the allowlist."""
    return _OF_ADDRESS.list(tx, domain_id=domain_id, address=address.lower())


def put(tx: Tx, domain_id: str, address: str, kind: Kind, **fields: Any) -> Suppression:
    """Add or replace; `fields` are the columns that differ from their defaults."""
    return tx.session.merge(
        Suppression(
            domain_id=domain_id,
            address=address.lower(),
            kind=kind,
            spelled=address,
            **{"created_at": tx.now, **fields},
        )
    )


def do_import(tx: Tx, job: DueJob) -> None:
    raise RuntimeError(f"import of {job.subject} is not written yet")
