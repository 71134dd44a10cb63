"""Email previews: how a message looks in many mail clients (facts/account.md, 11.5)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.mail import preview_image
from mailgun_emulator.mail.preview_clients import CLIENTS
from mailgun_emulator.state import usage
from mailgun_emulator.state.transaction import Tx

MOST_REPROCESSES = 20
FIRST_AFTER, NEXT_AFTER = 15.0, 5.0
"""Seconds until the first screenshot is there, and from one to the next."""
EMPTY = "EMPTY_CONTENT", "The message has neither text nor images"


class PreviewNotFound(MailgunError):
    """Mailgun's own text is not known; the document has this shape for all that is neither 400 nor 401."""

    status = 404
    message = "test not found"

    def body(self) -> dict[str, object]:
        return {"error": {"name": "TestNotFound", "message": str(self)}}


class Status(StrEnum):
    PROCESSING = "Processing"
    COMPLETE = "Complete"
    BOUNCED = "Bounced"


class Screenshot(NamedTuple):
    """Of one client; `completed` is 0 as long as it is not there."""

    client: str
    status: Status
    submitted: float
    completed: float


class EmailPreview(SQLModel, table=True):
    """`clients` has, for each, when its screenshot was asked for and when it is there; seconds since 1970.

    A `bounce` is why there is none. One that is `deleted` only counts for limits.
    """

    __tablename__: ClassVar[Any] = "email_preview"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    reference_id: str = ""
    customer_id: str = ""
    subject: str
    html: str
    headers: str = "{}"
    clients: str
    image_blocking: bool = False
    reprocesses: int = 0
    bounce: str = ""
    deleted: bool = False
    created_at: float

    @property
    def remaining(self) -> int:
        return MOST_REPROCESSES - self.reprocesses


def create(
    tx: Tx,
    *,
    subject: str,
    html: str,
    clients: Sequence[str],
    reference_id: str = "",
    customer_id: str = "",
    headers: Mapping[str, Any] | None = None,
    image_blocking: bool = False,
) -> EmailPreview:
    """What has nothing to show bounces."""
    bounces = preview_image.is_empty(html)
    count(tx, bounces=bounces)
    asked = {
        client: (tx.now, tx.now + FIRST_AFTER + NEXT_AFTER * place) for place, client in enumerate(clients)
    }
    return tx.add(
        EmailPreview(
            id=tx.ids.object_id(),
            account_id=tx.account_id,
            reference_id=reference_id,
            customer_id=customer_id,
            subject=subject,
            html=html,
            headers=orjson.dumps(headers or {}).decode(),
            clients=orjson.dumps(asked).decode(),
            image_blocking=image_blocking,
            bounce=EMPTY[0] if bounces else "",
            created_at=tx.now,
        )
    )


def count(tx: Tx, *, bounces: bool, at: float | None = None) -> None:
    """Among what is billed for, now or then."""
    usage.count(tx, "email_preview_failed" if bounces else "email_preview", 1, at)


def list_all(tx: Tx) -> list[EmailPreview]:
    """The latest first."""
    own = select(EmailPreview).where(EmailPreview.account_id == tx.account_id, ~col(EmailPreview.deleted))
    return list(tx.session.exec(own.order_by(col(EmailPreview.created_at).desc(), col(EmailPreview.id))))


def get(tx: Tx, preview_id: str) -> EmailPreview:
    preview = tx.session.get(EmailPreview, preview_id)
    if preview is None or preview.account_id != tx.account_id or preview.deleted:
        raise PreviewNotFound
    return preview


def get_anybodys(tx: Tx, preview_id: str) -> EmailPreview:
    """The transaction speaks for its owner from now on."""
    preview = tx.session.get(EmailPreview, preview_id)
    if preview is None or preview.deleted:
        raise PreviewNotFound
    tx.account_id = preview.account_id
    return preview


def screenshots(tx: Tx, preview: EmailPreview) -> list[Screenshot]:
    """As far as they are."""
    found: list[Screenshot] = []
    for client, (submitted, ready) in orjson.loads(preview.clients).items():
        if tx.now < ready:
            found.append(Screenshot(client, Status.PROCESSING, submitted, 0.0))
        else:
            status = Status.BOUNCED if preview.bounce else Status.COMPLETE
            found.append(Screenshot(client, status, submitted, ready))
    return found


def reprocess(tx: Tx, preview: EmailPreview, client: str) -> str:
    """Make that client's screenshot anew; or why not."""
    kept = orjson.loads(preview.clients)
    if client not in CLIENTS or client not in kept:
        return f"{client} is no client of this test"
    if not preview.remaining:
        return "no reprocesses remain"
    kept[client] = tx.now, tx.now + FIRST_AFTER
    preview.clients = orjson.dumps(kept).decode()
    preview.reprocesses += 1
    return ""


def delete(preview: EmailPreview) -> None:
    """What is left of it counts for limits."""
    preview.deleted, preview.html, preview.clients = True, "", "{}"


def count_since(tx: Tx, at: float) -> int:
    """How many previews of the account succeeded that were asked for since then, for limits."""
    own = select(func.count()).where(
        EmailPreview.account_id == tx.account_id, EmailPreview.created_at >= at, EmailPreview.bounce == ""
    )
    return tx.session.exec(own).one()
