"""Logs: the events of all of an account's domains, page by page (facts/sending.md, 3.4)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat, TypeAdapter

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, periods
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state import log_search
from mailgun_emulator.state.event_log import LAST_ID, Place, Position
from mailgun_emulator.state.log_conditions import ATTRIBUTES, EVENTS, METRIC_EVENTS
from mailgun_emulator.state.log_search import LogPage, LogSearch
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.analytics import (
    AnalyticsForm,
    PageRequest,
    Switch,
    Texts,
    known_names,
)
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Text, as_object, form
from mailgun_emulator.web.statistics import NotValid, moment
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["Logs"])

MOST = 100
WITHIN_SECOND = 0.999999
REFUSED = refusals(400)
SEEN_FLAGS = (
    "is-authenticated", "is-system-test", "is-routed", "is-test-mode", "is-delayed-bounce", "is-callback",
)  # fmt: skip
"""Those that every log tells, as recorded."""


class InvalidLogToken(BadRequest):
    """Mailgun's own text is not known."""

    message = "pagination token is not valid"


class LogPageRequest(PageRequest):
    token: Text = ""


class LogsForm(AnalyticsForm):
    """Dates are RFC 2822; `duration` (`24h`, `1d`) wins over `start`. A day up to now unless asked otherwise."""

    start: Text = ""
    end: Text = ""
    duration: Text = ""
    events: Texts = Field(default=[])
    metric_events: Texts = Field(default=[])
    include_totals: Switch = False
    pagination: Annotated[LogPageRequest, BeforeValidator(as_object)] = Field(default_factory=LogPageRequest)

    def search(self, now: float) -> LogSearch:
        start, end = self.span(now)
        sorting = self.pagination.sorting(("timestamp",))
        return LogSearch(
            start,
            end,
            sorting is not None and not sorting.descending,
            tuple(self.kinds),
            self.filter.predicates(ATTRIBUTES),
            self.pagination.limited(MOST, MOST),
            self.subaccounts,
        )

    def fixed(self, search: LogSearch) -> "LogsForm":
        """The same again, at the same span of time, whenever it is asked for."""
        span = {"start": repr(search.start), "end": repr(search.end), "duration": ""}
        page = self.pagination.model_copy(update={"token": ""})
        return self.model_copy(update={**span, "pagination": page})

    def following(self, before: "LogsForm") -> "LogsForm":
        """What was asked for before; only how much of it is told can be changed on the way."""
        limit = self.pagination.limit or before.pagination.limit
        page = before.pagination.model_copy(update={"limit": limit, "token": self.pagination.token})
        totals = self.include_totals or before.include_totals
        return before.model_copy(update={"pagination": page, "include_totals": totals})

    @property
    def kinds(self) -> list[str]:
        events = known_names("event", self.events, EVENTS)
        return [*events, *known_names("metric event", self.metric_events, METRIC_EVENTS)]

    def span(self, now: float) -> tuple[float, float]:
        """A date has whole seconds: that of the end belongs to it, or what just happened would be missed."""
        end = moment("end", self.end, now)
        if self.end and end == int(end):
            end += WITHIN_SECOND
        if self.duration:
            return self._before(end), end
        start = moment("start", self.start, max(end - DAY, 0.0))
        if start > end:
            raise NotValid("start", self.start)
        return start, end

    def _before(self, end: float) -> float:
        try:
            return periods.before(end, *periods.parse_duration(self.duration))
        except (ValueError, OverflowError):
            raise NotValid("duration", self.duration) from None


class LogToken(NamedTuple):
    """All that was asked for and where the page is, so that nothing needs to be remembered. On the wire it is Base64
    of its JSON. `direction` is `n` for the page after the position, `p` for the page before it.
    """

    asked: LogsForm
    at: FiniteFloat
    id: Annotated[int, Field(ge=0, le=LAST_ID)]
    direction: Literal["n", "p"]

    @classmethod
    def read(cls, text: str) -> "LogToken":
        try:
            return _TOKEN.validate_json(urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text) % 4)))
        except ValueError:
            raise InvalidLogToken from None

    def __str__(self) -> str:
        return urlsafe_b64encode(_TOKEN.dump_json(self)).rstrip(b"=").decode()

    @property
    def place(self) -> Place:
        return Place(Position(self.at, self.id), self.direction == "p")


