"""Webhooks: 1,000 messages, each told to one receiver twice, against nothing but the same posts."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson

from tests.benchmarks import durable, servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.load import load
from tests.benchmarks.servers import LOAD_CPU, Server

MESSAGES = 1000
EVENTS = ("accepted", "delivered")
LEAST = 0.25


class Posted(NamedTuple):
    """Seconds for all posts; the emulator's with the messages that they tell of. `cpu` in µs a post."""

    seconds: float
    cpu: float


def hook(server: Server, url: str) -> None:
    for event in EVENTS:
        body = orjson.dumps({"id": event, "url": url})
        server.ask("POST", f"/v3/domains/{wire.DOMAIN}/webhooks", body)


def send(server: Server, messages: int) -> Posted:
    """From the first message sent to the last post answered."""
    assert server.database
    posts = messages * len(EVENTS)
    after = durable.last_event(server.database)
    cpu, begun = server.cpu(), time.perf_counter()
    load(server.url, wire.messages(), connections=8, most=messages)
    durable.wait_until_posted(server.database, posts, after)
    return Posted(time.perf_counter() - begun, 1e6 * (server.cpu() - cpu) / posts)


def write_bodies(database: Path, file: Path) -> int:
    """As they were posted, but for the values of the signature; how many."""
    signature = {"timestamp": "1700000000", "token": "0" * 50, "signature": "0" * 64}
    bodies = [
        orjson.dumps({"signature": signature, "event-data": orjson.Fragment(payload)})
        for payload in durable.posted_events(database)
    ]
    file.write_bytes(b"\n".join(bodies))
    return len(bodies)


def post(url: str, bodies: Path, posts: int) -> Posted:
    """One after another, as posts to one URL are; by a process that does nothing else."""
    seconds, cpu = map(float, servers.run("tests.benchmarks.posting", url, str(bodies)).split())
    return Posted(seconds, 1e6 * cpu / posts)


def measure(plan: Plan) -> Iterator[Figure]:
    database, bodies = plan.directory / "webhooks.db", plan.directory / "bodies"
    with servers.floor(LOAD_CPU) as receiver, servers.emulator(database) as emulator:
        url = f"{receiver.url}/hook"
        hook(emulator, url)
        send(emulator, MESSAGES)
        posts = write_bodies(database, bodies)
        takes = {"emulator": partial(send, emulator, MESSAGES), "bare": partial(post, url, bodies, posts)}
        taken = in_turn(plan.rounds, takes)
    ours, bare = medians(taken["emulator"]), medians(taken["bare"])
    yield Figure(
        f"{MESSAGES:,} messages, {posts:,} posts to webhooks, rate : bare loop",
        bare.seconds / ours.seconds,
        "×",
        LEAST,
        f"{posts / ours.seconds:.0f} : {posts / bare.seconds:.0f} posts and {MESSAGES / ours.seconds:.0f} messages "
        f"a second; CPU {ours.cpu:.0f} : {bare.cpu:.0f} µs a post",
        at_least=True,
    )
