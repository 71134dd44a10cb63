"""Lanes: in order in each, side by side, and as good as new once cleared."""

import asyncio

from mailgun_emulator.pipeline.lanes import Lanes
from mailgun_emulator.state.jobs import DueJob


def job(number: int, lane: str = "a") -> DueJob:
    return DueJob(number, "account", None, 0.0, "notify", "", 1, lane)


def test_a_lane_that_is_cleared_before_it_began_takes_jobs_again() -> None:
    done: list[int] = []

    async def work(job: DueJob) -> None:
        done.append(job.id)

    async def story() -> None:
        lanes = Lanes(work)
        lanes.put(job(1))
        await lanes.clear()
        lanes.put(job(2))
        await asyncio.wait_for(lanes.idle(), 5)
        assert done == [2]

    asyncio.run(story())


def test_what_is_put_in_while_lanes_are_cleared_is_done() -> None:
    done: list[int] = []

    async def story() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def work(job: DueJob) -> None:
            if job.id == 1:
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    lanes.put(something_new)
            done.append(job.id)
            ended.set()

        lanes, something_new = Lanes(work), job(3)
        lanes.put(job(1))
        lanes.put(job(2))
        await begun.wait()
        await lanes.clear()
        await asyncio.wait_for(ended.wait(), 5)
        await asyncio.wait_for(lanes.idle(), 5)
        assert done == [3]

    asyncio.run(story())
