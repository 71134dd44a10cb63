"""How many calls an account may make in a while (facts/account.md, 0.5; facts/sending.md, 10)."""

from math import ceil
from typing import Annotated

from fastapi import Depends, Request

from mailgun_emulator.core.errors import TooManyRequests
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx

MOST_IN_A_MINUTE = 300
MINUTE = 60.0


class TooManyCalls(TooManyRequests):
    """More may follow at the instant `until`. Clients in Go read the one header, those in Python the other."""

    def __init__(self, until: float, now: float) -> None:
        super().__init__()
        self._until, self._seconds = ceil(until), ceil(until - now)

    def headers(self) -> dict[str, str]:
        return {"X-RateLimit-Reset": str(self._until), "Retry-After": str(self._seconds)}


class TooManyInAMinute(TooManyCalls):
    def body(self) -> dict[str, object] | str:
        return {"retry-seconds": self._seconds}


class Calls:
    """Calls of each account in its current window, which begins with a call and lasts so many seconds."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, account_id: str, now: float) -> tuple[float, int]:
        """One more: when its window ends, and how many calls are in it."""
        until, calls = self._windows.get(account_id, (0.0, 0))
        if not until - self._seconds <= now < until:
            until, calls = now + self._seconds, 0
        self._windows[account_id] = until, calls + 1
        return until, calls + 1


async def limited(request: Request, tx: CurrentTx) -> Tx:
    if not leniency.limits_calls(tx):
        return tx
    state = request.app.state
    if not hasattr(state, "calls_in_a_minute"):
        state.calls_in_a_minute = Calls(MINUTE)
    until, calls = state.calls_in_a_minute.count(tx.account_id, tx.now)
    if calls > MOST_IN_A_MINUTE:
        raise TooManyInAMinute(until, tx.now)
    return tx


LimitedTx = Annotated[Tx, Depends(limited)]
"""As `CurrentTx`, for calls of which an account may make 300 a minute where calls are limited."""
