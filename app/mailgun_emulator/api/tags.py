"""Tags: the labels of messages, and what was counted for each (facts/sending.md, 7.2)."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, providers
from mailgun_emulator.state import statistics, tags
from mailgun_emulator.state.statistics import By
from mailgun_emulator.state.tags import ListedTag, Tag
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.forms import CurrentFields, Form, form
from mailgun_emulator.web.paging import KeysetRequest, Paging, in_order, keyset, link
from mailgun_emulator.web.statistics import (
    LISTED,
    NotValid,
    PeriodForm,
    StatisticsView,
    aggregates,
    answer,
    by_time,
)
from mailgun_emulator.web.views import Done, Responses, refusals

router = APIRouter(tags=["Tags"])

UNKNOWN = refusals(404)
REFUSED: Responses = {400: {"model": Done}, **UNKNOWN}
DEFAULT_LIMIT = 1000
"""As recorded; Mailgun's words say 100."""


class TagView(BaseModel):
    tag: str
    description: str
    first_seen: str = Field(serialization_alias="first-seen")
    last_seen: str = Field(serialization_alias="last-seen")


class TagList(BaseModel):
    items: list[TagView]
    paging: Paging


class TagStatistics(StatisticsView):
    tag: str
    description: str


class TagAggregates(BaseModel):
    """One of the three, that which was asked for."""

    provider: dict[str, dict[str, int]] | None = None
    device: dict[str, dict[str, int]] | None = None
    country: dict[str, dict[str, int]] | None = None
    tag: str


class TagLimit(BaseModel):
    id: str
    limit: int
    count: int


class Listed(BaseModel):
    items: list[str]


class TagForm(Form):
    description: str = ""


class TagStatisticsForm(PeriodForm):
    """`provider`, `device` and `country` leave only what was counted for that one."""

    provider: str = ""
    device: str = ""
    country: str = ""

    @property
    def where(self) -> dict[str, str]:
        asked = {by: getattr(self, by).lower() for by in LISTED}
        for by, value in asked.items():
            if value and value not in LISTED[by]:
                raise NotValid(by, value)
        return {by.value: value for by, value in asked.items() if value}


class AggregatesForm(Form):
    type: str


async def current_tag(tx: CurrentTx, domain: KnownDomain, fields: CurrentFields, tag: str = "") -> Tag:
    """The tag that the path names, or the parameter `tag`."""
    name = tag or fields.first("tag")
    if not name:
        raise BadRequest("Missing mandatory parameter: tag")
    return tags.get(tx, domain.id, str(name))


CurrentTag = Annotated[Tag, Depends(current_tag)]


def view(tag: Tag | ListedTag) -> TagView:
    return TagView(
        tag=tag.name,
        description=tag.description,
        first_seen=dates.rfc3339_ms(tag.first_seen),
        last_seen=dates.rfc3339_ms(tag.last_seen),
    )


@router.get("/v3/{domain}/tags", response_model=TagList, responses=REFUSED)
async def list_tags(request: Request, tx: CurrentTx, domain: KnownDomain, fields: CurrentFields) -> Response:
    """List a domain's tags by name, a page at a time; `prefix` leaves those that begin with it."""
    asked = keyset(fields, "tag", default=DEFAULT_LIMIT)
    prefix = str(fields.first("prefix") or "")
    found = page(tx, domain.id, asked, prefix)
    pivots = pivots_around(tx, domain.id, found, prefix)
    body = {
        "items": [view(tag).model_dump(by_alias=True) for tag in found],
        "paging": paging(request, asked.limit, prefix, pivots),
    }
    return Response(orjson.dumps(body), media_type="application/json")


def page(tx: Tx, domain_id: str, asked: KeysetRequest, prefix: str) -> list[ListedTag]:
    """Next and previous without a pivot are empty: the links of the outermost pages lead there."""
    if asked.page in ("next", "previous") and not asked.pivot:
        return []
    if not asked.backwards:
        return tags.list_after(tx, domain_id, asked.pivot, prefix=prefix, limit=asked.limit)
    pivot = asked.pivot if asked.page == "previous" else tags.PAST_ALL
    return in_order(asked, tags.list_before(tx, domain_id, pivot, prefix=prefix, limit=asked.limit))


def pivots_around(tx: Tx, domain_id: str, found: list[ListedTag], prefix: str) -> tuple[str, str]:
    """What the previous and the next page are counted from; empty where there is none."""
    if not found:
        return "", ""
    first, last = found[0].name, found[-1].name
    return (
        first if tags.list_before(tx, domain_id, first, prefix=prefix, limit=1) else "",
        last if tags.list_after(tx, domain_id, last, prefix=prefix, limit=1) else "",
    )


def paging(request: Request, limit: int, prefix: str, pivots: tuple[str, str]) -> dict[str, str]:
    searched = {"prefix": prefix} if prefix else {}
    previous, following = pivots
    return {
        name: link(request, limit=limit, page=word, **searched, tag=pivot)
        for name, word, pivot in (
            ("previous", "prev", previous),
            ("first", "first", ""),
            ("next", "next", following),
            ("last", "last", ""),
        )
    }


