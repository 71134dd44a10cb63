"""Reputation Analytics: what Google and Microsoft tell of watched domains and their IPs (facts/account.md, 11.6, and
Mailgun's documentation).
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Annotated, Self, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.periods import DAY, Period
from mailgun_emulator.state import traffic
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import postmaster
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.parameters import one_of, whole
from mailgun_emulator.web.postmaster import (
    AddressDay,
    AddressSummary,
    DomainDay,
    DomainSummary,
    FeedbackLoop,
    SndsDay,
)
from mailgun_emulator.web.views import DescriptionGiven, ReasonGiven, Responses

router = APIRouter(tags=["Reputation Analytics"])

DEFAULT_DAYS = 30
DEFAULT_LIMIT = 100
MOST = 1000
Item = TypeVar("Item", bound=BaseModel)


class BadReason(BadRequest):
    key = "Reason"


class NothingTold(NotFound):
    key = "Description"
    message = "not found"


REFUSED: Responses = {400: {"model": ReasonGiven}, 404: {"model": DescriptionGiven}}


class RecordsForm(Form):
    """`timeRange…` are seconds since 1970; without them the last 30 days are told."""

    offset: str = "0"
    limit: str = str(DEFAULT_LIMIT)
    time_range_start: str = Field("", alias="timeRangeStart")
    time_range_end: str = Field("", alias="timeRangeEnd")

    def days(self, tx: Tx) -> Period:
        end = whole("timeRangeEnd", self.time_range_end or str(int(tx.now)), BadReason)
        usual_start = max(end - (DEFAULT_DAYS - 1) * DAY, 0)
        start = whole("timeRangeStart", self.time_range_start or str(usual_start), BadReason)
        try:
            return traffic.days(tx, start, end)
        except ValueError:
            raise BadReason("timeRangeStart must be before timeRangeEnd") from None

    def page(self, found: list[Item]) -> list[Item]:
        offset = whole("offset", self.offset or "0", BadReason)
        limit = whole("limit", self.limit or str(DEFAULT_LIMIT), BadReason, 1, MOST)
        return found[offset : offset + limit]


class SummaryForm(RecordsForm):
    """`searchField` is a part of what is looked for."""

    sort_by: str = Field("", alias="sortBy")
    order_by: str = Field("asc", alias="orderBy")
    search_field: str = Field("", alias="searchField")

    def chosen(self, found: Iterable[Item], model: type[Item], name: str) -> list[Item]:
        """`name` is the field that is searched, and that they are sorted by if no other is asked for."""
        order, sort_by = self.order_by.lower() or "asc", self.sort_by or name
        one_of("orderBy", order, ("asc", "desc"), BadReason)
        if sort_by not in model.model_fields or sort_by == "errors":
            raise BadReason("sortBy is invalid")
        told = [each for each in found if self.search_field.lower() in getattr(each, name)]
        return sorted(told, key=attrgetter(sort_by, name), reverse=order == "desc")


class SndsForm(SummaryForm):
    """`search` is the same as `searchField`, and `skip` as `offset`."""

    search: str = ""
    skip: str = ""

    @model_validator(mode="after")
    def _same_names(self) -> Self:
        self.search_field, self.offset = self.search or self.search_field, self.skip or self.offset
        return self


class DomainDays(BaseModel):
    """`domain` is empty if it is about all of them."""

    domain: str
    data: list[DomainDay]
    total: int


class Named(BaseModel):
    name: str
    date: str


class NamedList(BaseModel):
    data: list[Named]
    total: int


class NamedAddress(BaseModel):
    address: str
    date: str


class NamedAddressList(BaseModel):
    data: list[NamedAddress]
    total: int


class FeedbackLoopList(BaseModel):
    data: list[FeedbackLoop]
    total: int


class AddressDays(BaseModel):
    """`address` is empty if it is about all of them."""

    address: str
    data: list[AddressDay]
    total: int


class DomainSummaries(BaseModel):
    summary: list[DomainSummary]
    total: int


class AddressSummaries(BaseModel):
    """`ip_counts` says how many IPs have which reputation."""

    summary: list[AddressSummary]
    ip_counts: dict[str, int]
    total: int


class SndsSummaries(BaseModel):
    summary: list[SndsDay]
    total: int


Records = Annotated[RecordsForm, form(RecordsForm)]
Summary = Annotated[SummaryForm, form(SummaryForm)]
Snds = Annotated[SndsForm, form(SndsForm)]


@router.get("/v1/reputationanalytics/gpt/domains", responses=REFUSED)
async def list_gpt_domains(tx: CurrentTx, asked: Records) -> DomainDays:
    """Tell what Gmail saw of each watched domain on each day; figures of others' domains are made up."""
    found = postmaster.list_domain_days(tx, asked.days(tx))
    return DomainDays(domain="", data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/domains/list", include_in_schema=False)
@router.get("/v1/reputationanalytics/gpt/domains_list", responses=REFUSED)
async def list_gpt_domain_names(tx: CurrentTx, asked: Records) -> NamedList:
    """List the domains that Gmail tells of, with the last day it did; figures of others' domains are made up."""
    last = {each.name: each.date for each in postmaster.list_domain_days(tx, asked.days(tx))}
    found = [Named(name=name, date=date) for name, date in sorted(last.items())]
    return NamedList(data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/domains/{domain}", responses=REFUSED)
async def get_gpt_domain(tx: CurrentTx, domain: str, asked: Records) -> DomainDays:
    """Tell what Gmail saw of one domain on each day; figures of others' domains are made up."""
    watched(tx, domain)
    found = [each for each in postmaster.list_domain_days(tx, asked.days(tx)) if each.name == domain.lower()]
    return DomainDays(domain=domain, data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/domains/{domain}/addresses", responses=REFUSED)
async def list_gpt_addresses_of_domain(tx: CurrentTx, domain: str, asked: Records) -> AddressDays:
    """Tell which reputation the IPs had that a domain sent by, on each day; figures of others' domains are made up."""
    watched(tx, domain)
    found = postmaster.list_address_days(tx, asked.days(tx))
    own = [each for each in found if each.domain_name == domain.lower()]
    return AddressDays(address="", data=asked.page(own), total=len(own))


@router.get("/v1/reputationanalytics/gpt/domainsfbl", responses=REFUSED)
async def list_gpt_feedback_loops(tx: CurrentTx, asked: Records) -> FeedbackLoopList:
    """Tell how much of what was tagged alike was reported as spam at Gmail; figures of others' domains are made up."""
    found = postmaster.list_feedback_loops(tx, asked.days(tx))
    return FeedbackLoopList(data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/domainsfbl/{domain}", responses=REFUSED)
async def list_gpt_feedback_loops_of_domain(tx: CurrentTx, domain: str, asked: Records) -> FeedbackLoopList:
    """Tell the same of one domain; figures of others' domains are made up."""
    watched(tx, domain)
    found = [
        each for each in postmaster.list_feedback_loops(tx, asked.days(tx)) if each.name == domain.lower()
    ]
    return FeedbackLoopList(data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/addresses", responses=REFUSED)
async def list_gpt_addresses(tx: CurrentTx, asked: Records) -> AddressDays:
    """Tell which reputation each IP had at Gmail on each day; figures of others' domains are made up."""
    found = postmaster.list_address_days(tx, asked.days(tx))
    return AddressDays(address="", data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/addresses/list", include_in_schema=False)
@router.get("/v1/reputationanalytics/gpt/addresses_list", responses=REFUSED)
async def list_gpt_address_names(tx: CurrentTx, asked: Records) -> NamedAddressList:
    """List the IPs that Gmail tells of, with the last day it did; figures of others' domains are made up."""
    last = {each.address: each.date for each in postmaster.list_address_days(tx, asked.days(tx))}
    found = [NamedAddress(address=address, date=date) for address, date in sorted(last.items())]
    return NamedAddressList(data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/addresses/{address}", responses=REFUSED)
async def get_gpt_address(tx: CurrentTx, address: str, asked: Records) -> AddressDays:
    """Tell which reputation an IP had at Gmail on each day; figures of others' domains are made up."""
    found = [each for each in postmaster.list_address_days(tx, asked.days(tx)) if each.address == address]
    if not found:
        raise NothingTold
    return AddressDays(address=address, data=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/gpt/summary", responses=REFUSED)
async def list_gpt_summaries(tx: CurrentTx, asked: Summary) -> DomainSummaries:
    """Sum up what Gmail saw of each domain, with what went wrong; figures of others' domains are made up."""
    return summaries(tx, asked, frozenset())


@router.get(
    "/v1/reputationanalytics/gpt/summary/domains", responses=REFUSED, response_model_exclude_none=True
)
async def list_gpt_domain_summaries(tx: CurrentTx, asked: Summary) -> DomainSummaries:
    """Sum up what Gmail saw of each domain; figures of others' domains are made up."""
    return summaries(tx, asked, frozenset({"errors"}))


@router.get("/v1/reputationanalytics/gpt/summary/errors", responses=REFUSED, response_model_exclude_none=True)
async def list_gpt_error_summaries(tx: CurrentTx, asked: Summary) -> DomainSummaries:
    """Sum up what went wrong at Gmail with each domain's mail; figures of others' domains are made up."""
    return summaries(tx, asked, frozenset(DomainSummary.model_fields) - {"name", "errors"})


@router.get("/v1/reputationanalytics/gpt/summary/addresses", responses=REFUSED)
async def list_gpt_address_summaries(tx: CurrentTx, asked: Summary) -> AddressSummaries:
    """Sum up which reputation each IP had at Gmail; figures of others' domains are made up."""
    every = postmaster.sum_up_addresses(postmaster.list_address_days(tx, asked.days(tx)))
    found = asked.chosen(every, AddressSummary, "address")
    counts = {str(level): sum(round(each.reputation) == level for each in found) for level in range(1, 5)}
    return AddressSummaries(summary=asked.page(found), ip_counts=counts, total=len(found))


@router.get("/v1/reputationanalytics/snds", responses=REFUSED)
async def list_snds_addresses(tx: CurrentTx, asked: Snds) -> SndsSummaries:
    """Tell what Microsoft last saw of each IP; figures of others' domains are made up."""
    last = {each.ip_address: each for each in postmaster.list_snds_days(tx, asked.days(tx))}
    found = asked.chosen(last.values(), SndsDay, "ip_address")
    return SndsSummaries(summary=asked.page(found), total=len(found))


@router.get("/v1/reputationanalytics/snds/{ip}", responses=REFUSED)
async def get_snds_address(tx: CurrentTx, ip: str, asked: Snds) -> SndsSummaries:
    """Tell what Microsoft saw of an IP on each day; figures of others' domains are made up."""
    own = [each for each in postmaster.list_snds_days(tx, asked.days(tx)) if each.ip_address == ip]
    if not own:
        raise NothingTold
    found = asked.chosen(own, SndsDay, "date")
    return SndsSummaries(summary=asked.page(found), total=len(found))


def watched(tx: Tx, domain: str) -> None:
    if not postmaster.tells_of(tx, domain):
        raise NothingTold(hint=f"{domain} is not watched, see /v1/inboxready/domains")


def summaries(tx: Tx, asked: SummaryForm, left_out: frozenset[str]) -> DomainSummaries:
    every = postmaster.sum_up_domains(postmaster.list_domain_days(tx, asked.days(tx)))
    found = asked.chosen(every, DomainSummary, "name")
    page = [each.model_copy(update=dict.fromkeys(left_out)) for each in asked.page(found)]
    return DomainSummaries(summary=page, total=len(found))
