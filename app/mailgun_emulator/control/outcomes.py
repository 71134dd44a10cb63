"""Rules that say what becomes of deliveries, which at Mailgun the recipients' servers decide."""

from typing import Annotated, Any, Literal, Self

import orjson
from fastapi import APIRouter
from pydantic import Field, model_validator

from mailgun_emulator.mail import periods
from mailgun_emulator.state import outcome_rules
from mailgun_emulator.state.outcome_rules import Rule
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import Asked, EnhancedCode, FollowUpForm, Span, check_enhanced
from mailgun_emulator.web.views import REFUSALS, Done

router = APIRouter(prefix="/_emulator/outcomes", tags=["Emulator"])

Reason = Literal["bounce", "generic", "espblock", "greylisted", "blacklisted", "hardfail", "unknown"]
MOST = 1_000_000_000
Glob = Annotated[str, Field(min_length=1)]


class OutcomeMatch(Asked):
    """Which deliveries a rule is for; `{}` is all. Texts may have `*`, `?` and `[abc]`, and case does not matter."""

    recipient: Glob | None = None
    recipient_domain: Glob | None = None
    domain: Glob | None = Field(None, description="The domain that sends.")
    sender: Glob | None = Field(None, description="The address of the envelope's sender, or that in `From`.")
    tag: Glob | None = Field(None, description="One of the message's tags.")
    subject: Glob | None = None
    nth: int | None = Field(
        None, ge=1, le=MOST, description="Only for that one of all that fits, counted from 1."
    )
    every: int | None = Field(None, ge=1, le=MOST, description="Only for every so many of all that fits.")
    probability: float | None = Field(None, gt=0, le=1, description="By chance; the same with the same seed.")

    @model_validator(mode="after")
    def _counts_in_one_way(self) -> Self:
        if self.nth is not None and self.every is not None:
            raise ValueError("name nth or every, not both")
        return self


class OutcomeRuleForm(Asked):
    """What a delivery comes to: with no `code` it succeeds."""

    match: OutcomeMatch = Field(
        default_factory=OutcomeMatch, description="Which deliveries it is for; all without it."
    )
    code: int = Field(
        250,
        ge=200,
        le=599,
        description="What the recipient's server replies: 2xx takes the message, 4xx is tried again, 5xx is not; "
        "498 is a domain without servers, 499 a server that can't be reached.",
    )
    enhanced_code: EnhancedCode | None = Field(None, description="As in RFC 3463: 5.1.1")
    text: str | None = Field(None, min_length=1, description="What it says; else what servers usually say.")
    reason: Reason | None = Field(None, description="Mailgun's reason for a failure.")
    mx_host: str | None = Field(None, min_length=1, description="The server's name.")
    delay: Annotated[Span, Field(le=periods.DAY)] | None = Field(
        None, description="How long an attempt takes."
    )
    attempts: int | None = Field(
        None, ge=1, le=MOST, description="So many fail with a 4xx code before one succeeds; else all do."
    )
    then: list[FollowUpForm] = Field(default_factory=list, description="What follows a delivery.")
    times: int | None = Field(None, ge=1, le=MOST, description="So often it is applied at most.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if 300 <= self.code < 400:
            raise ValueError("code is 2xx, 4xx or 5xx: 3xx ends no delivery")
        check_enhanced(self.code, self.enhanced_code)
        if self.reason and self.code < 400:
            raise ValueError("reason is that of a failure: it goes with a code of 4xx or 5xx")
        if self.attempts and not 400 <= self.code < 500:
            raise ValueError("attempts goes with a code of 4xx: after any other there is one attempt")
        if self.then and self.code >= 400 and not self.attempts:
            raise ValueError(
                "then follows a delivery: leave out the code, or say with attempts how many fail"
            )
        return self


class OutcomeRuleView(OutcomeRuleForm):
    """So many deliveries were `seen` that its texts fit, and `hits` of them it was applied to."""

    id: str
    seen: int
    hits: int


class OutcomeRules(Asked):
    """In their order: the first that fits is applied."""

    items: list[OutcomeRuleForm] = Field(description="Each as `POST` takes it.")


class OutcomeRuleList(Asked):
    items: list[OutcomeRuleView]


@router.get("", responses=REFUSALS, response_model_exclude_none=True)
async def list_outcome_rules(tx: ChosenTx) -> OutcomeRuleList:
    """List an account's rules in their order; a rule goes before what a recipient's address asks for."""
    return OutcomeRuleList(items=[view(rule) for rule in outcome_rules.list_rules(tx)])


@router.post("", responses=REFUSALS, response_model_exclude_none=True)
async def create_outcome_rule(tx: ChosenTx, asked: OutcomeRuleForm) -> OutcomeRuleView:
    """Add a rule after those there are. The first that fits a delivery's first attempt stays with it to its end."""
    return view(outcome_rules.create(tx, *parts(asked), asked.times))


@router.put("", responses=REFUSALS, response_model_exclude_none=True)
async def put_outcome_rules(tx: ChosenTx, asked: OutcomeRules) -> OutcomeRuleList:
    """Have these rules in this order, and no others."""
    outcome_rules.clear(tx)
    rules = [outcome_rules.create(tx, *parts(rule), rule.times) for rule in asked.items]
    return OutcomeRuleList(items=[view(rule) for rule in rules])


@router.delete("", responses=REFUSALS)
async def delete_outcome_rules(tx: ChosenTx) -> Done:
    """Delete all rules of an account."""
    outcome_rules.clear(tx)
    return Done(message="Outcome rules deleted")


@router.get("/{rule_id}", responses=REFUSALS, response_model_exclude_none=True)
async def get_outcome_rule(tx: ChosenTx, rule_id: str) -> OutcomeRuleView:
    """Tell a rule, and how often it was applied."""
    return view(outcome_rules.get(tx, rule_id))


@router.put("/{rule_id}", responses=REFUSALS, response_model_exclude_none=True)
async def put_outcome_rule(tx: ChosenTx, rule_id: str, asked: OutcomeRuleForm) -> OutcomeRuleView:
    """Replace a rule where it stands; it counts from the start."""
    return view(outcome_rules.put(tx, rule_id, *parts(asked), asked.times))


@router.delete("/{rule_id}", responses=REFUSALS)
async def delete_outcome_rule(tx: ChosenTx, rule_id: str) -> Done:
    """Delete a rule; what it has begun goes on as if it had never been there."""
    outcome_rules.delete_rule(tx, rule_id)
    return Done(message="Outcome rule deleted")


def parts(asked: OutcomeRuleForm) -> tuple[dict[str, Any], dict[str, Any]]:
    """Which deliveries, and what becomes of them."""
    outcome = asked.model_dump(exclude_none=True, exclude={"match", "times", "then"})
    then = [each.model_dump(exclude_none=True) for each in asked.then]
    return asked.match.model_dump(exclude_none=True), {**outcome, **({"then": then} if then else {})}


def view(rule: Rule) -> OutcomeRuleView:
    counts = {"times": rule.times, "seen": rule.seen, "hits": rule.hits}
    told = {"match": orjson.loads(rule.wanted), **orjson.loads(rule.outcome)}
    return OutcomeRuleView(id=rule.id, **told, **counts)
