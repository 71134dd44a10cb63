"""Finds the operation a request addresses, however many there are, and loads its section when first asked for."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from mailgun_emulator.web import hints

MOST_REMEMBERED = 1000
OTHERS = frozenset({"_emulator", "c", "o", "u"})
"""What the paths begin with that are not of Mailgun's API: our own, and those that links in messages lead to."""
ANALYTICS = "/v1/analytics/"
"""Below it neither paths nor methods are known that are not there (facts/clients.md)."""


class Found(NamedTuple):
    """A route, or none, the path's parameters, the methods that the path knows, and whether it is of Mailgun's API."""

    route: APIRoute | None
    parameters: dict[str, str]
    methods: set[str]
    is_api: bool


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
        self._sections = sections
        self._load = load
        self._waiting = set(sections)
        self._remembered: dict[tuple[str, str | bytes], Found] = {}
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
            self._remembered.clear()
            self.add(self._load(name))

    def find(self, scope: Scope) -> Found:
        """What a request addresses. Told again at no cost when asked again."""
        found: Found | None = scope.get("mailgun_found")
        if found is None:
            asked = scope["method"], scope.get("raw_path") or scope["path"]
            found = self._remembered.get(asked)
            if found is None:
                found = self._find(scope["method"], _segments(scope))
                if len(self._remembered) >= MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[asked] = found
            scope["mailgun_found"] = found
        return found

    def _find(self, method: str, segments: list[str]) -> Found:
        if self._waiting:
            for name in self._sections_of(self._root, segments, 0):
                self.load_section(name)
        known: set[str] = set()
        found = self._match(self._root, segments, 0, method, known)
        is_api = not segments or segments[0] not in OTHERS
        if found is None:
            return Found(None, {}, known, is_api)
        route, values = found
        values.reverse()
        return Found(route, dict(zip(route.param_convertors, values, strict=True)), known, is_api)

    def knows(self, method: str, segments: list[str]) -> bool:
        """Whether there is such a path, be it for another method."""
        found = self._find(method, segments)
        return found.route is not None or bool(found.methods)

    def nearest(self, path: str) -> str | None:
        """The known path that looks most like this one. Only the sections are loaded whose paths begin much like it."""
        for name in self._alike(path):
            self.load_section(name)
        first = path.split("/")[1]
        known = {
            _filled(template, path): template
            for template, node in self._walk(self._root, "")
            if node.routes and (first == "_emulator") == template.startswith("/_emulator")
        }
        found = hints.nearest(path, sorted(known), least=0.5)
        return None if found is None else known[found]

    def _alike(self, path: str) -> set[str]:
        parts = path.split("/")
        begin: dict[str, set[str]] = {}
        for name, prefixes in self._sections.items():
            for prefix in prefixes:
                same_length = "/".join(parts[: prefix.count("/") + 1])
                template = re.sub(r"{\w+}", "{}", prefix)
                begin.setdefault(_filled(template, same_length), set()).add(name)
        return {name for near in hints.all_near(path, begin, least=0.5) for name in begin[near]}

    def routes(self) -> Iterator[APIRoute]:
        """All of the API; sections are loaded as far as it is read."""
        for name in (None, *sorted(self._waiting)):
            if name is not None:
                self.load_section(name)
            for template, node in self._walk(self._root, ""):
                if not template.startswith("/_emulator"):
                    yield from node.routes.values()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route, parameters, known, _ = self.find(scope)
        if route is not None:
            if scope["query_string"] and route.path.startswith("/_emulator"):
                from mailgun_emulator.web import own_queries  # the others ignore what they don't know

                own_queries.check(route, scope["query_string"])
            scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, parameters
            await route.app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await PlainTextResponse("", 200)(scope, receive, send)
        elif scope["path"].startswith(ANALYTICS):
            self._hint(scope, known)
            await JSONResponse({"error": "Not Found"}, 404)(scope, receive, send)
        elif known:
            self._hint(scope, known)
            methods = ", ".join(sorted(known))
            refusal = PlainTextResponse("Method Not Allowed\n", 405, {"Allow": methods})
            await refusal(scope, receive, send)
        else:
            await self._unknown(scope, receive, send)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Mailgun's Go services answer (facts/sending.md, 10.2)."""
        self._hint(scope, set())
        headers = {"X-Content-Type-Options": "nosniff"}
        await PlainTextResponse("404 page not found\n", 404, headers)(scope, receive, send)

    def _hint(self, scope: Scope, known: set[str]) -> None:
        if known:
            methods = ", ".join(sorted(known))
            hints.hint(scope, f"{scope['method']} is no method of this path: it knows {methods}")
            return
        from mailgun_emulator.web import path_hints  # seldom needed

        hints.hint(scope, path_hints.about(self, scope["method"], _segments(scope)))

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


def operation_names(route: APIRoute) -> tuple[str, ...]:
    """What its operation goes by: its handler's name, and as in the OpenAPI document, which tells apart its twins."""
    name = route.operation_id or route.name
    section, version = route.endpoint.__module__.rpartition(".")[2], route.path.split("/")[1]
    return (name, f"{name}_{version}", f"{section}_{name}", f"{section}_{name}_{version}")


def _filled(template: str, path: str) -> str:
    """The template with the path's own values, if it is as long."""
    ours, theirs = template.split("/"), path.split("/")
    if len(ours) != len(theirs) or ours[1] != theirs[1]:
        return template
    return "/".join(their if our == "{}" else our for our, their in zip(ours, theirs, strict=True))


def _segments(scope: Scope) -> list[str]:
    """Of the path, without empty ones; an encoded slash separates nothing."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2F" in raw or b"%2f" in raw:
        return [unquote(segment) for segment in raw.decode("latin-1").split("/") if segment]
    return [segment for segment in scope["path"].split("/") if segment]
