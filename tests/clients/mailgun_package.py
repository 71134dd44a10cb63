"""Mailgun's Python package, sync and async, spoken to alike; it is remembered what was called by which request."""

import ast
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import mailgun.examples
from mailgun.client import AsyncClient, Client
from mailgun.config import Config
from mailgun.routes import DOMAIN_ALIASES, DOMAIN_ENDPOINTS, ROUTE_ALIASES
from tests.clients import operations
from tests.conftest import violations_of

Kind = Literal["sync", "async"]


class Spoken:
    """`await spoken.bounces.get(domain=…)` calls the package's endpoint of that name, be it sync or async."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client
        self.calls: set[tuple[str, str]] = set()
        self.operations: set[str] = set()

    def __getattr__(self, name: str) -> "SpokenEndpoint":
        return SpokenEndpoint(self, name)

    async def ping(self) -> bool:
        answer = self.client.ping()
        return await answer if inspect.isawaitable(answer) else answer

    def notice(self, method: str, path: str, response: Any) -> None:
        """Which operation it was, and whether its answer keeps the contract."""
        called = operations.called(f"{method} {unquote(path.partition('?')[0])}")
        if called and response.status_code < 300:
            self.operations.add(called)
        violations = violations_of(response.request, path, response)
        assert not violations, "\n".join(violations)


class SpokenEndpoint:
    def __init__(self, spoken: Spoken, name: str) -> None:
        self._spoken = spoken
        self._name = name

    def __getattr__(self, method: str) -> Any:
        bound = getattr(getattr(self._spoken.client, self._name), method)
        self._spoken.calls.add((self._name, method))

        async def call(**arguments: Any) -> Any:
            answer = bound(**arguments)
            return await answer if inspect.isawaitable(answer) else answer

        return call

    async def stream(self, **arguments: Any) -> list[Any]:
        """All that the package's `stream` yields."""
        self._spoken.calls.add((self._name, "stream"))
        streamed = getattr(self._spoken.client, self._name).stream(**arguments)
        if inspect.isasyncgen(streamed):
            return [each async for each in streamed]
        return list(streamed)


@asynccontextmanager
async def speaking(kind: Kind, url: str, key: str) -> AsyncIterator[Spoken]:
    """The package's client of that kind."""
    if kind == "sync":
        with Client(auth=("api", key), api_url=url) as client:
            spoken = Spoken(client)

            def notice(response: Any, *_: Any, **__: Any) -> None:
                spoken.notice(response.request.method, response.request.path_url, response)

            client._session.hooks["response"].append(notice)
            yield spoken
        return

    async def notice_async(response: Any) -> None:
        await response.aread()
        spoken.notice(response.request.method, response.request.url.raw_path.decode(), response)

    hooks = {"event_hooks": {"response": [notice_async]}}
    async with AsyncClient(auth=("api", key), api_url=url, client_kwargs=hooks) as asynchronous:
        spoken = Spoken(asynchronous)
        yield spoken


def endpoints() -> set[str]:
    """The names that the package itself gives to endpoints.

    Its router builds addresses from other names, too; those below a domain are taken where Mailgun has them.
    """
    below = {"domains_" + part for parts in DOMAIN_ENDPOINTS.values() for part in parts}
    below |= {"domains_" + part for part in DOMAIN_ALIASES if part != "domainlist"}
    return Config().available_endpoints | set(ROUTE_ALIASES) | {name for name in below if is_mailguns(name)}


def is_mailguns(name: str) -> bool:
    """Whether the address that the package's router makes of `domains_…` is one of Mailgun's."""
    url, _ = Config("https://x")[name]
    path = f"{url['base'].removeprefix('https://x')}example.com/{'/'.join(url['keys'][1:])}"
    return any(each.fits(f"{each.name.split()[0]} {path}") for each in operations.operations())


def examples() -> set[tuple[str, str]]:
    """The calls, as endpoint and method, that the examples in the package make."""
    found = set()
    for file in Path(mailgun.examples.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr=method, value=ast.Attribute(attr=name, value=ast.Name("client" | "async_client"))
                    )
                ):
                    found.add((name, method))
    return found


def methods(kind: type) -> set[str]:
    """What a class offers beyond its base."""
    return {name for name in vars(kind) if not name.startswith("_") and inspect.isroutine(vars(kind)[name])}
