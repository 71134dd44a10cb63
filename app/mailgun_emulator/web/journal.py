"""The last requests to Mailgun's API with their answers, as they were on the wire, in memory."""

import base64
from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.types import Message, Receive, Scope, Send

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.mail import dates
from mailgun_emulator.state.notices import Notice
from mailgun_emulator.web.forms import Fields, Upload
from mailgun_emulator.web.routing import operation_names
from mailgun_emulator.web.wire import STANDARD, Header, packed, unpacked

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

    from mailgun_emulator.state.database import Database

REQUEST_HEADER = b"x-mailgun-emulator-request"
MOST_BYTES = 16_000_000
LARGEST_BODY = 256_000
"""Of a longer body only the beginning is kept."""
OVERHEAD = 1000
"""About what an entry takes beside its bodies and the request's headers."""


class Entry(NamedTuple):
    """A request and its answer as they came; nothing is decoded yet. The answer's headers lack the standard ones.

    `at` is when it was answered, in seconds since 1970 by its account's clock, `seconds` how long that took;
    `account_id` is empty if no account's key came with it, `status` 0 if it was never answered; the lengths are those
    of the whole bodies.
    """

    id: int
    at: float
    seconds: float
    account_id: str
    method: str
    path: str
    query: bytes
    route: "APIRoute | None"
    domain: str
    client: str
    headers: bytes
    body: bytes
    body_length: int
    status: int
    answer_headers: tuple[Header, ...]
    answer: bytes
    answer_length: int
    hints: tuple[str, ...]
    size: int


_ROUTE = Entry._fields.index("route")


class Journal:
    """Keeps so many requests at the `most`, and fewer if they are large; none if that is 0."""

    def __init__(self, most: int, database: "Database") -> None:
        self.most = most
        self._database = database
        self._entries: deque[tuple[Any, ...]] = deque()
        """What entries consist of: plain tuples of plain values, which are made fast, and which the collector of
        garbage does not look at.
        """
        self._routes: dict[int, APIRoute | None] = {}
        self._size = 0
        self._last_id = 0

    def begin(self, scope: Scope) -> None:
        """Number the request, and measure the time it takes from here on."""
        self._last_id += 1
        scope["mailgun_request"] = self._last_id, perf_counter()

    def keep(
        self,
        scope: Scope,
        heard: bytes,
        status: int,
        headers: list[Header],
        told: bytes,
        lengths: tuple[int, int] | None = None,
    ) -> None:
        """What was heard and told of bodies; their `lengths`, if that is not all of it. `headers` are the answer's own,
        without the standard ones.
        """
        heard_length, told_length = lengths or (len(heard), len(told))
        if heard_length > LARGEST_BODY or told_length > LARGEST_BODY:
            heard, told = heard[:LARGEST_BODY], told[:LARGEST_BODY]
        number, began = scope["mailgun_request"]
        account_id = scope.get("mailgun_account_id", "")
        client, hints, found = scope.get("client"), scope.get("mailgun_hints"), scope["mailgun_found"]
        route = id(found.route)
        if route not in self._routes:
            self._routes[route] = found.route
        asked_with = packed(scope["headers"])
        size = OVERHEAD + len(heard) + len(told) + len(asked_with)
        entry = (
            number,
            self._database.clock_of(account_id).now(),
            perf_counter() - began,
            account_id,
            scope["method"],
            scope["path"],
            scope["query_string"],
            route,
            found.parameters.get("domain", ""),
            client[0] if client else "",
            asked_with,
            heard,
            heard_length,
            status,
            tuple(headers),
            told,
            told_length,
            tuple(hints) if hints else (),
            size,
        )
        entries = self._entries
        entries.append(entry)
        self._size += size
        while self._size > MOST_BYTES or len(entries) > self.most:
            self._size -= entries.popleft()[-1]
        if self._database.listeners:
            self._database.publish(Notice("request", account_id, number))

    def __iter__(self) -> Iterator[Entry]:
        """The newest first."""
        return map(self._read, reversed(self._entries))

    def find(self, number: int) -> Entry | None:
        return next((self._read(entry) for entry in reversed(self._entries) if entry[0] == number), None)

    def forget(self, of: Callable[[Entry], bool] = lambda _: True) -> int:
        """Forget some, or all. Return how many."""
        kept = [entry for entry in self._entries if not of(self._read(entry))]
        forgotten = len(self._entries) - len(kept)
        self._entries = deque(kept)
        self._size = sum(entry[-1] for entry in kept)
        return forgotten

    def _read(self, kept: tuple[Any, ...]) -> Entry:
        entry = Entry._make(kept)
        return entry._replace(route=self._routes[kept[_ROUTE]])


