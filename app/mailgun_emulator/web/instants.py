"""Instants as `/_emulator` is asked for them."""

from math import isfinite
from typing import Annotated

from pydantic import WithJsonSchema

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, periods

Instant = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "examples": ["10m", "2026-01-26T07:29:04Z", "1769412544"]}),
]
"""ISO 8601, RFC 2822, seconds since 1970, or a span of time ago."""


class InvalidInstant(BadRequest):
    def __init__(self, name: str, value: str) -> None:
        super().__init__(
            f"{name} can't be '{value}': write an instant as in ISO 8601 or RFC 2822 or as seconds since 1970, "
            "or how long ago it was, as 90s, 10m, 8h or 3d"
        )


def read(name: str, value: str, now: float) -> float:
    """Seconds since 1970; refuse what is no instant."""
    for parse in (dates.parse, lambda text: now - periods.parse_span(text)):
        try:
            at = parse(value)
        except (ValueError, OverflowError):
            continue
        if isfinite(at):
            return at
    raise InvalidInstant(name, value)
