"""Metrics: what was counted of an account's mail, in any combination of dimensions (facts/sending.md, 7.4)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import Period, Resolution
from mailgun_emulator.state import accounts, ip_pools, statistics, tags
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.predicates import SEARCHED
from mailgun_emulator.state.statistics import DIMENSIONS, Counts, Question
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import measures, usage
from mailgun_emulator.web.analytics import MeasuresForm, Sorting, Switch, known_names, page_of
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.statistics import resolution_of
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["Metrics"])

REFUSED = refusals(400)
ATTRIBUTES = {name: SEARCHED for name in DIMENSIONS if name != "time"}


class Limits(NamedTuple):
    """How many items a page has, and may have, where time is a dimension and where not."""

    default: int
    most: int


TIMED, UNTIMED = Limits(1500, 1500), Limits(10, 1000)


class MetricsForm(MeasuresForm):
    """Seven days up to now, by the day, unless asked otherwise; `duration` (`1d`, `24h`, `2m`) wins over `start`."""

    include_aggregates: Switch = False

    def period(self, now: float, resolution: Resolution | None = None) -> Period:
        """A duration does not imply the resolution here."""
        return super().period(now, resolution or resolution_of(self.resolution))


class MetricsDimension(BaseModel):
    dimension: str
    value: str
    display_value: str


class MetricsItem(BaseModel):
    """`metrics` has those that were asked for: numbers, and rates as text."""

    dimensions: list[MetricsDimension]
    metrics: dict[str, int | str]


class MetricsPagination(BaseModel):
    sort: str
    skip: int
    limit: int
    total: int


class MetricsAggregates(BaseModel):
    metrics: dict[str, int | str]


class MetricsView(BaseModel):
    """Only buckets that something was counted in are among `items`; both ends are beginnings of buckets."""

    start: str
    end: str
    resolution: Resolution
    duration: str | None = None
    dimensions: list[str]
    pagination: MetricsPagination
    items: list[MetricsItem]
    aggregates: MetricsAggregates


class Measures(NamedTuple):
    """Which metrics an operation knows, by which dimensions, and how they are told."""

    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    tell: Callable[[Counts, Iterable[str]], Mapping[str, int | str]]
    number: Callable[[str, Counts], float]
    events: frozenset[str] = frozenset()


MAIL = frozenset({EventType.ACCEPTED.value, EventType.UNSUBSCRIBED.value})
"""These and all whose names come between: what is only billed for is no mail."""
ALL = Measures(DIMENSIONS, measures.NAMES, measures.tell, measures.number, MAIL)
USAGE = Measures(("subaccount", "time"), usage.NAMES, usage.tell, usage.number)


@router.post("/v1/analytics/metrics", response_model=MetricsView, responses=REFUSED)
async def query_metrics(tx: CurrentTx, asked: Annotated[MetricsForm, form(MetricsForm)]) -> Response:
    """Count what happened to the account's messages, told apart by dimensions, filtered, sorted and paged."""
    return answer(tx, asked, ALL)


@router.post("/v1/analytics/usage/metrics", response_model=MetricsView, responses=REFUSED)
async def query_usage_metrics(tx: CurrentTx, asked: Annotated[MetricsForm, form(MetricsForm)]) -> Response:
    """Count what Mailgun would bill the account for."""
    return answer(tx, asked, USAGE)


def answer(tx: Tx, asked: MetricsForm, known: Measures) -> Response:
    period = asked.period(tx.now)
    dimensions = known_names("dimension", asked.dimensions, known.dimensions)
    names = known_names("metric", asked.metrics, known.metrics)
    limits = TIMED if "time" in dimensions else UNTIMED
    limit = asked.pagination.limited(*limits)
    sorting = asked.pagination.sorting(("timestamp", *dimensions, *known.metrics))
    predicates = asked.filter.predicates(ATTRIBUTES)
    question = Question(period, known.events, predicates, subaccounts=asked.subaccounts)
    found = statistics.measure(tx, dimensions, question) if dimensions else {}
    rows = in_order([row for row in found.items() if "" not in row[0]], dimensions, sorting, known)
    told = told_by(tx, dimensions)
    body = {
        "start": dates.rfc2822(period.start),
        "end": dates.rfc2822(period.end),
        "resolution": period.resolution,
        **({"duration": asked.duration} if asked.duration else {}),
        "dimensions": dimensions,
        "pagination": {
            "sort": asked.pagination.sort, "skip": asked.pagination.skip, "limit": limit, "total": len(rows),
        },
        "items": [
            {
                "dimensions": [told[name](value) for name, value in zip(dimensions, key, strict=True)],
                "metrics": known.tell(counts, names),
            }
            for key, counts in page_of(rows, asked.pagination.skip, limit)
        ],
        "aggregates": {"metrics": aggregate(tx, question, names, known) if asked.include_aggregates else {}},
    }  # fmt: skip
    return Response(orjson.dumps(body), media_type="application/json")


Row = tuple[tuple[Any, ...], Counts]


def in_order(rows: list[Row], dimensions: list[str], sorting: Sorting | None, known: Measures) -> list[Row]:
    """By the dimensions, one after the other, unless asked otherwise."""
    rows = sorted(rows, key=lambda row: row[0])
    if sorting is None:
        return rows
    name = "time" if sorting.name == "timestamp" else sorting.name
    if name in dimensions:
        place = dimensions.index(name)
        return sorted(rows, key=lambda row: row[0][place], reverse=sorting.descending)
    if name == "time":
        return rows
    return sorted(rows, key=lambda row: known.number(name, row[1]), reverse=sorting.descending)


def aggregate(tx: Tx, question: Question, names: list[str], known: Measures) -> Mapping[str, int | str]:
    """Of all that was counted in the period, on all pages."""
    return known.tell(statistics.measure(tx, (), question).get((), {}), names)


def told_by(tx: Tx, dimensions: list[str]) -> dict[str, Callable[[Any], dict[str, str]]]:
    """How the values of each dimension are written."""
    shown: dict[str, Callable[[Any], str]] = {}
    if "subaccount" in dimensions:
        shown["subaccount"] = accounts.names(tx).__getitem__
    if "ip_pool" in dimensions:
        shown["ip_pool"] = lambda pool_id: ip_pools.name_of(tx, pool_id) or pool_id
    written = tags.names(tx) if "tag" in dimensions else {}

    def tell(dimension: str) -> Callable[[Any], dict[str, str]]:
        def told(value: Any) -> dict[str, str]:
            text = (
                dates.rfc2822(value)
                if dimension == "time"
                else written.get(value, value)
                if dimension == "tag"
                else str(value)
            )
            display = shown[dimension](value) if dimension in shown else text
            return {"dimension": dimension, "value": text, "display_value": display}

        return told

    return {dimension: tell(dimension) for dimension in dimensions}
