"""When figures are checked: once for all that happened, and when time alone changes them."""

from contextlib import suppress

from tests.pipeline.test_life_of_a_message import Story, tell

from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.state import accounts, jobs, threshold_hits, thresholds
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.thresholds import Kind

MANY = [Address("", f"r{number}@x.com") for number in range(20)]
ALERT = {
    "name": "bounces",
    "metric": "hard_bounce_rate",
    "comparator": ">",
    "limit": "0.5",
    "dimension": "domain",
    "period": "1h",
}


async def watch(it: Story) -> None:
    await it.begin()
    async with it.database.begin(it.account_id) as tx:
        thresholds.create(tx, Kind.ALERT, ALERT)


async def checks(it: Story) -> list[DueJob]:
    async with it.database.begin(it.account_id) as tx:
        return [each for each in jobs.list_due(tx, 100) if each.step == Step.CHECK_THRESHOLDS]


async def triggered(it: Story) -> list[bool]:
    async with it.database.begin(it.account_id) as tx:
        return [hit.triggered for hit, _ in threshold_hits.list_all(tx)]


def test_however_much_happens_it_is_checked_once() -> None:
    async def story(it: Story) -> None:
        await watch(it)
        await it.send(bcc=MANY)
        await it.send(bcc=MANY)
        assert len(await checks(it)) == 1
        await it.worker.drain()
        assert await checks(it) == []

    tell(story)


def test_who_has_no_alerts_is_not_checked() -> None:
    async def story(it: Story) -> None:
        await watch(it)
        async with it.database.begin() as tx:
            other = accounts.create(tx).id
        async with it.database.begin(other) as tx:
            assert not tx.has_alerts
            sub = accounts.create(tx, parent_id=it.account_id).id
        async with it.database.begin(sub) as tx:
            assert tx.has_alerts
        async with it.database.begin(it.account_id) as tx:
            thresholds.delete(tx, Kind.ALERT, "bounces")
            assert not tx.has_alerts

    tell(story)


def test_what_was_taken_back_leaves_no_gap() -> None:
    async def story(it: Story) -> None:
        await watch(it)
        with suppress(LookupError):
            async with it.database.begin(it.account_id) as tx:
                assert tx.check_soon() == [it.account_id]
                raise LookupError
        await it.send()
        assert len(await checks(it)) == 1

    tell(story)


def test_time_alone_makes_rates_fall_back_and_then_nothing_is_left_to_do() -> None:
    async def story(it: Story) -> None:
        await watch(it)
        await it.later(1800)
        await it.send("bounce@example.com")
        await it.worker.drain()
        assert await triggered(it) == [True]
        assert await it.later(3600 + 1799) == 0
        assert await triggered(it) == [True]
        assert await it.later(1) == 1
        assert await triggered(it) == [False]
        assert await it.later(30 * 86400) == 0

    tell(story)


def test_deliveries_that_leave_the_period_make_a_rate_rise() -> None:
    async def story(it: Story) -> None:
        await watch(it)
        await it.send(bcc=MANY)
        await it.worker.drain()
        await it.later(3600)
        await it.send("bounce@example.com")
        await it.worker.drain()
        assert await triggered(it) == []
        await it.later(3600)
        assert await triggered(it) == [True]

    tell(story)
