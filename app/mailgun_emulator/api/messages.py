"""Messages: sending them, and reading back what was sent (facts/sending.md, 1)."""

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mailgun_emulator.core.errors import MailgunError, NotFound
from mailgun_emulator.mail import stored
from mailgun_emulator.mail.mime import Part
from mailgun_emulator.pipeline.accept import hand_over, resend
from mailgun_emulator.state import jobs, messages
from mailgun_emulator.state.domains import Domain, State
from mailgun_emulator.state.messages import StoredMime
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import errors
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx, KnownDomain, Sending
from mailgun_emulator.web.forms import takes
from mailgun_emulator.web.front import bare
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.submissions import (
    MessageForm,
    MimeForm,
    ResendForm,
    read_mime,
    read_parts,
    read_resending,
)
from mailgun_emulator.web.views import Done, refusals

router = APIRouter(tags=["Messages"])

RAW_TYPES = ("message/rfc2822", "message/rfc822")


class AttachmentNotFound(NotFound):
    message = "Attachment not found"


class Queued(BaseModel):
    """`id` in angle brackets."""

    id: str
    message: str


class Disablement(BaseModel):
    until: str | None
    reason: str


class Queue(BaseModel):
    is_disabled: bool
    disabled: Disablement


class Queues(BaseModel):
    regular: Queue
    scheduled: Queue


REFUSALS = refusals(400, 403)


@router.post("/v3/{domain}/messages", response_model=Queued, responses=REFUSALS)
@takes(MessageForm)
@bare
async def send_message(request: Request, domain: str) -> Response:
    """Send a message that is built from its parts."""
    outcome = await hand_over(partial(Sending, request), partial(read_parts, request))
    return await queued(request, outcome)


@router.post("/v3/{domain}/messages.mime", response_model=Queued, responses=REFUSALS)
@takes(MimeForm)
@bare
async def send_mime_message(request: Request, domain: str) -> Response:
    """Send a message whose MIME is ready."""
    outcome = await hand_over(partial(Sending, request), partial(read_mime, request))
    return await queued(request, outcome)


@router.post(
    "/v3/domains/{domain}/messages/{storage_key}",
    response_model=Queued,
    responses=refusals(400, 403, 404),
)
@takes(ResendForm)
@bare
async def resend_message(request: Request, domain: str, storage_key: str) -> Response:
    """Send a stored message again, to other recipients and under a new id."""
    async with Sending(request) as (tx, sender):
        found = messages.get_stored(tx, sender.id, storage_key)
        outcome = resend(tx, sender, found, await read_resending(request))
    return await queued(request, outcome)


async def queued(request: Request, outcome: str | MailgunError) -> Response:
    """What is refused here is refused like any error, but what it left behind stays."""
    if isinstance(outcome, MailgunError):
        return await errors.answer(request, outcome)
    body = orjson.dumps({"id": f"<{outcome}>", "message": "Queued. Thank you."})
    return Response(body, media_type="application/json")


@router.get(
    "/v3/domains/{domain}/messages/{storage_key}",
    response_model=dict[str, Any],
    responses=refusals(404),
)
async def get_stored_message(
    request: Request, tx: CurrentTx, domain: CurrentDomain, storage_key: str
) -> Response:
    """Read a stored message: taken apart, or as MIME when that is what the client accepts."""
    found = as_sent(tx, messages.get_stored(tx, domain.id, storage_key))
    wanted = request.headers.get("accept", "").split(";")[0].strip()
    view = raw_view(found) if wanted in RAW_TYPES else parsed_view(request, domain, storage_key, found)
    return Response(orjson.dumps(view), media_type="application/json")


