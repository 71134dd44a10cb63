"""Limits: how many previews and placement tests there may be (facts/account.md, 10.2)."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from mailgun_emulator.pipeline import thresholds as checks
from mailgun_emulator.pipeline.usage_limits import COUNTED_BY
from mailgun_emulator.state import thresholds
from mailgun_emulator.state.thresholds import SUBACCOUNT, Kind, Threshold
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.thresholds import Given, HasThreshold, ThresholdForm, checked, given, head
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["Limits"])

UNITS = "Mdh"


class UsageLimitForm(ThresholdForm):
    """`period` is such as `1h`, `1d` or, for a calendar month, `1M`. What is counted is counted by subaccount."""


class LimitItem(Given, HasThreshold):
    pass


class LimitList(BaseModel):
    items: list[LimitItem]
    total: int


def columns(asked: UsageLimitForm) -> dict[str, Any]:
    return checked(asked, COUNTED_BY, [SUBACCOUNT], UNITS)


def view(tx: Tx, limit: Threshold) -> LimitItem:
    return LimitItem(**head(tx, limit), **given(limit))


@router.get("/v1/thresholds/limits")
async def list_limits(tx: CurrentTx) -> LimitList:
    """List the account's limits."""
    found = [view(tx, each) for each in thresholds.list_all(tx, Kind.LIMIT)]
    return LimitList(items=found, total=len(found))


@router.post("/v1/thresholds/limits", responses=refusals(400, 409))
async def create_limit(tx: CurrentTx, asked: Annotated[UsageLimitForm, form(UsageLimitForm)]) -> LimitItem:
    """Refuse what is counted as soon as so much of it was used up in the period."""
    return view(tx, thresholds.create(tx, Kind.LIMIT, columns(asked)))


@router.get("/v1/thresholds/limits/{name}", responses=REFUSALS)
async def get_limit(tx: CurrentTx, name: str) -> LimitItem:
    """Tell one limit."""
    return view(tx, thresholds.get(tx, Kind.LIMIT, name))


@router.put("/v1/thresholds/limits/{name}", responses=refusals(400, 404, 409))
async def update_limit(
    tx: CurrentTx, name: str, asked: Annotated[UsageLimitForm, form(UsageLimitForm)]
) -> Done:
    """Put another in its place."""
    checks.put(tx, Kind.LIMIT, name, columns(asked))
    return Done(message="success")


@router.delete("/v1/thresholds/limits/{name}", responses=REFUSALS)
async def delete_limit(tx: CurrentTx, name: str) -> Done:
    """Delete a limit; it refuses nothing more."""
    thresholds.delete(tx, Kind.LIMIT, name)
    return Done(message="success")
