"""From the start of a process to its first answers, and what it then holds in memory."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.benchmarks import servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.servers import Server

MOST_TO_HEALTH = 1.7
MOST_TO_MESSAGE = 2.5
MOST_MEMORY = 1.75
SETTLING = 0.3


class Start(NamedTuple):
    """Milliseconds of time and of CPU to the first answer, and MB of memory a little later."""

    elapsed: float
    cpu: float
    memory: float


def start(make: Callable[[], Server], request: bytes) -> Start:
    with make() as server:
        wire.ask(server.url, request)
        elapsed = time.perf_counter() - server.begun
        cpu = server.cpu()
        time.sleep(SETTLING)
        return Start(1000 * elapsed, 1000 * cpu, server.memory())


def measure(plan: Plan) -> Iterator[Figure]:
    takes = {
        "hello": lambda: start(servers.hello, wire.request("GET", "/")),
        "health": lambda: start(servers.emulator, wire.request("GET", "/_emulator/health")),
        "message": lambda: start(servers.emulator, wire.message(0)),
    }
    in_turn(1, takes)  # writes the byte-code
    taken = {name: medians(starts) for name, starts in in_turn(plan.rounds, takes).items()}
    hello, health, message = taken["hello"], taken["health"], taken["message"]
    yield _elapsed("start to /_emulator/health : hello", health, hello, MOST_TO_HEALTH)
    yield _elapsed("start to the first message : hello", message, hello, MOST_TO_MESSAGE)
    yield _memory("memory when idle after the start : hello", health, hello)
    yield _memory("memory when idle after the first message : hello", message, hello)


def _elapsed(what: str, ours: Start, hello: Start, goal: float) -> Figure:
    detail = f"{ours.elapsed:.0f} : {hello.elapsed:.0f} ms; CPU {ours.cpu:.0f} : {hello.cpu:.0f} ms"
    return Figure(what, ours.elapsed / hello.elapsed, "×", goal, detail)


def _memory(what: str, ours: Start, hello: Start) -> Figure:
    detail = f"{ours.memory:.1f} : {hello.memory:.1f} MB"
    return Figure(what, ours.memory / hello.memory, "×", MOST_MEMORY, detail)