@router.get(
    "/v3/domains/{domain}/messages/{storage_key}/attachments/{number}",
    response_class=Response,
    responses=refusals(404),
)
async def get_attachment(tx: CurrentTx, domain: CurrentDomain, storage_key: str, number: int) -> Response:
    """Read one attachment of a stored message, counted from 0."""
    parts = stored.read(messages.get_stored(tx, domain.id, storage_key).mime).attachments
    if not 0 <= number < len(parts):
        raise AttachmentNotFound
    part = parts[number]
    return Response(part.data, headers={"Content-Type": part.content_type})


@router.delete("/v3/domains/{domain}/messages/{storage_key}", responses=refusals(404))
async def delete_stored_message(tx: CurrentTx, domain: CurrentDomain, storage_key: str) -> Done:
    """Forget a stored message; to whom it was not delivered yet, it never will be."""
    messages.delete_stored(tx, domain.id, storage_key)
    return Done(message="Message has been deleted")


@router.get("/v3/domains/{domain}/sending_queues", responses=refusals(404))
async def get_sending_queues(tx: CurrentTx, domain: CurrentDomain) -> Queues:
    """Tell whether the domain's queues are working."""
    return Queues(regular=queue_of(domain), scheduled=queue_of(domain))


@router.delete("/v3/{domain}/envelopes", responses=refusals(404))
async def delete_envelopes(tx: CurrentTx, domain: KnownDomain) -> Done:
    """Drop all that is scheduled or not delivered yet."""
    jobs.cancel_deliveries(tx, domain.id)
    return Done(message="done")


def queue_of(domain: Domain) -> Queue:
    """A disabled domain's queues are too (facts/sending.md, 1.14)."""
    about = orjson.loads(domain.disabled) if domain.disabled else {}
    disablement = Disablement(until=about.get("until"), reason=about.get("reason", ""))
    return Queue(is_disabled=domain.state == State.DISABLED, disabled=disablement)


def as_sent(tx: Tx, found: StoredMime) -> StoredMime:
    """As it goes out to the first of its recipients."""
    from mailgun_emulator.pipeline.finish import finished  # not needed to send

    message, recipients = messages.find_sent(tx, found.id), orjson.loads(found.recipients)
    if message is None or not recipients:
        return found
    return found._replace(mime=finished(tx, message, found.mime, recipients[0]))


def raw_view(found: StoredMime) -> dict[str, Any]:
    parts = stored.read(found.mime)
    own = {name.lower(): value for name, value in reversed(parts.headers)}
    return {
        "recipients": recipients_of(found),
        "sender": found.sender,
        "from": own.get("from", ""),
        "subject": own.get("subject", ""),
        "body-mime": found.mime.decode("utf-8", "replace"),
    }


def parsed_view(request: Request, domain: Domain, storage_key: str, found: StoredMime) -> dict[str, Any]:
    """All of facts/sending.md, 1.13, the headers once more as keys of their own."""
    parts = stored.read(found.mime)
    own = {name.lower(): value for name, value in reversed(parts.headers)}
    url = f"{base_url(request)}/v3/domains/{domain.name}/messages/{storage_key}/attachments"
    attachments = [attachment_view(part, f"{url}/{number}") for number, part in enumerate(parts.attachments)]
    return {
        **dict(reversed(parts.headers)),
        "sender": found.sender,
        "recipients": recipients_of(found),
        "from": own.get("from", ""),
        "subject": own.get("subject", ""),
        "body-plain": parts.body_plain,
        "body-html": parts.body_html,
        **{f"body-{subtype}": text for subtype, text in parts.other.items()},
        "stripped-text": parts.stripped_text,
        "stripped-html": parts.stripped_html,
        "stripped-signature": parts.stripped_signature,
        "attachments": attachments,
        "content-id-map": {
            content_id: attachments[number] for content_id, number in parts.content_ids.items()
        },
        "message-headers": parts.headers,
    }


def attachment_view(part: Part, url: str) -> dict[str, Any]:
    return {"name": part.filename, "content-type": part.content_type, "size": len(part.data), "url": url}


def recipients_of(found: StoredMime) -> str:
    return ", ".join(orjson.loads(found.recipients))
