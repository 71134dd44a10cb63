"""Speaks to `/_emulator` about one account, and to Mailgun's API with its key."""

import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

from mailgun_emulator.testing.http_client import (
    Answer,
    File,
    HttpClient,
    Plain,
    ServerSent,
    Values,
    basic,
    is_told,
)

__tracebackhide__ = is_told

MORE_SECONDS = 30.0
"""Than it was told to wait an answer may take: work that is due is done first."""
LONGEST_SECONDS = 300.0
"""So long it may take to do all that is due."""
QUIET_SECONDS = 60.0
"""After which a stream that tells nothing, not even that it is still there, is given up."""
PAGE = 1000
StreamKind = Literal["message", "event", "webhook", "request"]


class AccountInfo(NamedTuple):
    """What is needed to use an account; `domain` is verified, `parent` the account whose subaccount it is."""

    id: str
    name: str
    api_key: str
    signing_key: str
    domain: str
    parent: str | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        return cls(**{name: told[name] for name in cls._fields if name in told})


class AccountClient:
    """Without an account it speaks of all of them."""

    def __init__(self, http: HttpClient, account: AccountInfo | None = None) -> None:
        self.http = http
        self._since = time.monotonic()
        self.account = account
        self._about: dict[str, Plain] = {} if account is None else {"account": account.id}
        self._key = {} if account is None else basic(account.api_key)
        self.domain = "" if account is None else account.domain

    def get(self, path: str, /, **params: Plain | Sequence[Plain] | None) -> Any:
        return self.ask("GET", path, params=params)

    def post(self, path: str, json: Any = None, /, **params: Plain | None) -> Any:
        return self.ask("POST", path, json=json, params=params)

    def delete(self, path: str, /, **params: Plain | Sequence[Plain] | None) -> Any:
        return self.ask("DELETE", path, params=params)

    def read(self, path: str, /, **params: Plain | None) -> bytes:
        return self.http.read(path, {**self._about, **params})

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Values | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """As `HttpClient.request`, about the account."""
        about = {**self._about, **(params or {})}
        return self.http.request(
            method, path, json=json, params=about, body=body, headers=headers, timeout=timeout
        )

    def wait(self, path: str, params: Values, timeout: float) -> list[dict[str, Any]]:
        """What a long poll finds. Raise `EmulatorError` with a status of 404 when the time is over."""
        asked = {**params, "timeout": timeout}
        found = self.ask("GET", path, params=asked, timeout=timeout + MORE_SECONDS)
        items: list[dict[str, Any]] = found["items"]
        return items

    def pages(self, path: str, params: Values) -> list[dict[str, Any]]:
        """All there is, however much it is, the newest first."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **params, limit=PAGE, cursor=cursor)
            items += page["items"]
            cursor = page["next"]
            if not cursor:
                return items

    def stream(self, kinds: Sequence[StreamKind], timeout: float) -> Generator[ServerSent, None, None]:
        """What happens from now on, of these kinds or of all."""
        asked = {**self._about, "kinds": ",".join(kinds) or None}
        return self.http.stream("/_emulator/events/stream", asked, timeout)

    def age(self) -> str:
        """How long it has been used, as a span of time: `12.3s`."""
        return f"{time.monotonic() - self._since:.3f}s"

    def drain(self) -> int:
        """Do all that is due; how much that was."""
        return int(self.ask("POST", "/_emulator/drain", timeout=LONGEST_SECONDS)["done"])

    def call(self, method: str, path: str, fields: Sequence[tuple[str, str | File]] | None = None) -> Any:
        """Mailgun's API, with the account's key."""
        return self.http.request(method, path, fields=fields, headers=self._key)

    def visit(self, method: str, path: str, headers: Mapping[str, str], fields: Any = None) -> Answer:
        """As a recipient would, who has no key."""
        return self.http.fetch(method, path, headers=headers, fields=fields)
