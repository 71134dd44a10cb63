"""The six operations that bounces, complaints, unsubscribes and the allowlist share (facts/sending.md, 6)."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.state import suppression_entries, suppressions
from mailgun_emulator.state.suppression_entries import CsvFile, Entry
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.call_limits import Calls, TooManyCalls
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.forms import CurrentFields, Fields, Form, Upload, read_fields, takes
from mailgun_emulator.web.paging import Paging, in_order, keyset, link
from mailgun_emulator.web.views import Done, refusals

MOST_AT_ONCE = 1000
MOST_CALLS = 2500
WINDOW_SECONDS = 1.0


class BatchTooLarge(BadRequest):
    message = "Batch size should be less than 1000"


class NotEntries(BadRequest):
    message = "unable to parse request: invalid JSON"


# What each section declares of its list


class EntryForm(Form):
    """One entry as a form gives it; a JSON item has the same names unless its section says otherwise."""

    def parameters(self) -> dict[str, Any]:
        return self.model_dump()


class EntryView(BaseModel, ABC):
    """How a list shows an entry."""

    @classmethod
    @abstractmethod
    def of(cls, entry: Entry) -> Self: ...


class EntryPage(BaseModel):
    items: Sequence[EntryView]
    paging: Paging


class AddressDone(BaseModel):
    """Tells what was done to which address."""

    address: str
    message: str


class RemovalForm(Form):
    """What one address's removal may be narrowed by: mostly nothing."""

    def remove(self, tx: Tx, domain_id: str, kind: Kind, address: str) -> None:
        suppressions.delete(tx, domain_id, kind, address)


class Texts(NamedTuple):
    """The answers to what has been done; `added_many` is a format with the number, on lists that take several."""

    added: str
    removed: str
    cleared: str
    added_many: str | None = None


class Operation(NamedTuple):
    """What the API's document calls an operation and says of it."""

    name: str
    description: str


class Operations(NamedTuple):
    list: Operation
    add: Operation
    get: Operation
    delete: Operation
    clear: Operation
    import_: Operation


@dataclass(frozen=True, kw_only=True)
class SuppressionList:
    """One of the four lists. `added` and `removed` say in what form, and in what order, a change is answered."""

    kind: Kind
    form: type[EntryForm]
    view: type[EntryView]
    page: type[EntryPage]
    added: type[BaseModel] = AddressDone
    removed: type[BaseModel] = AddressDone
    removal: type[RemovalForm] = RemovalForm
    texts: Texts


# What is read from a request


class PageForm(Form):
    """`page` is next, previous or last, seen from `address`; without it `address` asks for that address only."""

    limit: int = Field(100, ge=1, le=1000, description="Most entries on a page.")
    page: str = Field("", description="`next`, `previous` or `last`; the first page otherwise.")
    address: str = Field("", description="Where next and previous begin, or the only one wanted.")
    term: str = Field("", description="What the addresses begin with.")


class CsvForm(Form):
    file: str | Upload = Field(description="CSV whose first row names the columns; gzip is read, too.")


@takes(CsvForm)
async def read_csv_file(request: Request) -> CsvFile:
    """Ask for it before `CountedTx`: a large file is read in a thread."""
    given = (await read_fields(request)).first("file")
    data = given.data if isinstance(given, Upload) else str(given or "").encode()
    return await asyncio.to_thread(suppression_entries.read_csv, data)


CurrentCsvFile = Annotated[CsvFile, Depends(read_csv_file)]


def items_of(fields: Fields) -> list[Mapping[str, Any]]:
    """What a JSON body holds, the names in lower case."""
    items = fields.json if isinstance(fields.json, list) else [fields.json]
    if len(items) > MOST_AT_ONCE:
        raise BatchTooLarge
    if not all(isinstance(item, dict) for item in items):
        raise NotEntries
    return [{name.lower(): value for name, value in item.items()} for item in items]


# How many calls are left


async def counted(request: Request, tx: CurrentTx) -> Tx:
    state = request.app.state
    if not hasattr(state, "suppression_calls"):
        state.suppression_calls = Calls(WINDOW_SECONDS)
    until, calls = state.suppression_calls.count(tx.account_id, tx.now)
    request.scope["mailgun_request_limit"] = [
        (b"x-request-limit", b"%d" % MOST_CALLS),
        (b"x-request-remaining", b"%d" % max(MOST_CALLS - calls, 0)),
        (b"x-request-reset", b"%d" % (until * 1000)),
    ]
    if calls > MOST_CALLS and leniency.limits_calls(tx):
        raise TooManyCalls(until, tx.now)
    return tx


CountedTx = Annotated[Tx, Depends(counted)]
"""As `CurrentTx`, for calls whose answers, refusals too, say how many more may follow."""


class CountedRoute(APIRoute):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app = with_request_limit(self.app)


def with_request_limit(app: ASGIApp) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *scope.get("mailgun_request_limit", ())]
            await send(message)

        await app(scope, receive, send_counted)

    return wrapped


# The operations

