"""From acceptance to expiry, without HTTP and on a clock that stands still until it is moved."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline.accept import accept
from mailgun_emulator.pipeline.expire import expire
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.pipeline.worker import Worker
from mailgun_emulator.state import accounts, domain_removal, domains, jobs, messages, sending
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.messages import MessageNotFound

DOMAIN = "mg.example.com"
START = 1_800_000_000.0


class Story:
    """An emulator's insides: a domain that sends, a worker that runs when asked to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(START)
        self.database = Database(Settings(database=":memory:"), self.clock)
        self.worker = Worker(self.database)
        self.account_id = ""

    async def begin(self, **domain: Any) -> None:
        async with self.database.begin() as tx:
            self.account_id = accounts.create(tx, domain_names=()).id
            domains.create(tx, DOMAIN, self.account_id, state=domains.State.ACTIVE, **domain)

    async def send(self, to: str = "bob@x.com", **fields: Any) -> str:
        async with self.database.begin(self.account_id) as tx:
            domain = sending.find(tx, DOMAIN)
            assert domain is not None
            submission = Submission(sender="a@x.com", to=[Address("", to)], text="hi", **fields)
            outcome = accept(tx, domain, submission)
        assert isinstance(outcome, str)
        return outcome

    async def later(self, seconds: float) -> int:
        self.clock.advance(seconds)
        return await self.worker.drain()

    async def events(self) -> list[dict[str, Any]]:
        async with self.database.begin(self.account_id) as tx:
            rows = tx.execute("SELECT payload FROM event ORDER BY id", {}).fetchall()
        return [orjson.loads(payload) for (payload,) in rows]

    async def seen(self) -> list[str]:
        return [
            " ".join([event["event"], event.get("severity", "")]).strip() for event in await self.events()
        ]


def tell(story: Callable[[Story], Awaitable[None]]) -> None:
    async def main() -> None:
        told = Story()
        await story(told)
        told.database.close()

    asyncio.run(main())


def test_temporary_failures_are_retried_for_eight_hours_and_then_given_up() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send("bounce+421@example.com")
        for retry in (600, 600, 900, 1800, 3600, 7200, 14400):
            assert await it.later(retry - 1) == 0
            assert await it.later(1) == 1
        assert await it.later(86400) == 0
        assert await it.seen() == ["accepted", *["failed temporary"] * 7, "failed permanent"]
        last = (await it.events())[-1]
        assert last["reason"] == "old"
        assert last["delivery-status"] == {
            "attempt-no": 8,
            "message": "Too old",
            "code": 602,
            "description": "",
            "session-seconds": 0.0,
        }

    tell(story)


def test_a_scheduled_message_is_delivered_at_its_time() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 3600)
        assert await it.later(3599) == 0
        assert await it.later(1) == 1
        assert await it.seen() == ["accepted", "delivered"]
        assert (await it.events())[1]["timestamp"] == START + 3600

    tell(story)


def test_many_recipients_are_delivered_to_in_the_background() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(cc=[Address("", f"r{n}@x.com") for n in range(99)])
        assert await it.seen() == ["accepted"] * 100
        assert await it.worker.drain() == 100
        assert await it.seen() == ["accepted"] * 100 + ["delivered"] * 100

    tell(story)


def test_a_job_that_fails_is_tried_again_and_the_others_are_done() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 10)
        await it.send(deliver_at=START + 10)
        good = it.database.connection.execute("SELECT options FROM message WHERE id = 1").fetchone()
        it.database.connection.execute("UPDATE message SET options = 'no JSON' WHERE id = 1")
        await it.later(10)
        assert await it.seen() == ["accepted", "accepted", "delivered"]
        assert it.database.pending_jobs() == 1
        it.database.connection.execute("UPDATE message SET options = ? WHERE id = 1", good)
        assert await it.later(59) == 0
        assert await it.later(1) == 1
        assert await it.seen() == ["accepted", "accepted", "delivered", "delivered"]
        assert it.database.pending_jobs() == 0

    tell(story)


def test_a_message_is_stored_for_three_days_or_as_long_as_its_domain_says() -> None:
    async def lives(it: Story, seconds: float) -> None:
        await it.send()
        async with it.database.begin() as tx:
            domain_id, key = tx.execute("SELECT domain_id, storage_key FROM message", {}).fetchone()
        it.clock.advance(seconds - 1)
        async with it.database.begin() as tx:
            assert messages.get_stored(tx, domain_id, key)
        it.clock.advance(1)
        async with it.database.begin() as tx:
            with pytest.raises(MessageNotFound):
                messages.get_stored(tx, domain_id, key)
            assert expire(tx) == 1
            assert tx.execute("SELECT count(*) FROM message", {}).fetchone() == (0,)

    async def three_days(it: Story) -> None:
        await it.begin()
        await lives(it, 3 * 86400)

    async def an_hour(it: Story) -> None:
        await it.begin(message_ttl=3600)
        await lives(it, 3600)

    tell(three_days)
    tell(an_hour)


def test_events_are_kept_for_as_long_as_the_settings_say() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send()
        it.clock.advance(30 * 86400)
        async with it.database.begin() as tx:
            expire(tx)
        assert len(await it.events()) == 2
        it.clock.advance(1)
        async with it.database.begin() as tx:
            expire(tx)
        assert await it.events() == []

    tell(story)


def test_dropped_envelopes_are_not_delivered() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 60)
        async with it.database.begin(it.account_id) as tx:
            jobs.cancel_deliveries(tx, domains.get(tx, DOMAIN).id)
        assert await it.later(60) == 0
        assert await it.seen() == ["accepted"]

    tell(story)


def test_a_message_that_is_deleted_from_the_store_is_not_delivered() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 60)
        async with it.database.begin(it.account_id) as tx:
            domain_id, key = tx.read("SELECT domain_id, storage_key FROM message", {}).fetchone()
            messages.delete_stored(tx, domain_id, key)
        await it.later(60)
        assert await it.seen() == ["accepted"]

    tell(story)


def test_what_a_deleted_domain_was_to_send_is_not_delivered() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(deliver_at=START + 60)
        async with it.database.begin(it.account_id) as tx:
            domain_removal.delete(tx, domains.get(tx, DOMAIN))
        assert await it.later(60) >= 1
        assert await it.seen() == []
        async with it.database.begin() as tx:
            assert tx.execute("SELECT count(*) FROM message", {}).fetchone() == (0,)
        assert it.database.pending_jobs() == 0

    tell(story)


def test_an_event_is_kept_under_the_time_that_it_tells() -> None:
    async def story(it: Story) -> None:
        it.clock.freeze(START + 0.1234567)
        await it.begin()
        await it.send()
        assert (await it.events())[0]["timestamp"] == START + 0.123457
        async with it.database.begin() as tx:
            assert tx.execute("SELECT at FROM event", {}).fetchone() == (START + 0.123457,)

    tell(story)


def test_variables_beyond_4_kb_are_not_told_in_events() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(variables={"big": "x" * 5000})
        assert (await it.events())[0]["user-variables"] == (
            "Could not load user-variables. They were either truncated or invalid JSON"
        )

    tell(story)


def test_a_message_is_kept_until_its_last_attempt() -> None:
    async def story(it: Story) -> None:
        await it.begin(message_ttl=3600)
        await it.send("bounce+421@example.com")
        for _ in range(8):
            await it.later(14400)
            await it.worker.expire()
        assert (await it.seen())[-1] == "failed permanent"

    tell(story)
