import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mailgun_emulator.testing import AsyncMailgun, Mailgun

Story = Callable[[], Awaitable[None]]


def run(story: Any) -> None:
    asyncio.run(story)


def test_the_loop_runs_on_while_something_is_waited_for(mailgun: Mailgun) -> None:
    async def story() -> None:
        waiting = asyncio.create_task(mailgun.aio.wait_for_message(to="ann@example.com"))
        receiver = mailgun.webhooks.receiver()
        await asyncio.to_thread(mailgun.send)
        assert (await waiting).subject == "Hello"
        assert (await mailgun.aio.wait_at(receiver, "delivered")).verified
        assert (await mailgun.aio.wait_for_event("delivered")).event == "delivered"
        posted = await mailgun.aio.wait_for_webhook("delivered")
        assert (posted.status, len((await mailgun.aio.resend(posted)).attempts)) == (200, 2)
        assert len(await mailgun.aio.wait_for_message(count=1)) == 1

    run(story())


def test_time_is_moved_and_mail_comes_in(mailgun: Mailgun) -> None:
    async def story() -> None:
        aio = mailgun.aio
        now = await aio.clock.freeze("2026-01-01T00:00:00Z")
        assert await aio.clock.advance(hours=1) == now + 3600
        assert await aio.clock.now() == now + 3600
        await aio.clock.resume()
        await aio.clock.reset()
        sent = await asyncio.to_thread(mailgun.send)
        assert await aio.assert_sent(to="ann@example.com") == sent
        assert await aio.assert_sent(count=1) == [sent]
        assert await aio.assert_delivered(sent) == sent
        await aio.snapshot()
        for act in (aio.open, aio.complain, aio.unsubscribe, aio.bounce):
            await act(sent)
        assert [each.event for each in await aio.events()] == [
            "accepted", "delivered", "opened", "complained", "unsubscribed", "failed",
        ]  # fmt: skip
        await aio.restore()
        assert len(await aio.messages()) == 1
        await aio.reset()
        await aio.assert_not_sent()
        assert await aio.drain() == 0
        assert await aio.requests(failed=True) == []
        mailgun.client.call("POST", "/v3/routes", [("expression", "catch_all()"), ("action", "store()")])
        told = await aio.receive("bob@example.org", f"x@{mailgun.domain}", "Hi", "Hi")
        assert told["message"] == "Received for 1 of 1 recipients"

    run(story())


def test_a_failure_is_told_as_in_the_other_kind_of_tests(mailgun: Mailgun) -> None:
    with pytest.raises(AssertionError, match="No message with subject='x' was sent"):
        run(mailgun.aio.assert_sent(subject="x"))
    with pytest.raises(AssertionError, match=r"No 'opened' came within 0\.01 s"):
        run(mailgun.aio.wait_for_event("opened", timeout=0.01))


def test_each_is_called_as_its_twin() -> None:
    others = ("sync", "clock", "messages", "wait_at", "resend")
    for name, method in inspect.getmembers(AsyncMailgun, inspect.iscoroutinefunction):
        if name not in others:
            twin = inspect.signature(getattr(Mailgun, name)).parameters
            own = inspect.signature(method).parameters
            assert [each for each in twin if each in own] == list(own), name
            assert all(own[each].default == twin[each].default for each in own), name
