"""Alerts: what is told when a figure passes a threshold (facts/account.md, 10.1)."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mailgun_emulator.pipeline import alerting
from mailgun_emulator.pipeline import thresholds as checks
from mailgun_emulator.state import accounts, alert_settings, threshold_hits, thresholds
from mailgun_emulator.state.alert_settings import Channel
from mailgun_emulator.state.threshold_hits import ThresholdHit
from mailgun_emulator.state.thresholds import SUBACCOUNT, Kind, Threshold
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.analytics import Texts
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import form
from mailgun_emulator.web.hints import hint
from mailgun_emulator.web.statistics import NotValid
from mailgun_emulator.web.thresholds import (
    Dimension,
    Given,
    HasThreshold,
    ThresholdForm,
    checked,
    given,
    head,
    moment,
    whose,
)
from mailgun_emulator.web.views import REFUSALS, Done, only_if_set, refusals

router = APIRouter(tags=["Alerts"])

UNITS = "hd"


class AlertForm(ThresholdForm):
    """`alert_channels` are email, slack and webhook; `period` is such as `1h` or `1d`."""

    alert_channels: Texts = Field(default=[])


class HasChannels(HasThreshold):
    alert_channels: list[str]


class AlertView(Given, HasChannels):
    pass


class AlertList(BaseModel):
    items: list[AlertView]
    total: int


class HitView(BaseModel):
    """`dimension_value` is whose figure `latest_value` is; a subaccount is told by its name."""

    id: str
    name: str
    created_at: str
    updated_at: str
    triggered: bool
    expires_at: str
    latest_value: str
    metric: str
    comparator: str
    limit: str
    parent_account_id: str
    subaccount_id: str | None = only_if_set()
    dimension: str
    dimension_value: str


class HitList(BaseModel):
    items: list[HitView]
    total: int


def columns(asked: AlertForm) -> dict[str, Any]:
    channels = list(dict.fromkeys(each for each in asked.alert_channels if each))
    for each in channels:
        if each not in list(Channel):
            raise NotValid("alert channel", each)
    return {
        **checked(asked, checks.RATES, list(Dimension), UNITS),
        "alert_channels": orjson.dumps(channels).decode(),
    }


def hint_at_silence(request: Request, tx: Tx, alert: Threshold) -> None:
    """Letters at least go to the master user."""
    known = {Channel.EMAIL, *(each.channel for each in alert_settings.list_all(tx))}
    for each in orjson.loads(alert.alert_channels):
        if each not in known:
            hint(request, f"Nothing is told by `{each}` until POST /v1/alerts/settings/events says where to")
        elif each == Channel.SLACK and alerting.is_kept_from_slack(tx):
            hint(request, alerting.KEPT)


def view(tx: Tx, alert: Threshold) -> AlertView:
    channels = orjson.loads(alert.alert_channels)
    return AlertView(**head(tx, alert), alert_channels=channels, **given(alert))


def hit_view(tx: Tx, hit: ThresholdHit, threshold: Threshold, names: dict[str, str]) -> HitView:
    value = hit.dimension_value
    is_account = threshold.dimension == SUBACCOUNT
    return HitView(
        id=hit.id,
        name=threshold.name,
        created_at=moment(hit.created_at),
        updated_at=moment(hit.updated_at),
        triggered=hit.triggered,
        expires_at=moment(hit.expires_at),
        latest_value=hit.latest_value,
        metric=threshold.metric,
        comparator=threshold.comparator,
        limit=threshold.limit,
        **whose(tx),
        dimension=threshold.dimension,
        dimension_value=names.get(value, value) if is_account else value,
    )


@router.get("/v1/thresholds/alerts/send", responses=refusals(400))
async def list_send_alerts(tx: CurrentTx) -> AlertList:
    """List the account's alerts."""
    found = [view(tx, each) for each in thresholds.list_all(tx, Kind.ALERT)]
    return AlertList(items=found, total=len(found))


@router.post("/v1/thresholds/alerts/send", responses=refusals(400, 409))
async def create_send_alert(
    request: Request, tx: CurrentTx, asked: Annotated[AlertForm, form(AlertForm)]
) -> AlertView:
    """Have a rate watched; who passes the threshold is told of by the channels, once each time."""
    made = thresholds.create(tx, Kind.ALERT, columns(asked))
    checks.check_soon(tx)
    hint_at_silence(request, tx, made)
    return view(tx, made)


@router.get("/v1/thresholds/alerts/send/{name}", responses=REFUSALS)
async def get_send_alert(tx: CurrentTx, name: str) -> AlertView:
    """Tell one alert."""
    return view(tx, thresholds.get(tx, Kind.ALERT, name))


@router.put("/v1/thresholds/alerts/send/{name}", responses=refusals(400, 404, 409))
async def update_send_alert(
    request: Request, tx: CurrentTx, name: str, asked: Annotated[AlertForm, form(AlertForm)]
) -> Done:
    """Put another in its place; what it had hit is forgotten if something else is watched now."""
    changed = checks.put(tx, Kind.ALERT, name, columns(asked))
    checks.check_soon(tx)
    hint_at_silence(request, tx, changed)
    return Done(message="success")


@router.delete("/v1/thresholds/alerts/send/{name}", responses=REFUSALS)
async def delete_send_alert(tx: CurrentTx, name: str) -> Done:
    """Delete an alert with its hits."""
    thresholds.delete(tx, Kind.ALERT, name)
    return Done(message="success")


@router.get("/v1/thresholds/hits")
async def list_hits(tx: CurrentTx) -> HitList:
    """List who passes the account's alerts and limits, and who did until lately."""
    checks.check_limits(tx)
    names = accounts.names(tx)
    found = [hit_view(tx, *each, names) for each in threshold_hits.list_all(tx)]
    return HitList(items=found, total=len(found))
