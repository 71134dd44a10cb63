"""When a message is delivered: at once, at a given time, or when it suits its recipient (facts/sending.md, 1.3)."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from mailgun_emulator.mail.periods import DAY, HOUR
from mailgun_emulator.pipeline import options
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import events
from mailgun_emulator.state.transaction import Tx


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
    within = copy.options.get("deliver-within")
    return max(copy.deliver_at or now, now) + options.read_within(within) if within else None


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
    hour, minute = options.read_time_of_day(time_of_day)
    try:
        local = datetime.fromtimestamp(at, zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
        if local.timestamp() < at:
            local += timedelta(days=1)
    except (ValueError, OverflowError):  # past the year 9999
        return at
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
