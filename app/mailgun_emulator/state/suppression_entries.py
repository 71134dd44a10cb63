"""What can be put on a suppression list, as forms, JSON and CSV files give it (facts/sending.md, 6)."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses, dates

ALL_MAIL = "*"
"""The tag of an unsubscribe that covers every message."""
ROWS_AT_ONCE = 1000
MOST_CSV_BYTES = 25 * 2**20

_YEAR_10000 = 253_402_300_800
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+{_LABEL}").fullmatch


class MissingAddress(BadRequest):
    message = "Missing mandatory parameter: address"


class MissingAddressAndDomain(BadRequest):
    message = "Missing mandatory parameter: address/domain"


class InvalidAddress(BadRequest):
    message = "Invalid parameter: address is not a valid email address"


class InvalidDomain(BadRequest):
    message = "Invalid parameter: domain is not a valid domain name"


class InvalidCreatedAt(BadRequest):
    message = "Invalid parameter: created_at is not a valid RFC 2822 date"


class Given(NamedTuple):
    """Mailgun's parameters, and when they came: in seconds since 1970, as all times here."""

    parameters: Mapping[str, Any]
    now: float

    def text(self, name: str) -> str:
        value = self.parameters.get(name)
        return "" if value is None else str(value).strip()


class Entry(NamedTuple):
    """What a list says of an address, or of a domain on the allowlist. `tags` is JSON."""

    spelled: str
    created_at: float
    code: str = "550"
    error: str = ""
    tags: str = '["*"]'
    reason: str = ""
    is_domain: bool = False


class CsvFile(NamedTuple):
    """An uploaded file cut into parts of `ROWS_AT_ONCE` rows; `size` in bytes, unpacked."""

    size: int
    header: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def bounce(given: Given) -> Entry:
    code = given.text("code") or "550"
    return Entry(_address(given), _created_at(given), code=code, error=given.text("error"))


def complaint(given: Given) -> Entry:
    return Entry(_address(given), _created_at(given))


def unsubscribe(given: Given) -> Entry:
    """`tags` is a list, or text with commas; none means all mail."""
    tags = given.parameters.get("tags")
    if not isinstance(tags, list):
        tags = given.text("tags").split(",")
    asked = [tag for tag in (str(each).strip() for each in tags if each is not None) if tag]
    return Entry(_address(given), _created_at(given), tags=joined([], asked or [ALL_MAIL]))


def allowed(given: Given) -> Entry:
    """Of an address and a domain the address counts (facts/sending.md, 6.2)."""
    created_at, reason, domain = _created_at(given), given.text("reason"), given.text("domain")
    if given.text("address"):
        return Entry(_address(given), created_at, reason=reason)
    if not domain:
        raise MissingAddressAndDomain
    if not _DOMAIN(domain):
        raise InvalidDomain(hint=f"{domain[:100]!a} is no domain name.")
    return Entry(domain, created_at, reason=reason, is_domain=True)


def joined(known: list[str], more: list[str]) -> str:
    """Both lists of tags as JSON, each tag once whatever its case; `*` covers all others."""
    tags: dict[str, str] = {}
    for tag in (*known, *more):
        tags.setdefault(tag.lower(), tag)
    return orjson.dumps([ALL_MAIL] if ALL_MAIL in tags else list(tags.values())).decode()


def _address(given: Given) -> str:
    """As it is spelled; of `Alice <alice@example.com>` the part in brackets."""
    text = given.text("address")
    if not text:
        raise MissingAddress
    try:
        email = addresses.parse(text).email
    except addresses.NotAnAddress:
        raise InvalidAddress(hint=f"{text[:100]!a} is no e-mail address.") from None
    return text if text.lower() == email.lower() else email


def _created_at(given: Given) -> float:
    """Absent, empty and the zero time of Go, year 1, mean now. The reference's examples lack the underscore."""
    text = given.text("created_at") or given.text("createdat")
    if not text or " 0001 " in text or text.startswith("0001-"):
        return given.now
    try:
        at = dates.parse(text)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at < _YEAR_10000:
        raise InvalidCreatedAt(hint=f"{text[:100]!a} is no date.")
    return at


def read_csv(data: bytes) -> CsvFile:
    """Cut a file into parts; one that can't be read has no header. A large one takes a second: call it in a thread."""
    import csv
    import io
    import zlib

    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, MOST_CSV_BYTES + 1)
        except zlib.error:
            return CsvFile(0)
    if len(data) > MOST_CSV_BYTES:
        return CsvFile(len(data))
    lines = list(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    reader = csv.reader(lines)
    try:
        header = tuple(_column(name) for name in next(reader, ()))
        ends = [reader.line_num]
        ends += [reader.line_num for count, _ in enumerate(reader, 1) if count % ROWS_AT_ONCE == 0]
    except csv.Error:
        return CsvFile(len(data))
    parts = ("".join(lines[start:end]) for start, end in pairwise([*ends, len(lines)]))
    return CsvFile(len(data), header, tuple(part for part in parts if part))


def read_rows(header: list[str], rows: str) -> list[dict[str, str]]:
    """A part's rows as parameters, those without a value as empty ones."""
    import csv
    import io

    found = csv.reader(io.StringIO(rows, newline=""))
    return [dict(zip(header, values, strict=False)) if any(values) else {} for values in found]


def _column(name: str) -> str:
    """The older manual calls the column of tags `tag`."""
    name = name.strip().lower()
    return "tags" if name == "tag" else name
