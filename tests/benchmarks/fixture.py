"""What a test suite pays: the emulator in its process, an account for each test, a wait for a message."""

import json
from collections.abc import Iterator
from statistics import median

from tests.benchmarks import servers
from tests.benchmarks.figures import Figure, Plan

MOST_TO_START = 6.0
MOST_MS_TO_MESSAGE = 500.0
MOST_MS_TO_STOP = 50.0
MOST_MS_FOR_AN_ACCOUNT = 5.0
MOST_TO_WAIT = 1.5


def measure(plan: Plan) -> Iterator[Figure]:
    told = json.loads(servers.run("tests.benchmarks.in_process", str(plan.rounds)))
    taken = {name: median(values) for name, values in told.items()}
    yield Figure(
        "Emulator() in process to its first answer : hello in a thread",
        taken["answer"] / taken["hello"],
        "×",
        MOST_TO_START,
        f"{taken['answer']:.1f} : {taken['hello']:.1f} ms",
    )
    yield Figure("Emulator() in process to its first message", taken["message"], "ms", MOST_MS_TO_MESSAGE, "")
    yield Figure("Emulator().stop()", taken["stop"], "ms", MOST_MS_TO_STOP, "")
    yield Figure(
        "an account made",
        taken["account"],
        "ms",
        MOST_MS_FOR_AN_ACCOUNT,
        f"deleted {taken['delete']:.2f} ms; GET /_emulator/health {taken['health']:.2f} ms",
    )
    yield Figure(
        "a message sent and waited for : sent and got",
        taken["wait"] / taken["get"],
        "×",
        MOST_TO_WAIT,
        f"{taken['wait']:.2f} : {taken['get']:.2f} ms",
    )
