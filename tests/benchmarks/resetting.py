"""Going back to the start, with much stored and with nothing."""

import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks import filling, servers
from tests.benchmarks.figures import Figure, Plan, in_turn
from tests.benchmarks.servers import Server

ROWS = 60_000
MOST = 3.0
MOST_MS = 5.0


def reset(server: Server) -> float:
    """Milliseconds."""
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

        taken = in_turn(
            plan.rounds,
            {"full": reset_full, "empty": lambda: median(reset(server) for _ in range(10))},
        )
    full, empty = median(taken["full"]), median(taken["empty"])
    detail = f"{full:.2f} : {empty:.2f} ms"
    yield Figure(f"reset with {ROWS:,} rows stored : with none", full / empty, "×", MOST, detail)
    yield Figure(f"reset with {ROWS:,} rows stored", full, "ms", MOST_MS, detail)
