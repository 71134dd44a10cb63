"""What stands before FastAPI: the headers that Mailgun's services send, and a short way for the busiest operations."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.web import errors, hints
from mailgun_emulator.web.hints import Expected
from mailgun_emulator.web.journal import REQUEST_HEADER, Journal, Witness
from mailgun_emulator.web.routing import RouteIndex
from mailgun_emulator.web.wire import STANDARD, Header

JSON: Header = (b"content-type", b"application/json")
JSON_ON_THE_WIRE: Header = (b"content-type", b"application/json; charset=utf-8")

log = logging.getLogger(__name__)
Handler = TypeVar("Handler", bound=Callable[..., Coroutine[Any, Any, Response]])


def bare(handler: Handler) -> Handler:
    """Mark a handler that takes the request and the path's parameters, and asks for nothing else.

    It is called without FastAPI, whose dependencies and middlewares cost 200 µs a request: worth saving on the
    busiest paths alone.
    """
    handler.is_bare = True  # type: ignore[attr-defined]  # functions take attributes, their types don't
    return handler


class Front:
    """The ASGI application. Its answers look like those of Mailgun's Go services (facts/account.md, 0.1).

    What is asked of Mailgun's API and how it is answered is noted in the journal.
    """

    def __init__(self, app: FastAPI, index: RouteIndex, journal: Journal) -> None:
        self._app = app
        self._index = index
        self.journal = journal
        self._expected: dict[int, Expected] = {}
        self._emulator = app.state.emulator
        self._database = self._emulator.database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = self._index.find(scope)
        route = found.route
        if found.is_api and self.journal.most:
            self.journal.begin(scope)
        faulty = ""
        if self._database.faults and found.is_api:
            from mailgun_emulator.web import faults  # seldom there are any

            faulty = await faults.account_among(self._emulator, scope)
        if not faulty and route is not None and getattr(route.endpoint, "is_bare", False):
            await self._call(route, scope, receive, send)
        elif "mailgun_request" not in scope:
            await self._answer(faulty, scope, receive, send, send)
        else:
            witness = Witness(self.journal, scope, receive, send)
            try:
                await self._answer(faulty, scope, witness.receive, witness.send, send)
            finally:
                witness.end()

    async def _answer(self, faulty: str, scope: Scope, receive: Receive, send: Send, outermost: Send) -> None:
        """By FastAPI, or by the faults of the account that is `faulty`. `outermost` is the server's own `send`."""
        app: ASGIApp | None = None
        if faulty:
            from mailgun_emulator.web import faults

            app, send = await faults.meet(self._database, faulty, scope, receive, send, outermost)
        if app is None:
            app = self._app
            if scope["mailgun_found"].route is None and "mailgun_request" in scope:
                await _body(receive)  # nobody else reads what a wrong path was sent
        await app(scope, receive, _Dressed(self, scope, send))

    async def _call(self, route: APIRoute, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"], scope["path_params"] = self._app, scope["mailgun_found"].parameters
        body = scope["mailgun_body"] = await _body(receive)
        if body is None:
            return
        request = Request(scope, receive)
        try:
            response = await route.endpoint(request, **request.path_params)
        except MailgunError as error:
            response = await errors.answer(request, error)
        except Exception as error:
            log.exception("%s %s failed", request.method, request.url.path)
            response = await errors.answer_failure(request, error)
        told = _one_line(response.body) if JSON in response.raw_headers else response.body
        headers = self.headers(scope, response.raw_headers, len(told))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        if "mailgun_request" in scope:
            self.journal.keep(scope, body, response.status_code, headers[: -len(STANDARD)], told)
        await send({"type": "http.response.body", "body": told})

    def headers(self, scope: Scope, own: list[Header], length: int | None = None) -> list[Header]:
        """All that an answer bears; with `length` for JSON, whose content type has a charset on the wire."""
        headers = [JSON_ON_THE_WIRE if header == JSON else header for header in own]
        if length is not None:
            headers = [header for header in headers if header[0] != b"content-length"]
            headers.append((b"content-length", b"%d" % length))
        key_id = scope.get("mailgun_key_id")
        if key_id is not None:
            headers.append((b"x-mailgun-key-id", key_id.encode()))
        number = scope.get("mailgun_request")
        if number is not None:
            headers.append((REQUEST_HEADER, b"%d" % number[0]))
        hint = self._hint(scope)
        if hint is not None:
            headers.append(hint)
        headers += STANDARD
        return headers

    def _hint(self, scope: Scope) -> Header | None:
        """Fields that nothing looks at are known by now."""
        fields, found = scope.get("mailgun_fields"), scope["mailgun_found"]
        if fields and found.route is not None and found.is_api:
            expected = self._expected.get(id(found.route))
            if expected is None:
                expected = self._expected[id(found.route)] = hints.expected_by(found.route)
            if not expected.names.issuperset(fields):
                hints.about_fields(scope, fields, expected)
        return hints.header(scope) if scope.get("mailgun_hints") else None


async def _body(receive: Receive) -> bytes | None:
    """All of it; None if the client went away before its end."""
    message = await receive()
    if not message.get("more_body"):
        return message.get("body", b"") if message["type"] == "http.request" else None
    pieces = []
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    return None


class _Dressed:
    """Adds the headers; holds back the start of a JSON answer until its length is known."""

    def __init__(self, front: Front, scope: Scope, send: Send) -> None:
        self._front = front
        self._scope = scope
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if JSON in message["headers"]:
                self._start = message
                return
            message = self._begun(message)
        elif message["type"] == "http.response.body" and self._start is not None:
            start, self._start = self._start, None
            message = {**message, "body": _one_line(message.get("body", b""))}
            await self._send(self._begun(start, len(message["body"])))
        await self._send(message)

    def _begun(self, start: Message, length: int | None = None) -> Message:
        return {**start, "headers": self._front.headers(self._scope, start["headers"], length)}


def _one_line(body: bytes) -> bytes:
    """Mailgun ends its JSON with a line end."""
    return body if body.endswith(b"\n") else body + b"\n"
