"""IP Pools: dedicated IPs that domains share (facts/account.md, 5.3)."""

import base64
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline import ip_moves
from mailgun_emulator.state import domain_ips, ip_pools
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.ip_pools import IpPool
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, FormWithoutBlanks, Listed, form
from mailgun_emulator.web.paging import link
from mailgun_emulator.web.views import REFUSALS, Done, Started, only_if_set, refusals

router = APIRouter(tags=["IP Pools"])

REFUSED = refusals(400)
CHANGED = refusals(400, 404, 403)


class NothingChanges(BadRequest):
    message = "No changes requested"


class UnknownDomain(BadRequest):
    def __init__(self, domain_id: str) -> None:
        super().__init__(f"Domain {domain_id} does not belong to the account")


class Assignment(BaseModel):
    linked_at: str


class Metadata(BaseModel):
    assignments: dict[str, Assignment]


class IpPoolView(BaseModel):
    """`is_inherited` tells that it is the parent account's."""

    description: str
    ips: list[str]
    metadata: Metadata
    is_inherited: bool
    is_linked: bool
    name: str
    pool_id: str


class IpPoolList(BaseModel):
    ip_pools: list[IpPoolView]
    message: str


class PoolDetails(BaseModel):
    description: str
    ips: list[str]
    is_linked: bool
    linked_domains: list[str]
    name: str
    pool_id: str


class DescribedPool(BaseModel):
    """Some clients look for the IPs beside the details."""

    details: PoolDetails
    ips: list[str]
    message: str


class CreatedPool(BaseModel):
    message: str
    pool_id: str


class ChangedPool(BaseModel):
    """There is a `reference_id` if domains are to follow in the background."""

    message: str = "success"
    reference_id: str | None = only_if_set()


class LinkedDomain(BaseModel):
    id: str
    name: str


class IpPoolPaging(BaseModel):
    first: str
    next: str


class LinkedDomains(BaseModel):
    domains: list[LinkedDomain]
    paging: IpPoolPaging


class NewPool(Form):
    name: str = Field(min_length=1)
    description: str = ""
    ip: Listed = Field(default_factory=list, description="Dedicated IPs that are in no other pool.")
    ips: Listed = Field(default_factory=list, description="The same, separated by commas.")


class PoolChanges(Form):
    """What is left out stays as it is."""

    name: str | None = Field(None, min_length=1)
    description: str | None = None
    add_ip: Listed = Field(default_factory=list)
    remove_ip: Listed = Field(default_factory=list)
    link_domain: Listed = Field(default_factory=list, description="Ids of domains.")
    unlink_domain: Listed = Field(default_factory=list, description="Ids of domains.")


class Successor(Form):
    """One of them, unless the pool has no IPs."""

    ip: str | None = Field(None, description="IP, or `shared`, that its domains send by instead.")
    pool_id: str | None = Field(None, description="Pool that its domains are linked to instead.")


class NewIps(Form):
    ips: list[str] = Field(min_length=1)


class PageOfDomains(FormWithoutBlanks):
    limit: int = Field(10, ge=10, le=500)
    page: str = Field("0", description="Token that a page told.")

    @field_validator("page")
    @classmethod
    def _last_id(cls, token: str) -> str:
        """Of the page before; ids begin after `0`."""
        return base64.urlsafe_b64decode(token).decode()


class Delegation(Form):
    subaccount_id: str = Field(min_length=1)


def view(tx: Tx, pool: IpPool) -> IpPoolView:
    assigned = ip_pools.assignments(tx, pool.id)
    return IpPoolView(
        description=pool.description,
        ips=list(assigned),
        metadata=Metadata(
            assignments={ip: Assignment(linked_at=dates.rfc3339(int(at))) for ip, at in assigned.items()}
        ),
        is_inherited=pool.account_id != tx.account_id,
        is_linked=bool(ip_pools.list_linked(tx, pool.id)),
        name=pool.name,
        pool_id=pool.id,
    )


