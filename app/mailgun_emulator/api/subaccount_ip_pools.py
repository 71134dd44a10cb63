"""What IPs and pools a subaccount sends by (facts/account.md, 8)."""

from typing import Annotated, ClassVar

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.pipeline import ip_moves
from mailgun_emulator.state import account_ips, ip_pools
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.views import REFUSALS, Done, Started, refusals

router = APIRouter(tags=["Other"])

INVALID = "invalid request parameters"


class InvalidParameters(BadRequest):
    message = INVALID


class DelegatedPool(BaseModel):
    pool_id: str | None
    subaccount_id: str


class DelegatedPools(BaseModel):
    items: list[DelegatedPool]
    total_count: int


class PoolOfSubaccount(Form):
    missing: ClassVar[str] = INVALID
    invalid: ClassVar[str] = INVALID
    pool_id: str = Field(min_length=1, description="A pool of the parent account.")


class IpOfSubaccount(Form):
    missing: ClassVar[str] = INVALID
    invalid: ClassVar[str] = INVALID
    ip: str = Field(min_length=1, description="A dedicated IP of the parent account.")


def check_own_pool(tx: Tx, pool_id: str) -> None:
    pool = ip_pools.find(tx, pool_id)
    if pool is None or pool.account_id != tx.account_id:
        raise InvalidParameters


@router.get("/v5/accounts/subaccounts/ip_pools/all", responses=refusals(404))
async def list_delegated_pools(tx: CurrentTx) -> DelegatedPools:
    """List the subaccounts that have a pool of the account's, which is no subaccount itself."""
    if tx.parent_id is not None:
        raise ip_pools.SubaccountNotFound
    found = ip_pools.list_delegations(tx)
    items = [DelegatedPool(pool_id=each.pool_id, subaccount_id=each.account_id) for each in found]
    return DelegatedPools(items=items, total_count=len(items))


@router.put("/v5/accounts/subaccounts/{subaccount_id}/ip_pool", responses=REFUSALS)
async def delegate_pool(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[PoolOfSubaccount, form(PoolOfSubaccount)]
) -> Started:
    """Let a subaccount send by a pool, in place of the one it had before, in the background."""
    ip_pools.check_subaccount(tx, subaccount_id)
    check_own_pool(tx, asked.pool_id)
    return Started(reference_id=ip_moves.start(tx, "delegate", asked.pool_id, subaccount_id))


@router.delete("/v5/accounts/subaccounts/{subaccount_id}/ip_pool", responses=REFUSALS)
async def revoke_pool(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[PoolOfSubaccount, form(PoolOfSubaccount)]
) -> Started:
    """Let a subaccount send by a pool no longer; its domains are unlinked in the background."""
    ip_pools.check_subaccount(tx, subaccount_id)
    if ip_pools.delegated_to(tx, subaccount_id) != asked.pool_id:
        raise InvalidParameters
    return Started(reference_id=ip_moves.start(tx, "revoke", asked.pool_id, subaccount_id))


@router.put("/v5/accounts/subaccounts/{subaccount_id}/ip", responses=REFUSALS)
async def link_ip(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[IpOfSubaccount, form(IpOfSubaccount)]
) -> Done:
    """Let a subaccount have a dedicated IP of the account's, too; it is in no pool."""
    ip_pools.check_subaccount(tx, subaccount_id)
    own = account_ips.find_dedicated(tx, asked.ip)
    if own is None or not own.enabled or ip_pools.is_taken(tx, asked.ip):
        raise InvalidParameters
    account_ips.share(tx, [asked.ip], subaccount_id)
    return Done(message="success")
