"""What requests for analytics have in common: JSON with filters, sorting and paging (facts/sending.md, 3.4 and 7.4)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state.predicates import Predicate
from mailgun_emulator.web.forms import LARGEST, Flag, Form, Text, as_object
from mailgun_emulator.web.statistics import NotValid, SpanForm

Item = TypeVar("Item")


class TooMany(BadRequest):
    """Mailgun's own text is not known."""

    def __init__(self, most: int) -> None:
        super().__init__(f"pagination limit can't be larger than {most}")


def _given(values: Any) -> Any:
    """Clients send null for an empty list."""
    if values is None:
        return []
    return [each for each in values if each is not None] if isinstance(values, list) else values


Texts = Annotated[list[str], BeforeValidator(_given)]
Switch = Annotated[Flag, BeforeValidator(lambda value: False if value is None else value)]


class FilterValue(BaseModel):
    """`value` is what counts; without it `label` does."""

    label: Text = ""
    value: Text = ""

    @property
    def text(self) -> str:
        return self.value or self.label


class FilterPredicate(BaseModel):
    """Any of the values makes it true."""

    attribute: Text = ""
    comparator: Text = "="
    values: Annotated[list[FilterValue], BeforeValidator(_given)] = Field(default=[])


class FilterGroup(BaseModel):
    """All of them must be true."""

    AND: Annotated[list[FilterPredicate], BeforeValidator(_given)] = Field(default=[])

    def predicates(self, known: Mapping[str, Sequence[str]]) -> tuple[Predicate, ...]:
        """`known` has the comparators of each attribute."""
        return tuple(_predicate(each, known) for each in self.AND)


def _predicate(given: FilterPredicate, known: Mapping[str, Sequence[str]]) -> Predicate:
    comparator = given.comparator.lower()
    if given.attribute not in known:
        raise NotValid("filter attribute", given.attribute)
    if comparator not in known[given.attribute]:
        raise NotValid("filter comparator", given.comparator)
    if not given.values:
        raise NotValid(f"filter values of {given.attribute}", "")
    return Predicate(given.attribute, comparator, tuple(each.text for each in given.values))


class PageRequest(BaseModel):
    """`sort` is such as `time:asc`; `limit` 0 is the default."""

    sort: Text = ""
    skip: Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(lambda value: value or 0)] = 0
    limit: Annotated[int, Field(ge=0), BeforeValidator(lambda value: value or 0)] = 0

    def sorting(self, known: Iterable[str]) -> "Sorting | None":
        if not self.sort:
            return None
        name, _, direction = self.sort.partition(":")
        if name not in known or direction not in ("", "asc", "desc"):
            raise NotValid("sort", self.sort)
        return Sorting(name, direction == "desc")

    def limited(self, default: int, most: int) -> int:
        if self.limit > most:
            raise TooMany(most)
        return self.limit or default


class Sorting(NamedTuple):
    name: str
    descending: bool


class AnalyticsForm(Form):
    """`include_subaccounts` widens what is asked for to the accounts below this one."""

    filter: Annotated[FilterGroup, BeforeValidator(as_object)] = Field(default_factory=FilterGroup)
    include_subaccounts: Switch = False

    @property
    def subaccounts(self) -> bool:
        """Whether theirs is told, too; who filters by subaccount means them."""
        return self.include_subaccounts or any(each.attribute == "subaccount" for each in self.filter.AND)


class MeasuresForm(AnalyticsForm, SpanForm):
    """What is counted, told apart by which dimensions, and which page of it."""

    start: Text = ""
    end: Text = ""
    resolution: Text = ""
    duration: Text = ""
    dimensions: Texts = Field(default=[])
    metrics: Texts = Field(default=[])
    pagination: Annotated[PageRequest, BeforeValidator(as_object)] = Field(default_factory=PageRequest)


def known_names(name: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    """Each once; refuse those that are not known."""
    names = list(dict.fromkeys(given))
    for each in names:
        if each not in known:
            raise NotValid(name, each)
    return names


def page_of(items: Sequence[Item], skip: int, limit: int) -> Sequence[Item]:
    return items[skip : skip + limit]
