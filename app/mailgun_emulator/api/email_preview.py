"""Email Preview: screenshots of a message in many mail clients (facts/account.md, 11.5)."""

import asyncio
from contextlib import asynccontextmanager
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, RootModel

from mailgun_emulator.mail import inline_css, preview_image, replies
from mailgun_emulator.mail.preview_clients import CLIENTS, PreviewClient
from mailgun_emulator.pipeline import usage_limits
from mailgun_emulator.state import email_previews, features
from mailgun_emulator.state.email_previews import EmailPreview, PreviewNotFound, Screenshot, Status
from mailgun_emulator.state.features import Feature
from mailgun_emulator.web.deps import CurrentTx, OpenTx, begin
from mailgun_emulator.web.email_previews import (
    NewPreviewForm,
    PreviewsForm,
    ReprocessForm,
    clients_of,
    html_of,
)
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import ReasonGiven, Responses, Succeeded

router = APIRouter(tags=["Email Preview"])

LIMIT = "email_preview_success_count"
KIND = "email-test"


class ErrorDetails(BaseModel):
    name: str
    message: str


class PreviewError(BaseModel):
    error: ErrorDetails


REFUSED: Responses = {400: {"model": ReasonGiven}, 401: {"model": ReasonGiven}}
ABSENT: Responses = {401: {"model": ReasonGiven}, "default": {"model": PreviewError}}


class StartedPreview(BaseModel):
    id: str
    reference_id: str
    customer_id: str


class PreviewItem(BaseModel):
    id: str
    date: int
    type: str
    subject: str
    headers: dict[str, Any]


class PreviewInfo(BaseModel):
    subject: str
    date: int
    completed: list[str]
    processing: list[str]
    bounced: list[str]


class StatusDetails(BaseModel):
    submitted: int
    completed: int
    bounce_code: str = ""
    bounce_message: str = ""


class ScreenshotView(BaseModel):
    id: str
    display_name: str
    client: str
    os: str
    category: str
    browser: str
    screenshots: dict[str, str]
    thumbnail: str
    full_thumbnail: str
    status: str
    status_details: StatusDetails


class PreviewContent(BaseModel):
    content: str


class Resubmitted(BaseModel):
    id: str
    type: str
    sent: int
    completed: int


class Reprocessed(BaseModel):
    success: bool
    remaining_reprocesses: int
    regional: bool
    screenshot: Resubmitted | None = None
    reason: str | None = None


class ClientView(BaseModel):
    id: str
    client: str
    os: str
    category: str
    browser: str | None = None
    rotate: bool
    default: bool


class PreviewResults(RootModel[dict[str, ScreenshotView]]):
    """By the clients' ids."""


class PreviewReprocesses(RootModel[dict[str, Reprocessed]]):
    """By the clients' ids."""


class PreviewClients(RootModel[dict[str, ClientView]]):
    """By their ids."""


@router.post("/v1/preview/tests", responses=REFUSED)
@router.post("/v2/preview/tests", responses=REFUSED)
@router.post("/v1/preview/v2/tests", include_in_schema=False, responses=REFUSED)
async def create_email_preview(
    tx: CurrentTx, asked: Annotated[NewPreviewForm, form(NewPreviewForm)]
) -> StartedPreview:
    """Have screenshots made of a message, in the clients that are named or the usual ones."""
    features.check(tx, Feature.EMAIL_PREVIEW)
    usage_limits.check(tx, LIMIT)
    made = email_previews.create(
        tx,
        subject=asked.subject,
        html=html_of(asked),
        clients=clients_of(asked.clients),
        reference_id=asked.reference_id,
        customer_id=asked.customer_id,
        headers=asked.headers,
        image_blocking=asked.image_blocking,
    )
    return StartedPreview(id=made.id, reference_id=made.reference_id, customer_id=made.customer_id)


@router.get("/v1/preview/tests", responses=REFUSED)
@router.get("/v2/preview/tests", responses=REFUSED)
@router.get("/v1/preview/v2/tests", include_in_schema=False, responses=REFUSED)
async def list_email_previews(
    tx: CurrentTx, asked: Annotated[PreviewsForm, form(PreviewsForm)]
) -> list[PreviewItem]:
    """List the tests, the latest first: of a period, with words in their subject."""
    kept = [
        each
        for each in email_previews.list_all(tx)
        if asked.since <= each.created_at <= asked.until and asked.subject.lower() in each.subject.lower()
    ]
    start = max(asked.page - 1, 0) * asked.results
    return [item_of(each) for each in kept[start : start + asked.results]]


def item_of(preview: EmailPreview) -> PreviewItem:
    headers = orjson.loads(preview.headers)
    date = int(preview.created_at)
    return PreviewItem(id=preview.id, date=date, type=KIND, subject=preview.subject, headers=headers)


@router.get("/v1/preview/tests/clients", response_model_exclude_none=True, responses=REFUSED)
@router.get(
    "/v2/preview/tests/clients", include_in_schema=False, response_model_exclude_none=True, responses=REFUSED
)
async def list_preview_clients(tx: CurrentTx) -> PreviewClients:
    """List the mail clients that there are screenshots of."""
    return PreviewClients({client.id: client_view(client) for client in CLIENTS.values()})


def client_view(client: PreviewClient) -> ClientView:
    return ClientView(
        id=client.id,
        client=client.client,
        os=client.os,
        category=client.category,
        browser=client.browser or None,
        rotate=client.rotates,
        default=client.default,
    )


