"""Files of events that are made in the background, to be fetched once they are there (facts/account.md, 12)."""

from enum import StrEnum
from typing import Any, ClassVar

import orjson
from sqlalchemy.orm import load_only
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state import jobs
from mailgun_emulator.state.event_log import Search
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.transaction import Tx

MOST_EXPORTS = 100
"""How many Mailgun keeps, or for how long, is not known."""
_LANE = "exports"


class ExportNotFound(NotFound):
    message = "Export not found"


class ExportUnfinished(NotFound):
    message = "Export is not complete"


class ExportStatus(StrEnum):
    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


class Export(SQLModel, table=True):
    """`url` is what was asked for; `search` is that in JSON, and `domain_id` whose events it is about.

    `content` is the file, as soon as it is complete.
    """

    __tablename__: ClassVar[Any] = "export"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    url: str
    domain_id: str
    search: str
    status: str = ExportStatus.PENDING
    content: bytes = b""
    created_at: float


_SHOWN = tuple(getattr(Export, name) for name in ("id", "url", "status", "created_at"))


def list_exports(tx: Tx) -> list[Export]:
    """The latest first, without their files."""
    own = select(Export).where(Export.account_id == tx.account_id).options(load_only(*_SHOWN))
    return list(tx.session.exec(own.order_by(col(Export.created_at).desc(), col(Export.id))))


def get(tx: Tx, export_id: str) -> Export:
    found = tx.session.get(Export, export_id)
    if found is None or found.account_id != tx.account_id:
        raise ExportNotFound
    return found


def get_file(tx: Tx, export_id: str) -> bytes:
    """Of any account: who fetches it has a link instead of a key."""
    found = tx.session.get(Export, export_id)
    if found is None or found.status != ExportStatus.COMPLETE:
        raise ExportNotFound
    return found.content


def create(tx: Tx, url: str, domain_id: str, search: Search) -> Export:
    """The file is made right after. The oldest make room for it: there is no operation that deletes them."""
    for oldest in list_exports(tx)[MOST_EXPORTS - 1 :]:
        tx.session.delete(oldest)
    told = orjson.dumps(tuple(search)).decode()
    export = tx.add(
        Export(
            id=tx.ids.object_id(),
            account_id=tx.account_id,
            url=url,
            domain_id=domain_id,
            search=told,
            created_at=tx.now,
        )
    )
    jobs.schedule(tx, Step.EXPORT, export.id, lane=_LANE)
    return export


def finish(tx: Tx, export_id: str, content: bytes | None) -> None:
    """None if it can't be made."""
    export = tx.session.get(Export, export_id)
    if export is not None:
        export.status = ExportStatus.FAILED if content is None else ExportStatus.COMPLETE
        export.content = content or b""
