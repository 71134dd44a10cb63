"""Server-sent events: what happens, told to a client as it happens, for as long as it listens."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from mailgun_emulator.state.notices import Kind, Notice
from mailgun_emulator.web.waiting import gone

if TYPE_CHECKING:
    from mailgun_emulator.state.database import Database

HEARTBEAT_SECONDS = 15.0
MOST_QUEUED = 10_000
"""Of what a client has not read yet: two for each recipient of a large batch come at once. What comes then is lost to
it, and it is told how much that was."""
MOST_SECONDS_AT_ONCE = 0.005
"""For so long it is told in one turn of the loop: a client that has much to read holds up nobody else."""

Teller = Callable[[Notice], Any]
"""What is told of a notice, to be written as JSON; None if there is nothing to tell any more."""


class _Heard(NamedTuple):
    number: int
    notice: Notice


class Listening:
    """Keeps what happens, to some accounts or, if none is named, to all, until it is read."""

    def __init__(
        self, database: "Database", accounts: Collection[str], kinds: Collection[Kind], teller: Teller
    ) -> None:
        self._database = database
        self._accounts = frozenset(accounts)
        self._kinds = frozenset(kinds)
        self._teller = teller
        self._queue: deque[_Heard | int] = deque()
        self._heard = 0
        self._changed = asyncio.Event()
        self._ended = False

    def __enter__(self) -> "Listening":
        self._database.listeners.add(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.listeners.discard(self._listen)

    def end(self, *_: object) -> None:
        self._ended = True
        self._changed.set()

    def _listen(self, notice: Notice) -> None:
        if notice.kind not in self._kinds or (self._accounts and notice.account_id not in self._accounts):
            return
        self._heard += 1
        if len(self._queue) < MOST_QUEUED:
            self._queue.append(_Heard(self._heard, notice))
        elif isinstance(self._queue[-1], int):
            self._queue[-1] += 1
        else:
            self._queue.append(1)
        self._changed.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is sent to the client, until it is ended."""
        yield b"retry: 1000\nevent: listening\ndata: {}\n\n"
        while not self._ended:
            if self._queue:
                yield self._take()
                await asyncio.sleep(0)
            elif not await self._changed_in_time():
                yield b": still here\n\n"

    async def _changed_in_time(self) -> bool:
        self._changed.clear()
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                return await self._changed.wait()
        except TimeoutError:
            return False

    def _take(self) -> bytes:
        until = time.monotonic() + MOST_SECONDS_AT_ONCE
        told = [self._told(self._queue.popleft())]
        while self._queue and time.monotonic() < until:
            told.append(self._told(self._queue.popleft()))
        return b"".join(told)

    def _told(self, heard: _Heard | int) -> bytes:
        if isinstance(heard, int):
            return b'event: lost\ndata: {"lost":%d}\n\n' % heard
        told = self._teller(heard.notice)
        if told is None:
            return b""
        return b"event: %s\nid: %d\ndata: %s\n\n" % (
            heard.notice.kind.encode(),
            heard.number,
            orjson.dumps(told),
        )


class EventStream(Response):
    """Ends when the client goes or the server stops, and leaves nothing behind.

    `send` waits for a client that reads slowly, so that what piles up is in the queue, which has an end.
    """

    media_type = "text/event-stream"

    def __init__(self, listening: Listening, stopping: asyncio.Event) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._listening = listening
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the name it overrides
        with self._listening as listening:
            ends = [asyncio.create_task(gone(receive)), asyncio.create_task(self._stopping.wait())]
            for each in ends:
                each.add_done_callback(listening.end)
            try:
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                async for chunk in listening.chunks():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                for each in ends:
                    each.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
