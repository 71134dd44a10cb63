"""One reader for all parameters: query, urlencoded, multipart and JSON (facts/account.md, 0.2)."""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from starlette.types import Scope

from mailgun_emulator.core.errors import BadRequest, MailgunError
from mailgun_emulator.mail import json_text

MOST_BYTES = 55_000_000  # 52.4 MiB, facts/sending.md 1.5
LARGEST = 2**63 - 1
"""The largest whole number that SQLite holds."""


class RequestTooLarge(MailgunError):
    status = 413
    message = "request size exceeds 52.4MiB limit"


class MalformedMultipart(BadRequest):
    message = "malformed multipart/form-data request"


class Upload(NamedTuple):
    """A part of a multipart body that has a file name."""

    filename: str
    content_type: str
    data: bytes


class Fields(dict[str, list[Any]]):
    """Parameters by name, each a list of what was given, in order; `json` is the body when it is JSON."""

    json: Any = None
    content_type: str = ""

    def first(self, name: str) -> Any:
        values = self.get(name)
        return values[0] if values else None

    def read(self, query: bytes, headers: Mapping[bytes, bytes], body: bytes) -> None:
        """Take in what a request has; refuse a body that is too large, or not what its headers say."""
        if query:
            for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
                self.setdefault(_plain(name), []).append(value)
        if headers.get(b"content-encoding", b"").lower() == b"gzip":
            body = _gunzip(body)
        if len(body) > MOST_BYTES:
            raise RequestTooLarge
        self.content_type = headers.get(b"content-type", b"").decode("latin-1")
        if body:
            self.update(_parse(body, self.content_type, self))


_INDEX = re.compile(r"\[\d*\]$")


def header_values(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by their names in lower case; the last of several of a name."""
    known: dict[bytes, bytes] | None = scope.get("mailgun_headers")
    if known is None:
        known = scope["mailgun_headers"] = dict(scope["headers"])
    return known


def _plain(name: str) -> str:
    """Without the index that PHP and Ruby give the items of a list."""
    return _INDEX.sub("", name) if name.endswith("]") else name


async def read_fields(request: Request) -> Fields:
    """Read the whole body, once; a name given both in query and body has the body's values."""
    scope = request.scope
    known: Fields | None = scope.get("mailgun_fields")
    if known is not None:
        return known
    fields = scope["mailgun_fields"] = Fields()
    body: bytes | None = scope.get("mailgun_body")  # read already for a `bare` handler
    if body is None:
        body = await request.body()
    fields.read(scope["query_string"], header_values(scope), body)
    return fields


def _gunzip(body: bytes) -> bytes:
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise BadRequest("unable to parse request: unexpected EOF") from None
    return unpacked


def _parse(body: bytes, content_type: str, fields: Fields) -> dict[str, list[Any]]:
    kind = content_type.partition(";")[0].strip().lower()
    given: dict[str, list[Any]] = {}
    if kind == "multipart/form-data":
        for name, value in _multipart(body, content_type):
            given.setdefault(_plain(name), []).append(value)
        return given
    if kind.endswith("json") or body[:1] in b"{[":
        try:
            fields.json = json_text.read(body)
        except ValueError:
            if kind.endswith("json"):
                raise BadRequest("unable to parse request: invalid JSON") from None
        else:
            if isinstance(fields.json, dict):
                return {
                    name: value if isinstance(value, list) else [value] for name, value in fields.json.items()
                }
            return {}
    if kind in ("application/x-www-form-urlencoded", ""):
        for name, value in parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, encoding="utf-8"
        ):
            given.setdefault(_plain(name), []).append(value)
    return given


_BOUNDARY = re.compile(r"boundary=(?:\"([^\"\\]+)\"|([^\s;\"]+))\s*(?:;|$)", re.IGNORECASE)
_PLAIN_HEAD = re.compile(
    rb"\r\nContent-Disposition: form-data; name=\"([^\"\\\r\n]*)\"(?:; filename=\"([^\"\\\r\n]*)\")?"
    rb"(?:\r\nContent-Type: ([^\r\n]+))?\r\n\r\n",
    re.IGNORECASE,
)
_OCTETS = b"application/octet-stream"


