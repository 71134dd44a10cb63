"""A real HTTP receiver of webhooks and the like: it keeps what it is sent and answers what it is told to."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson


class Received(NamedTuple):
    """One request; the names of `headers` are in lower case. `at` orders them in time (seconds, monotonic)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return orjson.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        """The fields of an urlencoded body."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


class Receiver(ThreadingHTTPServer):
    """Listens on a free port. What it isn't told about it answers with 200."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._answers: dict[str, list[int]] = defaultdict(list)
        self._held: dict[str, threading.Event] = {}
        self._delays: dict[str, float] = {}

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def answer(self, path: str, *statuses: int) -> None:
        """Answer requests for the path with these, one after another, and with the last from then on.

        0 hangs up without an answer.
        """
        with self._changed:
            self._answers[path] = list(statuses)

    def delay(self, path: str, seconds: float) -> None:
        """Be slow."""
        self._delays[path] = seconds

    @contextmanager
    def holding(self, path: str) -> Iterator[None]:
        """Keep who posts to the path waiting until the block ends."""
        held = self._held[path] = threading.Event()
        try:
            yield
        finally:
            del self._held[path]
            held.set()

    def requests(self, path: str | None = None) -> list[Received]:
        """Those so far, in the order they came; all, or those for one path."""
        with self._changed:
            return [each for each in self._received if path in (None, each.path)]

    def wait_for(self, count: int, path: str | None = None, seconds: float = 10) -> list[Received]:
        """Return once so many have come; fail the test if they don't."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: sum(path in (None, each.path) for each in self._received) >= count, seconds
            )
        found = self.requests(path)
        assert came, f"{len(found)} requests came instead of {count}"
        return found

    def clear(self) -> None:
        with self._changed:
            self._received.clear()

    def take(self, received: Received) -> int:
        """Keep it; the status to answer with."""
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()
            statuses = self._answers.get(received.path) or [200]
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            held = self._held.get(received.path)
        if held is not None:
            held.wait(20)
        if received.path in self._delays:
            time.sleep(self._delays[received.path])
        return status

    def handle_error(self, *_: object) -> None:
        """Who posted did not wait for the answer."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.take(Received(self.command, self.path, headers, body, time.monotonic()))
        if status == 0:
            self.close_connection = True
            return
        said = f"answered {status}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET = do_PUT = _handle  # noqa: N815 - http.server's names

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name it overrides
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextmanager
def dead_url() -> Iterator[str]:
    """A URL where nobody listens, and nobody will as long as the block lasts."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"
