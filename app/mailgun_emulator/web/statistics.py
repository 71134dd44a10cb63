"""Statistics as Stats and Tags tell them: what can be asked, and how counts look (facts/sending.md, 7.1)."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import countries, dates, periods, providers
from mailgun_emulator.mail.periods import Period, Resolution
from mailgun_emulator.state import statistics
from mailgun_emulator.state.statistics import By, Counts
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.forms import Form

DEVICES = ("desktop", "mobile", "tablet", "unknown")
DEFAULT_DAYS = 7


class NotValid(BadRequest):
    """As recorded for an unknown event."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name} '{value}' is not valid")


class Accepted(BaseModel):
    incoming: int
    outgoing: int
    total: int


class Delivered(BaseModel):
    smtp: int
    http: int
    optimized: int
    total: int


class Temporary(BaseModel):
    espblock: int
    total: int


class Permanent(BaseModel):
    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))
    suppress_bounce: int
    suppress_unsubscribe: int
    suppress_complaint: int
    bounce: int
    delayed_bounce: int
    webhook: int
    optimized: int
    total: int


class Failed(BaseModel):
    temporary: Temporary
    permanent: Permanent


class Total(BaseModel):
    total: int


class Reactions(BaseModel):
    """`unique` counts the first of each recipient to each message only."""

    total: int
    unique: int


class StatisticsItem(BaseModel):
    """Has those of the events that were asked for; `domain`, `ip` and so on only where counts are grouped by it."""

    time: str
    accepted: Accepted | None = None
    delivered: Delivered | None = None
    failed: Failed | None = None
    stored: Total | None = None
    opened: Reactions | None = None
    clicked: Reactions | None = None
    unsubscribed: Total | None = None
    complained: Total | None = None
    domain: str | None = None
    ip: str | None = None
    provider: str | None = None
    tag: str | None = None
    country: str | None = None
    subaccount: str | None = None
    ip_pool: str | None = None


class StatisticsView(BaseModel):
    """Both ends are the beginnings of buckets, and both buckets are among `stats`."""

    start: str
    end: str
    resolution: Resolution
    stats: list[StatisticsItem]


def _parts(prefix: str, view: type[BaseModel]) -> Callable[[Counts], dict[str, int]]:
    """The view's fields, each the count of its metric, and the total of all metrics that begin so."""
    names = [field.alias or name for name, field in view.model_fields.items() if name != "total"]

    def tell(counts: Counts) -> dict[str, int]:
        told = {name: counts.get(f"{prefix}.{name}", 0) for name in names}
        told["total"] = sum(number for metric, number in counts.items() if metric.startswith(f"{prefix}."))
        return told

    return tell


_temporary = _parts("failed.temporary", Temporary)
_parts_of_permanent = _parts("failed.permanent", Permanent)


def _permanent(counts: Counts) -> dict[str, int]:
    """Webhooks that were given up are no part of the total: no message failed."""
    optimized, webhook = (counts.get(f"failed+{name}", 0) for name in ("optimized", "webhook"))
    return {**_parts_of_permanent(counts), "webhook": webhook, "optimized": optimized}


_parts_of_delivered = _parts("delivered", Delivered)


def _delivered(counts: Counts) -> dict[str, int]:
    return {**_parts_of_delivered(counts), "optimized": counts.get("delivered+optimized", 0)}


def _total(event: str) -> Callable[[Counts], dict[str, int]]:
    return lambda counts: {"total": counts.get(event, 0)}


def _reactions(event: str) -> Callable[[Counts], dict[str, int]]:
    return lambda counts: {"total": counts.get(event, 0), "unique": counts.get(f"{event}+unique", 0)}


TELLERS: dict[str, Callable[[Counts], dict[str, Any]]] = {
    "accepted": _parts("accepted", Accepted),
    "delivered": _delivered,
    "failed": lambda counts: {"temporary": _temporary(counts), "permanent": _permanent(counts)},
    "stored": _total("stored"),
    "opened": _reactions("opened"),
    "clicked": _reactions("clicked"),
    "unsubscribed": _total("unsubscribed"),
    "complained": _total("complained"),
}
"""What is told of each event, in Mailgun's order."""
_ZEROS = {event: tell({}) for event, tell in TELLERS.items()}


