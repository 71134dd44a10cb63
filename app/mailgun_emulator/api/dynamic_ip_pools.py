"""Dynamic IP Pools: domains send by IPs that fit their reputation (facts/account.md, 5.5)."""

from operator import attrgetter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions import patterns
from mailgun_emulator.mail import dates
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.state import (
    account_ips,
    accounts,
    domain_health,
    dynamic_pool_moves,
    dynamic_pools,
    enrolled_domains,
    ip_pools,
    keys,
    subaccounts,
)
from mailgun_emulator.state.account_ips import SHARED
from mailgun_emulator.state.domain_health import Band
from mailgun_emulator.state.domains import Domain, DomainNotFound
from mailgun_emulator.state.dynamic_pool_moves import Wanted
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.dynamic_pools import (
    AssignableDomain,
    AssignableDomains,
    EnrolledDomains,
    MoveList,
    MoveView,
    PoolIps,
    PoolList,
    PoolView,
    Preview,
    enrolled_view,
    ips_of,
    move_view,
    paging,
    preview,
)
from mailgun_emulator.web.forms import LARGEST, Flag, Form, Listed, form
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["Dynamic IP Pools"])

MOST = 100
"""Items on a page."""


class OneReplacement(BadRequest):
    message = "Either replacement_ip or replacement_pool_id must be specified, but not both"


class SharedAndOthers(BadRequest):
    message = "replacement_ip can be specified multiple times only if all IPs are dedicated"


class InvalidPattern(BadRequest):
    message = "Invalid parameter: domain is invalid"