class Pieces:
    """A body that comes or goes in pieces."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._room = LARGEST_BODY
        self.length = 0

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        if piece and self._room:
            self._kept.append(piece[: self._room])
            self._room -= len(self._kept[-1])

    def beginning(self) -> bytes:
        return b"".join(self._kept)


class Witness:
    """Stands at the wire: notes in the journal what is heard and told there."""

    def __init__(self, journal: Journal, scope: Scope, receive: Receive, send: Send) -> None:
        self._journal = journal
        self._scope = scope
        self._receive = receive
        self._send = send
        self._heard, self._told = Pieces(), Pieces()
        self._status = 0
        self._headers: list[Header] = []
        self._is_over = self._is_left = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._heard.add(message.get("body", b""))
        else:
            self._is_left = True
        return message

    async def send(self, message: Message) -> None:
        if self._is_left:
            return  # nobody hears it
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [header for header in message["headers"] if header not in STANDARD]
        elif message["type"] == "http.response.body":
            self._told.add(message.get("body", b""))
            if not message.get("more_body"):
                self.end()
        await self._send(message)

    def end(self) -> None:
        """It is answered, or never will be. The journal has it before the client can know."""
        if not self._is_over:
            self._is_over = True
            heard, told = self._heard, self._told
            self._journal.keep(
                self._scope,
                heard.beginning(),
                self._status,
                self._headers,
                told.beginning(),
                (heard.length, told.length),
            )


# For those who read it


def operations(entry: Entry) -> tuple[str, ...]:
    """What its operation goes by; nothing if there is none at that path."""
    return () if entry.route is None else operation_names(entry.route)


def summary(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "iso": dates.rfc3339_ms(entry.at),
        "account": entry.account_id or None,
        "method": entry.method,
        "path": entry.path,
        "query": entry.query.decode("latin-1"),
        "operation": next(iter(operations(entry)), None),
        "status": entry.status,
        "duration_ms": round(entry.seconds * 1000, 3),
        "hints": list(entry.hints),
        "client": entry.client,
    }


def request_of(entry: Entry) -> dict[str, Any]:
    return {
        "headers": _headers(unpacked(entry.headers)),
        **_body(entry.body, entry.body_length),
        "fields": _fields(entry),
    }


def response_of(entry: Entry) -> dict[str, Any]:
    headers = [*entry.answer_headers, *(STANDARD if entry.status else ())]
    return {"headers": _headers(headers), **_body(entry.answer, entry.answer_length)}


def _headers(given: list[Header]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in given:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        told[key] = f"{told[key]}, {text}" if key in told else text
    return told


def _body(kept: bytes, length: int) -> dict[str, Any]:
    is_cut = len(kept) < length
    text = _text(kept, is_cut=is_cut)
    encoded = base64.b64encode(kept).decode() if text is None else text
    return {
        "body": encoded,
        "encoding": "base64" if text is None else None,
        "size": length,
        "truncated": is_cut,
    }


def _text(body: bytes, *, is_cut: bool) -> str | None:
    """None if it is none. What is cut may end within a letter."""
    for end in range(len(body), len(body) - (4 if is_cut else 1), -1):
        try:
            text = body[: max(end, 0)].decode()
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _fields(entry: Entry) -> dict[str, list[Any]] | None:
    """None if they can't be told."""
    if len(entry.body) < entry.body_length:
        return None
    fields = Fields()
    try:
        fields.read(entry.query, dict(unpacked(entry.headers)), entry.body)
    except MailgunError:
        return None
    return {name: [_value(each) for each in values] for name, values in fields.items()}


def _value(given: Any) -> Any:
    if isinstance(given, Upload):
        return {"filename": given.filename, "content_type": given.content_type, "size": len(given.data)}
    return given
