"""Events: what has happened to a domain's messages (facts/sending.md, 3.3)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, FiniteFloat, TypeAdapter

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state import event_log
from mailgun_emulator.state.event_log import LAST_ID, Place, Position, Search
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.event_query import MOST, EventQuery
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.paging import Paging, base_url
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(tags=["Events"])


class InvalidPageToken(BadRequest):
    """Mailgun's own text is not known."""

    message = "Invalid page token"


class EventList(BaseModel):
    """Each of `items` is an event as webhooks tell it too; which keys it has depends on its kind."""

    items: list[dict[str, Any]]
    paging: Paging


class PageToken(NamedTuple):
    """All that a page is found by: nothing needs to be remembered. In a URL it is Base64 of its JSON.

    `direction` is `n` for the page after the position, `p` for the page before it.
    """

    version: Literal[3]
    range: tuple[FiniteFloat, FiniteFloat]
    position: tuple[FiniteFloat, Annotated[int, Field(ge=0, le=LAST_ID)]]
    direction: Literal["n", "p"]
    filters: dict[str, list[str]]
    limit: Annotated[int, Field(ge=1, le=MOST)]
    pretty: bool

    @classmethod
    def read(cls, text: str) -> "PageToken":
        try:
            return _TOKEN.validate_json(urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text) % 4)))
        except ValueError:
            raise InvalidPageToken from None

    @classmethod
    def of(cls, search: Search, place: Place, *, pretty: bool) -> "PageToken":
        return cls(
            3,
            (search.begin, search.end),
            (place.position.at, place.position.id),
            "p" if place.backwards else "n",
            search.filters,
            search.limit,
            pretty,
        )

    def __str__(self) -> str:
        return urlsafe_b64encode(orjson.dumps(tuple(self))).rstrip(b"=").decode()

    @property
    def search(self) -> Search:
        return Search(*self.range, self.filters, self.limit)

    @property
    def place(self) -> Place:
        return Place(Position(*self.position), self.direction == "p")


_TOKEN = TypeAdapter(PageToken)


@router.get("/v3/{domain}/events", response_model=EventList, responses=REFUSALS)
async def list_events(
    request: Request, tx: CurrentTx, domain: KnownDomain, asked: Annotated[EventQuery, form(EventQuery)]
) -> Response:
    """List what has happened to the domain's messages, newest first unless a range says otherwise."""
    search = asked.search(tx)
    return answer(request, tx, domain.id, search, search.first, pretty=asked.pretty is not False)


@router.get("/v3/{domain}/events/{token}", response_model=EventList, responses=REFUSALS)
async def list_more_events(request: Request, tx: CurrentTx, domain: KnownDomain, token: str) -> Response:
    """Follow one of the links of a page of events; it holds all that was asked for."""
    page = PageToken.read(token)
    return answer(request, tx, domain.id, page.search, page.place, pretty=page.pretty)


def answer(
    request: Request, tx: Tx, domain_id: str, search: Search, place: Place, *, pretty: bool
) -> Response:
    """Pretty as recorded, but for the events themselves: to set them out in lines takes as long as all the rest."""
    page = event_log.read(tx, domain_id, search, place)
    url = f"{base_url(request)}/v3/{request.path_params['domain']}/events"
    links = {"first": search.first, "last": search.last, "next": page.next, "previous": page.previous}
    body = {
        "items": [orjson.Fragment(payload) for payload in page.payloads],
        "paging": {name: f"{url}/{PageToken.of(search, to, pretty=pretty)}" for name, to in links.items()},
    }
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 if pretty else None)
    return Response(text, media_type="application/json")
