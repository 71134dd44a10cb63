"""Lists that say where their next page is: absolute links on the host that the client called."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.web.forms import LARGEST, Fields, header_values

Item = TypeVar("Item")


class InvalidCursor(BadRequest):
    """Of a list of `/_emulator`."""

    message = "cursor is none that `next` told"


class Paging(BaseModel):
    """All four are there on every page, the empty last one too (facts/sending.md, trap 12)."""

    first: str
    last: str
    next: str
    previous: str


def base_url(request: Request) -> str:
    """`http://host:port` as the client wrote it."""
    scope = request.scope
    headers = header_values(scope)
    scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1") or scope["scheme"]
    host = headers.get(b"host", b"").decode("latin-1") or "{}:{}".format(*scope["server"])
    return f"{scheme}://{host}"


def link(request: Request, **parameters: Any) -> str:
    """The requested path again, with these parameters and no others."""
    url = base_url(request) + request.url.path
    return f"{url}?{urlencode(parameters)}" if parameters else url


def number(fields: Fields, name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """A whole number; absent and empty give the default, what is too large is refused as Mailgun words it."""
    text = fields.first(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except (TypeError, ValueError):
        raise BadRequest(f"Invalid parameter: {name} is invalid") from None
    if not least <= value <= LARGEST:
        raise BadRequest(f"Invalid parameter: {name} is invalid")
    if most is not None and value > most:
        raise BadRequest(f"{name.capitalize()} parameter can't be larger than {most}")
    return value


class KeysetRequest(NamedTuple):
    """`page` is first, next, previous or last; `pivot` the key that next and previous are counted from."""

    page: str
    pivot: str
    limit: int

    @property
    def backwards(self) -> bool:
        return self.page in ("previous", "last")


def keyset(fields: Fields, pivot: str, *, default: int = 100, most: int = 1000) -> KeysetRequest:
    """Read `?page=&<pivot>=&limit=`; `prev` is an old spelling of `previous`."""
    page = str(fields.first("page") or "first")
    page = "previous" if page == "prev" else page
    if page not in ("first", "next", "previous", "last"):
        page = "first"
    return KeysetRequest(
        page, str(fields.first(pivot) or ""), number(fields, "limit", default, 1, most) or default
    )


def in_order(asked: KeysetRequest, found: Sequence[Item]) -> list[Item]:
    """What was selected backwards, the right way round."""
    return list(reversed(found)) if asked.backwards else list(found)
