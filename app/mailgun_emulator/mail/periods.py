"""Spans of time that statistics tell of: whole hours, days or calendar months, in UTC (facts/sending.md, 7.1)."""

import re
from calendar import monthrange, timegm
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

HOUR = 3600
DAY = 86400
MOST_BUCKETS = 50_000
"""Days since 1970 or five years of hours: more than anybody reads, less than stops the others."""
LATEST = 253_402_300_799
"""The end of the year 9999, the last that dates can be written of."""


class Resolution(StrEnum):
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


_UNITS = {"h": Resolution.HOUR, "d": Resolution.DAY, "m": Resolution.MONTH}
_SECONDS = {Resolution.HOUR: HOUR, Resolution.DAY: DAY}
_IN_SECONDS = {"s": 1, "m": 60, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN_PART = re.compile(r"(\d{1,12}(?:\.\d+)?)\s*([smhdw])", re.ASCII)
_SPAN = re.compile(r"(?P<bare>\d{1,12}(?:\.\d+)?)|(?:\d{1,12}(?:\.\d+)?\s*[smhdw]\s*)+", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})([hdm])", re.ASCII)


class Period(NamedTuple):
    """`start` and `end` are the beginnings of the first and of the last bucket, in seconds since 1970."""

    start: int
    end: int
    resolution: Resolution

    @property
    def past(self) -> int:
        """When the last bucket is over."""
        return after(self.end, self.resolution)

    def buckets(self) -> list[int]:
        """When each begins."""
        seconds = _SECONDS.get(self.resolution)
        if seconds is not None:
            return list(range(self.start, self.end + 1, seconds))
        begins = [self.start]
        while begins[-1] < self.end:
            begins.append(after(begins[-1], self.resolution))
        return begins


def period(start: float, end: float, resolution: Resolution) -> Period:
    """From the bucket that `start` is in to the one that `end` is in; raise ValueError if that is not possible."""
    if not 0 <= start <= end <= LATEST:
        raise ValueError("the start is after the end, or out of range")
    found = Period(floor(start, resolution), floor(end, resolution), resolution)
    if (found.end - found.start) // _SECONDS.get(resolution, DAY) >= MOST_BUCKETS:
        raise ValueError("too long for that resolution")
    return found


def parse_duration(text: str) -> tuple[int, Resolution]:
    """`24h`, `7d` or `2m`: how many, and of what; raise ValueError for anything else."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return int(found[1]), _UNITS[found[2]]


def floor(at: float, resolution: Resolution) -> int:
    """The beginning of the hour, day or month."""
    seconds = _SECONDS.get(resolution)
    if seconds is not None:
        return int(at // seconds) * seconds
    then = datetime.fromtimestamp(at, UTC)
    return timegm((then.year, then.month, 1, 0, 0, 0))


def before(at: float, number: int, resolution: Resolution) -> float:
    """So many hours, days or months earlier; of a day that the month lacks, the month's last. Never before 1970."""
    seconds = _SECONDS.get(resolution)
    if seconds is not None:
        return max(at - number * seconds, 0.0)
    then = datetime.fromtimestamp(at, UTC)
    months = then.year * 12 + then.month - 1 - number
    if months < 1970 * 12:
        return 0.0
    year, month = months // 12, months % 12 + 1
    day = min(then.day, monthrange(year, month)[1])
    return timegm((year, month, day, 0, 0, 0)) + at % DAY


def after(begin: int, resolution: Resolution) -> int:
    """The beginning of the next hour, day or month."""
    seconds = _SECONDS.get(resolution)
    if seconds is not None:
        return begin + seconds
    then = datetime.fromtimestamp(begin, UTC)
    return timegm((then.year + then.month // 12, then.month % 12 + 1, 1, 0, 0, 0))


def parse_span(text: str) -> float:
    """`90s`, `15m`, `8h`, `3d`, `2w`, any of them in a row, or bare seconds: in seconds.

    Raise ValueError for anything else.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not found[0]:
        raise ValueError(text)
    if found["bare"]:
        return float(found["bare"])
    return sum(float(number) * _IN_SECONDS[unit] for number, unit in _SPAN_PART.findall(found[0]))
