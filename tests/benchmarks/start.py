"""From the start of a process to its first answers, and what it then holds in memory."""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from tests.benchmarks import servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn
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
    taken = in_turn(plan.rounds, takes)
    elapsed, cpu, memory = (
        {name: median(getattr(one, field) for one in starts) for name, starts in taken.items()}
        for field in Start._fields
    )

    def compared(name: str) -> str:
        return f"{elapsed[name]:.0f} : {elapsed['hello']:.0f} ms; CPU {cpu[name]:.0f} : {cpu['hello']:.0f} ms"

    def figure(what: str, values: dict[str, float], name: str, goal: float, detail: str) -> Figure:
        return Figure(what, values[name] / values["hello"], "×", goal, detail)

    yield figure("start to /_emulator/health : hello", elapsed, "health", MOST_TO_HEALTH, compared("health"))
    yield figure(
        "start to the first message : hello", elapsed, "message", MOST_TO_MESSAGE, compared("message")
    )
    for what, name in (("after the start", "health"), ("after the first message", "message")):
        detail = f"{memory[name]:.1f} : {memory['hello']:.1f} MB"
        yield figure(f"memory when idle {what} : hello", memory, name, MOST_MEMORY, detail)
