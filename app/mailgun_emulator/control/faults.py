"""Faults: what goes wrong because a test asked for it, as it does at Mailgun or on the way there and back."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field, model_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.pipeline.reasons import REASONS
from mailgun_emulator.state import faults
from mailgun_emulator.state.faults import Fault
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import Asked, Span
from mailgun_emulator.web.hints import nearest
from mailgun_emulator.web.routing import RouteIndex, operation_names
from mailgun_emulator.web.views import REFUSALS, Done

router = APIRouter(prefix="/_emulator/faults", tags=["Emulator"])

MOST = 1_000_000_000
MOST_SECONDS = 300
MOST_RETRY_SECONDS = 366 * 86400
OF_WEBHOOKS = ("webhook", "domain", "nth", "every", "probability")
DONE_TO_WEBHOOKS = ("status", "message", "delay", "cut", "after")
DAMAGES = ("cut", "malformed", "slow")
Glob = Annotated[str, Field(min_length=1)]
Waited = Annotated[Span, Field(gt=0, le=MOST_SECONDS)]


def _is_known(reason: str) -> str:
    if reason not in REASONS:
        raise ValueError(f"there is no such reason; possible are {', '.join(REASONS)}")
    return reason


class UnknownOperation(BadRequest):
    def __init__(self, pattern: str, nearest: str | None) -> None:
        mended = f"; the nearest is {nearest}" if nearest else ""
        super().__init__(f"body.match.operation: no operation is called {pattern}{mended}")


class FaultMatch(Asked):
    """What a fault is for; `{}` is every request to the API. Texts may have `*`, `?` and `[abc]`, in any case.

    What is sent by SMTP is no request: it meets a `reason` and a quota of messages alone, and those only if neither
    method, path nor operation is named.
    """

    method: str | None = Field(None, pattern=r"^[A-Za-z]+$")
    path: Glob | None = Field(None, pattern=r"^[/*]", description="Without the query: `/v3/*/messages`.")
    operation: Glob | None = Field(None, description="As in the OpenAPI document: `send_message`.")
    domain: Glob | None = Field(None, description="The domain that the path names.")
    webhook: Glob | None = Field(
        None,
        pattern=r"^([hH]|\*)",
        description="The URL of a webhook, or that a route forwards to: it is about those posts then.",
    )
    nth: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="That one of all that fits, counted from 1; with `times`, so many from it on.",
    )
    every: int | None = Field(None, ge=1, le=MOST, description="Every so many of all that fits.")
    probability: float | None = Field(None, gt=0, le=1, description="By chance; the same with the same seed.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.nth is not None and self.every is not None:
            raise ValueError("name nth or every, not both")
        if (self.path or "").startswith("/_emulator"):
            raise ValueError("/_emulator itself has no faults; path is one of Mailgun's API")
        for name in sorted(self.model_fields_set):
            if self.webhook is not None and name not in OF_WEBHOOKS:
                raise ValueError(f"{name} does not go with webhook; possible are {', '.join(OF_WEBHOOKS)}")
        return self


class FaultQuota(Asked):
    """So many in a second, minute, hour or day of the account's clock, which the first of them begins."""

    messages: int | None = Field(
        None, ge=0, le=MOST, description="Recipients of messages, however they are handed over."
    )
    requests: int | None = Field(None, ge=0, le=MOST, description="Requests that fit.")
    per: Literal["second", "minute", "hour", "day"]

    @model_validator(mode="after")
    def _counts_one_thing(self) -> Self:
        if (self.messages is None) == (self.requests is None):
            raise ValueError("name messages or requests")
        return self


class FaultAction(Asked):
    """What goes wrong. With `status`, `reason` or `quota` a request is refused and changes nothing."""

    status: int | None = Field(
        None,
        ge=200,
        le=599,
        description="Answered with Mailgun's own body for it: 4xx or 5xx; of webhooks any.",
    )
    reason: Annotated[str, AfterValidator(_is_known)] | None = Field(
        None,
        description="Messages are refused in Mailgun's words, with the status they go with, and by SMTP too: "
        f"{', '.join(REASONS)}.",
    )
    message: str | None = Field(None, description="Instead of Mailgun's words.")
    retry_after: Annotated[Span, Field(le=MOST_RETRY_SECONDS)] | None = Field(
        None, description="What the `Retry-After` header says; of a 429 it is a minute by itself."
    )
    delay: Waited | None = Field(
        None,
        description="So long the answer is kept back; what was asked for is done at once. A webhook is posted so much "
        "later, which draining waits for. By the wall clock.",
    )
    cut: Literal[True, "half"] | None = Field(
        None, description="The connection is closed without an answer, or after half of it."
    )
    after: bool | None = Field(
        None, description="With `cut`: what was asked for is done, only its answer is lost."
    )
    malformed: Literal[True] | None = Field(None, description="The answer's body ends in the middle.")
    slow: Waited | None = Field(None, description="So long the answer's body takes, piece by piece.")
    quota: FaultQuota | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        asked = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if not set(asked) - {"message", "retry_after", "after"}:
            raise ValueError("name what goes wrong: status, reason, delay, cut, malformed, slow or quota")
        if "quota" in asked and asked != ["quota"]:
            raise ValueError("quota goes with nothing else")
        if len(damages := [name for name in asked if name in DAMAGES]) > 1:
            raise ValueError(f"{damages[0]} and {damages[1]} don't go together")
        self._checks_refusal(asked)
        self._checks_after(asked)
        return self

    def _checks_refusal(self, asked: list[str]) -> None:
        refuses = "status" in asked or "reason" in asked
        if self.reason and self.status not in (None, REASONS[self.reason].status):
            raise ValueError(f"status of {self.reason} is {REASONS[self.reason].status}: leave it out")
        for name in ("message", "retry_after"):
            if name in asked and not refuses:
                raise ValueError(f"{name} goes with status or reason")

    def _checks_after(self, asked: list[str]) -> None:
        refuses = "status" in asked or "reason" in asked
        if self.after is not None and not set(asked) & set(DAMAGES):
            raise ValueError("after goes with cut, malformed or slow")
        if self.after and refuses:
            raise ValueError("after does not go with status or reason, which change nothing")
        if self.after is False and not refuses and self.cut is not True:
            raise ValueError(
                "half an answer, a malformed or a slow one needs one: give a status, or leave out after"
            )


