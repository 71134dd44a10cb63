"""Finds the operation a request addresses, however many there are, and loads its section when first asked for."""

import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from mailgun_emulator.web.errors import HINT_HEADER

JSON = b"application/json"
log = logging.getLogger(__name__)


Handler = TypeVar("Handler", bound=Callable[..., Coroutine[Any, Any, Response]])


def bare(handler: Handler) -> Handler:
    """Mark a handler that takes the request and the path's parameters alone; its section's routes are `SectionRoute`s.

    FastAPI's dependencies cost 100 µs a request, which is worth saving on the busiest path.
    """
    handler.is_bare = True  # type: ignore[attr-defined]  # functions take attributes, their types don't
    return handler


class SectionRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = self.endpoint
        if not getattr(handler, "is_bare", False):
            return super().get_route_handler()

        async def handle(request: Request) -> Response:
            response: Response = await handler(request, **request.path_params)
            return response

        return handle


class _Node:
    """One segment of a path; a literal child is tried before the parameter."""

    __slots__ = ("literals", "parameter", "routes", "sections")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: dict[str, APIRoute] = {}
        self.sections: list[str] = []


class RouteIndex(BaseRoute):
    """The application's only route. FastAPI's own look-up tries one after another (facts/performance.md, 0).

    `sections` maps a section's name to the path prefixes its operations begin with; `load` gives its router.
    """

    def __init__(self, sections: Mapping[str, tuple[str, ...]], load: Callable[[str], APIRouter]) -> None:
        self._root = _Node()
        self._load = load
        self._waiting = set(sections)
        for name, prefixes in sections.items():
            for prefix in prefixes:
                self._node(prefix).sections.append(name)

    def add(self, router: APIRouter) -> None:
        for route in router.routes:
            if isinstance(route, APIRoute):
                node = self._node(route.path)
                for method in route.methods or ():
                    node.routes.setdefault(method, route)

    def load_section(self, name: str) -> None:
        if name in self._waiting:
            self._waiting.discard(name)
            self.add(self._load(name))

    def load_all(self) -> list[APIRoute]:
        for name in sorted(self._waiting):
            self.load_section(name)
        return [route for _, node in self._walk(self._root, "") for route in node.routes.values()]

    def find(self, method: str, segments: list[str]) -> tuple[APIRoute | None, dict[str, str], set[str]]:
        """The route, its path parameters, and the methods the path knows when it has no such route."""
        if self._waiting:
            for name in self._sections_of(self._root, segments, 0):
                self.load_section(name)
        known: set[str] = set()
        found = self._match(self._root, segments, 0, method, known)
        if found is None:
            return None, {}, known
        route, values = found
        values.reverse()
        return route, dict(zip(route.param_convertors, values, strict=True)), known

    def nearest(self, path: str) -> str | None:
        """The known path that looks most like this one."""
        for name in sorted(self._waiting):
            self.load_section(name)
        known = {template for template, node in self._walk(self._root, "") if node.routes}
        return next(iter(get_close_matches(path, sorted(known), n=1, cutoff=0.5)), None)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route, parameters, known = self.find(scope["method"], _segments(scope))
        if route is not None:
            scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, parameters
            await route.app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await PlainTextResponse("", 200)(scope, receive, send)
        elif known:
            methods = ", ".join(sorted(known))
            refusal = PlainTextResponse("Method Not Allowed\n", 405, {"Allow": methods})
            await refusal(scope, receive, send)
        else:
            await self._unknown(scope, receive, send)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Mailgun's Go services answer (facts/sending.md, 10.2)."""
        headers = {"X-Content-Type-Options": "nosniff"}
        nearest = self.nearest(scope["path"])
        if nearest is not None:
            headers[HINT_HEADER] = f"No such path. Nearest: {nearest}"
            log.warning("%s %s is unknown; the nearest is %s", scope["method"], scope["path"], nearest)
        await PlainTextResponse("404 page not found\n", 404, headers)(scope, receive, send)

    def _node(self, template: str) -> _Node:
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                node.parameter = node = node.parameter or _Node()
            elif segment:
                node = node.literals.setdefault(segment, _Node())
        return node

    def _sections_of(self, node: _Node, segments: list[str], depth: int) -> Iterator[str]:
        yield from node.sections
        if depth < len(segments):
            literal = node.literals.get(segments[depth])
            if literal is not None:
                yield from self._sections_of(literal, segments, depth + 1)
            if node.parameter is not None:
                yield from self._sections_of(node.parameter, segments, depth + 1)

    def _match(
        self, node: _Node, segments: list[str], depth: int, method: str, known: set[str]
    ) -> tuple[APIRoute, list[str]] | None:
        if depth == len(segments):
            known.update(node.routes)
            route = node.routes.get(method)
            return None if route is None else (route, [])
        literal = node.literals.get(segments[depth])
        if literal is not None:
            found = self._match(literal, segments, depth + 1, method, known)
            if found is not None:
                return found
        if node.parameter is not None:
            found = self._match(node.parameter, segments, depth + 1, method, known)
            if found is not None:
                found[1].append(segments[depth])
                return found
        return None

    def _walk(self, node: _Node, path: str) -> Iterator[tuple[str, _Node]]:
        yield path, node
        for segment, child in node.literals.items():
            yield from self._walk(child, f"{path}/{segment}")
        if node.parameter is not None:
            yield from self._walk(node.parameter, f"{path}/{{}}")


def _segments(scope: Scope) -> list[str]:
    """Of the path, without empty ones; an encoded slash separates nothing."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2F" in raw or b"%2f" in raw:
        return [unquote(segment) for segment in raw.decode("latin-1").split("/") if segment]
    return [segment for segment in scope["path"].split("/") if segment]


def with_mailgun_headers(app: Any) -> Any:
    """Wrap an ASGI application so that its answers look like those of Mailgun's Go services.

    Standard headers, and one newline at the end of JSON (facts/account.md, 0.1).
    """
    standard = [
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-headers", b"Content-Type, x-requested-with, Authorization"),
        (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-origin", b"*"),
        (b"cache-control", b"no-store"),
        (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
        (b"x-xss-protection", b"1; mode=block"),
    ]

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        start: Any = None

        async def send_dressed(message: Any) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ())) + standard
                key_id = scope.get("mailgun_key_id")
                if key_id is not None:
                    headers.append((b"x-mailgun-key-id", key_id.encode()))
                start = {**message, "headers": headers}
                if (b"content-type", JSON) not in headers:
                    await send(start)
                    start = None
                return
            if start is not None:
                body = message.get("body", b"")
                if not message.get("more_body") and not body.endswith(b"\n"):
                    body += b"\n"
                    message = {**message, "body": body}
                start["headers"] = [
                    (name, _JSON_HEADERS.get(name, value))
                    if name != b"content-length"
                    else (name, str(len(body)).encode())
                    for name, value in start["headers"]
                ]
                await send(start)
                start = None
            await send(message)

        await app(scope, receive, send_dressed)

    return wrapped


_JSON_HEADERS = {b"content-type": b"application/json; charset=utf-8"}
