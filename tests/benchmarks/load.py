"""Load: a number of connections, each sending its next request as soon as the last one is answered."""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from statistics import median, quantiles
from typing import NamedTuple, cast

import uvloop

from tests.benchmarks.wire import WrongAnswer, address, body_of


class Load(NamedTuple):
    """`latencies` in seconds, one for each answer; `bodies` of the answers, if they were kept."""

    seconds: float
    latencies: list[float]
    bodies: list[bytes]

    @property
    def answers(self) -> int:
        return len(self.latencies)

    @property
    def p50(self) -> float:
        return median(self.latencies)

    @property
    def p99(self) -> float:
        return quantiles(self.latencies, n=100)[-1]


class _Run:
    """What the connections share: the requests, when to stop, and what came back."""

    def __init__(
        self, requests: Sequence[bytes], connections: int, seconds: float, most: float, *, keep: bool
    ) -> None:
        self.requests = cycle(requests)
        self.until = time.perf_counter() + seconds
        self.left = most
        self.open = connections
        self.keep = keep
        self.latencies: list[float] = []
        self.bodies: list[bytes] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if self.left <= 0 or time.perf_counter() >= self.until or self.ended.done():
            return None
        self.left -= 1
        return next(self.requests)

    def answered(self, latency: float, body: bytes) -> None:
        self.latencies.append(latency)
        if self.keep:
            self.bodies.append(body)

    def closed(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = bytearray()
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        request = self._run.next_request()
        self._waiting = request is not None
        if request is None:
            self._transport.close()
        else:
            self._asked_at = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            body = body_of(self._buffer)
        except WrongAnswer as error:
            self._run.fail(error)
            self._transport.close()
            return
        if body is not None:
            self._run.answered(time.perf_counter() - self._asked_at, body)
            self._buffer.clear()
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._run.fail(WrongAnswer(f"a connection was closed while an answer was awaited ({exc})"))
        self._run.closed()


async def _run(url: str, run: _Run) -> Load:
    loop = asyncio.get_running_loop()
    host, port = address(url)
    begun = time.perf_counter()
    await asyncio.gather(
        *(loop.create_connection(lambda: _Connection(run), host, port) for _ in range(run.open))
    )
    await run.ended
    return Load(time.perf_counter() - begun, run.latencies, run.bodies)


def load(
    url: str,
    requests: Sequence[bytes],
    *,
    connections: int = 1,
    seconds: float = 60,
    most: float = float("inf"),
    keep: bool = False,
) -> Load:
    """Until so many seconds have passed or `most` requests were sent; raise `WrongAnswer` unless each gets its 200."""

    async def main() -> Load:
        return await _run(url, _Run(requests, connections, seconds, most, keep=keep))

    return uvloop.run(main())
