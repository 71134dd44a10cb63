"""Going back to the start, with much stored and with nothing."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from tests.benchmarks import filling, servers
from tests.benchmarks.figures import Figure, Plan, in_turn
from tests.benchmarks.servers import Server

ROWS = 60_000
MOST = 3.0
MOST_MS = 5.0
WARM_UP = 20
RESETS = 3


def reset(server: Server) -> float:
    """Milliseconds, of a server that has just been at work: after a pause all code is slow for a moment."""
    for _ in range(WARM_UP):
        server.ask("GET", "/_emulator/health")
    begun = time.perf_counter()
    server.ask("POST", "/_emulator/reset")
    return 1000 * (time.perf_counter() - begun)


def measure(plan: Plan) -> Iterator[Figure]:
    database = plan.directory / "resetting.db"
    samples = filling.prepare(database)
    with servers.emulator(database, *filling.DOMAINS) as server:
        reset(server)

        def reset_full() -> float:
            filling.fill(database, samples, ROWS // 2)  # as many rows again are their tags
            return reset(server)

        takes: dict[str, Callable[[], float]] = {"full": reset_full, "empty": partial(reset, server)}
        taken = in_turn(plan.rounds * RESETS, takes)
    full, empty = median(taken["full"]), median(taken["empty"])
    detail = f"{full:.2f} : {empty:.2f} ms"
    yield Figure(f"reset with {ROWS:,} rows stored : with none", full / empty, "×", MOST, detail)
    yield Figure(f"reset with {ROWS:,} rows stored", full, "ms", MOST_MS, detail)
