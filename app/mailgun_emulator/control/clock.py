"""An account's time: told, moved on, stopped."""

from typing import Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, periods
from mailgun_emulator.pipeline import timekeeping
from mailgun_emulator.web.deps import ChosenAccount, ChosenTx
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(prefix="/_emulator/clock", tags=["Emulator"])


class InvalidInstant(BadRequest):
    message = (
        "freeze is no date from 1970 to 9999; write it as in ISO 8601 or RFC 2822, "
        "as seconds since 1970, or `now`"
    )


class InvalidDuration(BadRequest):
    message = "advance is no duration; write it as `90s`, `15m`, `8h`, `3d`, `1h30m` or as seconds"


class TooFar(BadRequest):
    message = "The clock can't go beyond the year 9999"


class Setting(BaseModel):
    """One of the three, or none of them: the clock has the time of the emulator again with `{"reset": true}`."""

    model_config = ConfigDict(extra="forbid")

    advance: str | float | None = Field(
        None, description="How far: `90s`, `15m`, `8h`, `3d`, `1h30m`, or seconds."
    )
    freeze: str | float | None = Field(None, description="Where to stand still: an instant, or `now`.")
    resume: bool = Field(False, description="Run on from where it stands.")
    reset: bool = Field(False, description="Back to real time.")

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        asked = [self.advance is not None, self.freeze is not None, self.resume, self.reset]
        if asked.count(True) != 1:
            raise ValueError("Name one of advance, freeze, resume and reset.")
        return self


class ClockView(BaseModel):
    """`now` in seconds since 1970, `iso` the same for people; `offset` is how far it is ahead of real time."""

    now: float
    iso: str
    frozen: bool
    offset: float


@router.get("", responses=REFUSALS)
async def get_clock(request: Request, tx: ChosenTx) -> ClockView:
    """Tell the time of an account."""
    return view(request, tx.account_id)


@router.post("", responses=REFUSALS)
async def set_clock(request: Request, account_id: ChosenAccount, asked: Setting) -> ClockView:
    """Move an account's time on, stop it or let it run; all that falls due on the way is done before the answer.

    Deliveries, retries, expiry and all else happen in order, each at its own instant. Going back undoes nothing.
    """
    emulator = request.app.state.emulator
    database, worker = emulator.database, emulator.worker
    account_id = account_id or emulator.default_account_id
    now = database.clock_of(account_id).now()
    if asked.advance is not None:
        seconds = read_duration(asked.advance)
        check(now + seconds)
        await timekeeping.advance(database, worker, account_id, seconds)
    elif asked.freeze is not None:
        at = now if asked.freeze == "now" else read_instant(asked.freeze)
        await timekeeping.freeze(database, worker, account_id, at)
    elif asked.resume:
        await timekeeping.resume(database, worker, account_id)
    else:
        await timekeeping.follow(database, worker, account_id)
    return view(request, account_id)


def view(request: Request, account_id: str) -> ClockView:
    database = request.app.state.emulator.database
    clock = database.clock_of(account_id)
    now = clock.now()
    return ClockView(
        now=now,
        iso=dates.rfc3339_ms(now),
        frozen=clock.frozen_at is not None,
        offset=round(now - database.clock.now(), 3) + 0.0,  # never -0.0
    )


def read_duration(asked: str | float) -> float:
    try:
        return periods.parse_span(str(asked))
    except ValueError:
        raise InvalidDuration from None


def read_instant(asked: str | float) -> float:
    try:
        at = dates.parse(str(asked))
    except (ValueError, OverflowError):
        raise InvalidInstant from None
    if not 0 <= at <= periods.LATEST:
        raise InvalidInstant
    return at


def check(at: float) -> None:
    if at > periods.LATEST:
        raise TooFar
