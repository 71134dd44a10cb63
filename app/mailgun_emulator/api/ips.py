"""IPs: an account's own and a domain's (facts/account.md, 5.1 and 5.2)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mailgun_emulator.mail.ip_ranges import reverse_name, shared_ip
from mailgun_emulator.pipeline import ip_moves
from mailgun_emulator.state import account_ips, domain_ips, ip_pools, ip_warmups
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx
from mailgun_emulator.web.forms import LARGEST, Flag, Form, FormWithoutBlanks, form
from mailgun_emulator.web.views import REFUSALS, Done, Started, only_if_set, refusals

router = APIRouter(tags=["IPs"])


class IpDetail(BaseModel):
    ip: str
    is_on_warmup: bool | None = only_if_set()


class AccountIps(BaseModel):
    assignable_to_pools: list[str]
    details: list[IpDetail]
    items: list[str]
    total_count: int


class IpView(BaseModel):
    dedicated: bool
    ip: str
    rdns: str


class FullIp(IpView):
    enabled: bool
    ip_band: str
    is_on_warmup: bool


class FullIps(BaseModel):
    items: list[FullIp]
    total_count: int


class DomainOfIp(BaseModel):
    ips: list[str]
    domain: str


class DomainsOfIp(BaseModel):
    items: list[DomainOfIp]
    total_count: int


class DomainIps(BaseModel):
    items: list[str]
    total_count: int


class Allowed(BaseModel):
    dedicated: int
    shared: int


class AllowedIps(BaseModel):
    allowed: Allowed


class IpFilter(Form):
    dedicated: Flag = Field(False, description="Only dedicated ones.")
    enabled: Flag = Field(False, description="Only those that can be sent by.")


class DomainsFilter(FormWithoutBlanks):
    limit: int | None = Field(None, ge=0, le=LARGEST)
    skip: int = Field(0, ge=0, le=LARGEST)
    search: str = Field("", description="Words of which one is in the name.")


class Alternative(Form):
    alternative: str | None = Field(None, description="IP, or `shared`, that takes its place.")


class Band(Form):
    ip_band: str = Field(min_length=1)


class NewDomainIp(Form):
    ip: str | None = Field(None, description="IP of the account.")
    pool_id: str | None = Field(None, description="Pool whose IPs take the place of all.")


class Replacement(Form):
    ip: str | None = Field(None, description="IP, or `shared`, that takes its place.")
    pool_id: str | None = Field(None, description="Pool that takes the place of the pool.")


@router.get("/v3/ips")
async def list_ips(tx: CurrentTx, wanted: Annotated[IpFilter, form(IpFilter)]) -> AccountIps:
    """List the IPs the account sends by."""
    items = account_ips.list_ips(tx, dedicated=wanted.dedicated, enabled=wanted.enabled)
    warming = ip_warmups.list_ips(tx)
    return AccountIps(
        assignable_to_pools=[ip for ip in account_ips.free(tx) if ip in items and ip not in warming],
        details=[IpDetail(ip=ip, is_on_warmup=True if ip in warming else None) for ip in items],
        items=items,
        total_count=len(items),
    )


@router.get("/v3/ips/request/new")
async def get_allowed(tx: CurrentTx) -> AllowedIps:
    """Tell how many IPs more the account may have."""
    return AllowedIps(allowed=Allowed(dedicated=account_ips.allowed(tx), shared=0))


@router.post("/v3/ips/request/new", responses=refusals(400))
async def request_ip(tx: CurrentTx) -> Done:
    """Give the account a dedicated IP; domains send by it once it is assigned to them."""
    account_ips.order(tx)
    return Done(message="success")


@router.get("/v3/ips/details/all")
async def list_details(tx: CurrentTx) -> FullIps:
    """Tell everything about each IP of the account."""
    own = {each.ip: each for each in account_ips.list_dedicated(tx)}
    items = [
        FullIp(
            **describe(tx, ip).model_dump(),
            enabled=own[ip].enabled if ip in own else True,
            ip_band=own[ip].band if ip in own else "",
            is_on_warmup=ip_warmups.is_on_warmup(tx, ip),
        )
        for ip in account_ips.list_ips(tx)
    ]
    return FullIps(items=items, total_count=len(items))


def describe(tx: Tx, ip: str) -> IpView:
    return IpView(dedicated=ip != shared_ip(tx.account_id), ip=ip, rdns=reverse_name(ip))


@router.get("/v3/ips/{ip}", responses=refusals(404))
async def get_ip(tx: CurrentTx, ip: str) -> IpView:
    """Tell about an IP of the account."""
    account_ips.check(tx, ip)
    return describe(tx, ip)


@router.get("/v3/ips/{ip}/domains", responses=REFUSALS)
@router.get("/v3/ips/domains/{ip}", responses=REFUSALS, include_in_schema=False)
async def list_domains_of_ip(
    tx: CurrentTx, ip: str, wanted: Annotated[DomainsFilter, form(DomainsFilter)]
) -> DomainsOfIp:
    """List the account's domains that send by an IP, by their ids."""
    account_ips.check(tx, ip)
    found, total = domain_ips.list_by_ip(tx, ip, wanted.search, wanted.skip, wanted.limit)
    items = [DomainOfIp(ips=domain_ips.list_ips(each), domain=each.name) for each in found]
    return DomainsOfIp(items=items, total_count=total)


