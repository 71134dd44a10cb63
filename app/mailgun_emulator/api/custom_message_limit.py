"""Custom Message Limit: how much an account sends in a month (facts/account.md, 9.2)."""

from typing import Annotated

from fastapi import APIRouter

from mailgun_emulator.state import message_limits
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.message_limits import LimitForm, LimitView, limit_view
from mailgun_emulator.web.views import Succeeded, refusals

router = APIRouter(tags=["Custom Message Limit"])


@router.get("/v5/accounts/limit/custom/monthly", responses=refusals(404))
async def get_message_limit(tx: CurrentTx) -> LimitView:
    """Tell how many messages the account may send in a month, and how many it and its subaccounts sent in this one."""
    return limit_view(message_limits.get(tx))


@router.put("/v5/accounts/limit/custom/monthly", responses=refusals(400))
async def update_message_limit(tx: CurrentTx, asked: Annotated[LimitForm, form(LimitForm)]) -> Succeeded:
    """Say how many messages the account may send in a month; then it is disabled for the rest of it."""
    message_limits.put(tx, asked.limit)
    return Succeeded(success=True)


@router.delete("/v5/accounts/limit/custom/monthly", responses=refusals(400))
async def delete_message_limit(tx: CurrentTx) -> Succeeded:
    """Let the account send as much as it likes."""
    message_limits.delete(tx)
    return Succeeded(success=True)


@router.put("/v5/accounts/limit/custom/enable", responses=refusals(400))
async def enable_account(tx: CurrentTx) -> Succeeded:
    """Enable the account that has used up its limit for the rest of the month."""
    message_limits.lift(tx)
    return Succeeded(success=True)
