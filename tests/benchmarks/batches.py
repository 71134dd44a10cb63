"""Batch sending: 10,000 recipients in ten calls, each with a copy and variables of its own."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from tests.benchmarks import durable, servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.load import load
from tests.benchmarks.servers import Server

CALLS = 10
RECIPIENTS = 1000
MOST = 1.0

_BOUNDARY = "----batch-5f2b9c7e"


class Sent(NamedTuple):
    """`cpu` in µs a recipient, `seconds` for all, delivery included."""

    cpu: float
    seconds: float


def batch(number: int) -> bytes:
    """A newsletter for 1,000, greeted by their names."""
    recipients = [f"reader{number}.{each}@inbox.example.net" for each in range(RECIPIENTS)]
    variables = {address: {"name": f"Reader {each}"} for each, address in enumerate(recipients)}
    fields = [
        ("from", f"Ann Example <ann@{wire.DOMAIN}>"),
        *(("to", address) for address in recipients),
        ("subject", "News for %recipient.name%"),
        ("text", f"Hello %recipient.name%,\n\n{'this is new. ' * 30}\n"),
        ("html", f"<p>Hello %recipient.name%,</p><p>{'this is <b>new</b>. ' * 30}</p>"),
        ("o:tag", "news"),
        ("recipient-variables", json.dumps(variables)),
    ]
    body = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    )
    return wire.request(
        "POST",
        f"/v3/{wire.DOMAIN}/messages",
        f"{body}--{_BOUNDARY}--\r\n".encode(),
        f"multipart/form-data; boundary={_BOUNDARY}",
    )


def send(server: Server, requests: list[bytes], calls: int, recipients: int) -> Sent:
    """`recipients` of each call; all are delivered to before the meter is read."""
    assert server.database
    after = durable.last_event(server.database)
    cpu, begun = server.cpu(), time.perf_counter()
    load(server.url, requests, connections=4, most=calls)
    durable.wait_until_delivered(server.database, calls * recipients, after)
    cpu, elapsed = server.cpu() - cpu, time.perf_counter() - begun
    return Sent(1e6 * cpu / (calls * recipients), elapsed)


def measure(plan: Plan) -> Iterator[Figure]:
    with servers.emulator(plan.directory / "batches.db") as emulator:
        single = partial(send, emulator, wire.messages(), CALLS * RECIPIENTS // 4, 1)
        batches = partial(send, emulator, [batch(number) for number in range(CALLS)], CALLS, RECIPIENTS)
        load(emulator.url, wire.messages(), connections=4, most=500)
        taken = in_turn(plan.rounds, {"batches": batches, "single": single})
    batch_, single_ = medians(taken["batches"]), medians(taken["single"])
    yield Figure(
        "10,000 recipients in ten batches, CPU : one message each",
        batch_.cpu / single_.cpu,
        "×",
        MOST,
        f"{batch_.cpu:.0f} : {single_.cpu:.0f} µs a recipient; all in {batch_.seconds:.2f} s",
    )
