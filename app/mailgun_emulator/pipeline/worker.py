"""Takes each job when it is due and hands it to the step that does it."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress

from mailgun_emulator.pipeline.expire import expire
from mailgun_emulator.pipeline.lanes import Lanes
from mailgun_emulator.pipeline.outgoing import Outgoing
from mailgun_emulator.pipeline.steps import POSTS, STEPS, doing, posting
from mailgun_emulator.state import jobs
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.jobs import DueJob

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Jobs done in one turn of the loop, and so in one commit."""
AGAIN_SECONDS = 60.0
"""After so long a job that failed is tried again; each time it fails it waits twice as long as before."""
MOST_DOUBLINGS = 11
EXPIRY_SECONDS = 3600.0
MOST_SECONDS_ASLEEP = 60.0


class Worker:
    """One for each emulator."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.outgoing = Outgoing(database.settings)
        self._lanes = Lanes(self._post)
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._expired_at = 0.0
        self._failures: Counter[int] = Counter()
        self.clock_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By account: its clock is set by one at a time, who may wait for the work in between."""

    async def start(self) -> None:
        """No job is ever given the number of one that was under way: they go on from here."""
        async with self._database.begin() as tx:
            tx.next_id("job")
            jobs.free_all(tx, self._database.clocks)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.forget()
        await self.outgoing.close()

    async def forget(self) -> None:
        """Break off what is under way: there are no jobs any more."""
        await self._lanes.clear()
        self._failures.clear()

    async def replace(self, change: Callable[[], None], account_ids: Collection[str] | None = None) -> None:
        """Make a change that leaves other jobs to these accounts, or to all: what is under way for them is broken off.

        It is left alone if the change fails.
        """
        async with self._one_at_a_time:
            change()
            ending = self._lanes.break_off(account_ids)
            await self._database.committed()
        if ending:
            await asyncio.wait(ending)

    async def drain(self, account_id: str = "") -> int:
        """Do all that is due, of one account or of all, and all that makes due, until nothing is; return how much."""
        done, goes_on = 0, True
        while goes_on:
            begun = await self._begin_due(account_id)
            done += begun
            waited = await self._lanes.idle(account_id)  # what was under way already makes work due as well
            goes_on = begun > 0 or waited
        return done

    async def expire(self, account_id: str = "") -> None:
        """Forget all whose time is over, of one account or of all."""
        while True:
            async with self._database.begin() as tx:
                if not expire(tx, account_id):
                    return

    async def _run(self) -> None:
        while True:
            self._database.changed.clear()
            try:
                await self._begin_due()
                await self._expire_now_and_then()
            except Exception:
                log.exception("Background work failed")
                await asyncio.sleep(1)
            asleep = min(self._database.next_due - self._database.clock.now(), MOST_SECONDS_ASLEEP)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._database.changed.wait(), max(asleep, 0.0))

    async def _begin_due(self, account_id: str = "") -> int:
        """Do what is due and speaks to nobody outside, put the rest into its lanes; how much that was."""
        begun = 0
        async with self._one_at_a_time:
            while due := await self._list_due(account_id):
                for job in due:
                    if job.step in STEPS:
                        self._do(job)
                    else:
                        self._lanes.put(job)
                begun += len(due)
                await self._database.committed()
        return begun

    async def _list_due(self, account_id: str) -> list[DueJob]:
        async with self._database.begin(account_id) as tx:
            due = jobs.list_due(tx, AT_ONCE)
            for job in due:
                if job.step in POSTS:
                    jobs.take(tx, job)
            if not due and not account_id:
                self._database.sleep_until(jobs.next_due(tx))
            return due

    def _do(self, job: DueJob) -> None:
        """A job that fails leaves nothing behind but itself: it is tried again."""
        try:
            with self._database.begin(job.account_id) as tx:
                if jobs.complete(tx, job):
                    doing(job.step)(tx, job)
        except Exception:  # noqa: BLE001 - whatever it was, it is logged there, and the other jobs go on
            self._put_aside(job)

    async def _post(self, job: DueJob) -> None:
        try:
            await posting(job.step)(self._database, self.outgoing, job)
        except Exception:  # noqa: BLE001 - whatever it was, it is logged there, and the other jobs go on
            self._put_aside(job)

    def _put_aside(self, job: DueJob) -> None:
        log.exception("%s of %s failed", job.step, job.subject)
        doublings = min(self._failures[job.id], MOST_DOUBLINGS)
        self._failures[job.id] += 1
        with self._database.begin(job.account_id) as tx:
            jobs.postpone(tx, job, AGAIN_SECONDS * 2**doublings)

    async def _expire_now_and_then(self) -> None:
        now = self._database.clock.now()
        if now - self._expired_at >= EXPIRY_SECONDS:
            await self.expire()
            self._expired_at = now
