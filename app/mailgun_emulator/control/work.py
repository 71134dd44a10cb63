"""Work in the background, waited for."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mailgun_emulator.web.deps import ChosenAccount
from mailgun_emulator.web.views import refusals

router = APIRouter(prefix="/_emulator", tags=["Emulator"])

REFUSALS = refusals(404)


class Drained(BaseModel):
    """How many jobs were done."""

    done: int


@router.post("/drain", responses=REFUSALS)
async def drain(request: Request, account_id: ChosenAccount) -> Drained:
    """Do all the work that is due now, deliveries and webhooks above all, and answer when it is done.

    Of the account that `account` or an API key names; without both, of all.
    """
    return Drained(done=await request.app.state.emulator.worker.drain(account_id))
