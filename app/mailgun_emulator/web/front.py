"""What stands before FastAPI: the headers that Mailgun's services send, and a short way for the busiest operations."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.web import errors
from mailgun_emulator.web.routing import RouteIndex

Header = tuple[bytes, bytes]

STANDARD: list[Header] = [
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-allow-headers", b"Content-Type, x-requested-with, Authorization"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"no-store"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-xss-protection", b"1; mode=block"),
]
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
    """The ASGI application. Its answers look like those of Mailgun's Go services (facts/account.md, 0.1)."""

    def __init__(self, app: FastAPI, index: RouteIndex) -> None:
        self._app = app
        self._index = index

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = self._index.find(scope).route
        if route is not None and getattr(route.endpoint, "is_bare", False):
            await self._call(route, scope, receive, send)
        else:
            await self._app(scope, receive, _Dressed(scope, send))

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
        headers = _headers(scope, response.raw_headers, len(told))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": told})


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
    """Holds back the start of a JSON answer until its length is known."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if JSON in message["headers"]:
                self._start = message
                return
            message = {**message, "headers": _headers(self._scope, message["headers"])}
        elif self._start is not None:
            start, self._start = self._start, None
            message = {**message, "body": _one_line(message.get("body", b""))}
            headers = _headers(self._scope, start["headers"], len(message["body"]))
            await self._send({**start, "headers": headers})
        await self._send(message)


def _one_line(body: bytes) -> bytes:
    """Mailgun ends its JSON with a line end."""
    return body if body.endswith(b"\n") else body + b"\n"


def _headers(scope: Scope, own: list[Header], length: int | None = None) -> list[Header]:
    """With `length` for JSON, whose content type has a charset on the wire."""
    headers = [JSON_ON_THE_WIRE if header == JSON else header for header in own]
    if length is not None:
        headers = [header for header in headers if header[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % length))
    headers += STANDARD
    key_id = scope.get("mailgun_key_id")
    if key_id is not None:
        headers.append((b"x-mailgun-key-id", key_id.encode()))
    return headers
