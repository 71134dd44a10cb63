"""A real HTTP server that takes what is posted to webhooks, and answers as it is told to."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from mailgun_emulator.testing.http_client import EmulatorError, is_told, reason
from mailgun_emulator.testing.loop_thread import LoopThread
from mailgun_emulator.testing.message import Headers
from mailgun_emulator.testing.received import ReceivedWebhook, read

if TYPE_CHECKING:
    from mailgun_emulator.testing.message import Message

__tracebackhide__ = is_told

HANGS_UP = 0
"""A status: no answer at all."""


@dataclass
class _Answer:
    status: int
    times: int | None
    delay: float
    body: str
    event: str | None

    def fits(self, received: ReceivedWebhook) -> bool:
        return self.event in (None, received.event, received.webhook)


class Receiver:
    """Answers 200 unless told otherwise. What comes is kept in `received`, verified or not.

    It is to be closed; a `with` block does, and the end of the account it belongs to.
    """

    def __init__(
        self,
        signing_key: str,
        key_by_now: Callable[[], str],
        *,
        listen_on: str = "127.0.0.1",
        host: str | None = None,
        port: int = 0,
        path: str = "/webhooks",
        explain: Callable[[], str] = str,
        closed: Callable[["Receiver"], None],
    ) -> None:
        """`key_by_now` is asked for when what comes is not signed with `signing_key`: another may have been made.

        `host` is by what name others know it; `explain` says what else may be of use when nothing comes."""
        self._signing_key, self._key_by_now = signing_key, key_by_now
        self._explain = explain
        self._closed = closed
        self._changed = threading.Condition()
        self._received: list[ReceivedWebhook] = []
        self._unread: list[ReceivedWebhook] = []
        self._answers: list[_Answer] = []
        self._listen_on = listen_on
        self._thread = LoopThread("mailgun-webhook-receiver", self._serve)
        self.port = port
        self.port = self._thread.start()
        self.url = f"http://{host or listen_on}:{self.port}{path}"

    @property
    def received(self) -> list[ReceivedWebhook]:
        """All that has come by now, in its order."""
        with self._changed:
            return list(self._received)

    def wait(
        self,
        event: str | None = None,
        *,
        recipient: str | None = None,
        message: "Message | str | None" = None,
        timeout: float = 5.0,
    ) -> ReceivedWebhook:
        """The first that fits of those that `wait` has not given out yet, when it has come.

        `event` is a kind of event or of webhook. Raise `AssertionError` when `timeout` seconds are over.
        """
        wanted = _wanted(event, recipient, message)
        with self._changed:
            found = self._changed.wait_for(lambda: next(filter(wanted, self._unread), None), timeout)
            if found:
                self._unread.remove(found)
                return found
        raise AssertionError(self._absence(event, recipient, timeout))

    def answer(
        self,
        status: int = 200,
        *,
        times: int | None = None,
        delay: float = 0.0,
        body: str = "",
        event: str | None = None,
    ) -> None:
        """Answer so from now on, or so many times; then as was said before. Of an `event` alone if one is named.

        `delay` is in seconds. A status of 0 hangs up.
        """
        with self._changed:
            told = _Answer(status, times, delay, body, event)
            if times is None:
                self._answers = [each for each in self._answers if each.times or each.event != event]
            self._answers.append(told)
            self._answers.sort(key=lambda each: (each.times is None, each.event is None))

    def clear(self) -> None:
        """Forget what has come."""
        with self._changed:
            self._received.clear()
            self._unread.clear()

    def close(self) -> None:
        """Take nothing more, and be registered nowhere. To be called any number of times."""
        self._closed(self)
        self.stop()

    def stop(self) -> None:
        """Take nothing more."""
        self._thread.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Receiver at {self.url}: {len(self.received)} received>"

    async def _serve(self, ready: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        connections: set[_Connection] = set()
        try:
            server = await loop.create_server(
                lambda: _Connection(self._take, connections), self._listen_on, self.port, backlog=1024
            )
        except OSError as error:
            raise EmulatorError(
                0, f"Can't listen on {self._listen_on}:{self.port}: {reason(error)}."
            ) from None
        ready(server.sockets[0].getsockname()[1])
        await self._thread.stopping.wait()
        server.close()
        for each in list(connections):
            each.abort()
            await each.lost

    def _take(self, method: str, path: str, headers: Headers, body: bytes) -> _Answer:
        received = read(method, path, headers, body, self._signing_key)
        if not received.verified:
            with suppress(EmulatorError):
                self._signing_key = self._key_by_now()
                received = read(method, path, headers, body, self._signing_key)
        with self._changed:
            self._received.append(received)
            self._unread.append(received)
            self._changed.notify_all()
            answer = next((each for each in self._answers if each.fits(received)), None)
            if answer is None:
                return _Answer(200, None, 0.0, "", None)
            if answer.times is not None:
                answer.times -= 1
                if not answer.times:
                    self._answers.remove(answer)
            return answer

    def _absence(self, event: str | None, recipient: str | None, timeout: float) -> str:
        asked = f" {event!r}" if event else ""
        whom = f" for {recipient}" if recipient else ""
        first = f"No webhook{asked}{whom} came to {self.url} within {timeout:g} s."
        lines = [f"  {each!r}" for each in self.received]
        came = "\n".join(["What came:", *lines]) if lines else "Nothing came."
        return "\n\n".join(filter(None, [first, came, self._explain()]))


class _Connection(asyncio.Protocol):
    """Of one client. Requests are answered in their order."""

    def __init__(
        self, take: Callable[[str, str, Headers, bytes], _Answer], connections: "set[_Connection]"
    ) -> None:
        from httptools import HttpRequestParser

        self._take = take
        self._connections = connections
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.Transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, *_: object) -> None:
        self._connections.discard(self)
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        from httptools import HttpParserCallbackError, HttpParserError

        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._transport.close()
            if isinstance(error, HttpParserCallbackError):
                raise

    def on_message_begin(self) -> None:
        self._path = self._body = b""
        self._headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if Headers(self._headers).get("Expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        answer = self._take(method, self._path.decode("latin-1"), Headers(self._headers), self._body)
        keep = self._parser.should_keep_alive()
        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, self._answer, answer, keep)
        else:
            self._answer(answer, keep)

    def _answer(self, answer: _Answer, keep: bool) -> None:
        if self._transport.is_closing():
            return
        if answer.status != HANGS_UP:
            self._transport.write(_response(answer, keep))
        if answer.status == HANGS_UP or not keep:
            self._transport.close()


def _response(answer: _Answer, keep: bool) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    body = answer.body.encode()
    has_body = answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    head = [
        f"HTTP/1.1 {answer.status} {phrase}",
        *(["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"] if has_body else []),
        *([] if keep else ["Connection: close"]),
    ]
    return "\r\n".join([*head, "", ""]).encode() + (body if has_body else b"")


def _wanted(
    event: str | None, recipient: str | None, message: "Message | str | None"
) -> Callable[[ReceivedWebhook], bool]:
    whom = recipient and recipient.lower()
    message_id = str(getattr(message, "message_id", message or "")).strip("<>")

    def fits(received: ReceivedWebhook) -> bool:
        return (
            event in (None, received.event, received.webhook)
            and whom in (None, received.recipient.lower())
            and message_id in ("", received.message_id)
        )

    return fits
