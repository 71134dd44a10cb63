"""An account's own clock, without HTTP: no worker runs besides, so what is not done on the way is not done."""

import asyncio

from tests.pipeline.test_life_of_a_message import START, Story, tell

from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline import timekeeping
from mailgun_emulator.state import jobs

MANY = [Address("", f"r{number}@x.com") for number in range(10)]
"""More than are delivered to at once."""
ODD = 0.0974116
"""A time of day is that exact, events tell it to the microsecond only."""


async def advance(it: Story, seconds: float) -> None:
    await timekeeping.advance(it.database, it.worker, it.account_id, seconds)


def test_what_is_due_now_is_done_though_the_clock_stands_still() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await timekeeping.freeze(it.database, it.worker, it.account_id, START + ODD)
        await it.send(bcc=MANY)
        assert await it.worker.drain() == 11
        assert (await it.seen()).count("delivered") == 11

    tell(story)


def test_a_time_more_exact_than_events_tell_is_reached() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 10 + ODD)
        await advance(it, 60)
        delivered = (await it.events())[-1]
        assert (delivered["event"], delivered["timestamp"]) == ("delivered", round(START + 10 + ODD, 6))

    tell(story)


def test_who_advance_a_clock_at_the_same_time_add_up() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send("bounce+421@example.com")
        await asyncio.gather(advance(it, 3600), advance(it, 7200))
        assert it.database.clock_of(it.account_id).now() == START + 3 * 3600
        times = [event["timestamp"] for event in await it.events()]
        assert times == sorted(times)

    tell(story)


def test_back_to_the_emulators_time_is_a_way_as_well() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await timekeeping.freeze(it.database, it.worker, it.account_id, START - 86400)
        await it.send("bounce+421@example.com")
        await timekeeping.follow(it.database, it.worker, it.account_id)
        assert it.database.clock_of(it.account_id).now() == START
        failed = [event["timestamp"] - START + 86400 for event in await it.events()][1:]
        assert failed == [0, 600, 1200, 2100, 3900, 7500, 14700, 29100]

    tell(story)


def test_a_job_that_never_succeeds_is_tried_ever_more_rarely() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 10)
        it.database.connection.execute("UPDATE message SET options = 'no JSON'")
        await it.later(10)
        for seconds in (60, 120, 240):
            assert await it.later(seconds - 1) == 0
            assert await it.later(1) == 1
        await advance(it, 30 * 86400)
        async with it.database.begin(it.account_id) as tx:
            due = jobs.next_due(tx)
        assert due is not None
        assert due - START > 30 * 86400

    tell(story)
