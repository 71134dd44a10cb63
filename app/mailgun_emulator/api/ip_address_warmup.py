"""IP Address Warmup: new IPs send more from stage to stage (facts/account.md, 5.4)."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mailgun_emulator.mail.dates import rfc3339
from mailgun_emulator.state import dynamic_pools, ip_warmups
from mailgun_emulator.state.ip_warmups import STAGES, IpWarmup, Stage
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import CurrentFields
from mailgun_emulator.web.paging import link, number
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["IP Address Warmup"])


class WarmupView(BaseModel):
    """`stage_number` counts from 1; `throttle` is what the IP may still send in this hour."""

    ip: str
    sent_within_stage: str
    throttle: int
    stage_number: int
    stage_start_volume: int
    stage_start_time: str
    stage_volume_limit: int


class WarmupPaging(BaseModel):
    first: str
    next: str


class WarmupList(BaseModel):
    items: list[WarmupView]
    paging: WarmupPaging


class StageView(BaseModel):
    first_updated_at: str
    completed_at: str
    limit: int


class WarmupDetails(BaseModel):
    """`stage` counts from 0; stages that are over are in `stage_history`."""

    sent_within_stage: str
    throttle: int
    start_volume: int
    stage: int
    stage_limit: int
    hourly_limit: int
    stage_started_at: str
    hour_started_at: str
    plan_started_at: str
    plan_last_updated_at: str
    total_stages: int
    stage_history: list[StageView]


class DetailedWarmup(BaseModel):
    details: WarmupDetails


def percent(warmup: IpWarmup) -> str:
    return f"{warmup.sent * 100 // warmup.limit}%"


def view(warmup: IpWarmup) -> WarmupView:
    return WarmupView(
        ip=warmup.ip,
        sent_within_stage=percent(warmup),
        throttle=warmup.throttle,
        stage_number=warmup.stage + 1,
        stage_start_volume=warmup.start_volume,
        stage_start_time=rfc3339(warmup.stage_started_at),
        stage_volume_limit=warmup.limit,
    )


def stage_view(stage: Stage) -> StageView:
    return StageView(
        first_updated_at=rfc3339(stage.first_sent_at),
        completed_at=rfc3339(stage.completed_at),
        limit=stage.limit,
    )


@router.get("/v3/ip_warmups", responses=refusals(400))
async def list_ip_warmups(tx: CurrentTx, request: Request, fields: CurrentFields) -> WarmupList:
    """List the plans in progress; `page` is what the link to the next page has."""
    limit, after = number(fields, "limit", 10, 1, 1000), str(fields.first("page") or "")
    found = [each for each in ip_warmups.list_all(tx) if each.ip > after][:limit]
    more = {"page": found[-1].ip if found else after} if found or after else {}
    first, following = link(request, limit=limit), link(request, limit=limit, **more)
    return WarmupList(items=[view(each) for each in found], paging=WarmupPaging(first=first, next=following))


@router.get("/v3/ip_warmups/{addr}", responses=refusals(404))
async def get_ip_warmup(tx: CurrentTx, addr: str) -> DetailedWarmup:
    """Tell how far an IP's plan is."""
    warmup = ip_warmups.get(tx, addr)
    details = WarmupDetails(
        sent_within_stage=percent(warmup),
        throttle=warmup.throttle,
        start_volume=warmup.start_volume,
        stage=warmup.stage,
        stage_limit=warmup.limit,
        hourly_limit=warmup.hourly_limit,
        stage_started_at=rfc3339(warmup.stage_started_at),
        hour_started_at=rfc3339(warmup.hour_started_at),
        plan_started_at=rfc3339(warmup.started_at),
        plan_last_updated_at=rfc3339(warmup.updated_at),
        total_stages=len(STAGES),
        stage_history=[stage_view(each) for each in warmup.stages],
    )
    return DetailedWarmup(details=details)


@router.post("/v3/ip_warmups/{addr}", responses=REFUSALS)
async def create_ip_warmup(tx: CurrentTx, addr: str) -> Done:
    """Begin to warm up a dedicated IP: it sends only as much as its stage allows, other IPs send the rest."""
    ip_warmups.create(tx, addr)
    dynamic_pools.check_has_warm(tx, addr)
    return Done(message="success")


@router.delete("/v3/ip_warmups/{addr}", responses=refusals(404))
async def cancel_ip_warmup(tx: CurrentTx, addr: str) -> Done:
    """End an IP's plan; nothing limits what it sends any more."""
    ip_warmups.delete(tx, addr)
    return Done(message="success")
