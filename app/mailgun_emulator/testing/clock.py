"""An account's time, as tests move it."""

from datetime import datetime, timedelta
from typing import Any

from mailgun_emulator.testing.account_client import LONGEST_SECONDS, AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told

_PATH = "/_emulator/clock"


class AccountClock:
    """All that falls due on the way is done, in order, when a method that moves the clock returns."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return float(self._client.get(_PATH)["now"])

    @property
    def is_frozen(self) -> bool:
        return bool(self._client.get(_PATH)["frozen"])

    def advance(
        self,
        span: str | float | timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> float:
        """Move on by `1h30m`, by seconds or a `timedelta`, or by what is named; the time it is then."""
        named = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if (span is None) == (not named):
            raise TypeError("Say how far: advance('1h30m'), advance(90), or advance(hours=1, minutes=30).")
        asked = named if span is None else span
        return self._set(advance=asked.total_seconds() if isinstance(asked, timedelta) else asked)

    def freeze(self, at: str | float | datetime | None = None) -> float:
        """Stand still at an instant (ISO 8601, RFC 2822, seconds, a date), or where it is."""
        if isinstance(at, datetime):
            at = (at if at.tzinfo else at.astimezone()).timestamp()
        return self._set(freeze="now" if at is None else at)

    def resume(self) -> float:
        """Run on from where it stands."""
        return self._set(resume=True)

    def reset(self) -> float:
        """Back to real time; undoes nothing."""
        return self._set(reset=True)

    def _set(self, **asked: Any) -> float:
        return float(self._client.ask("POST", _PATH, json=asked, timeout=LONGEST_SECONDS)["now"])

    def __repr__(self) -> str:
        told = self._client.get(_PATH)
        return f"<AccountClock {told['iso']}{', frozen' if told['frozen'] else ''}>"
