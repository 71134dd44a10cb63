"""Spam Traps that were written to (facts/account.md, 11.6, and Mailgun's documentation)."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.mail.traps import KINDS
from mailgun_emulator.state import traffic
from mailgun_emulator.state.traffic import TrapHit
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Flag, form
from mailgun_emulator.web.offset_pages import PageForm, page_of
from mailgun_emulator.web.paging import Paging
from mailgun_emulator.web.parameters import instant, one_of
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(tags=["Spam Traps"])

DEFAULT_DAYS = 7
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
Keys = Callable[[TrapHit], Iterable[str]]
Numbers = dict[str, int]


class TrapFilter(PageForm):
    """Each of the filters may be given several times."""

    domain: list[str] = Field(default=[])
    ip: list[str] = Field(default=[])
    from_: list[str] = Field(default=[], alias="from")

    def fits(self, hit: TrapHit) -> bool:
        return (
            (not self.domain or hit.domain in self.domain)
            and (not self.ip or hit.ip in self.ip)
            and (not self.from_ or any(each in hit.author for each in self.from_))
        )


class TrapTotalsForm(TrapFilter):
    """`start` and `end` are days in UTC, both included."""

    start: str = ""
    end: str = ""
    groupby: str = ""
    sortby: str = "date"
    subject: list[str] = Field(default=[])

    def fits(self, hit: TrapHit) -> bool:
        return super().fits(hit) and (not self.subject or hit.subject in self.subject)


class TrapHitsForm(TrapFilter):
    """`start` and `end` are instants; without them the last 7 days are told. `sort` is as `total:desc`."""

    start: str = ""
    end: str = ""
    dimension: str = "timestamp"
    sort: str = ""
    sender: list[str] = Field(default=[])
    include_subaccounts: Flag = False

    def fits(self, hit: TrapHit) -> bool:
        return super().fits(hit) and (not self.sender or hit.sender in self.sender)


class TrapHits(BaseModel):
    """Counts by kind of trap, with the date or the value of what they are grouped by."""

    model_config = ConfigDict(extra="allow")


class TrapHitList(BaseModel):
    items: list[TrapHits]
    paging: Paging


GROUPS: dict[str, Keys] = {
    "domain": lambda hit: (hit.domain,),
    "subject": lambda hit: (hit.subject,),
    "ip": lambda hit: (hit.ip,),
    "from": lambda hit: (hit.author,),
}
DIMENSIONS: dict[str, Keys] = {
    "timestamp": lambda hit: (dates.day(hit.at),),
    "domain_name": GROUPS["domain"],
    "ip": GROUPS["ip"],
    "sender": lambda hit: (hit.sender,),
    "from": GROUPS["from"],
    "tags": lambda hit: hit.tags or ("",),
    "subaccount": lambda hit: (hit.account_id,),
}
SORTED_BY = ("date", "totals", *GROUPS)


@router.get("/v1/spamtraps", responses=REFUSALS)
async def list_trap_totals(
    request: Request, tx: CurrentTx, asked: Annotated[TrapTotalsForm, form(TrapTotalsForm)]
) -> TrapHitList:
    """Tell how often watched domains wrote to spam traps, day by day; figures of others' domains are made up."""
    start, end = day("start", asked.start), day("end", asked.end)
    one_of("groupby", asked.groupby, ("", *GROUPS))
    one_of("sortby", asked.sortby, SORTED_BY)
    found = [each for each in hits_of(tx, start, end) if asked.fits(each)]
    by_total = asked.sortby == "totals"
    if not asked.groupby:
        told = by_day(found, by_total=by_total)
    else:
        groups = sorted(gathered(found, GROUPS[asked.groupby]).items())
        if by_total:
            groups.sort(key=lambda group: -sum(each.number for each in group[1]))
        told = [{name: by_day(hits, by_total=by_total)} for name, hits in groups]
    items, links = page_of(request, asked, told, default=100)
    return TrapHitList(items=[TrapHits(**each) for each in items], paging=links)


@router.get("/v2/spamtraps", responses=REFUSALS)
async def list_trap_hits(
    request: Request, tx: CurrentTx, asked: Annotated[TrapHitsForm, form(TrapHitsForm)]
) -> TrapHitList:
    """Tell how often watched domains wrote to spam traps, by day or else; figures of others' domains are made up."""
    end = instant("end", asked.end, tx.now, "RFC3339")
    start = instant("start", asked.start, end - DEFAULT_DAYS * DAY, "RFC3339")
    one_of("dimension", asked.dimension, DIMENSIONS)
    hits = hits_of(tx, start, end, subaccounts=asked.include_subaccounts)
    found = [each for each in hits if asked.fits(each) and each.at + DAY > start]
    name = "date" if asked.dimension == "timestamp" else asked.dimension
    groups = gathered(found, DIMENSIONS[asked.dimension])
    told: list[dict[str, Any]] = [{name: key, **numbers(group)} for key, group in groups.items()]
    field, _, order = (asked.sort or f"{asked.dimension}:asc").partition(":")
    field = name if field == asked.dimension else field
    one_of("sort", field, (name, *KINDS, "total"))
    one_of("sort", order or "asc", ("asc", "desc"))
    told.sort(key=lambda each: each[field], reverse=order == "desc")
    items, links = page_of(request, asked, told, default=100)
    return TrapHitList(items=[TrapHits(**each) for each in items], paging=links)


def hits_of(tx: CurrentTx, start: float, end: float, *, subaccounts: bool = False) -> list[TrapHit]:
    try:
        span = traffic.days(tx, start, end)
    except ValueError:
        raise BadRequest("start must be before end") from None
    return traffic.list_trap_hits(tx, span, subaccounts=subaccounts)


def gathered(hits: Iterable[TrapHit], keys: Keys) -> dict[str, list[TrapHit]]:
    found: dict[str, list[TrapHit]] = {}
    for hit in hits:
        for key in keys(hit):
            found.setdefault(key, []).append(hit)
    return found


def numbers(hits: Iterable[TrapHit]) -> Numbers:
    found = dict.fromkeys(KINDS, 0)
    for hit in hits:
        found[hit.kind] += hit.number
    return {**found, "total": sum(found.values())}


def by_day(hits: Iterable[TrapHit], *, by_total: bool) -> list[dict[str, Any]]:
    """Days without a hit are left out, but for those between others."""
    groups = gathered(hits, DIMENSIONS["timestamp"])
    if groups:
        first, last = (dates.parse(each) for each in (min(groups), max(groups)))
        every = [dates.day(first + n * DAY) for n in range(int((last - first) // DAY) + 1)]
        groups = {date: groups.get(date, []) for date in every}
    told: list[dict[str, Any]] = [{"date": date, **numbers(group)} for date, group in groups.items()]
    return sorted(told, key=lambda each: -each["total"]) if by_total else told


def day(name: str, text: str) -> float:
    if not text:
        raise BadRequest(f"{name} is required")
    try:
        return dates.parse(text if _DATE(text) else "")
    except ValueError:
        raise BadRequest(f"{name} must be a date in format YYYY-MM-DD") from None