class InvalidParameter(BadRequest):
    """Told as the published example has it."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(value)
        self._told: dict[str, object] = {"Field": field, "Value": value}

    def body(self) -> dict[str, object]:
        return self._told


class ParameterFault(BaseModel):
    Field: str
    Value: str


class AllPoolsForm(Form):
    """IPs, each a parameter of its own or with commas between them."""

    good_reputation: Listed
    poor_reputation: Listed
    new_senders: Listed


class ChangedPoolForm(Form):
    add_ip: Listed = Field(default=[])
    remove_ip: Listed = Field(default=[])


class EnrollForm(Form):
    replacement_ip: str = Field(
        "", description="One of the account's IPs, or `shared`. It makes no difference."
    )


class RemovalForm(Form):
    """One of both."""

    replacement_ip: Listed = Field(default=[], description="IPs, or `shared`.")
    replacement_pool_id: str = ""


class EnrollAllForm(Form):
    include_subaccounts: Flag = False


class AssignableForm(Form):
    subaccount_id: str = ""
    domain: str = Field("", description="A regular expression to be found in the name.")


class OverrideForm(Form):
    pool: str = ""


class EnrolledForm(Form):
    limit: int = Field(MOST, ge=1, le=MOST)
    skip: int = Field(0, ge=0, le=LARGEST, description="What the links to the other pages have.")
    account: list[str] = Field(default=[])
    pool: list[Band] = Field(default=[])
    sort_by: Literal["bounce_rate", "complaint_rate", "name"] = "name"
    sort_order: Literal["ascending", "descending"] = "ascending"


def instant(value: Any) -> Any:
    return dates.parse(value) if value else None


Instant = Annotated[float | None, BeforeValidator(instant), WithJsonSchema({"type": "string"})]
"""As `Mon, 02 Jan 2006 15:04:05 MST`."""


class HistoryForm(Form):
    limit: int = Field(MOST, alias="Limit", ge=1, le=MOST)
    skip: int = Field(0, ge=0, le=LARGEST, description="What the links to the other pages have.")
    include_subaccounts: Flag = False
    domain: str = ""
    before: Instant = None
    after: Instant = None
    moved_to: Band | None = None
    moved_from: Band | None = None


async def found_domain(domain: str, tx: CurrentTx) -> Domain:
    """The domain that the path names, of the account or of a subaccount; 404 `Domain not found`."""
    found = subaccounts.find_domain(tx, domain)
    if found is None:
        raise DomainNotFound
    return found


FoundDomain = Annotated[Domain, Depends(found_domain)]


async def initiator(request: Request, tx: CurrentTx) -> str:
    """Whose API key it is, as far as that is known."""
    key = keys.find(tx, request.scope.get("mailgun_key_id", ""))
    return (key.requestor if key else None) or "api"


Initiator = Annotated[str, Depends(initiator)]


@router.get("/v3/dynamic_pools")
async def list_dynamic_pools(tx: CurrentTx) -> PoolList:
    """List the three pools with their IPs; nothing as long as they were not made."""
    pools = [
        PoolView(account_id=each.account_id, enabled=True, id=each.id, ips=each.list_ips(), name=each.name)
        for each in dynamic_pools.find_pools(tx).values()
    ]
    return PoolList(pools=pools, **ips_of(tx))


@router.post("/v3/dynamic_pools/all", responses=refusals(400))
async def set_all_dynamic_pools(tx: CurrentTx, asked: Annotated[AllPoolsForm, form(AllPoolsForm)]) -> PoolIps:
    """Make the three pools, or replace the IPs of all; domains in them send by the new ones from now on."""
    wanted = (asked.good_reputation, asked.poor_reputation, asked.new_senders)
    dynamic_pools.put_all(tx, dict(zip(Band, wanted, strict=True)))
    return PoolIps(**ips_of(tx))


@router.delete("/v3/dynamic_pools/all", responses=refusals(400))
async def delete_all_dynamic_pools(tx: CurrentTx) -> Done:
    """Delete the three pools, which no domain may be in any more."""
    dynamic_pools.delete_all(tx)
    return Done(message="success")


@router.patch("/v3/dynamic_pools/{pool_name}", responses=REFUSALS)
async def update_dynamic_pool(
    tx: CurrentTx, pool_name: str, asked: Annotated[ChangedPoolForm, form(ChangedPoolForm)]
) -> Done:
    """Add IPs to a pool and remove others; its domains send by what is in it from now on."""
    dynamic_pools.change(tx, pool_name, asked.add_ip, asked.remove_ip)
    return Done(message="success")


@router.post("/v3/dynamic_pools/{pool_name}/{ip}", responses=REFUSALS)
async def add_ip_to_dynamic_pool(tx: CurrentTx, pool_name: str, ip: str) -> Done:
    """Add a dedicated IP to a pool."""
    dynamic_pools.change(tx, pool_name, [ip])
    return Done(message="success")


@router.post("/v3/domains/{domain}/dynamic_pools", responses=REFUSALS)
@router.post("/v3/domains/{domain}/dynamic/pools", include_in_schema=False)
async def enroll_domain(
    tx: CurrentTx, domain: FoundDomain, by: Initiator, asked: Annotated[EnrollForm, form(EnrollForm)]
) -> Done:
    """Let a domain send by the pool that its health is fit for, which is checked once a day."""
    if asked.replacement_ip not in ("", SHARED):
        account_ips.check_usable(tx, [asked.replacement_ip])
    enrolled_domains.enroll(tx, domain, by)
    return Done(message="success")


@router.delete("/v3/domains/{domain}/dynamic_pools", responses=REFUSALS)
@router.delete("/v3/domains/{domain}/dynamic/pools", include_in_schema=False)
async def remove_domain_from_dynamic_pools(
    tx: CurrentTx, domain: FoundDomain, by: Initiator, asked: Annotated[RemovalForm, form(RemovalForm)]
) -> Done:
    """Let a domain send by other IPs, or by a dedicated pool, whatever its health is."""
    ips = asked.replacement_ip
    if bool(ips) == bool(asked.replacement_pool_id):
        raise OneReplacement
    if len(ips) > 1 and not {SHARED, shared_ip(domain.account_id)}.isdisjoint(ips):
        raise SharedAndOthers
    enrolled_domains.remove(tx, domain, ips, asked.replacement_pool_id or None, by)
    return Done(message="success")


@router.get("/v3/domains/dynamic_pools/assignable", responses=REFUSALS)
async def list_assignable_domains(
    tx: CurrentTx, asked: Annotated[AssignableForm, form(AssignableForm)]
) -> AssignableDomains:
    """List the domains, of the account or of a subaccount, that could be enrolled."""
    if asked.subaccount_id not in ("", tx.account_id):
        ip_pools.check_subaccount(tx, asked.subaccount_id)
    found = enrolled_domains.list_assignable(tx, asked.subaccount_id or tx.account_id)
    try:
        names = frozenset(patterns.found_in(asked.domain, [each.name for each in found]))
    except patterns.BadPattern:
        raise InvalidPattern from None
    items = [each for each in found if each.name in names]
    return AssignableDomains(
        items=[AssignableDomain(account_id=each.account_id, id=each.id, name=each.name) for each in items]
    )


@router.post("/v3/domains/all/dynamic_pools/enroll", responses=REFUSALS)
async def enroll_all_domains(
    tx: CurrentTx, by: Initiator, asked: Annotated[EnrollAllForm, form(EnrollAllForm)]
) -> Done:
    """Enroll all domains of the account, and of its subaccounts if that is asked for, in the background."""
    enrolled_domains.start_enrolling_all(tx, by, subaccounts=asked.include_subaccounts)
    return Done(message="started")


@router.get("/v1/dynamic_pools/domains", responses=refusals(400))
async def list_enrolled_domains(
    tx: CurrentTx, request: Request, asked: Annotated[EnrolledForm, form(EnrolledForm)]
) -> EnrolledDomains:
    """List the enrolled domains of the account and its subaccounts with the figures that their health is told by."""
    whose = [each for each in accounts.names(tx) if not asked.account or each in asked.account]
    found = [enrolled_view(tx, each) for each in enrolled_domains.list_enrolled(tx, whose, asked.pool)]
    found.sort(key=attrgetter(asked.sort_by), reverse=asked.sort_order == "descending")
    return EnrolledDomains(
        items=found[asked.skip : asked.skip + asked.limit],
        total_items=len(found),
        paging=paging(request, len(found), asked.skip, asked.limit),
    )


@router.get("/v1/dynamic_pools/domains/{domain}/preview", responses=refusals(404))
async def preview_domain_assignment(tx: CurrentTx, domain: FoundDomain) -> Preview:
    """Tell which pool a domain's health is fit for by now; nothing changes."""
    return preview(domain_health.examine(tx, domain))


