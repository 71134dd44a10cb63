"""InboxReady: domains and IPs whose reputation is watched (facts/account.md, 11.6)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import blocklists, hosts
from mailgun_emulator.state import monitored_domains, monitored_ips
from mailgun_emulator.state.monitored_domains import MonitoredDomain
from mailgun_emulator.state.monitored_ips import MonitoredIp
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.blocklistings import ListedView, listed, state_of
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.offset_pages import PageForm, page_of
from mailgun_emulator.web.paging import Paging
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["InboxReady"])


class InvalidDomain(BadRequest):
    message = "invalid domain name"


class InvalidIp(BadRequest):
    """Only IPv4 is supported."""

    message = "invalid IP address"


class MonitoredDomainForm(Form):
    domain: str


class MonitoredDomainsForm(PageForm):
    """All of them, or the one that is named."""

    domain: str = ""


class IpDetailsForm(Form):
    """What is not given stays."""

    ip_pool: str | None = None
    description: str | None = None


class MonitoredIpForm(IpDetailsForm):
    ip: str


class VerifiedView(BaseModel):
    """`verified_at` in seconds since 1970, 0 for never."""

    status: str
    verified_at: int


class ServicesView(BaseModel):
    spam_trap_monitoring: bool
    domain_blocklist_monitoring: bool


class MonitoredDomainView(BaseModel):
    """`ID` is the same as `acid`: both are read by clients."""

    model_config = ConfigDict(populate_by_name=True)
    acid: str
    same_id: str = Field(alias="ID")
    created_at: int
    name: str
    services: ServicesView
    txt_record: str
    verified: VerifiedView


class AddedDomain(BaseModel):
    domain: MonitoredDomainView
    message: str


class MonitoredDomainList(BaseModel):
    items: list[MonitoredDomainView]
    paging: Paging


class MonitoredIpView(BaseModel):
    ip: str
    ip_pool: str
    description: str
    state: str
    listed: list[ListedView]


class MonitoredIpList(BaseModel):
    items: list[MonitoredIpView]


@router.get("/v1/inboxready/domains", responses=REFUSALS)
async def list_monitored_domains(
    request: Request, tx: CurrentTx, asked: Annotated[MonitoredDomainsForm, form(MonitoredDomainsForm)]
) -> MonitoredDomainList:
    """List the domains whose reputation is watched, or tell of one."""
    found = [monitored_domains.get(tx, asked.domain)] if asked.domain else monitored_domains.list_all(tx)
    items, links = page_of(request, asked, found, default=100)
    return MonitoredDomainList(items=[domain_view(each) for each in items], paging=links)


@router.post("/v1/inboxready/domains", responses=refusals(400, 404, 409))
async def add_monitored_domain(
    tx: CurrentTx, asked: Annotated[MonitoredDomainForm, form(MonitoredDomainForm)]
) -> AddedDomain:
    """Watch a domain's reputation from now on; reports on one that the account doesn't send by are made up."""
    if not hosts.is_host(asked.domain.lower()):
        raise InvalidDomain
    added = monitored_domains.create(tx, asked.domain)
    return AddedDomain(domain=domain_view(added), message="The domain has been added")


@router.delete("/v1/inboxready/domains", responses=REFUSALS)
async def remove_monitored_domain(
    tx: CurrentTx, asked: Annotated[MonitoredDomainForm, form(MonitoredDomainForm)]
) -> Done:
    """Watch a domain's reputation no more."""
    monitored_domains.delete(tx, asked.domain)
    return Done(message=f"{asked.domain} has been removed from InboxReady")


@router.put("/v1/inboxready/domains/verify", responses=REFUSALS)
async def verify_monitored_domain(
    tx: CurrentTx, asked: Annotated[MonitoredDomainForm, form(MonitoredDomainForm)]
) -> Done:
    """Look in the DNS whether a domain is the account's; it is watched only then."""
    monitored_domains.verify(tx, asked.domain)
    return Done(message="Domain pending verification")


@router.get("/v1/inboxready/ip/addresses", include_in_schema=False)
@router.get("/v1/inboxready/ip_addresses")
async def list_monitored_ips(tx: CurrentTx) -> MonitoredIpList:
    """List the IPs that are looked up in blocklists, and where they stand."""
    return MonitoredIpList(items=[ip_view(tx, each) for each in monitored_ips.list_all(tx)])


@router.post("/v1/inboxready/ip/addresses", status_code=201, include_in_schema=False)
@router.post("/v1/inboxready/ip_addresses", status_code=201, responses=refusals(400, 404, 409))
async def register_monitored_ip(
    tx: CurrentTx, asked: Annotated[MonitoredIpForm, form(MonitoredIpForm)]
) -> MonitoredIpView:
    """Look an IP up in blocklists from now on."""
    if not blocklists.is_ipv4(asked.ip):
        raise InvalidIp
    made = monitored_ips.create(tx, asked.ip, asked.ip_pool or "", asked.description or "")
    return ip_view(tx, made)


@router.get("/v1/inboxready/ip/addresses/{ip}", include_in_schema=False)
@router.get("/v1/inboxready/ip_addresses/{ip}", responses=REFUSALS)
async def get_monitored_ip(tx: CurrentTx, ip: str) -> MonitoredIpView:
    """Tell on which blocklists an IP stands."""
    return ip_view(tx, monitored_ips.get(tx, ip))


@router.put("/v1/inboxready/ip/addresses/{ip}", include_in_schema=False)
@router.put("/v1/inboxready/ip_addresses/{ip}", responses=REFUSALS)
async def update_monitored_ip(
    tx: CurrentTx, ip: str, asked: Annotated[IpDetailsForm, form(IpDetailsForm)]
) -> MonitoredIpView:
    """Change what is noted about an IP."""
    return ip_view(tx, monitored_ips.put(tx, ip, asked.ip_pool, asked.description))


@router.delete("/v1/inboxready/ip/addresses/{ip}", status_code=204, include_in_schema=False)
@router.delete("/v1/inboxready/ip_addresses/{ip}", status_code=204, responses=REFUSALS)
async def remove_monitored_ip(tx: CurrentTx, ip: str) -> Response:
    """Look an IP up no more."""
    monitored_ips.delete(tx, ip)
    return Response(status_code=204)


def domain_view(domain: MonitoredDomain) -> MonitoredDomainView:
    watched = domain.status != monitored_domains.Status.PENDING
    return MonitoredDomainView(
        acid=domain.id,
        same_id=domain.id,
        created_at=int(domain.created_at),
        name=domain.name,
        services=ServicesView(spam_trap_monitoring=watched, domain_blocklist_monitoring=watched),
        txt_record=domain.txt_record,
        verified=VerifiedView(status=domain.status, verified_at=int(domain.verified_at)),
    )


def ip_view(tx: Tx, kept: MonitoredIp) -> MonitoredIpView:
    found = listed(tx, kept.ip)
    return MonitoredIpView(
        ip=kept.ip,
        ip_pool=kept.ip_pool,
        description=kept.description,
        state=state_of(found),
        listed=found,
    )
