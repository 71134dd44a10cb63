"""What requests meet instead of, or besides, what they ask for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import orjson
from fastapi.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_emulator.pipeline.faults import hint, refused_by
from mailgun_emulator.state import faults
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.faults import Call, Fault, Quota
from mailgun_emulator.web import hints
from mailgun_emulator.web.deps import account_of
from mailgun_emulator.web.refusals import Refusal, refusal
from mailgun_emulator.web.routing import operation_names

SENDING = frozenset({"send_message", "send_mime_message", "resend_message"})
DAMAGES = {"delay", "cut", "malformed", "slow"}
PIECES_A_SECOND = 20

HangUp = Callable[[], Awaitable[None]]


class Emulator(Protocol):
    """What is asked of it here."""

    @property
    def database(self) -> Database: ...

    @property
    def default_account_id(self) -> str: ...

    async def ready(self) -> None: ...


async def account_among(emulator: Emulator, scope: Scope) -> str:
    """The account that a request speaks for, if it has faults; else empty."""
    await emulator.ready()
    database = emulator.database
    with database.reading() as tx:
        account_id = account_of(scope, tx, emulator.default_account_id)
    return account_id if account_id in database.faults else ""


async def meet(
    database: Database, account_id: str, scope: Scope, receive: Receive, send: Send, outermost: Send
) -> tuple[ASGIApp | None, Send]:
    """What answers in place of the API, if anything does, and where the answer is to be sent to.

    `scope["mailgun_found"]` tells what the request addresses, and `outermost` is the server's own `send`.
    """
    call = call_of(scope)
    async with database.begin(account_id) as tx:
        met, now = faults.meet_call(tx, call), tx.now
    instead = None
    if met.fault is not None:
        scope["mailgun_account_id"] = account_id
        hints.hint(scope, hint(_done(met.fault.does), met.fault.id))
        hang_up = partial(_hang_up, _transport(outermost), receive)
        instead, send = _suffer(met.fault, call, now, receive, send, hang_up)
    return instead, _Metered(database, account_id, met.quotas, send) if met.quotas else send


def call_of(scope: Scope) -> Call:
    found = scope["mailgun_found"]
    names = () if found.route is None else operation_names(found.route)
    sends = not SENDING.isdisjoint(names)
    return Call(scope["method"], scope["path"], names, found.parameters.get("domain", ""), sends)


def _transport(outermost: Send) -> Any:
    """That of the connection, if this server shows it."""
    return getattr(getattr(outermost, "__self__", None), "transport", None)


def _suffer(
    fault: Fault, call: Call, now: float, receive: Receive, send: Send, hang_up: HangUp
) -> tuple[ASGIApp | None, Send]:
    does = fault.does
    if DAMAGES & does.keys():
        send = _Damaged(receive, send, does, hang_up)
    refused = _refusal(fault, call, now)
    if refused is not None:
        return _Refused(refused), send
    if does.get("cut") is True and not does.get("after"):
        return _Cut(does.get("delay", 0.0), hang_up), send
    return None, send


def _done(does: dict[str, Any]) -> str:
    if does.get("cut"):
        return "Cut off"
    if does.get("malformed"):
        return "Garbled"
    return "Refused" if {"status", "reason", "quota"} & does.keys() else "Delayed"


def _refusal(fault: Fault, call: Call, now: float) -> Refusal | None:
    """None if the request is to be done."""
    quota = fault.quota
    if quota is not None:
        quota = quota.at(now)
        answer = refusal({"status": 429, "retry_after": quota.until - now}, call, now)
        return answer._replace(headers=refused_by(quota, now))
    return refusal(fault.does, call, now) if {"status", "reason"} & fault.does.keys() else None


class _Refused:
    """An application that answers all alike."""

    def __init__(self, refused: Refusal) -> None:
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _read_all(receive)
        status, headers, body = self._refused
        if isinstance(body, str):
            response: Response = PlainTextResponse(body, status, headers)
        else:
            response = Response(orjson.dumps(body), status, headers, media_type="application/json")
        await response(scope, receive, send)


class _Cut:
    """An application that answers nobody."""

    def __init__(self, delay: float, hang_up: HangUp) -> None:
        self._delay = delay
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        await _read_all(receive)
        await _leaves(receive, self._delay)
        await self._hang_up()


class _Metered:
    """Tells with every answer how much is left of some quotas, once it is known what the request took."""

    def __init__(self, database: Database, account_id: str, quotas: list[Quota], send: Send) -> None:
        self._database = database
        self._account_id = account_id
        self._quotas = quotas
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            with self._database.reading(self._account_id) as tx:
                quotas = faults.list_quotas(tx, (each.id for each in self._quotas))
            own = {name.lower() for name, _ in message["headers"]}
            told = [header for header in _meters(quotas) if header[0] not in own]
            message = {**message, "headers": [*message["headers"], *told]}
        await self._send(message)


def _meters(quotas: list[Quota]) -> Iterator[tuple[bytes, bytes]]:
    """As recorded from sending, resets in milliseconds; that of requests has the name that both could have.

    Of several the one with the least left (facts/sending.md, 1.6).
    """
    by_need = sorted(quotas, key=lambda quota: quota.remaining)
    messages = [quota for quota in by_need if quota.what == "messages"]
    requests = [quota for quota in by_need if quota.what == "requests"]
    for prefix, of_it in ((b"x-ratelimit", requests or messages), (b"x-recipient", messages)):
        for quota in of_it[:1]:
            yield prefix + b"-limit", b"%d" % quota.limit
            yield prefix + b"-remaining", b"%d" % quota.remaining
            yield prefix + b"-reset", b"%d" % (quota.until * 1000)


class _Damaged:
    """Keeps the whole answer back, to send it late, slowly, in part or not at all; not at all also to who has left."""

    def __init__(self, receive: Receive, send: Send, does: dict[str, Any], hang_up: HangUp) -> None:
        self._receive = receive
        self._send = send
        self._does = does
        self._hang_up = hang_up
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body") and not await _leaves(self._receive, self._does.get("delay", 0.0)):
            await self._finish()

    async def _finish(self) -> None:
        does, half = self._does, len(self._body) // 2
        if does.get("cut"):
            if does["cut"] == "half":
                await self._send(self._start)
                await self._send_body(self._body[:half], more=True)
            await self._hang_up()
        elif does.get("malformed"):
            await self._send({**self._start, "headers": _with_length(self._start["headers"], half)})
            await self._send_body(self._body[:half])
        else:
            await self._send(self._start)
            await self._drip(does.get("slow", 0.0))

    async def _drip(self, seconds: float) -> None:
        """Spread over so many seconds."""
        size = max(len(self._body) // max(int(seconds * PIECES_A_SECOND), 1), 1)
        begins = range(0, len(self._body), size)
        for begin in begins:
            if await _leaves(self._receive, seconds / len(begins)):
                return
            await self._send_body(self._body[begin : begin + size], more=True)
        await self._send_body(b"")

    async def _send_body(self, body: bytes, *, more: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    others = [header for header in headers if header[0].lower() != b"content-length"]
    return [*others, (b"content-length", b"%d" % length)]


async def _read_all(receive: Receive) -> None:
    """Else who sends much is cut off in the middle of it, and is not there to be answered."""
    while (await receive()).get("more_body"):
        pass


async def _leaves(receive: Receive, seconds: float) -> bool:
    """Wait for so long; whether the client has gone by then, which ends it."""
    if seconds:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
                return True
    return False


async def _hang_up(transport: Any, receive: Receive) -> None:
    """Wait for the end of the connection: who leaves without an answer before is taken for broken.

    ASGI has no word for it: it takes the connection's `transport`.
    """
    if transport is None:
        raise ConnectionAbortedError("This server's connections can't be cut.")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