REFUSED = refusals(400, 404)
Handler = TypeVar("Handler", bound=Callable[..., Any])


def documented(operation: Operation) -> Callable[[Handler], Handler]:
    """Give a handler of all four lists the name and the description that it has in one of them."""

    def document(handler: Handler) -> Handler:
        handler.__name__, handler.__doc__ = operation
        return handler

    return document


def router_for(listed: SuppressionList, tag: str, path: str, operations: Operations) -> APIRouter:
    """`path` is the list's, `/v3/{domain}/bounces`."""
    router = APIRouter(tags=[tag], route_class=CountedRoute)
    added: Any = listed.added if listed.texts.added_many is None else listed.added | Done

    @router.get(path, response_model=listed.page, responses=REFUSED)
    @documented(operations.list)
    @takes(PageForm)
    async def list_entries(
        request: Request, tx: CountedTx, domain: KnownDomain, fields: CurrentFields
    ) -> Response:
        page = page_of(listed, tx, domain.id, request, fields)
        return Response(page.model_dump_json(), media_type="application/json")

    @router.post(path, response_model=added, responses=REFUSED)
    @documented(operations.add)
    @takes(listed.form)
    async def add_entries(tx: CountedTx, domain: KnownDomain, fields: CurrentFields) -> BaseModel:
        return add(listed, tx, domain.id, fields)

    @router.post(f"{path}/import", status_code=202, responses=REFUSED)
    @documented(operations.import_)
    async def import_entries(file: CurrentCsvFile, tx: CountedTx, domain: KnownDomain) -> Done:
        suppressions.start_import(tx, domain.id, listed.kind, file)
        return Done(message="file uploaded successfully for processing. standby...")

    @router.delete(path, responses=REFUSED)
    @documented(operations.clear)
    async def clear_entries(tx: CountedTx, domain: KnownDomain) -> Done:
        suppressions.clear(tx, domain.id, listed.kind)
        return Done(message=listed.texts.cleared)

    @router.get(f"{path}/{{address}}", response_model=listed.view, responses=REFUSED)
    @documented(operations.get)
    async def get_entry(tx: CountedTx, domain: KnownDomain, address: str) -> EntryView:
        return listed.view.of(suppressions.get(tx, domain.id, listed.kind, address))

    @router.delete(f"{path}/{{address}}", response_model=listed.removed, responses=REFUSED)
    @documented(operations.delete)
    @takes(listed.removal)
    async def delete_entry(
        tx: CountedTx, domain: KnownDomain, address: str, fields: CurrentFields
    ) -> BaseModel:
        listed.removal.of(fields).remove(tx, domain.id, listed.kind, address)
        return answer(listed.removed, listed.texts.removed, {"address": address, "value": address})

    return router


def add(listed: SuppressionList, tx: Tx, domain_id: str, fields: Fields) -> BaseModel:
    """All entries or, if one is refused, none."""
    many = listed.texts.added_many if isinstance(fields.json, list) else None
    if many is not None or isinstance(fields.json, dict):
        given = items_of(fields)
    else:
        given = [listed.form.of(fields).parameters()]
    entries = [suppressions.read(tx, listed.kind, parameters) for parameters in given]
    for entry in entries:
        suppressions.add(tx, domain_id, listed.kind, entry)
    if many is not None:
        return Done(message=many.format(len(entries)))
    return answer(listed.added, listed.texts.added, listed.view.of(entries[0]).model_dump())


def answer(form: type[BaseModel], message: str, names: dict[str, Any]) -> BaseModel:
    """The answer's own fields, of all that could name the entry."""
    return form.model_validate({**names, "message": message})


def page_of(listed: SuppressionList, tx: Tx, domain_id: str, request: Request, fields: Fields) -> EntryPage:
    asked, term = keyset(fields, "address"), str(fields.first("term") or "")
    if asked.pivot and not fields.first("page"):
        term = asked.pivot  # so that the links lead nowhere else
        only = suppressions.find(tx, domain_id, listed.kind, asked.pivot)
        found = [only] if only else []
    else:
        found = suppressions.list_entries(
            tx,
            domain_id,
            listed.kind,
            term=term,
            after=asked.pivot if asked.page == "next" else "",
            before=asked.pivot if asked.page == "previous" else "",
            limit=asked.limit,
            backwards=asked.backwards,
        )
    entries = in_order(asked, found)
    items = [listed.view.of(entry) for entry in entries]
    return listed.page(items=items, paging=paging(request, entries, limit=asked.limit, term=term))


def paging(request: Request, entries: list[Entry], **common: Any) -> Paging:
    """The order of a link's parameters is the wire's; where there is nothing, all links lead to the first page."""
    first = link(request, **common)
    if not entries:
        return Paging(first=first, last=first, next=first, previous=first)
    return Paging(
        first=first,
        last=link(request, page="last", **common),
        next=link(request, page="next", address=entries[-1].spelled, **common),
        previous=link(request, page="previous", address=entries[0].spelled, **common),
    )