class FaultForm(Asked):
    match: FaultMatch = Field(
        default_factory=FaultMatch, description="What it is for; every request without it."
    )
    do: FaultAction = Field(description="What goes wrong.")
    times: int | None = Field(None, ge=1, le=MOST, description="So often at most.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.match.webhook is not None:
            self._is_for_webhooks()
        elif self.do.status is not None and self.do.status < 400:
            raise ValueError("status is 4xx or 5xx: what succeeds is no fault")
        if self.do.quota is not None:
            self._is_a_quota(self.do.quota)
        return self

    def _is_for_webhooks(self) -> None:
        for name in sorted(self.do.model_fields_set):
            if name not in DONE_TO_WEBHOOKS or getattr(self.do, name) == "half":
                raise ValueError(
                    f"{name} is not done to webhooks; possible are {', '.join(DONE_TO_WEBHOOKS)}"
                )

    def _is_a_quota(self, quota: FaultQuota) -> None:
        possible = {"domain"} if quota.messages is not None else {"method", "path", "operation", "domain"}
        for name in sorted(self.match.model_fields_set - possible):
            raise ValueError(
                f"{name} does not go with this quota; possible are {', '.join(sorted(possible))}"
            )
        if self.times is not None:
            raise ValueError("times does not go with a quota")


class FaultView(FaultForm):
    """So many were `seen` that its texts fit, and `hits` of them it was applied to. A quota tells what is left of it
    until when, in seconds since 1970."""

    id: str
    seen: int
    hits: int
    remaining: int | None = None
    until: float | None = None


class FaultList(Asked):
    items: list[FaultView]


@router.get("", responses=REFUSALS, response_model_exclude_none=True)
async def list_faults(tx: ChosenTx) -> FaultList:
    """List an account's faults in their order: the first that fits and whose turn it is takes effect."""
    return FaultList(items=[view(fault, tx.now) for fault in faults.list_faults(tx)])


@router.post("", responses=REFUSALS, response_model_exclude_none=True)
async def create_fault(request: Request, tx: ChosenTx, asked: FaultForm) -> FaultView:
    """Let something go wrong from now on: with requests to the API, or with what is posted to webhooks.

    It is added after those there are. Quotas don't keep those after them from taking effect while they last.
    """
    if asked.match.operation is not None:
        check_operation(request, asked.match.operation)
    wanted, does = (part.model_dump(exclude_none=True) for part in (asked.match, asked.do))
    return view(faults.create(tx, wanted, does, asked.times), tx.now)


@router.delete("", responses=REFUSALS)
async def delete_faults(tx: ChosenTx) -> Done:
    """Delete all faults of an account."""
    faults.clear(tx)
    return Done(message="Faults deleted")


@router.get("/{fault_id}", responses=REFUSALS, response_model_exclude_none=True)
async def get_fault(tx: ChosenTx, fault_id: str) -> FaultView:
    """Tell a fault, and how often it took effect."""
    return view(faults.get(tx, fault_id), tx.now)


@router.delete("/{fault_id}", responses=REFUSALS)
async def delete_fault(tx: ChosenTx, fault_id: str) -> Done:
    """Delete a fault; nothing goes wrong because of it any more."""
    faults.delete_fault(tx, fault_id)
    return Done(message="Fault deleted")


def view(fault: Fault, now: float) -> FaultView:
    quota = fault.quota.at(now) if fault.quota is not None else None
    return FaultView(
        match=FaultMatch(**fault.wanted),
        do=FaultAction(**fault.does),
        times=fault.times,
        id=fault.id,
        seen=fault.seen,
        hits=fault.hits,
        remaining=quota.remaining if quota else None,
        until=quota.until if quota else None,
    )


def check_operation(request: Request, pattern: str) -> None:
    """A name that no operation has would never fit."""
    index = request.app.router.routes[0]
    if not isinstance(index, RouteIndex):
        return
    known: set[str] = set()
    for route in index.routes():
        names = operation_names(route)
        if any(fnmatchcase(name, pattern.lower()) for name in names):
            return
        known.add(names[0])
    raise UnknownOperation(pattern, nearest(pattern, sorted(known), least=0.5))