_TOKEN = TypeAdapter(LogToken)


class LogsPagination(BaseModel):
    """Opaque tokens; empty if all is on one page, and without `next` on the last."""

    previous: str | None = None
    next: str | None = None
    first: str | None = None
    last: str | None = None
    total: int | None = None


class LogsAggregates(BaseModel):
    all: int | None = None
    metrics: dict[str, int] | None = None


class LogsView(BaseModel):
    """Each of `items` is an event, told otherwise than by Events and webhooks."""

    start: str
    end: str
    items: list[dict[str, Any]]
    pagination: LogsPagination
    aggregates: LogsAggregates


@router.post(
    "/v1/analytics/logs", response_model=LogsView, response_model_exclude_none=True, responses=REFUSED
)
async def list_logs(tx: CurrentTx, asked: Annotated[LogsForm, form(LogsForm)]) -> Response:
    """List what has happened to the account's messages, newest first unless asked otherwise."""
    if asked.pagination.token:
        token = LogToken.read(asked.pagination.token)
        asked, place = asked.following(token.asked), token.place
        return answer(tx, asked, asked.search(tx.now), place)
    search = asked.search(tx.now)
    return answer(tx, asked, search, search.first)


def answer(tx: Tx, asked: LogsForm, search: LogSearch, place: Place) -> Response:
    page = log_search.read(tx, search, place)
    total = log_search.total(tx, search) if asked.include_totals else None
    body = {
        "start": dates.rfc2822(search.start, "-0000"),
        "end": dates.rfc2822(search.end, "-0000"),
        "items": [log(orjson.loads(each.payload)) for each in page.logs],
        "pagination": pagination(asked, search, page, total),
        "aggregates": {} if total is None else {"all": total, "metrics": by_metric_event(tx, asked, search)},
    }
    return Response(orjson.dumps(body), media_type="application/json")


def pagination(asked: LogsForm, search: LogSearch, page: LogPage, total: int | None) -> dict[str, Any]:
    """Nothing if there is no other page."""
    counted = {} if total is None else {"total": total}
    if page.next is None and page.previous is None and page.logs:
        return counted
    if not page.logs and asked.pagination.token == "":
        return counted
    repeated = asked.fixed(search)
    places = {"previous": page.previous, "next": page.next, "first": search.first, "last": search.last}
    return {
        **{
            name: str(LogToken(repeated, *to.position, "p" if to.backwards else "n"))
            for name, to in places.items()
            if to is not None
        },
        **counted,
    }


def by_metric_event(tx: Tx, asked: LogsForm, search: LogSearch) -> dict[str, int]:
    names = dict.fromkeys(asked.metric_events)
    return {name: log_search.total(tx, search._replace(kinds=(name,))) for name in names}


def log(event: dict[str, Any]) -> dict[str, Any]:
    """An event of Events as Logs tell it: other names for its time, other types for some of its parts."""
    at = event.pop("timestamp")
    told = {"id": event.pop("id"), "event": event.pop("event"), "@timestamp": dates.rfc3339_ms(at), **event}
    if "flags" in told:
        told["flags"] = {**dict.fromkeys(SEEN_FLAGS, False), **told["flags"]}
    variables = told.get("user-variables", {})
    told["user-variables"] = variables if isinstance(variables, str) else orjson.dumps(variables).decode()
    if "url" in told.get("storage", {}):
        told["storage"] = {**told["storage"], "url": [told["storage"]["url"]]}
    if isinstance(told.get("routes"), list):
        told["routes"] = told["routes"][0] if told["routes"] else {}
    if "delivered-at" in told:
        told["delivered-at"] = dates.rfc3339_ms(told["delivered-at"])
    return told
