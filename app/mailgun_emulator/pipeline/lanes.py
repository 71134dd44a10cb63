"""Work that waits for the world outside: one after another for the same address, side by side for others."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from mailgun_emulator.state.jobs import DueJob


class Lane(NamedTuple):
    account_id: str
    name: str


class Lanes:
    """`work` is called with each job in turn, and sees to its failures itself."""

    def __init__(self, work: Callable[[DueJob], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[Lane, deque[DueJob]] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}

    def put(self, job: DueJob) -> None:
        lane = Lane(job.account_id, job.lane)
        self._waiting.setdefault(lane, deque()).append(job)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._run(lane))

    async def idle(self, account_id: str = "") -> bool:
        """Wait until nothing is in the lanes of that account, or in any. False: there was nothing to wait for."""
        waited = False
        while tasks := [task for lane, task in self._tasks.items() if account_id in ("", lane.account_id)]:
            await asyncio.wait(tasks)
            waited = True
        return waited

    async def clear(self) -> None:
        """Forget all that waits, and break off what is under way; what is put in meanwhile is not touched."""
        if tasks := self.break_off():
            await asyncio.wait(tasks)

    def break_off(self, account_ids: Collection[str] | None = None) -> "list[asyncio.Task[None]]":
        """Nothing of these accounts, or of any, waits any more or goes on from here; what ends by that."""
        lanes = [lane for lane in self._tasks if account_ids is None or lane.account_id in account_ids]
        tasks = [self._tasks.pop(lane) for lane in lanes]  # a task that never began does not end by itself
        for lane in lanes:
            self._waiting.pop(lane, None)
        for task in tasks:
            task.cancel()
        return tasks

    async def _run(self, lane: Lane) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                await self._work(waiting.popleft())
        finally:
            if self._waiting.get(lane) is waiting:
                del self._waiting[lane], self._tasks[lane]