class EventsForm(Form):
    event: list[str] = Field(min_length=1)

    @field_validator("event")
    @classmethod
    def _known_events(cls, events: list[str]) -> list[str]:
        for event in events:
            if event not in TELLERS:
                raise NotValid("event", event)
        return events

    @property
    def events(self) -> list[str]:
        """Each once, in Mailgun's order."""
        return [event for event in TELLERS if event in self.event]


class SpanForm(Form):
    """Dates are RFC 2822 or seconds since 1970; `duration` (`24h`, `7d`, `2m`) wins over start and resolution."""

    start: str = ""
    end: str = ""
    resolution: str = ""
    duration: str = ""

    def period(self, now: float, resolution: Resolution | None = None) -> Period:
        """Seven days up to now, by the day, unless asked otherwise; `resolution` wins over what was asked."""
        end = moment("end", self.end, now)
        if self.duration:
            return self._lasting(end, resolution)
        start = moment("start", self.start, periods.before(end, DEFAULT_DAYS, Resolution.DAY))
        try:
            return periods.period(start, end, resolution or resolution_of(self.resolution))
        except ValueError:
            raise NotValid("start", self.start) from None

    def _lasting(self, end: float, resolution: Resolution | None) -> Period:
        try:
            number, unit = periods.parse_duration(self.duration)
            return periods.period(periods.before(end, number, unit), end, resolution or unit)
        except ValueError:
            raise NotValid("duration", self.duration) from None


class PeriodForm(SpanForm, EventsForm):
    """Which events, and when."""


def moment(name: str, text: str, default: float | None = None) -> float:
    """The parameter's instant; the default if it is empty and there is one."""
    if default is not None and not text:
        return default
    try:
        at = dates.parse(text)
    except (ValueError, OverflowError):
        raise NotValid(name, text) from None
    if not 0 <= at <= periods.LATEST:
        raise NotValid(name, text)
    return at


def resolution_of(text: str) -> Resolution:
    try:
        return Resolution(text or Resolution.DAY)
    except ValueError:
        raise NotValid("resolution", text) from None


def item(at: int, counts: Counts, events: list[str], **key: str) -> dict[str, Any]:
    """One bucket, or one member of a group."""
    return {
        "time": dates.rfc2822(at, "UTC"),
        **key,
        **{event: TELLERS[event](counts) if counts else _ZEROS[event] for event in events},
    }


def by_time(found: Mapping[int, Counts], period: Period, events: list[str]) -> list[dict[str, Any]]:
    """Every bucket of the period, zeros where nothing was counted."""
    nothing: Counts = {}
    return [item(at, found.get(at, nothing), events) for at in period.buckets()]


def answer(period: Period, stats: list[dict[str, Any]], **about: str) -> Response:
    """`about` comes before all else."""
    body = {
        **about,
        "start": dates.rfc2822(period.start, "UTC"),
        "end": dates.rfc2822(period.end, "UTC"),
        "resolution": period.resolution,
        "stats": stats,
    }
    return Response(orjson.dumps(body), media_type="application/json")


LISTED: dict[By, tuple[str, ...]] = {
    By.PROVIDER: tuple(sorted(providers.KNOWN)),
    By.DEVICE: DEVICES,
    By.COUNTRY: countries.KNOWN,
}
"""What aggregates list, in their order."""

_REACTIONS = {
    "clicked": "clicked",
    "complained": "complained",
    "opened": "opened",
    "unique_clicked": "clicked+unique",
    "unique_opened": "opened+unique",
    "unsubscribed": "unsubscribed",
}
_ALL = {**_REACTIONS, "accepted": "accepted", "delivered": "delivered"}
_SUMMED = ("accepted", "delivered")


def aggregates(tx: Tx, by: By, where: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """For each provider, device or country that Mailgun knows what was counted since ever.

    Only providers tell what was accepted and delivered, as recorded (facts/sending.md, 7.2).
    """
    told = dict(sorted((_ALL if by is By.PROVIDER else _REACTIONS).items()))
    found = statistics.counts(tx, TELLERS, statistics.EVER, by=by, where=where)
    return {key: _aggregate(found.get(key, {}), told) for key in LISTED[by]}


def _aggregate(counts: Counts, told: dict[str, str]) -> dict[str, int]:
    return {
        name: TELLERS[metric](counts)["total"] if metric in _SUMMED else counts.get(metric, 0)
        for name, metric in told.items()
    }
