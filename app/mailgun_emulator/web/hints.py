"""Hints: what is odd about a request, for who wrote the program that made it. They are in a header, in the log and in
the journal, and never in the body, which is Mailgun's.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mailgun_emulator.core import hints

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.dependencies.models import Dependant
    from fastapi.routing import APIRoute

HINT_HEADER = "X-Mailgun-Emulator-Hint"
MOST_SHOWN = 80
_UNPRINTABLE = re.compile(r"[^ -~]")
log = logging.getLogger(__name__)

UNREAD = frozenset({"id", "reply_reference", "o:native-send", "mailbox_verification"})
"""What Mailgun's document or its clients have, and what makes no difference here."""
UNREAD_IN_JSON = UNREAD | {"tags"}

_PREFIXES = {
    **dict.fromkeys(("header", "headers", "head", "hdr"), "h:"),
    **dict.fromkeys(("variable", "variables", "var", "vars"), "v:"),
    **dict.fromkeys(("option", "options", "opt"), "o:"),
    "template": "t:",
}
"""What is written instead of a prefix of one letter."""
_SYNONYMS = {
    "body": ("text",),
    "body-plain": ("text",),
    "plain": ("text",),
    "text-body": ("text",),
    "body-html": ("html",),
    "html-body": ("html",),
    "amp": ("amp-html",),
    "sender": ("from",),
    "recipient": ("to", "address"),
    "recipients": ("to",),
    "email": ("address", "to"),
    "reply-to": ("h:Reply-To",),
    "replyto": ("h:Reply-To",),
    "files": ("attachment",),
    "file": ("attachment",),
    "headers": ("h:NAME",),
    "metadata": ("v:NAME",),
    "template-variables": ("t:variables",),
    "template-data": ("t:variables",),
    "template-name": ("template", "name"),
    "test": ("o:testmode",),
    "test-mode": ("o:testmode",),
    "send-at": ("o:deliverytime",),
}
"""What other services call it, with `-` for `_`."""


def hint(where: "Request | MutableMapping[str, Any]", text: str) -> None:
    """Add a hint to a request, which is one itself or its ASGI scope."""
    hints.add(told_of(where), text)


def told_of(where: "Request | MutableMapping[str, Any]") -> list[str]:
    """The hints there are so far; what is added to them by the time of the answer is told with it."""
    scope: Any = getattr(where, "scope", None) or where
    told: list[str] | None = scope.get("mailgun_hints")
    if told is None:
        told = scope["mailgun_hints"] = []
    return told


def header(scope: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The header that tells them, if there are any; it also logs them, so ask once."""
    text = "; ".join(" ".join(each.split()) for each in scope["mailgun_hints"])
    log.warning("%s %s: %s", scope["method"], scope["path"], text)
    return HINT_HEADER.lower().encode(), _UNPRINTABLE.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


# Fields that an operation does not have


class Expected(NamedTuple):
    """The names of an operation's parameters, none if it tells of none; `free` are beginnings of any others."""

    names: frozenset[str]
    free: tuple[str, ...]


def expected_by(route: "APIRoute") -> Expected:
    """What its forms and its handler ask for."""
    names, free = set[str](), set[str]()
    for dependant in _dependants(route.dependant):
        model = getattr(dependant.call, "form_model", None)
        if model is not None:
            names.update(model.names())
            free.update(model.free)
    if names:
        names.update(each.alias for one in _dependants(route.dependant) for each in one.query_params)
    return Expected(frozenset(names), tuple(sorted(free)))


def _dependants(dependant: "Dependant") -> "Iterator[Dependant]":
    yield dependant
    for each in dependant.dependencies:
        yield from _dependants(each)


def about_fields(scope: MutableMapping[str, Any], fields: Any, expected: Expected) -> None:
    """Of those names that nothing looks at. Call it when there are others than the expected.

    Clients repeat what the path has, as Go does `name` with a template, and Java `domain` and `tag` with a tag.
    """
    if not expected.names:
        return
    unread = UNREAD if fields.json is None else UNREAD_IN_JSON
    of_path = tuple(scope.get("path_params", {}).values())
    for name, values in fields.items():
        if name in expected.names or name in unread or (expected.free and name.startswith(expected.free)):
            continue
        if values and values[0] in of_path:
            continue
        if fields.json is None or name.lower() not in expected.names:
            hint(scope, about_name(name, expected))


@lru_cache(maxsize=256)
def about_name(name: str, expected: Expected) -> str:
    shown = name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}..."
    known = expected.names
    base, bracket, _ = name.partition("[")
    if bracket and base in known:
        how = f"repeat `{base}`, once for each" if expected.free else f"send `{base}` in a body of JSON"
        return f"`{shown}` is not a field of this operation: forms have no objects; {how}"
    is_option = expected.free != () and name[:2].lower() == "o:"
    what = "a Mailgun option" if is_option else "a field of this operation"
    near = nearest_name(name, expected)
    return (
        f"`{shown}` is not {what}; did you mean `{near}`?"
        if near
        else f"`{shown}` is not {what}: it is ignored"
    )


def nearest_name(name: str, expected: Expected) -> str | None:
    """What was meant, if that can be told."""
    begin, colon, rest = name.partition(":")
    prefix = _PREFIXES.get(begin.lower(), f"{begin.lower()}:") if colon else ""
    if prefix in expected.free and rest:
        return f"{prefix}{rest}"
    plain = prefix + _plain(rest if colon else begin)
    for meant in _SYNONYMS.get(plain, ()):
        if meant in expected.names or (expected.free and meant.startswith(expected.free)):
            return meant
    return _nearest(plain, expected.names)


def _plain(name: str) -> str:
    """As Mailgun's names of several words are written."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name)
    return re.sub(r"[\s_.-]+", "-", spaced).strip("-").lower()


def _nearest(name: str, known: Iterable[str]) -> str | None:
    by_plain: dict[str, str] = {}
    for each in sorted(known):
        prefix, colon, rest = each.partition(":")
        by_plain[f"{prefix}:{_plain(rest)}" if colon else _plain(each)] = each
        if colon:
            by_plain.setdefault(_plain(rest), each)
    found = nearest(name, by_plain)
    return None if found is None else by_plain[found]


def nearest(word: str, known: Iterable[str], *, least: float = 0.75) -> str | None:
    """The known one that looks most like it, if any does."""
    return next(iter(all_near(word, known, least=least, most=1)), None)


def all_near(word: str, known: Iterable[str], *, least: float, most: int = 5) -> list[str]:
    """Those that look most like it, the nearest first."""
    from difflib import get_close_matches  # slow to import, and seldom needed

    return get_close_matches(word, list(known), n=most, cutoff=least)
