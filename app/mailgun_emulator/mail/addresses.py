"""E-mail addresses as senders write them: bare, with a display name, or several in a comma-separated list."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from mailgun_emulator.mail import encoded_words

_ATEXT = r"""[^\s\x00-\x1f\x7f()<>\[\]:;@\\,."]+"""
_LOCAL = rf"{_ATEXT}(?:\.{_ATEXT})*"
_QUOTED = r'"(?:[^"\\\r\n]|\\.)*"'
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_WORDS = r"""[^\x00-\x1f\x7f"(),:;<>@\[\\\]=?]*"""

_IS_DOMAIN = re.compile(_DOMAIN).fullmatch
_BARE = re.compile(rf"({_LOCAL})@({_DOMAIN})").fullmatch
_NAMED = re.compile(rf"({_WORDS})<({_LOCAL})@({_DOMAIN})>").fullmatch
_MAILBOX = re.compile(
    rf"""(?:(?P<name>(?:{_QUOTED}|[^"<>])*)<\s*)?(?P<local>{_LOCAL}|{_QUOTED})@(?P<domain>{_DOMAIN})(?(name)\s*>)"""
).fullmatch
_OUTSIDE = re.compile(rf'{_QUOTED}|\\.|[^"\\(,]+|.', re.DOTALL).match
_IN_COMMENT = re.compile(r"\\.|[^\\()]+|.", re.DOTALL).match
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,."]').search


SHORT = 200
LONGEST_DOMAIN = 253


OF_SEED_LISTS = "ibp-"
"""What the addresses begin with that stand for seed lists (facts/account.md, 11.4)."""


class NotAnAddress(ValueError):
    """What is given is no address, or a list with something in it that is none."""


class Address(NamedTuple):
    """`email` has its domain in lower case and its local part as given; `name` is without quotes."""

    name: str
    email: str

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]

    def __str__(self) -> str:
        """The full spec, `"Doe, Jane" <jane@example.com>`. A name beyond ASCII is encoded where headers are written."""
        if not self.name:
            return self.email
        return f"{quoted(self.name)} <{self.email}>"


def is_domain(name: str) -> bool:
    """Whether addresses may be there."""
    return len(name) <= LONGEST_DOMAIN and _IS_DOMAIN(name) is not None


def quoted(name: str) -> str:
    """A display name, in quotes if it holds what RFC 5322 reserves."""
    if not _NEEDS_QUOTES(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(value: str) -> Address:
    """Exactly one address. Raise `NotAnAddress` for none and for several."""
    found = parse_list((value,))
    if len(found) != 1:
        raise NotAnAddress(value)
    return found[0]


def parse_list(values: Iterable[str]) -> list[Address]:
    """All addresses of all values, each of which may be a list; empty items are passed over. Raise `NotAnAddress`."""
    found: list[Address] = []
    for value in values:
        found.extend(_parse_short(value) if len(value) <= SHORT else _parse(value))
    return found


def _parse(value: str) -> tuple[Address, ...]:
    value = value.strip()
    if match := _BARE(value):
        return (Address("", f"{match[1]}@{match[2].lower()}"),)
    if match := _NAMED(value):
        return (Address(match[1].rstrip(), f"{match[2]}@{match[3].lower()}"),)
    if "," in value and '"' not in value and "(" not in value:
        return tuple(parse_list(value.split(",")))
    return tuple(_mailbox(item) for item in _items(_FOLD.sub("", value)) if item)


_parse_short = lru_cache(maxsize=1024)(_parse)
"""A message asks several times who it is from, and so do all of the same sender."""


def unique(addresses: Iterable[Address]) -> list[Address]:
    """The first of each, whatever their case, in the order given."""
    seen: dict[str, Address] = {}
    for address in addresses:
        seen.setdefault(address.email.lower(), address)
    return list(seen.values())


def _items(value: str) -> Iterator[str]:
    """The items between the commas that stand outside quotes and comments, without the comments, which may nest."""
    item: list[str] = []
    depth = position = 0
    while match := (_IN_COMMENT if depth else _OUTSIDE)(value, position):
        text, position = match[0], match.end()
        if text == "(":
            depth += 1
            item.append(" ")
        elif depth:
            depth -= text == ")"
        elif text == ",":
            yield "".join(item).strip()
            item = []
        else:
            item.append(text)
    if depth:
        raise NotAnAddress(value)
    yield "".join(item).strip()


def _mailbox(item: str) -> Address:
    match = _MAILBOX(item)
    if match is None or _CONTROL(item):
        raise NotAnAddress(item)
    return Address(_display_name(match["name"] or ""), f"{match['local']}@{match['domain'].lower()}")


def _display_name(text: str) -> str:
    """Without quotes and escapes, runs of blanks made one, encoded words (RFC 2047) read."""
    name = " ".join(re.sub(r'"((?:[^"\\]|\\.)*)"', lambda q: re.sub(r"\\(.)", r"\1", q[1]), text).split())
    return encoded_words.decode(name)
