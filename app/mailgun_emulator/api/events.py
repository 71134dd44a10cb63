"""Events: what has happened to a domain's messages (facts/sending.md, 3.3)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat, TypeAdapter, WithJsonSchema

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import event_log
from mailgun_emulator.state.event_log import EVER, LAST_ID, Place, Position, Search
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.forms import Flag, Form, form
from mailgun_emulator.web.paging import Paging, base_url
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(tags=["Events"])

MOST = 300
DAY = 86400.0


class InvalidPageToken(BadRequest):
    """Mailgun's own text is not known."""

    message = "Invalid page token"


class ContradictoryRange(BadRequest):
    """Mailgun's own text is not known."""

    message = "The range from 'begin' to 'end' contradicts 'ascending'"


class EventList(BaseModel):
    """Each of `items` is an event as webhooks tell it too; which keys it has depends on its kind."""

    items: list[dict[str, Any]]
    paging: Paging


def _empty_is_absent(value: object) -> object:
    return None if value == "" else value


def _instant(value: object) -> object:
    if value is None or value == "":
        return None
    at = dates.parse(str(value))
    if not isfinite(at):
        raise ValueError
    return round(at, 6)


Instant = Annotated[float | None, BeforeValidator(_instant), WithJsonSchema({"type": "string"})]
Filters = list[str]


class EventQuery(Form):
    """`begin` and `end` are RFC 2822 dates or seconds since 1970; the other texts are filter expressions."""

    begin: Instant = None
    end: Instant = None
    ascending: Annotated[Flag | None, BeforeValidator(_empty_is_absent)] = None
    limit: Annotated[int | None, Field(ge=1), BeforeValidator(_empty_is_absent)] = None
    pretty: Annotated[Flag | None, BeforeValidator(_empty_is_absent)] = None
    event: Filters = Field(default_factory=list)
    list_: Filters = Field(default_factory=list, alias="list")
    attachment: Filters = Field(default_factory=list)
    from_: Filters = Field(default_factory=list, alias="from")
    to: Filters = Field(default_factory=list)
    subject: Filters = Field(default_factory=list)
    message_id: Filters = Field(default_factory=list, alias="message-id")
    size: Filters = Field(default_factory=list)
    recipient: Filters = Field(default_factory=list)
    recipients: Filters = Field(default_factory=list)
    tags: Filters = Field(default_factory=list)
    severity: Filters = Field(default_factory=list)

    def search(self, tx: Tx) -> Search:
        begin, end = self.range(tx)
        given = self.model_dump(by_alias=True, exclude=_NO_FILTERS, exclude_defaults=True)
        return Search(begin, end, given, min(self.limit or 100, MOST))

    def range(self, tx: Tx) -> tuple[float, float]:
        """From now back to the oldest events unless told otherwise; upwards, from the oldest on and for ever."""
        now = tx.now
        oldest = now - tx.settings.event_retention * DAY
        if self.ascending:
            begin, end = (oldest, EVER)
        else:
            begin, end = (now, oldest)
        begin = begin if self.begin is None else self.begin
        end = end if self.end is None else self.end
        if self.ascending is not None and begin != end and self.ascending != (begin < end):
            raise ContradictoryRange(hint="Ascending ranges end after they begin, descending ones before.")
        return begin, end


_NO_FILTERS = {"begin", "end", "ascending", "limit", "pretty"}


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
