"""Mailgun's dialects of dates (facts/sending.md, 10.6). Instants are seconds since 1970."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite

NEVER = "0001-01-01T00:00:00Z"
"""Go's own beginning of time: what has not happened."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rfc2822(at: float, zone: str = "+0000") -> str:
    """`Sun, 26 Jan 2025 07:29:04 +0000`; `zone` may be `UTC`, `GMT`, `-0000`: the instant is UTC in any case."""
    return _rfc2822(int(at // 1), zone)


@lru_cache(maxsize=256)
def _rfc2822(second: int, zone: str) -> str:
    t = time.gmtime(second)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} {zone}"
    )


def plain_iso(at: float) -> str:
    """`2006-01-02T15:04:05`, without a zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def rfc3339_s(at: float) -> str:
    """`2006-01-02T15:04:05Z`."""
    return f"{plain_iso(at)}Z"


def day(at: float) -> str:
    """`2006-01-02`."""
    return plain_iso(at)[:10]


def rfc3339_ms(at: float) -> str:
    """`2006-01-02T15:04:05.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339(at: float) -> str:
    """`2006-01-02T15:04:05.123456Z`; of a second only what there is, as Go writes it. 0 is `NEVER`."""
    if not at:
        return NEVER
    told = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "")
    return f"{told.rstrip('0').rstrip('.') if '.' in told else told}Z"


def parse(text: str) -> float:
    """RFC 2822 (any zone, any weekday), ISO 8601, or seconds since 1970. Raise ValueError for anything else."""
    try:
        at = _parse(text.strip())
    except OverflowError:
        raise ValueError(text) from None
    if not isfinite(at):
        raise ValueError(text)
    return at


def _parse(text: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.timestamp()
