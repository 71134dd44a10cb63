"""Stats: events counted by hour, day or month, for the account and its domains (facts/sending.md, 7.1)."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, field_validator

from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import Period, Resolution
from mailgun_emulator.state import domains, statistics, tags
from mailgun_emulator.state.statistics import By
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.forms import CurrentFields, form
from mailgun_emulator.web.paging import number
from mailgun_emulator.web.statistics import (
    EventsForm,
    NotValid,
    PeriodForm,
    StatisticsView,
    aggregates,
    answer,
    by_time,
    item,
    moment,
    resolution_of,
)
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["Stats"])

REFUSED = refusals(400)
UNKNOWN = refusals(404)
RESOLUTIONS = {"day": Resolution.DAY, "month": Resolution.MONTH}
"""Groups that are times."""
FILTERS = (By.DOMAIN, By.SUBACCOUNT, By.IP_POOL, By.IP, By.PROVIDER, By.TAG, By.COUNTRY)
GROUPS = (By.TOTAL, By.TIME, *RESOLUTIONS, *FILTERS)


class DomainsForm(EventsForm):
    """`timestamp` is any instant of the hour, day or month that is asked for."""

    timestamp: str
    resolution: str = ""
    limit: str = ""
    skip: str = ""

    def period(self) -> Period:
        at = moment("timestamp", self.timestamp)
        return periods.period(at, at, resolution_of(self.resolution))


class FilterForm(PeriodForm):
    """`filter` is such as `domain:mg.example.com`; of several kinds of filters all must be met."""

    filter: list[str] = Field(default=[])
    group: str = By.TIME

    @field_validator("filter")
    @classmethod
    def _known_filters(cls, filters: list[str]) -> list[str]:
        for each in filters:
            name, _, value = each.partition(":")
            if each and (name not in FILTERS or not value):
                raise NotValid("filter", each)
        return [each for each in filters if each]

    @field_validator("group")
    @classmethod
    def _known_group(cls, group: str) -> str:
        if group and group not in GROUPS:
            raise NotValid("group", group)
        return group or By.TIME

    @property
    def where(self) -> dict[str, str]:
        return {name: value.lower() for name, _, value in (each.partition(":") for each in self.filter)}


class Providers(BaseModel):
    providers: dict[str, dict[str, int]]


class Devices(BaseModel):
    devices: dict[str, dict[str, int]]


class Countries(BaseModel):
    countries: dict[str, dict[str, int]]


@router.get("/v3/{domain}/stats/total", response_model=StatisticsView, responses={**REFUSED, **UNKNOWN})
async def get_domain_totals(
    tx: CurrentTx, domain: KnownDomain, asked: Annotated[PeriodForm, form(PeriodForm)]
) -> Response:
    """Count a domain's events by hour, day or month."""
    period = asked.period(tx.now)
    found = statistics.counts(tx, asked.events, period, where={"domain_id": domain.id})
    return answer(period, by_time(found, period, asked.events))


@router.get("/v3/stats/total", response_model=StatisticsView, responses=REFUSED)
async def get_account_totals(tx: CurrentTx, asked: Annotated[PeriodForm, form(PeriodForm)]) -> Response:
    """Count the events of all of the account's domains by hour, day or month."""
    period = asked.period(tx.now)
    found = statistics.counts(tx, asked.events, period)
    return answer(period, by_time(found, period, asked.events))


@router.get("/v3/stats/total/domains", response_model=StatisticsView, responses=REFUSED)
async def get_totals_of_domains(
    tx: CurrentTx, fields: CurrentFields, asked: Annotated[DomainsForm, form(DomainsForm)]
) -> Response:
    """Count the events of each domain in one hour, day or month; domains by name, without events too."""
    period = asked.period()
    page, _ = domains.list_domains(
        tx, sort="name", skip=number(fields, "skip", 0), limit=number(fields, "limit", 100, 1, 1000)
    )
    found = statistics.counts(tx, asked.events, period, by=By.DOMAIN)
    rows = [item(period.start, found.get(each.name, {}), asked.events, domain=each.name) for each in page]
    return answer(period, rows)


@router.get("/v3/stats/filter", response_model=StatisticsView, responses=REFUSED)
async def get_filtered_totals(tx: CurrentTx, asked: Annotated[FilterForm, form(FilterForm)]) -> Response:
    """Count the account's events that meet the filters, in groups."""
    period = asked.period(tx.now, RESOLUTIONS.get(asked.group))
    if asked.group not in (By.TIME, *RESOLUTIONS):
        return answer(period, grouped(tx, asked, period, By(asked.group)))
    found = statistics.counts(tx, asked.events, period, where=asked.where)
    return answer(period, by_time(found, period, asked.events))


def grouped(tx: Tx, asked: FilterForm, period: Period, by: By) -> list[dict[str, Any]]:
    """One item for each member of the group that something was counted for, with the period's first time."""
    found = statistics.counts(tx, asked.events, period, by=by, where=asked.where)
    if by is By.TOTAL:
        return [item(period.start, found.get("", {}), asked.events)]
    written = tags.names(tx) if by is By.TAG else {}
    return [
        item(period.start, found[key], asked.events, **{by.value: written.get(key, key)})
        for key in sorted(found)
    ]


@router.get("/v3/{domain}/aggregates/providers", responses=UNKNOWN)
async def aggregate_by_provider(tx: CurrentTx, domain: KnownDomain) -> Providers:
    """Count a domain's events by the recipients' mailbox providers."""
    return Providers(providers=aggregates(tx, By.PROVIDER, {"domain_id": domain.id}))


@router.get("/v3/{domain}/aggregates/devices", responses=UNKNOWN)
async def aggregate_by_device(tx: CurrentTx, domain: KnownDomain) -> Devices:
    """Count what recipients did by the kind of their device."""
    return Devices(devices=aggregates(tx, By.DEVICE, {"domain_id": domain.id}))


@router.get("/v3/{domain}/aggregates/countries", responses=UNKNOWN)
async def aggregate_by_country(tx: CurrentTx, domain: KnownDomain) -> Countries:
    """Count what recipients did by their country."""
    return Countries(countries=aggregates(tx, By.COUNTRY, {"domain_id": domain.id}))
