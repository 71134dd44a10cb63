"""The same for tests that are coroutines: what waits or works does so in a thread, and the test's loop runs on."""

# ruff: noqa: ASYNC109 - timeouts are parameters here as they are in the twin

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from mailgun_emulator.testing.filters import (
    EventFilters,
    MessageFilters,
    RequestFilters,
    Unpack,
    WebhookFilters,
)
from mailgun_emulator.testing.http_client import EmulatorError, File, is_told
from mailgun_emulator.testing.message import Message
from mailgun_emulator.testing.received import ReceivedWebhook
from mailgun_emulator.testing.receiver import Receiver
from mailgun_emulator.testing.records import ApiRequest, Event, WebhookDelivery
from mailgun_emulator.testing.watched import SECONDS

if TYPE_CHECKING:
    from mailgun_emulator.testing.account import Mailgun

__tracebackhide__ = is_told


Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """What it returns or raises; what its message explains as if it had failed here."""
    failure: AssertionError | EmulatorError
    try:
        return await asyncio.to_thread(work)
    except (AssertionError, EmulatorError) as error:
        failure = error
    raise failure.with_traceback(None)


class AsyncClock:
    """`AccountClock` for coroutines."""

    def __init__(self, mailgun: "Mailgun") -> None:
        self._clock = mailgun.clock

    async def now(self) -> float:
        return await in_thread(lambda: self._clock.now)

    async def advance(
        self,
        span: str | float | timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> float:
        return await in_thread(
            lambda: self._clock.advance(span, days=days, hours=hours, minutes=minutes, seconds=seconds)
        )

    async def freeze(self, at: str | float | datetime | None = None) -> float:
        return await in_thread(lambda: self._clock.freeze(at))

    async def resume(self) -> float:
        return await in_thread(self._clock.resume)

    async def reset(self) -> float:
        return await in_thread(self._clock.reset)


class AsyncMailgun:
    """What of `Mailgun` waits or works, by the same names; all else is in `sync`.

    Of a `Message` that was waited for or asserted all but `events`, `raw` and the contents of attachments is there
    without asking anybody again.
    """

    def __init__(self, mailgun: "Mailgun") -> None:
        self.sync = mailgun
        self.clock = AsyncClock(mailgun)

    async def subaccount(self, name: str) -> "AsyncMailgun":
        return (await in_thread(lambda: self.sync.subaccount(name))).aio

    async def messages(self, **filters: Unpack[MessageFilters]) -> list[Message]:
        return await in_thread(lambda: self.sync.find_messages(**filters))

    async def events(
        self, event: str | Sequence[str] | None = None, **filters: Unpack[EventFilters]
    ) -> list[Event]:
        return await in_thread(lambda: self.sync.events(event, **filters))

    async def requests(self, **filters: Unpack[RequestFilters]) -> list[ApiRequest]:
        return await in_thread(lambda: self.sync.requests(**filters))

    @overload
    async def wait_for_message(
        self, *, count: None = None, timeout: float = SECONDS, **filters: Unpack[MessageFilters]
    ) -> Message: ...

    @overload
    async def wait_for_message(
        self, *, count: int, timeout: float = SECONDS, **filters: Unpack[MessageFilters]
    ) -> list[Message]: ...

    async def wait_for_message(
        self,
        *,
        count: int | None = None,
        timeout: float = SECONDS,
        **filters: Unpack[MessageFilters],
    ) -> Message | list[Message]:
        if count is None:
            return await in_thread(lambda: self.sync.wait_for_message(timeout=timeout, **filters))
        return await in_thread(lambda: self.sync.wait_for_message(count=count, timeout=timeout, **filters))

    async def wait_for_event(
        self,
        event: str | Sequence[str] | None = None,
        *,
        timeout: float = SECONDS,
        **filters: Unpack[EventFilters],
    ) -> Event:
        return await in_thread(lambda: self.sync.wait_for_event(event, timeout=timeout, **filters))

    async def wait_for_webhook(
        self,
        event: str | None = None,
        *,
        timeout: float = SECONDS,
        **filters: Unpack[WebhookFilters],
    ) -> WebhookDelivery:
        return await in_thread(lambda: self.sync.wait_for_webhook(event, timeout=timeout, **filters))

    async def wait_at(
        self,
        receiver: Receiver,
        event: str | None = None,
        *,
        recipient: str | None = None,
        timeout: float = SECONDS,
    ) -> ReceivedWebhook:
        """As `receiver.wait`."""
        return await in_thread(lambda: receiver.wait(event, recipient=recipient, timeout=timeout))

    async def resend(self, delivery: WebhookDelivery | int) -> WebhookDelivery:
        """As `webhooks.resend`."""
        return await in_thread(lambda: self.sync.webhooks.resend(delivery))

    async def drain(self) -> int:
        return await in_thread(self.sync.drain)

    @overload
    async def assert_sent(self, *, count: None = None, **filters: Unpack[MessageFilters]) -> Message: ...

    @overload
    async def assert_sent(self, *, count: int, **filters: Unpack[MessageFilters]) -> list[Message]: ...

    async def assert_sent(
        self, *, count: int | None = None, **filters: Unpack[MessageFilters]
    ) -> Message | list[Message]:
        if count is None:
            return await in_thread(lambda: self.sync.assert_sent(**filters))
        return await in_thread(lambda: self.sync.assert_sent(count=count, **filters))

    async def assert_not_sent(self, **filters: Unpack[MessageFilters]) -> None:
        await in_thread(lambda: self.sync.assert_not_sent(**filters))

    async def assert_delivered(
        self,
        message: Message | str | None = None,
        *,
        recipient: str | None = None,
        **filters: Unpack[MessageFilters],
    ) -> Message:
        return await in_thread(lambda: self.sync.assert_delivered(message, recipient=recipient, **filters))

    async def deliver(self, message: Message | str, recipient: str | None = None) -> Event:
        return await in_thread(lambda: self.sync.deliver(message, recipient))

    async def open(self, message: Message | str, recipient: str | None = None) -> Event:
        return await in_thread(lambda: self.sync.open(message, recipient))

    async def click(
        self, message: Message | str, link: str | None = None, recipient: str | None = None
    ) -> Event:
        return await in_thread(lambda: self.sync.click(message, link, recipient))

    async def unsubscribe(self, message: Message | str, recipient: str | None = None) -> Event:
        return await in_thread(lambda: self.sync.unsubscribe(message, recipient))

    async def complain(self, message: Message | str, recipient: str | None = None) -> Event:
        return await in_thread(lambda: self.sync.complain(message, recipient))

    async def bounce(self, message: Message | str, recipient: str | None = None, *, code: int = 550) -> Event:
        return await in_thread(lambda: self.sync.bounce(message, recipient, code=code))

    async def receive(
        self,
        from_: str = "",
        to: str | Sequence[str] = (),
        subject: str = "",
        text: str | None = None,
        html: str | None = None,
        *,
        attachments: Sequence[File] = (),
        mime: bytes | str | None = None,
    ) -> dict[str, Any]:
        return await in_thread(
            lambda: self.sync.receive(from_, to, subject, text, html, attachments=attachments, mime=mime)
        )

    async def snapshot(self, name: str = "test") -> str:
        return await in_thread(lambda: self.sync.snapshot(name))

    async def restore(self, name: str = "test") -> None:
        await in_thread(lambda: self.sync.restore(name))

    async def load(self, file: str | Path | dict[str, Any]) -> None:
        await in_thread(lambda: self.sync.load(file))

    async def reset(self) -> None:
        await in_thread(self.sync.reset)