@router.get("/v3/ip_pools")
@router.get("/v1/ip_pools", include_in_schema=False)
async def list_pools(tx: CurrentTx) -> IpPoolList:
    """List the account's pools, and the one that a subaccount has from its parent."""
    return IpPoolList(ip_pools=[view(tx, pool) for pool in ip_pools.list_pools(tx)], message="success")


@router.post("/v3/ip_pools", responses=REFUSED)
@router.post("/v1/ip_pools", responses=REFUSED, include_in_schema=False)
async def create_pool(tx: CurrentTx, asked: Annotated[NewPool, form(NewPool)]) -> CreatedPool:
    """Make a pool of dedicated IPs."""
    pool = ip_pools.create(tx, asked.name, asked.description, [*asked.ip, *asked.ips])
    return CreatedPool(message="success", pool_id=pool.id)


@router.get("/v3/ip_pools/{pool_id}", responses=refusals(404))
async def get_pool(tx: CurrentTx, pool_id: str) -> DescribedPool:
    """Tell about a pool, with the names of the domains that send by it."""
    pool = ip_pools.get(tx, pool_id)
    ips, linked = ip_pools.list_ips(tx, pool_id), ip_pools.list_linked(tx, pool_id)
    details = PoolDetails(
        description=pool.description,
        ips=ips,
        is_linked=bool(linked),
        linked_domains=[each.name for each in linked],
        name=pool.name,
        pool_id=pool_id,
    )
    return DescribedPool(details=details, ips=ips, message="success")


@router.patch("/v3/ip_pools/{pool_id}", responses=CHANGED)
@router.patch("/v1/ip_pools/{pool_id}", responses=CHANGED, include_in_schema=False)
async def update_pool(
    tx: CurrentTx, pool_id: str, asked: Annotated[PoolChanges, form(PoolChanges)]
) -> ChangedPool:
    """Rename a pool, or change its IPs or who sends by it; domains follow in the background."""
    pool = ip_pools.get_own(tx, pool_id)
    renamed = rename(pool, asked)
    moves = [*change_ips(tx, pool, asked), *change_links(tx, pool, asked)]
    if not renamed and not moves:
        raise NothingChanges
    return ChangedPool(message="started", reference_id=moves[-1]) if moves else ChangedPool()


def rename(pool: IpPool, asked: PoolChanges) -> bool:
    """Whether that changes anything."""
    before = pool.name, pool.description
    pool.name = pool.name if asked.name is None else asked.name
    pool.description = pool.description if asked.description is None else asked.description
    return before != (pool.name, pool.description)


def change_ips(tx: Tx, pool: IpPool, asked: PoolChanges) -> list[str]:
    """The ids of what that starts."""
    added = ip_pools.add_ips(tx, pool, asked.add_ip)
    removed = ip_pools.remove_ips(tx, pool, asked.remove_ip)
    return [ip_moves.start(tx, "follow", pool.id)] if added or removed else []


def change_links(tx: Tx, pool: IpPool, asked: PoolChanges) -> list[str]:
    """The ids of what that starts."""
    domains = {each.id: each for each in domain_ips.list_all(tx)}
    for each in (*asked.link_domain, *asked.unlink_domain):
        if each not in domains:
            raise UnknownDomain(each)
    to_link = [each for each in asked.link_domain if domains[each].pool_id != pool.id]
    if to_link:
        ip_pools.replacement(tx, None, pool.id)  # refuses one without IPs
    for each in to_link:
        domain_ips.check_in_no_dynamic_pool(tx, domains[each])
    to_unlink = [each for each in asked.unlink_domain if domains[each].pool_id == pool.id]
    moves = [("link", to_link), ("unlink", to_unlink)]
    return [ip_moves.start(tx, what, pool.id, ids) for what, ids in moves if ids]


@router.delete("/v3/ip_pools/{pool_id}", responses=CHANGED)
@router.delete("/v1/ip_pools/{pool_id}", responses=CHANGED, include_in_schema=False)
async def delete_pool(tx: CurrentTx, pool_id: str, asked: Annotated[Successor, form(Successor)]) -> Started:
    """Delete a pool; its domains go over to another pool or to an IP in the background."""
    pool = ip_pools.get_own(tx, pool_id)
    ips, successor_id = successor(tx, pool, asked)
    ip_pools.remove(tx, pool, successor_id)
    return Started(reference_id=ip_moves.start(tx, "replace", pool_id, ips, successor_id))