@router.get("/v1/preview/tests/{test_id}", responses=ABSENT)
@router.get("/v2/preview/tests/{test_id}", include_in_schema=False, responses=ABSENT)
async def get_email_preview(tx: CurrentTx, test_id: str) -> PreviewInfo:
    """Tell which clients' screenshots are there."""
    preview = email_previews.get(tx, test_id)
    found = email_previews.screenshots(tx, preview)
    of = {status: [each.client for each in found if each.status is status] for status in Status}
    return PreviewInfo(
        subject=preview.subject,
        date=int(preview.created_at),
        completed=of[Status.COMPLETE],
        processing=of[Status.PROCESSING],
        bounced=of[Status.BOUNCED],
    )


@router.delete("/v1/preview/tests/{test_id}", responses=ABSENT)
@router.delete("/v2/preview/tests/{test_id}", include_in_schema=False, responses=ABSENT)
async def delete_email_preview(tx: CurrentTx, test_id: str) -> Succeeded:
    """Delete a test with its screenshots; limits count it all the same."""
    email_previews.delete(email_previews.get(tx, test_id))
    return Succeeded(success=True)


@router.get("/v1/preview/tests/{test_id}/results", responses={**REFUSED, **ABSENT})
@router.get("/v2/preview/tests/{test_id}/results", include_in_schema=False, responses=ABSENT)
async def get_email_preview_results(request: Request, tx: CurrentTx, test_id: str) -> PreviewResults:
    """Tell of each client how far its screenshot is, and where it is shown."""
    preview = email_previews.get(tx, test_id)
    found = email_previews.screenshots(tx, preview)
    url = f"{base_url(request)}/v1/preview/tests/{preview.id}/screenshots"
    return PreviewResults({each.client: screenshot_view(preview, each, url) for each in found})


def screenshot_view(preview: EmailPreview, shot: Screenshot, url: str) -> ScreenshotView:
    client, is_there = CLIENTS[shot.client], shot.status is Status.COMPLETE
    bounced = email_previews.EMPTY if shot.status is Status.BOUNCED else ("", "")
    shown = {"default": f"{url}/{client.id}"}
    if preview.image_blocking:
        shown["no_images"] = f"{url}/{client.id}?images=no"
    return ScreenshotView(
        id=client.id,
        display_name=client.display_name,
        client=client.client,
        os=client.os,
        category=client.category,
        browser=client.browser,
        screenshots=shown if is_there else {},
        thumbnail=f"{url}/{client.id}?width={preview_image.THUMBNAIL}" if is_there else "",
        full_thumbnail=f"{url}/{client.id}?width={2 * preview_image.THUMBNAIL}" if is_there else "",
        status=shot.status,
        status_details=StatusDetails(
            submitted=int(shot.submitted),
            completed=int(shot.completed),
            bounce_code=bounced[0],
            bounce_message=bounced[1],
        ),
    )


@router.put(
    "/v1/preview/tests/{test_id}/results/reprocess",
    response_model_exclude_none=True,
    responses={**REFUSED, **ABSENT},
)
async def reprocess_email_preview(
    tx: CurrentTx, test_id: str, asked: Annotated[ReprocessForm, form(ReprocessForm)]
) -> PreviewReprocesses:
    """Have the screenshots of some clients made anew."""
    features.check(tx, Feature.EMAIL_PREVIEW)
    preview = email_previews.get(tx, test_id)
    told: dict[str, Reprocessed] = {}
    for client in dict.fromkeys(asked.clients):
        why = email_previews.reprocess(tx, preview, client)
        sent = Resubmitted(id=client, type="resubmit", sent=int(tx.now), completed=0)
        told[client] = Reprocessed(
            success=not why,
            remaining_reprocesses=preview.remaining,
            regional=False,
            screenshot=None if why else sent,
            reason=why or None,
        )
    return PreviewReprocesses(told)


@router.get("/v1/preview/tests/{test_id}/content", responses=ABSENT)
async def get_email_preview_content(tx: CurrentTx, test_id: str) -> PreviewContent:
    """Tell the HTML of a test."""
    return PreviewContent(content=email_previews.get(tx, test_id).html)


async def stored_html(request: Request, test_id: str) -> str:
    """For who reads it in a thread, when the transaction is over: a megabyte takes a second."""
    async with asynccontextmanager(begin)(request) as tx:
        return email_previews.get(tx, test_id).html


StoredHtml = Annotated[str, Depends(stored_html)]


@router.get("/v1/preview/tests/{test_id}/content/inlinecss", responses=ABSENT)
async def get_email_preview_inline_css(html: StoredHtml) -> PreviewContent:
    """Tell the HTML of a test with the rules of its style sheets in the elements they are about."""
    return PreviewContent(content=await asyncio.to_thread(inline_css.inline, html))


@router.get("/v1/preview/tests/{test_id}/content/textonly", responses=ABSENT)
async def get_email_preview_text(html: StoredHtml) -> PreviewContent:
    """Tell what is left of a test for those who see no HTML."""
    return PreviewContent(content=await asyncio.to_thread(replies.to_text, html))


@router.get("/v1/preview/tests/{test_id}/screenshots/{client_id}", include_in_schema=False)
async def show_screenshot(
    tx: OpenTx, test_id: str, client_id: str, images: str = "yes", width: int = 0
) -> Response:
    """Show a screenshot, to anybody who has its URL."""
    preview = email_previews.get_anybodys(tx, test_id)
    there = {
        each.client for each in email_previews.screenshots(tx, preview) if each.status is Status.COMPLETE
    }
    if client_id not in there:
        raise PreviewNotFound("screenshot not found")
    wide = min(max(width, 0), 4000)
    svg = preview_image.draw(
        CLIENTS[client_id], preview.subject, preview.html, images=images != "no", width=wide
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(svg, media_type="image/svg+xml", headers=headers)