@router.post("/v3/ips/{ip}/domains", responses=REFUSALS)
async def assign_to_all_domains(tx: CurrentTx, ip: str) -> Started:
    """Let all of the account's domains send by an IP, except those that are linked to a pool."""
    account_ips.check(tx, ip)
    account_ips.check_usable(tx, [ip])
    return Started(reference_id=ip_moves.start(tx, "add", ip))


@router.delete("/v3/ips/{ip}/domains", responses=REFUSALS)
async def remove_from_all_domains(
    tx: CurrentTx, ip: str, asked: Annotated[Alternative, form(Alternative)]
) -> Started:
    """Let no domain send by an IP, except those that are linked to a pool."""
    account_ips.check(tx, ip)
    return Started(reference_id=ip_moves.start(tx, "remove", ip, ips_instead(tx, asked.alternative)))


def ips_instead(tx: Tx, ip: str | None) -> list[str]:
    """Those that take the place of what is removed; the shared one may stand beside others."""
    return (ip_pools.replacement(tx, ip, None)[0] or [shared_ip(tx.account_id)]) if ip else []


@router.post("/v3/ips/{addr}/ip_band", responses=REFUSALS)
async def set_band(tx: CurrentTx, addr: str, asked: Annotated[Band, form(Band)]) -> Done:
    """Place a dedicated IP into a band."""
    account_ips.get_dedicated(tx, addr).band = asked.ip_band
    return Done(message="success")


@router.get("/v3/domains/{domain}/ips", responses=refusals(404))
@router.get("/v4/domains/{domain}/ips", responses=refusals(404))
async def list_domain_ips(domain: CurrentDomain) -> DomainIps:
    """List the IPs a domain sends by."""
    items = domain_ips.list_ips(domain)
    return DomainIps(items=items, total_count=len(items))


@router.post("/v3/domains/{domain}/ips", responses=REFUSALS)
@router.post("/v4/domains/{domain}/ips", responses=REFUSALS)
async def assign_domain_ip(
    tx: CurrentTx, domain: CurrentDomain, asked: Annotated[NewDomainIp, form(NewDomainIp)]
) -> Done:
    """Let a domain send by one IP more, or by those of a pool and no others."""
    if bool(asked.ip) == bool(asked.pool_id):
        raise domain_ips.OneReplacement
    if asked.pool_id:
        domain_ips.link(tx, domain, asked.pool_id)
    else:
        domain_ips.add(tx, domain, str(asked.ip))
    return Done(message="success")


@router.delete("/v3/domains/{domain}/ips/{ip}", responses=REFUSALS)
@router.delete("/v4/domains/{domain}/ips/{ip}", responses=REFUSALS)
@router.delete("/v3/domains/{domain}/pool/{ip}", operation_id="remove_domain_ip_by_pool", responses=REFUSALS)
async def remove_domain_ip(
    tx: CurrentTx, domain: CurrentDomain, ip: str, asked: Annotated[Replacement, form(Replacement)]
) -> Done:
    """Take an IP from a domain, or `all` of them; `ip_pool` unlinks its pool, for another or for an IP."""
    remove(tx, domain, ip, asked)
    return Done(message="success")


def remove(tx: Tx, domain: Domain, ip: str, asked: Replacement) -> None:
    match ip:
        case "all":
            domain_ips.remove_all(tx, domain)
        case "ip_pool":
            domain_ips.unlink(tx, domain, asked.ip, asked.pool_id)
        case _:
            domain_ips.remove(tx, domain, ip, ips_instead(tx, asked.ip))
