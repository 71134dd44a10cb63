"""Going back to the start, with much stored and with nothing."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from tests.benchmarks import filling, servers
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.servers import Server

ROWS = 60_000
MOST = 3.0
MOST_MS = 5.0
WARM_UP = 20
RESETS = 3


class Reset(NamedTuple):
    """Milliseconds of time and of CPU."""

    elapsed: float
    cpu: float


def reset(server: Server) -> Reset:
    """Of a server that has just been at work: after a pause all code is slow for a moment."""
    for _ in range(WARM_UP):
        server.ask("GET", "/_emulator/health")
    cpu = server.cpu_of_main_thread()
    begun = time.perf_counter()
    server.ask("POST", "/_emulator/reset")
    elapsed = time.perf_counter() - begun
    return Reset(1000 * elapsed, 1000 * (server.cpu_of_main_thread() - cpu))


def measure(plan: Plan) -> Iterator[Figure]:
    database = plan.directory / "resetting.db"
    samples = filling.prepare(database)
    with servers.emulator(database, *filling.DOMAINS) as server:
        reset(server)

        def reset_full() -> Reset:
            filling.fill(database, samples, ROWS // 2)  # as many rows again are their tags
            return reset(server)

        takes: dict[str, Callable[[], Reset]] = {"full": reset_full, "empty": partial(reset, server)}
        taken = in_turn(plan.rounds * RESETS, takes)
    full, empty = medians(taken["full"]), medians(taken["empty"])
    cpu = f"CPU {full.cpu:.2f} : {empty.cpu:.2f} ms"
    yield Figure(f"reset with {ROWS:,} rows stored : with none", full.cpu / empty.cpu, "×", MOST, cpu)
    elapsed = f"with none {empty.elapsed:.2f} ms"
    yield Figure(f"reset with {ROWS:,} rows stored", full.elapsed, "ms", MOST_MS, elapsed)
