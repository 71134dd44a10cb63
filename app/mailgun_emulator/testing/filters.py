"""What tests look for, checked before anybody is asked for it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from mailgun_emulator.testing.http_client import Plain

if TYPE_CHECKING:
    from mailgun_emulator.testing.message import Message

__all__ = ["EventFilters", "MessageFilters", "RequestFilters", "Unpack", "WebhookFilters", "When"]

When = float | str | datetime | timedelta
"""Seconds since 1970, ISO 8601 or RFC 2822, a date; or how long ago: `10m`, a `timedelta`."""
Params = dict[str, Plain | Sequence[Plain] | None]


class MessageFilters(TypedDict, total=False):
    """All that is given has to fit. Upper and lower case are the same; `*` stands for anything.

    A whole address in `to` (any recipient) or `from_` is met by itself alone, a text with `*` by what it is the whole
    of, other texts by those that contain them.
    `text` is looked for in subject and bodies. `query` takes search words: `to:ann subject:hello -tag:news`.
    """

    to: str
    from_: str
    subject: str
    tag: str
    text: str
    has: Literal["attachment"]
    since: When
    before: When
    domain: str
    message_id: str
    direction: Literal["outgoing", "incoming", "any"]
    query: str


class EventFilters(TypedDict, total=False):
    """As `MessageFilters`; `message` is one, or its message id; `severity` is that of failures."""

    recipient: str
    message: "Message | str"
    tag: str
    domain: str
    severity: Literal["permanent", "temporary"]
    since: When
    before: When


class WebhookFilters(TypedDict, total=False):
    """As `EventFilters`; `url` is the whole of it."""

    url: str
    domain: str
    recipient: str
    message: "Message | str"
    state: Literal["pending", "done", "stopped", "given-up"]


class RequestFilters(TypedDict, total=False):
    """`path` may hold `*`, `status` be `4xx`. `failed`: answered with 400 or more; `hinted`: with a hint."""

    method: str
    path: str
    status: int | str
    operation: str
    domain: str
    since: When
    failed: bool
    hinted: bool


_OTHERWISE = {"from_": "from", "message": "message_id"}


def params(kind: type, given: Mapping[str, Any], **more: Any) -> Params:
    """As the emulator is asked, and for `more`. Raise `TypeError` for what `kind` has not."""
    known = kind.__annotations__
    asked: Params = {}
    for name, value in given.items():
        if name not in known:
            raise TypeError(unknown(name, known, "filter"))
        if value is not None:
            asked[_OTHERWISE.get(name, name)] = _plain(name, value)
    return {**asked, **more}


def unknown(name: str, known: Mapping[str, Any], what: str) -> str:
    """That there is no such name, and what was meant or is possible."""
    near = get_close_matches(name, list(known), 1)
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    return f"There is no {what} {name!r}; {meant}"


def several(given: str | Iterable[str] | None) -> list[str]:
    """One, or as many as there are."""
    return [] if given is None else [given] if isinstance(given, str) else list(given)


def described(given: Mapping[str, Any]) -> str:
    """How a failure tells what was looked for: ` with to='ann@example.com', subject='Hi'`."""
    asked = [f"{name}={value!r}" for name, value in given.items() if value is not None]
    return f" with {', '.join(asked)}" if asked else ""


def _plain(name: str, value: Any) -> str | float | bool:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).timestamp()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    plain = getattr(value, "message_id", value)
    if not isinstance(plain, str | int | float):
        raise TypeError(f"{name} is one value, not {value!r}.")
    return plain
