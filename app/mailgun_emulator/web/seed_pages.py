"""Lists of seed lists and of results: their pages, and what they can be asked for (facts/account.md, 11.4 and 0.7)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import dates
from mailgun_emulator.web.forms import Flag, Form
from mailgun_emulator.web.paging import Paging, link

MOST = 1000
T = TypeVar("T")


class UnknownAttribute(NotFound):
    """Mailgun's own text is not known."""

    message = "attribute not found"


class InvalidTime(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Invalid parameter: {name} is invalid")


class AttributeValues(BaseModel):
    attribute: str
    values: list[str]


class Attributes(BaseModel):
    items: AttributeValues


class SupportedFilter(BaseModel):
    parameter: str
    description: str


class Filters(BaseModel):
    filters: list[SupportedFilter]


class SupportedFilters(BaseModel):
    supported_filters: Filters


class PageForm(Form):
    """`cursor` is the id of what comes before the page, `time_…` RFC 3339, RFC 2822 or seconds since 1970."""

    limit: int = Field(25, ge=1, le=MOST)
    offset: int = Field(0, ge=0)
    cursor: str = ""
    ascending: Flag = False
    sort: str = "created_at"
    time_before: str = ""
    time_after: str = ""

    def between(self, at: float) -> bool:
        before, after = (self._instant(name, getattr(self, name)) for name in ("time_before", "time_after"))
        return (before is None or at < before) and (after is None or at > after)

    @staticmethod
    def _instant(name: str, text: str) -> float | None:
        try:
            return dates.parse(text) if text else None
        except ValueError:
            raise InvalidTime(name) from None


class Found(BaseModel, Generic[T]):
    items: list[T]
    paging: Paging
    total: int


def page(
    request: Request,
    asked: PageForm,
    found: list[T],
    keys: Mapping[str, Callable[[T], Any]],
    id_of: Callable[[T], str],
) -> tuple[list[T], Paging, int]:
    """Those of the page, in the order that was asked for, by one of `keys`; links to others, and how many there are."""
    if asked.sort not in keys:
        raise BadRequest("Invalid parameter: sort is invalid", hint=f"Possible are {', '.join(keys)}")
    ordered = sorted(found, key=keys[asked.sort], reverse=not asked.ascending)
    start = asked.offset
    if asked.cursor:
        start = next(
            (place for place, each in enumerate(ordered, 1) if id_of(each) == asked.cursor), len(ordered)
        )
    kept = {
        name: value
        for name, value in request.query_params.items()
        if name not in ("offset", "cursor", "limit")
    }

    def at(offset: int) -> str:
        return link(request, **kept, limit=asked.limit, offset=max(offset, 0))

    last = max(len(ordered) - 1, 0) // asked.limit * asked.limit
    paging = Paging(
        first=at(0),
        last=at(last),
        next=at(min(start + asked.limit, len(ordered))),
        previous=at(start - asked.limit),
    )
    return ordered[start : start + asked.limit], paging, len(ordered)


def attributes(attribute: str, values: Iterable[str]) -> Attributes:
    return Attributes(items=AttributeValues(attribute=attribute, values=list(dict.fromkeys(values))))


def supported(**filters: str) -> SupportedFilters:
    """Descriptions by the parameters' names."""
    told = [SupportedFilter(parameter=name, description=text) for name, text in filters.items()]
    return SupportedFilters(supported_filters=Filters(filters=told))
