"""Exports of events (facts/account.md, 12)."""

import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state import domains, exports
from mailgun_emulator.state.event_log import Search
from mailgun_emulator.state.exports import Export, ExportStatus, ExportUnfinished
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, OpenTx
from mailgun_emulator.web.event_query import MOST, EventQuery
from mailgun_emulator.web.forms import Fields, Form, form
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(prefix="/v3/exports", tags=["Exports"])

_EVENTS = re.compile(r"/v3/([^/]+)/events").fullmatch


class NothingToExport(BadRequest):
    """Its text is not known."""

    message = "Invalid parameter: url is invalid"

    def __init__(self) -> None:
        super().__init__(hint="Events are exported: url is as /v3/example.com/events?event=failed")


class ExportForm(Form):
    """`url` is that of a list of events with its filters, with or without a host."""

    url: str


class ExportView(BaseModel):
    id: str
    status: str
    url: str


class ExportList(BaseModel):
    items: list[ExportView]


def view(export: Export) -> ExportView:
    return ExportView(id=export.id, status=export.status, url=export.url)


def asked_for(tx: Tx, url: str) -> tuple[str, Search]:
    """The id of the domain and what is looked for among its events."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NothingToExport from None
    found = _EVENTS(parts.path.rstrip("/"))
    if found is None:
        raise NothingToExport
    fields = Fields()
    fields.read(parts.query.encode(), {}, b"")
    search = EventQuery.of(fields).search(tx)
    return domains.get(tx, unquote(found[1])).id, search._replace(limit=MOST)


@router.get("")
async def list_exports(tx: CurrentTx) -> ExportList:
    """List the exports that were asked for, the latest first."""
    return ExportList(items=[view(export) for export in exports.list_exports(tx)])


@router.post("", responses=REFUSALS)
async def create_export(tx: CurrentTx, asked: Annotated[ExportForm, form(ExportForm)]) -> Done:
    """Write the events that a URL of this API lists into a file, in the background."""
    exports.create(tx, asked.url, *asked_for(tx, asked.url))
    return Done(message="success")


@router.get("/{export_id}", responses=refusals(404))
async def get_export(tx: CurrentTx, export_id: str) -> ExportView:
    """Tell whether an export is `complete`."""
    return view(exports.get(tx, export_id))


@router.get("/{export_id}/download_url", status_code=302, response_class=Response)
async def get_export_url(request: Request, tx: CurrentTx, export_id: str) -> Response:
    """Lead on to the file of an export that is complete."""
    if exports.get(tx, export_id).status != ExportStatus.COMPLETE:
        raise ExportUnfinished
    return Response(status_code=302, headers={"Location": f"{base_url(request)}/v3/exports/{export_id}/file"})


@router.get("/{export_id}/file", include_in_schema=False)
async def download_export(tx: OpenTx, export_id: str) -> Response:
    """Hand out the file, a JSON object with the events as `items`; the link is all it takes."""
    name = f'attachment; filename="{export_id}.json"'
    return Response(
        exports.get_file(tx, export_id), 200, {"Content-Disposition": name}, media_type="application/json"
    )
