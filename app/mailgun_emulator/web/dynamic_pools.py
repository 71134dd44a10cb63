"""Dynamic IP pools, the domains in them and how they came there, as they are shown (facts/account.md, 5.5)."""

from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel

from mailgun_emulator.mail.dates import rfc3339
from mailgun_emulator.state import accounts, dynamic_pools
from mailgun_emulator.state.domain_health import Band, Health
from mailgun_emulator.state.dynamic_pool_moves import PoolMove
from mailgun_emulator.state.enrolled_domains import Enrolled
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.paging import link


class PoolView(BaseModel):
    account_id: str
    enabled: bool
    id: str
    ips: list[str]
    name: str


class PoolIps(BaseModel):
    good_reputation: list[str]
    poor_reputation: list[str]
    new_senders: list[str]


class PoolList(BaseModel):
    pools: list[PoolView]
    good_reputation: list[str]
    poor_reputation: list[str]
    new_senders: list[str]


class AssignableDomain(BaseModel):
    account_id: str
    id: str
    name: str


class AssignableDomains(BaseModel):
    items: list[AssignableDomain]


class PoolPaging(BaseModel):
    Next: str
    Previous: str
    First: str
    Last: str


class EnrolledView(BaseModel):
    """The figures are those of the last thirty days; rates are parts of one."""

    id: str
    account_id: str
    account_name: str
    name: str
    registered_at: str
    pool: str
    override: bool
    bounce_rate: float
    complaint_rate: float
    processed_count: int


class EnrolledDomains(BaseModel):
    items: list[EnrolledView]
    total_items: int
    paging: PoolPaging


class Figure(BaseModel):
    value: float | int
    band: str


class Figures(BaseModel):
    bounce_rate: Figure
    complaint_rate: Figure
    processed_count: Figure


class Preview(BaseModel):
    pool: str
    results: Figures


class MoveView(BaseModel):
    """A band is empty where the domain was, or is, in no pool."""

    id: str
    owning_account_id: str
    account_id: str
    account_name: str
    domain_id: str
    domain_name: str
    new_band: str
    prev_band: str
    reason: str
    bounce_rate: float
    complaint_rate: float
    processed_count: int
    initiated_by: str
    timestamp: str


class MoveList(BaseModel):
    items: list[MoveView]
    total_items: int
    paging: PoolPaging


def ips_of(tx: Tx) -> dict[str, list[str]]:
    """By the names that the pools have in parameters."""
    pools = dynamic_pools.find_pools(tx)
    return {
        name: pools[band].list_ips() if band in pools else []
        for name, band in zip(PoolIps.model_fields, Band, strict=True)
    }


def paging(request: Request, total: int, skip: int, limit: int, size: str = "limit") -> PoolPaging:
    """The filters stay as they are; `size` is what the parameter for the limit is called."""
    kept = [each for each in request.query_params.multi_items() if each[0] not in ("skip", size)]
    last = max(total - 1, 0) // limit * limit
    places = {
        "Next": min(skip + limit, last + limit),
        "Previous": max(skip - limit, 0),
        "First": 0,
        "Last": last,
    }
    url = link(request)
    return PoolPaging(
        **{name: f"{url}?{urlencode([*kept, (size, limit), ('skip', at)])}" for name, at in places.items()}
    )


def enrolled_view(tx: Tx, enrolled: Enrolled) -> EnrolledView:
    domain, band, row, health = enrolled
    return EnrolledView(
        id=domain.id,
        account_id=domain.account_id,
        account_name=accounts.get(tx, domain.account_id).name,
        name=domain.name,
        registered_at=rfc3339(row.registered_at),
        pool=band,
        override=row.override,
        bounce_rate=health.bounce_rate.value,
        complaint_rate=health.complaint_rate.value,
        processed_count=int(health.processed_count.value),
    )


def preview(health: Health) -> Preview:
    figures = {name: Figure(value=each.value, band=each.band) for name, each in health._asdict().items()}
    return Preview(pool=health.band, results=Figures(**figures))


def move_view(tx: Tx, move: PoolMove) -> MoveView:
    owner = accounts.get(tx, move.account_id)
    return MoveView(
        **move.model_dump(exclude={"at"}),
        owning_account_id=owner.parent_id or owner.id,
        account_name=owner.name,
        timestamp=rfc3339(move.at),
    )
