"""`python -m tests.benchmarks [NAME…]`: measure, and print each figure with its goal."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import batches, fixture, reading, resetting, restoring, sending, start, webhooks
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.servers import LOAD_CPU, SERVER_CPU
from tests.benchmarks.wire import WrongAnswer

BENCHMARKS: dict[str, Callable[[Plan], Iterator[Figure]]] = {
    "start": start.measure,
    "sending": sending.measure,
    "batches": batches.measure,
    "webhooks": webhooks.measure,
    "reading": reading.measure,
    "resetting": resetting.measure,
    "restoring": restoring.measure,
    "fixture": fixture.measure,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)} [default: all]")
    parser.add_argument("--rounds", type=int, help="how often each is taken; the median counts [default: 5]")
    parser.add_argument("--quick", action="store_true", help="3 rounds of half the length, 200,000 events")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    return given


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    given = arguments()
    os.sched_setaffinity(0, {LOAD_CPU})
    rounds = given.rounds or (3 if given.quick else 5)
    say(f"Servers on CPU {SERVER_CPU}, load on CPU {LOAD_CPU}; medians of {rounds} rounds.")
    figures: list[Figure] = []
    failed = False
    for name in given.names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="mailgun-emulator-") as directory:
            plan = Plan(
                rounds, 1 if given.quick else 2, 200_000 if given.quick else 1_000_000, Path(directory)
            )
            try:
                for figure in BENCHMARKS[name](plan):
                    figures.append(figure)
                    say(figure.line())
            except WrongAnswer as error:
                failed = True
                say(f"{name}: {error}")
    if given.json:
        rows = [{**figure._asdict(), "passed": figure.passed} for figure in figures]
        given.json.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
