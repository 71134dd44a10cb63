"""What routes do with mail: forward it, store it, keep later routes from it (facts/sending.md, 8.2)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions.patterns import Captures
from mailgun_emulator.expressions.route_filter import LONGEST

_STRING = r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)')"""
_FORWARD = re.compile(rf"\s*forward\s*\(\s*{_STRING}\s*\)\s*").fullmatch
_STORE = re.compile(rf"\s*store\s*\(\s*(?:(?:notify\s*=\s*)?{_STRING}\s*)?\)\s*").fullmatch
_STOP = re.compile(r"\s*stop\s*\(\s*\)\s*").fullmatch
_URL = re.compile(r"(https?://[^/?#]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch
_ADDRESS = re.compile(r"(.*)(@[^@]*)", re.DOTALL).fullmatch
_REFERENCE = re.compile(r"\\(?:(?P<number>[1-9]\d?)|g<(?P<name>\w+)>)")
_PLAIN_IN_URL = "!$&'()*+,-./:;=@_~"


class MalformedAction(BadRequest):
    """Mailgun's own text is not known; it reads actions as it does expressions."""

    message = "invalid syntax (<unknown>, line 1)"

    def __init__(self, text: str) -> None:
        super().__init__(
            hint=f'{text!r} is no action. Write forward("URL or address, ..."), store(), '
            'store(notify="URL") or stop().'
        )


class ActionTooLong(BadRequest):
    message = f"The 'action' parameter can't be larger than {LONGEST} bytes"


@dataclass(frozen=True)
class Forward:
    """To URLs and addresses, which nobody has checked."""

    targets: tuple[str, ...]


@dataclass(frozen=True)
class Store:
    """`notify` is the URL that is told."""

    notify: str | None = None


@dataclass(frozen=True)
class Stop:
    """Of the routes, those that come later are passed over."""


Action: TypeAlias = Forward | Store | Stop


def parse(text: str) -> Action:
    if len(text.encode("utf-8", "replace")) > LONGEST:
        raise ActionTooLong
    if found := _FORWARD(text):
        return Forward(tuple(target for each in _string(found).split(",") if (target := each.strip())))
    if found := _STORE(text):
        return Store(_string(found).strip() or None)
    if _STOP(text):
        return Stop()
    raise MalformedAction(text)


def is_url(target: str) -> bool:
    return _URL(target) is not None


def fill(target: str, captures: Captures) -> str:
    r"""With what `\1` and `\g<name>` stand for, but for the name of a host, which stays as it is written.

    In a URL what can't stand there is encoded. What was not captured stays as it is.
    """
    if found := _URL(target):
        return found[1] + _filled(found[2], captures, lambda value: quote(value, safe=_PLAIN_IN_URL))
    if found := _ADDRESS(target):
        return _filled(found[1], captures, str) + found[2]
    return _filled(target, captures, str)


def _filled(text: str, captures: Captures, written: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found["name"]:
            caught = captures.named.get(found["name"])
        else:
            number = int(found["number"])
            caught = captures.groups[number - 1] if number <= len(captures.groups) else None
        return found[0] if caught is None else written(caught)

    return _REFERENCE.sub(value, text)


def _string(found: re.Match[str]) -> str:
    return found["double"] or found["single"] or ""
