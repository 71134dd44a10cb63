"""Sending: what a message costs until its accepted and delivered events are in the database file."""

import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from tests.benchmarks import durable, servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.load import load
from tests.benchmarks.servers import Server

MOST_CPU = {1: 10.0, 32: 14.0}
LEAST_RATE = 5.0

REQUESTS = wire.messages()


class Sent(NamedTuple):
    """`cpu` in µs a message and `rate` in messages a second, delivery included; latencies in ms."""

    cpu: float
    rate: float
    p50: float
    p99: float


def send(server: Server, connections: int, seconds: float, acknowledged: list[bytes] | None = None) -> Sent:
    """All that is acknowledged is delivered too before the meter is read; the answers go to `acknowledged`."""
    after = durable.last_event(server.database) if server.database else 0
    cpu, begun = server.cpu(), time.perf_counter()
    keep = acknowledged is not None
    done = load(server.url, REQUESTS, connections=connections, seconds=seconds, keep=keep)
    if server.database:
        durable.wait_until_delivered(server.database, done.answers, after)
    cpu, elapsed = server.cpu() - cpu, time.perf_counter() - begun
    if acknowledged is not None:
        acknowledged += done.bodies
    return Sent(1e6 * cpu / done.answers, done.answers / elapsed, 1000 * done.p50, 1000 * done.p99)


def measure(plan: Plan) -> Iterator[Figure]:
    acknowledged: list[bytes] = []
    with (
        servers.floor() as floor,
        servers.naive(plan.directory / "naive.db") as naive,
        servers.emulator(plan.directory / "sending.db") as emulator,
    ):
        senders = {
            "floor": partial(send, floor),
            "naive": partial(send, naive),
            "emulator": partial(send, emulator, acknowledged=acknowledged),
        }
        for warm_up in senders.values():
            warm_up(32, 1)
        takes = {
            (name, connections): partial(sender, connections, plan.seconds)
            for connections in MOST_CPU
            for name, sender in senders.items()
        }
        yield from _figures(in_turn(plan.rounds, takes))
        yield _missing(emulator, acknowledged)


def _figures(taken: dict[tuple[str, int], list[Sent]]) -> Iterator[Figure]:
    typical = {key: medians(sent) for key, sent in taken.items()}
    for connections, most in MOST_CPU.items():
        floor, naive, ours = (typical[name, connections] for name in ("floor", "naive", "emulator"))
        where = f"{connections} connection{'s' if connections > 1 else ''}"
        yield Figure(
            f"POST messages, {where}, CPU : floor",
            ours.cpu / floor.cpu,
            "×",
            most,
            f"{ours.cpu:.0f} : {floor.cpu:.0f} µs; p50 {ours.p50:.2f}, p99 {ours.p99:.2f} ms",
        )
        yield Figure(
            f"POST messages, {where}, rate : naive",
            ours.rate / naive.rate,
            "×",
            LEAST_RATE,
            f"{ours.rate:.0f} : {naive.rate:.0f} a second; naive's CPU {naive.cpu:.0f} µs, "
            f"{naive.cpu / ours.cpu:.1f}× ours",
            at_least=True,
        )


def _missing(emulator: Server, acknowledged: list[bytes]) -> Figure:
    """The process is killed as soon as the last answer is there."""
    assert emulator.database
    acknowledged += load(emulator.url, REQUESTS, connections=32, seconds=0.5, keep=True).bodies
    emulator.kill()
    lost = durable.missing(emulator.database, acknowledged)
    return Figure("acknowledged messages missing after a kill", lost, "", 0, f"of {len(acknowledged)}")