@router.get("/v1/dynamic_pools/domains/{domain}/history", responses=refusals(404))
async def get_domain_history(tx: CurrentTx, domain: FoundDomain) -> MoveView:
    """Tell when and why a domain last came into another pool."""
    return move_view(tx, dynamic_pool_moves.get_last(tx, domain))


@router.put(
    "/v1/dynamic_pools/domains/{domain}/override",
    responses={400: {"model": ParameterFault}, 404: {"model": Done}},
)
async def override_domain_assignment(
    tx: CurrentTx, domain: FoundDomain, by: Initiator, asked: Annotated[OverrideForm, form(OverrideForm)]
) -> Done:
    """Put a domain into a pool where it stays, whatever its health is."""
    if asked.pool not in list(Band):
        raise InvalidParameter("pool", asked.pool)
    if dynamic_pools.find_band(tx, domain) is None:
        raise InvalidParameter("domain", domain.name)
    enrolled_domains.override(tx, domain, Band(asked.pool), by)
    return Done(message="success")


@router.delete("/v1/dynamic_pools/domains/{domain}/override", responses=REFUSALS)
async def remove_domain_override(tx: CurrentTx, domain: FoundDomain, by: Initiator) -> Done:
    """Let a domain's health count again, at once."""
    enrolled_domains.end_override(tx, domain, by)
    return Done(message="success")


@router.get("/v1/dynamic_pools/history", responses=refusals(400))
async def list_account_history(
    tx: CurrentTx, request: Request, asked: Annotated[HistoryForm, form(HistoryForm)]
) -> MoveList:
    """List when and why domains came into which pool, the newest first."""
    whose = list(accounts.names(tx)) if asked.include_subaccounts else [tx.account_id]
    wanted = Wanted(
        whose,
        asked.domain.lower(),
        asked.after,
        asked.before,
        asked.moved_to or "",
        asked.moved_from or "",
    )
    found, total = dynamic_pool_moves.list_moves(tx, wanted, asked.skip, asked.limit)
    return MoveList(
        items=[move_view(tx, each) for each in found],
        total_items=total,
        paging=paging(request, total, asked.skip, asked.limit, "Limit"),
    )
