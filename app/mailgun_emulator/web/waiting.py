"""Answers that wait for something to happen."""

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.types import Receive

from mailgun_emulator.core.errors import MailgunError, NotFound
from mailgun_emulator.state.notices import Kind, Notice

if TYPE_CHECKING:
    from mailgun_emulator.state.database import Database

LONGEST_SECONDS = 300.0
MOST_WAITED_FOR = 1000
HowMany = Annotated[int, Field(ge=1, le=MOST_WAITED_FOR, description="Wait until there are so many.")]
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
    request: Request,
    account_id: str,
    kinds: Collection[Kind],
    look: Callable[[], Found | None],
    timeout: float,  # noqa: ASYNC109 - the client's own word for it
) -> Found | None:
    """What `look` finds, at once or after something of these kinds has happened; None when the time is over.

    `timeout` is in seconds of real time, whatever the account's clock says. Raise `Stopped` as soon as the client goes
    or the server stops.
    """
    emulator = request.app.state.emulator
    with Waiting(emulator.database, account_id, kinds) as waiting:
        looking = asyncio.create_task(waiting.until(look))
        ends = [asyncio.create_task(gone(request.receive)), asyncio.create_task(emulator.stopping.wait())]
        try:
            await asyncio.wait([looking, *ends], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                return looking.result()
            if any(each.done() for each in ends):
                raise Stopped
            return None
        finally:
            for each in (looking, *ends):
                each.cancel()
            await asyncio.gather(looking, *ends, return_exceptions=True)


async def gone(receive: Receive) -> None:
    """Return when the client has."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Stopped(MailgunError):
    status = 503
    message = "The emulator was stopped before it came"


def looked_for(asked: BaseModel) -> dict[str, Any]:
    """What a refusal repeats of what was asked."""
    given = asked.model_dump(
        mode="json", exclude={"account", "count", "timeout"}, exclude_defaults=True, by_alias=True
    )
    return {name: value for name, value in given.items() if value not in (None, [], "")}


class NothingCame(NotFound):
    """What was waited for did not come in time; `there` is what was there instead, the nearest first."""

    def __init__(
        self, message: str, looked_for: dict[str, Any], total: int, there: list[dict[str, Any]]
    ) -> None:
        super().__init__(message)
        self._more = {"looked_for": looked_for, "total": total, "there": there}

    def body(self) -> dict[str, object]:
        return {"message": str(self), **self._more}
