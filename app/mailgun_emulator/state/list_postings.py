"""Messages posted to mailing lists, until their copies for all members are made (facts/sending.md, 9)."""

from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.state import jobs
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx


class ListPosting(SQLModel, table=True):
    """`message` is the row of the one to the list's address: without it there is no posting. `submission` (JSON) is
    what was handed over.
    """

    __tablename__: ClassVar[Any] = "list_posting"
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", index=True)
    mailing_list_id: str = Field(foreign_key="mailing_list.id", ondelete="CASCADE", index=True)
    message: int = Field(foreign_key="message.id", ondelete="CASCADE", index=True)
    submission: str


class Posting(NamedTuple):
    id: int
    domain_id: str
    mailing_list_id: str
    message: int
    submission: str


_ID = col(ListPosting.id) == bindparam("id")
_INSERT = Statement(insert(ListPosting).values({name: bindparam(name) for name in ListPosting.model_fields}))
_FIND = Query(select(*columns(ListPosting, Posting._fields)).where(_ID), Posting)
_DELETE = Statement(delete(ListPosting).where(_ID))


def add(tx: Tx, *, domain_id: str, mailing_list_id: str, message: int, submission: str, after: float) -> None:
    """Its copies are made `after` so many seconds."""
    row = tx.next_id("list_posting")
    _INSERT.later(
        tx,
        id=row,
        domain_id=domain_id,
        mailing_list_id=mailing_list_id,
        message=message,
        submission=submission,
    )
    schedule(tx, row, domain_id, after=after)


def schedule(tx: Tx, row: int, domain_id: str, *, member: str = "", after: float = 0) -> None:
    """The copies for those who come after that member."""
    jobs.schedule(tx, Step.EXPAND_LIST, f"{row} {member}", domain_id=domain_id, after=after)


def find(tx: Tx, id: int) -> Posting | None:  # noqa: A002 - the column's own name
    tx.settle()
    return _FIND.find(tx, id=id)


def delete_posting(tx: Tx, posting: Posting) -> None:
    _DELETE.run(tx, id=posting.id)