@router.get("/v3/{domain}/tag", responses=REFUSED)
@router.get("/v3/{domain}/tags/{tag}", responses=UNKNOWN)
async def get_tag(tag: CurrentTag) -> TagView:
    """Read one tag."""
    return view(tag)


@router.put("/v3/{domain}/tag", responses=REFUSED)
@router.put("/v3/{domain}/tags/{tag}", responses=UNKNOWN)
async def update_tag(tag: CurrentTag, asked: Annotated[TagForm, form(TagForm)]) -> Done:
    """Describe a tag."""
    tag.description = asked.description
    return Done(message="Tag updated")


@router.delete("/v3/{domain}/tag", responses=REFUSED)
@router.delete("/v3/{domain}/tags/{tag}", responses=UNKNOWN)
async def delete_tag(tx: CurrentTx, tag: CurrentTag) -> Done:
    """Delete a tag and what was counted for it."""
    tags.delete(tx, tag)
    return Done(message="Tag deleted")


@router.get("/v3/{domain}/tag/stats", response_model=TagStatistics, responses=REFUSED)
@router.get("/v3/{domain}/tags/{tag}/stats", response_model=TagStatistics, responses=REFUSED)
async def get_tag_statistics(
    tx: CurrentTx, tag: CurrentTag, asked: Annotated[TagStatisticsForm, form(TagStatisticsForm)]
) -> Response:
    """Count the events of messages with a tag by hour, day or month."""
    period = asked.period(tx.now)
    found = statistics.counts(
        tx, asked.events, period, where={"domain_id": tag.domain_id, "tag": tag.key, **asked.where}
    )
    stats = by_time(found, period, asked.events)
    return answer(period, stats, tag=tag.name, description=tag.description)


@router.get("/v3/{domain}/tag/stats/aggregates", response_model=TagAggregates, responses=REFUSED)
async def aggregate_tag(
    tx: CurrentTx, tag: CurrentTag, asked: Annotated[AggregatesForm, form(AggregatesForm)]
) -> Response:
    """Count the events of messages with a tag by provider, device or country, whichever `type` names."""
    if asked.type not in LISTED:
        raise NotValid("type", asked.type)
    return aggregated(tx, tag, By(asked.type))


@router.get(
    "/v3/{domain}/tags/{tag}/stats/aggregates/providers", response_model=TagAggregates, responses=UNKNOWN
)
async def aggregate_tag_by_provider(tx: CurrentTx, tag: CurrentTag) -> Response:
    """Count the events of messages with a tag by the recipients' mailbox providers."""
    return aggregated(tx, tag, By.PROVIDER)


@router.get(
    "/v3/{domain}/tags/{tag}/stats/aggregates/devices", response_model=TagAggregates, responses=UNKNOWN
)
async def aggregate_tag_by_device(tx: CurrentTx, tag: CurrentTag) -> Response:
    """Count what recipients of messages with a tag did by the kind of their device."""
    return aggregated(tx, tag, By.DEVICE)


@router.get(
    "/v3/{domain}/tags/{tag}/stats/aggregates/countries", response_model=TagAggregates, responses=UNKNOWN
)
async def aggregate_tag_by_country(tx: CurrentTx, tag: CurrentTag) -> Response:
    """Count what recipients of messages with a tag did by their country."""
    return aggregated(tx, tag, By.COUNTRY)


def aggregated(tx: Tx, tag: Tag, by: By) -> Response:
    body = {by.value: aggregates(tx, by, {"domain_id": tag.domain_id, "tag": tag.key}), "tag": tag.name}
    return Response(orjson.dumps(body), media_type="application/json")


@router.get("/v3/domains/{domain}/limits/tag", responses=UNKNOWN)
async def get_tag_limit(tx: CurrentTx, domain: KnownDomain) -> TagLimit:
    """Tell how many tags a domain has and may have."""
    return TagLimit(id=domain.name, limit=tags.LIMIT, count=tags.count(tx, domain.id))


@router.get("/v3/domains/{domain}/tag/devices", responses=UNKNOWN)
async def list_devices(domain: KnownDomain) -> Listed:
    """List the devices that statistics tell apart."""
    return Listed(items=list(LISTED[By.DEVICE]))


@router.get("/v3/domains/{domain}/tag/providers", responses=UNKNOWN)
async def list_providers(domain: KnownDomain) -> Listed:
    """List the mailbox providers that statistics tell apart."""
    return Listed(items=list(providers.KNOWN))


@router.get("/v3/domains/{domain}/tag/countries", responses=UNKNOWN)
async def list_countries(domain: KnownDomain) -> Listed:
    """List the countries that statistics tell apart."""
    return Listed(items=list(LISTED[By.COUNTRY]))
