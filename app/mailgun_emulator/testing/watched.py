"""What tests read of an account, wait for and assert."""

from collections.abc import Generator, Sequence
from typing import overload
from urllib.parse import quote

from mailgun_emulator.testing import assertions
from mailgun_emulator.testing.account_client import QUIET_SECONDS, AccountClient, StreamKind
from mailgun_emulator.testing.filters import (
    EventFilters,
    MessageFilters,
    Params,
    RequestFilters,
    Unpack,
    WebhookFilters,
    params,
    several,
)
from mailgun_emulator.testing.http_client import EmulatorError, ServerSent, is_told
from mailgun_emulator.testing.message import Message
from mailgun_emulator.testing.records import ApiRequest, Event, WebhookDelivery

__tracebackhide__ = is_told

SECONDS = 5.0
"""So long what may still come is waited for, if nothing else is said."""


class Watched:
    """An account, as far as it is looked at."""

    client: AccountClient
    """For what has no method here: `client.get("/_emulator/…")`."""

    @property
    def messages(self) -> list[Message]:
        """All that were sent, the oldest first."""
        return self.find_messages()

    def find_messages(self, **filters: Unpack[MessageFilters]) -> list[Message]:
        """Those that fit, the oldest first; `direction="incoming"` are those that came in."""
        found = self.client.pages("/_emulator/messages", params(MessageFilters, filters))
        return [Message(self.client, each) for each in reversed(found)]

    def message(self, message_id: str) -> Message:
        """The one with that id, as the API answered it to who sent it, or with that storage key."""
        path = f"/_emulator/messages/{quote(message_id.strip('<>'), safe='')}"
        return Message(self.client, self.client.get(path))

    def delete_messages(self, **filters: Unpack[MessageFilters]) -> int:
        """Forget those that fit, all if nothing is named, and what is still to be delivered of them; how many."""
        told = self.client.delete("/_emulator/messages", **params(MessageFilters, filters))
        return int(told["deleted"])

    def events(
        self, event: str | Sequence[str] | None = None, **filters: Unpack[EventFilters]
    ) -> list[Event]:
        """What has happened by now, the oldest first; what is due is done before."""
        self.drain()
        found = self.client.pages("/_emulator/events", _event_params(event, filters))
        return [Event(each) for each in reversed(found)]

    def requests(self, **filters: Unpack[RequestFilters]) -> list[ApiRequest]:
        """The requests to the API with a key of this account, the oldest first."""
        found = self.client.pages("/_emulator/requests", params(RequestFilters, filters))
        return [ApiRequest(self.client, each) for each in reversed(found)]

    def delete_requests(self) -> None:
        """Forget them."""
        self.client.delete("/_emulator/requests")

    def stream(self, *kinds: StreamKind, timeout: float = QUIET_SECONDS) -> Generator[ServerSent, None, None]:
        """What happens, as it happens, of these kinds or of all. First comes `listening`: nothing is missed after that.

        It ends when the emulator does, or when nothing was heard of it for `timeout` seconds. To be closed.
        """
        return self.client.stream(kinds, timeout)

    @overload
    def wait_for_message(
        self, *, count: None = None, timeout: float = SECONDS, **filters: Unpack[MessageFilters]
    ) -> Message: ...

    @overload
    def wait_for_message(
        self, *, count: int, timeout: float = SECONDS, **filters: Unpack[MessageFilters]
    ) -> list[Message]: ...

    def wait_for_message(
        self, *, count: int | None = None, timeout: float = SECONDS, **filters: Unpack[MessageFilters]
    ) -> Message | list[Message]:
        """The newest message that fits, when it is there; with a `count` the so many newest, the oldest first."""
        found = self._messages(filters, 1 if count is None else count, timeout)
        return found[-1] if count is None else found

    def wait_for_event(
        self,
        event: str | Sequence[str] | None = None,
        *,
        timeout: float = SECONDS,
        **filters: Unpack[EventFilters],
    ) -> Event:
        """The newest event that fits, when it has happened. `event` may be one of several."""
        asked = _event_params(event, filters)
        try:
            return Event(self.client.wait("/_emulator/events/wait", asked, timeout)[0])
        except EmulatorError as error:
            text = assertions.event_missing(several(event), filters, _absent(error), timeout)
        raise AssertionError(text)

    def wait_for_webhook(
        self, event: str | None = None, *, timeout: float = SECONDS, **filters: Unpack[WebhookFilters]
    ) -> WebhookDelivery:
        """The newest post to a webhook that fits, when it was made at least once. `event` may be a kind of webhook."""
        asked = params(WebhookFilters, filters, event=event)
        try:
            found = self.client.wait("/_emulator/webhooks/deliveries/wait", asked, timeout)
            return WebhookDelivery(self.client, found[0])
        except EmulatorError as error:
            text = assertions.webhook_missing({"event": event, **filters}, _absent(error), timeout)
        raise AssertionError(text)

    def drain(self) -> int:
        """Do all the work that is due, deliveries and webhooks above all; how many jobs that was."""
        return self.client.drain()

    @overload
    def assert_sent(self, *, count: None = None, **filters: Unpack[MessageFilters]) -> Message: ...

    @overload
    def assert_sent(self, *, count: int, **filters: Unpack[MessageFilters]) -> list[Message]: ...

    def assert_sent(
        self, *, count: int | None = None, **filters: Unpack[MessageFilters]
    ) -> Message | list[Message]:
        """The newest message that fits; with a `count` all of them, the oldest first, if there are just so many."""
        if count is None:
            return self._messages(filters, 1, None)[-1]
        found = self.client.pages("/_emulator/messages", params(MessageFilters, filters))
        if len(found) == count:
            return [Message(self.client, each) for each in reversed(found)]
        if not found:
            return self._messages(filters, count, None)
        raise AssertionError(assertions.wrong_count(self.client, filters, found, count))

    def assert_not_sent(self, **filters: Unpack[MessageFilters]) -> None:
        """That no message fits; without anything named, that there is none at all."""
        self.drain()
        found = self.client.pages("/_emulator/messages", params(MessageFilters, filters))
        if found:
            raise AssertionError(assertions.messages_unwanted(filters, found))

    def assert_delivered(
        self,
        message: Message | str | None = None,
        *,
        recipient: str | None = None,
        **filters: Unpack[MessageFilters],
    ) -> Message:
        """That a message, or the newest that fits, was delivered to all its recipients or to the one named.

        What is due is done before; what only time will bring is not waited for.
        """
        self.drain()
        found = self._messages(filters, 1, None)[-1] if message is None else self._read(message)
        to = recipient or filters.get("to")
        known = [each for each in found.recipients if to is not None and each.lower() == to.lower()]
        if recipient and not known:
            raise AssertionError(f"{found!r} does not go to {recipient}.")
        for each in known or found.recipients:
            events = [event for event in found.events if event.recipient.lower() == each.lower()]
            if not any(event.event == "delivered" for event in events):
                raise AssertionError(assertions.not_delivered(found.subject, found.domain, each, events))
        return found

    def _messages(self, filters: MessageFilters, count: int, seconds: float | None) -> list[Message]:
        asked = params(MessageFilters, filters, count=count)
        if seconds is None:
            self.drain()
        try:
            found = self.client.wait("/_emulator/messages/wait", asked, seconds or 0)
            return [Message(self.client, each) for each in reversed(found)]
        except EmulatorError as error:
            text = assertions.messages_missing(
                self.client, filters, _absent(error), seconds=seconds, count=count
            )
        raise AssertionError(text)

    def _read(self, message: Message | str, recipient: str | None = None) -> Message:
        found = self.message(message) if isinstance(message, str) else message
        return found if recipient is None else found.as_seen_by(recipient)


def _event_params(event: str | Sequence[str] | None, filters: EventFilters) -> Params:
    return params(EventFilters, filters, event=several(event))


def _absent(error: EmulatorError) -> EmulatorError:
    """Anything else than that it was not there is raised."""
    if error.status != 404 or not isinstance(error.answer, dict) or "there" not in error.answer:
        raise error
    return error