def successor(tx: Tx, pool: IpPool, asked: Successor) -> tuple[Sequence[str], str | None]:
    if not asked.ip and not asked.pool_id and not ip_pools.list_ips(tx, pool.id):
        return [], None
    if bool(asked.ip) == bool(asked.pool_id) or asked.pool_id == pool.id:
        raise domain_ips.OneReplacement
    return ip_pools.replacement(tx, asked.ip, asked.pool_id)


@router.get("/v3/ip_pools/{pool_id}/domains", responses=REFUSALS)
async def list_linked_domains(
    request: Request, tx: CurrentTx, pool_id: str, wanted: Annotated[PageOfDomains, form(PageOfDomains)]
) -> LinkedDomains:
    """List the domains that send by a pool, by their ids."""
    linked = ip_pools.list_linked(tx, ip_pools.get(tx, pool_id).id)
    found = [each for each in linked if each.id > wanted.page][: wanted.limit]
    return LinkedDomains(
        domains=[LinkedDomain(id=each.id, name=each.name) for each in found],
        paging=paging(request, wanted, found),
    )


def paging(request: Request, wanted: PageOfDomains, found: Sequence[Domain]) -> IpPoolPaging:
    """After the last one the next page is empty, and its own next."""
    last = found[-1].id if found else wanted.page
    first, following = (base64.urlsafe_b64encode(each.encode()).decode() for each in ("0", last))
    return IpPoolPaging(
        first=link(request, page=first, limit=wanted.limit),
        next=link(request, page=following, limit=wanted.limit),
    )


@router.put("/v3/ip_pools/{pool_id}/ips/{ip}", responses=CHANGED)
async def add_ip(tx: CurrentTx, pool_id: str, ip: str) -> Started:
    """Put an IP into a pool; its domains follow in the background."""
    ip_pools.add_ips(tx, ip_pools.get_own(tx, pool_id), [ip])
    return Started(reference_id=ip_moves.start(tx, "follow", pool_id))


@router.delete("/v3/ip_pools/{pool_id}/ips/{ip}", responses=CHANGED)
async def remove_ip(tx: CurrentTx, pool_id: str, ip: str) -> Started:
    """Take an IP out of a pool; its domains follow in the background."""
    ip_pools.remove_ips(tx, ip_pools.get_own(tx, pool_id), [ip])
    return Started(reference_id=ip_moves.start(tx, "follow", pool_id))


@router.post("/v3/ip_pools/{pool_id}/ips.json", responses=CHANGED)
async def add_ips(tx: CurrentTx, pool_id: str, asked: Annotated[NewIps, form(NewIps)]) -> Started:
    """Put several IPs into a pool; its domains follow in the background."""
    ip_pools.add_ips(tx, ip_pools.get_own(tx, pool_id), asked.ips)
    return Started(reference_id=ip_moves.start(tx, "follow", pool_id))


@router.put("/v3/ip_pools/{pool_id}/delegate", responses=CHANGED)
async def delegate_pool(tx: CurrentTx, pool_id: str, asked: Annotated[Delegation, form(Delegation)]) -> Done:
    """Let a subaccount send by a pool, in place of the one it had before."""
    ip_moves.delegate(tx, pool_id, asked.subaccount_id)
    return Done(message="success")


@router.delete("/v3/ip_pools/{pool_id}/delegate", responses=CHANGED)
async def revoke_delegation(
    tx: CurrentTx, pool_id: str, asked: Annotated[Delegation, form(Delegation)]
) -> Started:
    """Let a subaccount send by a pool no longer; its domains are unlinked in the background."""
    ip_pools.get_own(tx, pool_id)
    ip_pools.check_delegated(tx, pool_id, asked.subaccount_id)
    return Started(reference_id=ip_moves.start(tx, "revoke", pool_id, asked.subaccount_id))
