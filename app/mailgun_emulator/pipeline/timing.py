"""When a message is delivered: at once, at a given time, or when it suits its recipient (facts/sending.md, 1.3)."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from mailgun_emulator.mail.periods import DAY, HOUR
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import events
from mailgun_emulator.state.database import Tx

_WITHIN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})\s*(am|pm)?", re.IGNORECASE)


def delivery_time(tx: Tx, domain_id: str, copy: Submission, recipient: str) -> float:
    """Seconds since 1970, never in the past."""
    at = tx.now if copy.deliver_at is None else max(copy.deliver_at, tx.now)
    if "deliverytime-optimize-period" in copy.options:
        return _best(tx, domain_id, recipient, at, copy.options["deliverytime-optimize-period"])
    if "time-zone-localize" in copy.options:
        return _localized(tx, domain_id, recipient, at, copy.options["time-zone-localize"])
    return at


def deadline(copy: Submission, now: float) -> float | None:
    """After it a message that still could not be delivered is too old; the window opens when delivery may begin."""
    within = _WITHIN.fullmatch(copy.options.get("deliver-within", ""))
    seconds = int(within[1] or 0) * HOUR + int(within[2] or 0) * 60 if within else 0
    return max(copy.deliver_at or now, now) + seconds if seconds else None


def _best(tx: Tx, domain_id: str, recipient: str, at: float, period: str) -> float:
    """In the hour of the day in which the recipient opened and clicked most; at once if nothing is known of that."""
    engaged = events.list_engagement(tx, domain_id, recipient)
    hours = Counter(int(each.at % DAY // HOUR) for each in engaged)
    if not hours:
        return at
    most = max(hours.values())
    latest = at + int(period.removesuffix("h")) * HOUR
    begins = (_next_hour(at, hour) for hour, number in hours.items() if number == most)
    return min((begin for begin in begins if begin <= latest), default=at)


def _next_hour(at: float, hour: int) -> float:
    """That hour of the day, now if it is under way."""
    midnight = at // DAY * DAY
    begin = midnight + hour * HOUR
    if begin <= at < begin + HOUR:
        return at
    return begin if begin > at else begin + DAY


def _localized(tx: Tx, domain_id: str, recipient: str, at: float, time_of_day: str) -> float:
    """The next time that it is so late where the recipient is, by the last that was seen of it; else in UTC."""
    zone = _zone(events.list_engagement(tx, domain_id, recipient))
    hour, minute = read_time_of_day(time_of_day)
    local = datetime.fromtimestamp(at, zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    if local.timestamp() < at:
        local += timedelta(days=1)
    return local.timestamp()


def _zone(engaged: Iterable[events.Engagement]) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    for each in engaged:
        where: dict[str, Any] = orjson.loads(each.payload).get("geolocation") or {}
        try:
            return ZoneInfo(where["timezone"])
        except (KeyError, ValueError, OSError, ZoneInfoNotFoundError):
            continue
    return UTC


def read_time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of `14:30` or `02:30pm`, as they were checked when they were sent."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        return 0, 0
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").lower()
    return (hour % 12 + (12 if half == "pm" else 0) if half else hour), minute
