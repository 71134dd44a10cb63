"""What can't be told from outside: that nothing is left behind, and how much waits for a slow reader."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.state.notices import Notice
from mailgun_emulator.web.event_stream import MOST_QUEUED, EventStream, Listening

GONE = {"type": "http.disconnect"}


class Reader:
    """A client that reads as much as it is let."""

    def __init__(self) -> None:
        self.database = Database(Settings(), Clock(), IN_MEMORY)
        self.stopping = asyncio.Event()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.sent = b""
        self.heard = asyncio.Event()
        self.ended = False

    async def receive(self) -> dict[str, Any]:
        return await self.received.get()

    async def send(self, message: Any) -> None:
        await self.may_read.wait()
        self.sent += message.get("body", b"")
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        self.heard.set()

    async def until(self, said: bytes) -> None:
        while said not in self.sent:
            self.heard.clear()
            await asyncio.wait_for(self.heard.wait(), 10)

    def happen(self, count: int) -> None:
        for number in range(count):
            self.database.publish(Notice("event", "a1", {"n": number}))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["asyncio.Task[None]"]:
        listening = Listening(self.database, {"a1"}, {"event"}, lambda notice: notice.subject)
        stream = EventStream(listening, self.stopping)
        task = asyncio.create_task(stream({}, self.receive, self.send))
        await self.until(b"event: listening")
        try:
            yield task
        finally:
            await asyncio.wait_for(task, 10)
            assert not self.database.listeners
            assert asyncio.all_tasks() == {asyncio.current_task()}
            self.database.close()


def test_nothing_is_left_behind_when_the_client_goes() -> None:
    async def story() -> None:
        reader = Reader()
        async with reader.reading():
            reader.received.put_nowait({"type": "http.request"})
            reader.happen(1)
            reader.received.put_nowait(GONE)

    asyncio.run(story())


def test_nothing_is_left_behind_when_the_server_stops() -> None:
    async def story() -> None:
        reader = Reader()
        async with reader.reading() as task:
            reader.stopping.set()
            await asyncio.wait_for(task, 10)
            assert reader.ended

    asyncio.run(story())


def test_what_a_slow_reader_misses_is_counted() -> None:
    async def story() -> None:
        reader = Reader()
        async with reader.reading():
            reader.may_read.clear()
            reader.happen(MOST_QUEUED + 7)
            reader.may_read.set()
            await reader.until(b"event: lost")
            reader.happen(1)
            await reader.until(b"id: %d" % (MOST_QUEUED + 8))
            reader.received.put_nowait(GONE)
        told = reader.sent.split(b"\n\n")
        assert len(told) == 1 + MOST_QUEUED + 1 + 1 + 1
        assert told[-3] == b'event: lost\ndata: {"lost":7}'
        assert told[-2].startswith(b"event: event\nid: %d\n" % (MOST_QUEUED + 8))

    asyncio.run(story())
