"""Maverick Score: how healthy an account's mail is (facts/account.md, 11.6, and Mailgun's documentation).

Of the last 30 days. Each rate takes as many points from 100: bounces, full mailboxes and refusals for which the sender
is to blame by the percent of what was tried, complaints and hits of spam traps by the thousandth of what was delivered.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state import traffic
from mailgun_emulator.state.traffic import Numbers, Traffic
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Flag, Form, form
from mailgun_emulator.web.parameters import one_of, whole
from mailgun_emulator.web.views import ReasonGiven

router = APIRouter(tags=["Maverick Score"])

DAYS = 30
MOST = 100


class Unprocessable(MailgunError):
    status = 422
    key = "Reason"


class TotalScoreForm(Form):
    include_subaccounts: Flag = True


class GroupedScoreForm(TotalScoreForm):
    """`term` is as `domain:example.com`; `query` is the same, where a part of the name will do."""

    skip: str = "0"
    limit: str = "10"
    group: str = "domain"
    term: list[str] = Field(default=[])
    query: str = ""
    sort: str = ""


class ScoreRates(BaseModel):
    bounce_rate: int
    complaint_rate: int
    trap_rate: int
    full_mailbox_rate: int
    bad_failure_rate: int


class ScoreCounters(BaseModel):
    delivered: int


class TotalScore(BaseModel):
    score: int
    rates: ScoreRates
    counters: ScoreCounters


class GroupScore(BaseModel):
    group_key: str
    account_id: str
    score: int
    rates: ScoreRates
    counters: ScoreCounters


class GroupedScores(BaseModel):
    items: list[GroupScore]
    total: int


GROUPS: dict[str, Callable[[Traffic], str]] = {
    "domain": lambda each: each.domain,
    "ip": lambda each: each.ip,
    "subaccount": lambda each: each.account_id,
    "timestamp": lambda each: dates.day(each.day),
}
TERMS = {**GROUPS, "account_id": GROUPS["subaccount"]}
SORTED_BY = (*GROUPS, "score", *ScoreRates.model_fields, "delivered")


@router.get("/v1/maverick-score/total")
async def get_total_score(
    tx: CurrentTx, asked: Annotated[TotalScoreForm, form(TotalScoreForm)]
) -> TotalScore:
    """Tell how healthy the account's mail is, from 0 to 100, and why; figures of others' domains are made up."""
    numbers = traffic.total(of_last_days(tx, subaccounts=asked.include_subaccounts))
    rates = rates_of(numbers)
    return TotalScore(score=score_of(rates), rates=rates, counters=ScoreCounters(delivered=numbers.delivered))


@router.get("/v1/maverick-score/grouped", responses={422: {"model": ReasonGiven}})
async def list_grouped_scores(
    tx: CurrentTx, asked: Annotated[GroupedScoreForm, form(GroupedScoreForm)]
) -> GroupedScores:
    """Tell how healthy the mail of each domain, IP, subaccount or day is; figures of others' domains are made up."""
    skip = whole("skip", asked.skip, Unprocessable)
    limit = whole("limit", asked.limit, Unprocessable, 1, MOST)
    one_of("group", asked.group, GROUPS, Unprocessable)
    field, _, order = (asked.sort or asked.group).partition(":")
    one_of("sort", field, SORTED_BY, Unprocessable)
    one_of("sort", order or "asc", ("asc", "desc"), Unprocessable)
    found = [view(*key, numbers) for key, numbers in grouped(tx, asked).items()]
    found.sort(key=lambda one: sorted_by(one, field), reverse=order == "desc")
    return GroupedScores(items=found[skip : skip + limit], total=len(found))


def grouped(tx: Tx, asked: GroupedScoreForm) -> dict[tuple[str, str], Numbers]:
    """By group and account, of what fits each `term` and `query`."""
    terms = [condition("term", each) for each in asked.term]
    queries = [condition("query", each) for each in (asked.query,) if each]
    groups: dict[tuple[str, str], Numbers] = {}
    for each in of_last_days(tx, subaccounts=asked.include_subaccounts):
        if all(of(each) == value for of, value in terms) and all(value in of(each) for of, value in queries):
            key = (GROUPS[asked.group](each), each.account_id)
            groups[key] = groups.get(key, Numbers()).plus(each.numbers)
    return groups


def condition(field: str, text: str) -> tuple[Callable[[Traffic], str], str]:
    """What is looked at, and what it is to be."""
    name, _, value = text.partition(":")
    one_of(field, name, TERMS, Unprocessable)
    return TERMS[name], value


def of_last_days(tx: Tx, *, subaccounts: bool) -> list[Traffic]:
    span = traffic.days(tx, max(tx.now - (DAYS - 1) * DAY, 0), tx.now)
    return traffic.list_all(tx, span, subaccounts=subaccounts, with_traps=True)


def rates_of(numbers: Numbers) -> ScoreRates:
    tried, delivered = numbers.tried or 1, numbers.delivered or 1
    return ScoreRates(
        bounce_rate=capped(100 * (numbers.bounced - numbers.full - numbers.refused) / tried),
        complaint_rate=capped(1000 * numbers.complained / delivered),
        trap_rate=capped(1000 * numbers.traps / delivered),
        full_mailbox_rate=capped(100 * numbers.full / tried),
        bad_failure_rate=capped(100 * numbers.refused / tried),
    )


def capped(points: float) -> int:
    return min(100, max(0, round(points)))


def score_of(rates: ScoreRates) -> int:
    points: list[int] = list(rates.model_dump().values())
    return max(0, 100 - sum(points))


def view(key: str, account_id: str, numbers: Numbers) -> GroupScore:
    rates = rates_of(numbers)
    return GroupScore(
        group_key=key,
        account_id=account_id,
        score=score_of(rates),
        rates=rates,
        counters=ScoreCounters(delivered=numbers.delivered),
    )


def sorted_by(found: GroupScore, field: str) -> tuple[float, str]:
    """By the key, where the numbers are the same."""
    numbers = {**found.rates.model_dump(), "score": found.score, "delivered": found.counters.delivered}
    return numbers.get(field, 0), found.group_key
