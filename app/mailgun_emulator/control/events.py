"""What happened to an account's messages, whatever domain they are of: searched, and waited for."""

import re
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from mailgun_emulator.state import account_events
from mailgun_emulator.state.account_events import EventSearch, FoundEvent
from mailgun_emulator.state.event_log import EVER, Position
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import instants, near_events
from mailgun_emulator.web.deps import AccountId, ChosenAccount, ChosenTx
from mailgun_emulator.web.happenings import Asked
from mailgun_emulator.web.instants import Instant
from mailgun_emulator.web.paging import InvalidCursor
from mailgun_emulator.web.views import REFUSALS, Done, Responses
from mailgun_emulator.web.waiting import HowMany, NothingCame, Timeout, looked_for, wait_for

router = APIRouter(prefix="/_emulator/events", tags=["Emulator"])

_CURSOR = re.compile(r"(-?\d{1,15}(?:\.\d{1,20})?)_(\d{1,18})", re.ASCII).fullmatch


class EventWish(Asked):
    """Which events; what is not said is not asked for.

    In texts `*` stands for anything; an address, an id, a tag or a domain without it are met by themselves alone, any
    other `recipient` by those it is a part of. Upper and lower case are the same.
    """

    event: list[EventType] = Field(default_factory=list, description="May be repeated: any of them.")
    recipient: str = Field("", description="An address or a part of it.")
    message_id: str = Field("", description="With or without its angle brackets.")
    tag: str = Field("", description="One of the message's tags.")
    domain: str = Field("", description="The domain that it is of.")
    severity: Literal["permanent", "temporary"] | None = Field(None, description="Of failures.")
    since: Instant = Field(None, description="An instant, or how long ago: `10m`.")
    before: Instant = Field(None, description="Likewise; it happened before that.")
    account: AccountId = None

    def search(self, now: float) -> EventSearch:
        return EventSearch(
            tuple(each.value for each in self.event),
            self.recipient.strip(),
            self.message_id.strip(),
            self.tag.strip(),
            self.domain.strip(),
            self.severity or "",
            instants.read("since", self.since, now) if self.since else 0.0,
            instants.read("before", self.before, now) if self.before else EVER,
        )


class EventsAsked(EventWish):
    limit: int = Field(50, ge=1, le=1000, description="So many on a page at most.")
    cursor: str = Field("", description="As `next` of another page.")


class EventsAwaited(EventWish):
    count: HowMany = 1
    timeout: Timeout = 5.0


class HappenedEvents(BaseModel):
    """Each of `items` is an event as Mailgun's Events API and webhooks tell it, the newest first.

    `next` is the cursor of the older ones, null on the last page.
    """

    items: list[dict[str, Any]]
    next: str | None


class EventsThatCame(BaseModel):
    """The newest of those that were waited for, the newest first."""

    items: list[dict[str, Any]]


class EventsThatDidNot(BaseModel):
    """`there` are those that are nearest to it, each with its `difference`; `total` how many the account has."""

    message: str
    looked_for: dict[str, Any]
    total: int
    there: list[dict[str, Any]]


ABSENCES: Responses = {400: {"model": Done}, 404: {"model": EventsThatDidNot}}


@router.get("", response_model=HappenedEvents, responses=REFUSALS)
async def list_happened_events(tx: ChosenTx, asked: Annotated[EventsAsked, Query()]) -> Response:
    """List the events of all domains of an account, the newest first, in pages."""
    after = read_cursor(asked.cursor) if asked.cursor else None
    found = account_events.list_newest(tx, asked.search(tx.now), asked.limit + 1, after)
    shown = found[: asked.limit]
    following = cursor_of(shown[-1].position) if len(found) > asked.limit else None
    return answer(shown, next=following)


@router.get("/wait", response_model=EventsThatCame, responses=ABSENCES)
async def wait_for_events(
    request: Request, account_id: ChosenAccount, asked: Annotated[EventsAwaited, Query()]
) -> Response:
    """Answer once there are so many such events, at once if they are there; 404 with what there is when time is over.

    `timeout` is in seconds of real time.
    """
    emulator = request.app.state.emulator
    account_id = account_id or emulator.default_account_id
    database = emulator.database
    search = asked.search(database.clock_of(account_id).now())

    def look() -> list[FoundEvent] | None:
        with database.reading(account_id) as tx:
            found = account_events.list_newest(tx, search, asked.count)
        return found if len(found) == asked.count else None

    found = await wait_for(request, account_id, {"event"}, look, asked.timeout)
    if found is not None:
        return answer(found)
    with database.reading(account_id) as tx:
        raise absence(tx, asked, search)


def answer(found: list[FoundEvent], **more: Any) -> Response:
    body = {"items": [orjson.Fragment(event.payload) for event in found], **more}
    return Response(orjson.dumps(body), media_type="application/json")


def cursor_of(position: Position) -> str:
    return f"{position.at!r}_{position.id}"


def read_cursor(text: str) -> Position:
    match = _CURSOR(text)
    if match is None:
        raise InvalidCursor
    return Position(float(match[1]), int(match[2]))


def absence(tx: Tx, asked: EventsAwaited, search: EventSearch) -> NothingCame:
    near = near_events.list_near(tx, search)
    came = len(account_events.list_newest(tx, search, asked.count))
    return NothingCame(
        near_events.absence(search, came, asked.count, asked.timeout, near),
        looked_for(asked),
        account_events.total(tx),
        [{**payload, "difference": text} for payload, text in near if text],
    )