def _multipart(body: bytes, content_type: str) -> list[tuple[str, Any]]:
    """The parts of a form in order; a part with a file name is an `Upload`.

    Forms whose every part has the two usual headers are split at once, which takes a tenth of the time.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MalformedMultipart(
            hint="The Content-Type header has no boundary: leave that header to the HTTP client"
        )
    boundary = (found[1] or found[2]).encode("latin-1")
    parts = _split_plain(body, b"--" + boundary)
    return _parse_any(body, boundary) if parts is None else parts


def _split_plain(body: bytes, opening: bytes) -> list[tuple[str, Any]] | None:
    if not body.startswith(opening):
        return None
    *pieces, end = body[len(opening) :].split(b"\r\n" + opening)
    if end not in (b"--", b"--\r\n"):
        return None
    parts: list[tuple[str, Any]] = []
    for piece in pieces:
        head = _PLAIN_HEAD.match(piece)
        if head is None:
            return None
        name, filename, kind = head.groups()
        parts.append(_part(name, filename, kind or _OCTETS, piece[head.end() :]))
    return parts


def _part(name: bytes, filename: bytes | None, kind: bytes, data: bytes) -> tuple[str, Any]:
    field = name.decode("utf-8", "replace")
    if filename is None:
        return field, data.decode("utf-8", "replace")
    return field, Upload(filename.decode("utf-8", "replace"), kind.decode("latin-1"), data)


def _parse_any(body: bytes, boundary: bytes) -> list[tuple[str, Any]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    parts: list[tuple[str, Any]] = []
    headers: dict[bytes, bytes] = {}
    name, value, data = b"", b"", bytearray()
    ended = False

    def on_part_begin() -> None:
        headers.clear()
        data.clear()

    def on_header_field(chunk: bytes, start: int, end: int) -> None:
        nonlocal name
        name += chunk[start:end]

    def on_header_value(chunk: bytes, start: int, end: int) -> None:
        nonlocal value
        value += chunk[start:end]

    def on_header_end() -> None:
        nonlocal name, value
        headers[name.lower()] = value
        name = value = b""

    def on_part_data(chunk: bytes, start: int, end: int) -> None:
        data.extend(chunk[start:end])

    def on_part_end() -> None:
        options = parse_options_header(headers.get(b"content-disposition", b""))[1]
        field = options.get(b"name")
        if field is not None:
            kind = headers.get(b"content-type", _OCTETS)
            parts.append(_part(field, options.get(b"filename"), kind, bytes(data)))

    def on_end() -> None:
        nonlocal ended
        ended = True

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": on_part_begin,
                "on_header_field": on_header_field,
                "on_header_value": on_header_value,
                "on_header_end": on_header_end,
                "on_part_data": on_part_data,
                "on_part_end": on_part_end,
                "on_end": on_end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError:
        ended = False
    if not ended and body.strip() != b"--" + boundary + b"--":  # PHP's empty form on DELETE
        raise MalformedMultipart
    return parts


def as_flag(value: Any) -> Any:
    if isinstance(value, str):
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}.get(
            value.strip().lower(), value
        )
    return value


Flag = Annotated[bool, BeforeValidator(as_flag)]
"""`yes`, `no`, `true`, `false`, `1`, `0` in any case; PHP sends an empty string for false."""
EMPTY_IS_ABSENT = BeforeValidator(lambda value: None if value == "" else value)
"""For what may be None. It stands behind the `Field` whose bounds None would not keep."""


def as_text(value: Any) -> Any:
    return "" if value is None else str(value) if isinstance(value, int | float) else value


def as_object(value: Any) -> Any:
    """JSON, also where it comes as text in a form; null is nothing."""
    if isinstance(value, str):
        try:
            value = json_text.read(value) if value.strip() else None
        except ValueError:
            return value
    return {} if value is None else value


def _split(values: Any) -> Any:
    found: list[Any] = []
    for each in values:
        if isinstance(each, str):
            found += filter(None, map(str.strip, each.split(",")))
        elif each is not None:
            found.append(each)
    return found


Text = Annotated[str, BeforeValidator(as_text)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(as_object)]
Listed = Annotated[list[str], BeforeValidator(_split)]
"""Texts, each a parameter of its own or with commas between them; clients send null for an empty list."""


class Form(BaseModel):
    """Base of all request bodies. A subclass says in `missing` and `invalid` how its section words refusals."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore")
    missing: ClassVar[str] = "Missing mandatory parameter: {name}"
    invalid: ClassVar[str] = "Invalid parameter: {name} is invalid"
    free: ClassVar[tuple[str, ...]] = ()
    """Beginnings of parameters that a request may have besides."""
    _lists: ClassVar[dict[str, bool]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls._lists = {
            field.alias or name: get_origin(field.annotation) is list
            for name, field in cls.model_fields.items()
        }

    @classmethod
    def names(cls) -> Iterable[str]:
        """Of its parameters, as clients write them."""
        return cls._lists

    @classmethod
    def of(cls: "type[FormT]", fields: Fields) -> "FormT":
        """The first of several values counts, except in lists."""
        lists = cls._lists
        data = {
            name: values if lists[name] else values[0]
            for name, values in fields.items()
            if values and name in lists
        }
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            text = cls.missing if first["type"] == "missing" else cls.invalid
            raise BadRequest(text.format(name=name)) from None


class FormWithoutBlanks(Form):
    """What is empty was not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value != ""}


FormT = TypeVar("FormT", bound=Form)


Reader = TypeVar("Reader", bound=Callable[..., Any])


def takes(model: type[Form]) -> Callable[[Reader], Reader]:
    """Mark a handler or a dependency that reads the request's body: the OpenAPI document describes it by that form."""

    def mark(reader: Reader) -> Reader:
        reader.form_model = model  # type: ignore[attr-defined]  # functions take attributes, their types don't
        return reader

    return mark


def form(model: type[FormT]) -> Any:
    """Depend on a request body: `Annotated[BounceForm, form(BounceForm)]`."""

    @takes(model)
    async def read(request: Request) -> FormT:
        return model.of(await read_fields(request))

    return Depends(read)


CurrentFields = Annotated[Fields, Depends(read_fields)]
