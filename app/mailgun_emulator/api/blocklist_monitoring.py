"""Blocklist Monitoring: where watched domains and IPs stand, and when they got there (facts/account.md, 11.6)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mailgun_emulator.mail import blocklists, dates
from mailgun_emulator.state import blocklistings, monitored_domains, monitored_ips
from mailgun_emulator.state.blocklistings import ListingEvent
from mailgun_emulator.state.monitored_domains import MonitoredDomain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.blocklistings import ListedView, listed, state_of
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.offset_pages import PageForm, page_of
from mailgun_emulator.web.paging import Paging
from mailgun_emulator.web.parameters import instant, one_of
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(tags=["Blocklist Monitoring"])

KINDS = ("ip_listed", "ip_delisted")


class ListingEventsForm(PageForm):
    """`timerange_…` are instants in ISO 8601; without them all that happened is told."""

    timerange_start: str = ""
    timerange_end: str = ""
    ip: str = ""
    blocklist: str = ""
    event: str = ""


class DomainHealthView(BaseModel):
    domain: str
    updated_at: str
    state: str
    listed: list[ListedView] | None


class DomainHealthList(BaseModel):
    domains: list[DomainHealthView]


class DomainBlocklists(BaseModel):
    blocklists: list[ListedView]


class DomainListingEvent(BaseModel):
    domain: str
    list: str
    name: str
    event: str
    timestamp: str


class DomainListingEvents(BaseModel):
    events: list[DomainListingEvent]
    paging: Paging


class IpListingEvent(BaseModel):
    ip: str
    ip_pool: str
    timestamp: str
    event: str
    blocklist: str
    account_id: str


class IpListingEvents(BaseModel):
    items: list[IpListingEvent]
    paging: Paging


class MonitoredBlocklist(BaseModel):
    blocklist: str
    name: str


class MonitoredBlocklists(BaseModel):
    items: list[MonitoredBlocklist]


Page = Annotated[PageForm, form(PageForm)]


@router.get("/v1/monitoring/domains")
async def list_domain_health(tx: CurrentTx) -> DomainHealthList:
    """Tell of all watched domains whether they stand on blocklists."""
    return DomainHealthList(domains=[health_of(tx, each) for each in monitored_domains.list_watched(tx)])


@router.get("/v1/monitoring/domains/events", responses=REFUSALS)
async def list_domain_listing_events(request: Request, tx: CurrentTx, asked: Page) -> DomainListingEvents:
    """List when watched domains were listed and delisted, the latest first."""
    names = {each.name for each in monitored_domains.list_watched(tx)}
    return domain_events(request, tx, asked, names)


@router.get("/v1/monitoring/domains/{domain}/blocklists", responses=REFUSALS)
async def list_blocklists_of_domain(tx: CurrentTx, domain: str) -> DomainBlocklists:
    """Tell on which blocklists a watched domain stands."""
    return DomainBlocklists(blocklists=listed(tx, monitored_domains.get_watched(tx, domain).name))


@router.get("/v1/monitoring/domains/{domain}/events", responses=REFUSALS)
async def list_listing_events_of_domain(
    request: Request, tx: CurrentTx, domain: str, asked: Page
) -> DomainListingEvents:
    """List when a watched domain was listed and delisted, the latest first."""
    return domain_events(request, tx, asked, {monitored_domains.get_watched(tx, domain).name})


@router.get("/v3/domains/{domain}/blocklists", responses=REFUSALS)
async def list_blocklists_of_sending_domain(tx: CurrentTx, domain: CurrentDomain) -> DomainBlocklists:
    """Tell on which blocklists a sending domain stands, watched or not."""
    return DomainBlocklists(blocklists=listed(tx, domain.name))


@router.get("/v1/blocklist-monitoring/events", responses=REFUSALS)
async def list_ip_listing_events(
    request: Request, tx: CurrentTx, asked: Annotated[ListingEventsForm, form(ListingEventsForm)]
) -> IpListingEvents:
    """List when watched IPs were listed and delisted, the latest first."""
    pools = {each.ip: each.ip_pool for each in monitored_ips.list_all(tx)}
    found = wanted(blocklistings.list_events(tx, set(pools)), asked, tx.now)
    items, links = page_of(request, asked, found, default=10, least=10, most=50)
    return IpListingEvents(items=[ip_event(tx, each, pools) for each in items], paging=links)


@router.get("/v1/blocklist-monitoring/blocklists")
async def list_monitored_blocklists(tx: CurrentTx) -> MonitoredBlocklists:
    """List the blocklists that IPs are looked up in."""
    return MonitoredBlocklists(
        items=[MonitoredBlocklist(blocklist=each.host, name=each.name) for each in blocklists.OF_IPS]
    )


def health_of(tx: Tx, domain: MonitoredDomain) -> DomainHealthView:
    """It changed when it was listed or delisted last, or when it came to be watched."""
    found = listed(tx, domain.name)
    history = blocklistings.list_events(tx, {domain.name})
    updated_at = history[0].at if history else domain.verified_at or domain.created_at
    return DomainHealthView(
        domain=domain.name,
        updated_at=dates.rfc3339_ms(updated_at),
        state=state_of(found),
        listed=found or None,
    )


def domain_events(request: Request, tx: Tx, asked: PageForm, names: set[str]) -> DomainListingEvents:
    items, links = page_of(request, asked, blocklistings.list_events(tx, names), default=50)
    told = [
        DomainListingEvent(
            domain=listing.subject,
            list=listing.blocklist,
            name=listing.name,
            event=event,
            timestamp=dates.rfc3339_ms(at),
        )
        for event, at, listing in items
    ]
    return DomainListingEvents(events=told, paging=links)


def wanted(found: list[ListingEvent], asked: ListingEventsForm, now: float) -> list[ListingEvent]:
    """Those that fit all that is asked for."""
    one_of("event", asked.event, ("", *KINDS))
    begin = instant("timerange_start", asked.timerange_start, 0.0, "ISO 8601")
    end = instant("timerange_end", asked.timerange_end, now, "ISO 8601")
    return [
        each
        for each in found
        if begin <= each.at <= end
        and asked.ip in ("", each.listing.subject)
        and asked.blocklist in ("", each.listing.blocklist)
        and asked.event in ("", each.event)
    ]


def ip_event(tx: Tx, found: ListingEvent, pools: dict[str, str]) -> IpListingEvent:
    return IpListingEvent(
        ip=found.listing.subject,
        ip_pool=pools[found.listing.subject],
        timestamp=dates.rfc3339_ms(found.at),
        event=found.event,
        blocklist=found.listing.blocklist,
        account_id=tx.account_id,
    )
