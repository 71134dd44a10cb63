"""Answers that wait for something to happen."""

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Query

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.notices import Kind, Notice

if TYPE_CHECKING:
    from mailgun_emulator.state.database import Database

LONGEST_SECONDS = 300.0
Timeout = Annotated[float, Query(ge=0, le=LONGEST_SECONDS, description="How many seconds to wait.")]
Found = TypeVar("Found")


class Waiting:
    """Wakes up when something of some kinds happens to an account."""

    def __init__(self, database: "Database", account_id: str, kinds: Collection[Kind]) -> None:
        self._database = database
        self._account_id = account_id
        self._kinds = frozenset(kinds)
        self._happened = asyncio.Event()

    def __enter__(self) -> "Waiting":
        self._database.listeners.add(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.listeners.discard(self._listen)

    def _listen(self, notice: Notice) -> None:
        if notice.kind in self._kinds and notice.account_id == self._account_id:
            self._happened.set()

    async def until(self, look: Callable[[], Found | None]) -> Found:
        """What is found at last."""
        while (found := look()) is None:
            await self._happened.wait()
            self._happened.clear()
        return found


async def wait_for(
    database: "Database",
    account_id: str,
    kinds: Collection[Kind],
    look: Callable[[], Found | None],
    timeout: float,  # noqa: ASYNC109 - the client's own word for it
) -> Found | None:
    """What `look` finds, at once or after something of these kinds has happened; None when the time is over.

    `timeout` is in seconds of real time, whatever the account's clock says.
    """
    with Waiting(database, account_id, kinds) as waiting:
        try:
            async with asyncio.timeout(timeout):
                return await waiting.until(look)
        except TimeoutError:
            return None


class NothingCame(NotFound):
    """What was waited for did not come in time; `there` is what was there instead, the nearest first."""

    def __init__(
        self, message: str, looked_for: dict[str, Any], total: int, there: list[dict[str, Any]]
    ) -> None:
        super().__init__(message)
        self._more = {"looked_for": looked_for, "total": total, "there": there}

    def body(self) -> dict[str, object]:
        return {"message": str(self), **self._more}
