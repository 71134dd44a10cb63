"""When a message is delivered: its own time, its recipient's best hour, its recipient's time zone."""

from typing import Any

import pytest
from tests.pipeline.test_life_of_a_message import DOMAIN, START, Story, tell

from mailgun_emulator.pipeline.options import read_time_of_day
from mailgun_emulator.pipeline.record import About, record
from mailgun_emulator.state import sending
from mailgun_emulator.state.events import EventType

HOUR = 3600
MIDNIGHT = START // 86400 * 86400  # START is 08:00 UTC


async def opened(it: Story, at: float, **told: Any) -> None:
    it.clock.freeze(at)
    async with it.database.begin(it.account_id) as tx:
        domain = sending.find(tx, DOMAIN)
        assert domain is not None
        record(tx, EventType.OPENED, About(domain.id, DOMAIN, "m@x"), "bob@x.com", told)


async def scheduled_for(it: Story) -> list[float | None]:
    return [each["message"].get("scheduled-for") for each in await it.events() if each["event"] == "accepted"]


def test_an_optimized_message_waits_for_the_hour_its_recipient_reads_in() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        for day, hour in ((1, 15), (2, 15), (2, 3)):
            await opened(it, MIDNIGHT + day * 86400 + hour * HOUR + 60)
        now = MIDNIGHT + 3 * 86400 + 8 * HOUR
        it.clock.freeze(now)
        await it.send(options={"deliverytime-optimize-period": "24h"})
        assert await scheduled_for(it) == [MIDNIGHT + 3 * 86400 + 15 * HOUR]
        assert await it.later(7 * HOUR - 1) == 0
        assert await it.later(1) == 1

    tell(story)


def test_an_optimized_message_to_somebody_unknown_goes_at_once() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(options={"deliverytime-optimize-period": "24h"})
        assert await it.seen() == ["accepted", "delivered"]
        assert await scheduled_for(it) == [None]

    tell(story)


def test_a_localized_message_comes_at_that_time_where_its_recipient_was_seen_last() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await opened(it, START, geolocation={"timezone": "America/Chicago"})
        await it.send(options={"time-zone-localize": "02:30pm"})
        await it.send("ann@x.com", options={"time-zone-localize": "14:30"})
        assert await scheduled_for(it) == [MIDNIGHT + 20.5 * HOUR, MIDNIGHT + 14.5 * HOUR]

    tell(story)


def test_a_time_of_day_that_is_over_is_tomorrows() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(options={"time-zone-localize": "07:30"})
        assert await scheduled_for(it) == [MIDNIGHT + 31.5 * HOUR]

    tell(story)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("14:30", (14, 30)),
        ("02:30pm", (14, 30)),
        ("12:05am", (0, 5)),
        ("12:05 PM", (12, 5)),
        ("9:00", (9, 0)),
    ],
)
def test_times_of_day_are_read(text: str, read: tuple[int, int]) -> None:
    assert read_time_of_day(text) == read


def test_a_message_that_waits_for_long_is_kept_until_it_was_delivered() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 7 * 86400)
        await it.worker.expire()
        await it.later(5 * 86400)
        await it.worker.expire()
        await it.later(2 * 86400)
        assert await it.seen() == ["accepted", "delivered"]

    tell(story)
