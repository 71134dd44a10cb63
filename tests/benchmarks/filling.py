"""Databases with many events, written straight into the file.

The emulator sends one message for each domain; what that left in its tables is written again and again with other
ids, addresses and times. So the rows are the emulator's own whatever its tables look like.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tests.benchmarks import durable, servers, wire

DOMAINS = (wire.DOMAIN, *(f"mg{number}.example.com" for number in range(1, 5)))
SHARES = (0, 0, 0, 0, 0, 1, 1, 2, 3, 4)  # whose message each of ten is
HOURS = 29 * 24
HOUR = 3600

Values = dict[str, Any]


class Sample(NamedTuple):
    """What one message leaves behind: its two events, the tags of each, and the counts."""

    events: list[Values]
    tags: dict[int, list[Values]]
    counts: dict[str, list[Values]]


def _select(connection: sqlite3.Connection, table: str, domain_id: str) -> list[Values]:
    found = connection.execute(f"SELECT * FROM {table} WHERE domain_id = ?", (domain_id,))  # noqa: S608 - our own names
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _insert(connection: sqlite3.Connection, table: str, rows: list[Values]) -> None:
    if rows:
        names = ", ".join(f'"{name}"' for name in rows[0])
        places = ", ".join("?" for _ in rows[0])
        connection.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - our own names
            [tuple(row.values()) for row in rows],
        )


def prepare(database: Path) -> list[Sample]:
    """Make the database by sending one message from each domain; read what each left."""
    with servers.emulator(database, *DOMAINS) as server:
        for domain in DOMAINS:
            wire.ask(server.url, wire.message(0, domain))
        durable.wait_until_delivered(database, len(DOMAINS))
        return read(database)


def read(database: Path) -> list[Sample]:
    with durable.reading(database) as connection:
        ids = dict(connection.execute("SELECT name, id FROM domain"))
        return [_sample(connection, ids[domain]) for domain in DOMAINS]


def _sample(connection: sqlite3.Connection, domain_id: str) -> Sample:
    events = _select(connection, "event", domain_id)
    tags = _select(connection, "event_tag", domain_id)
    return Sample(
        events,
        {event["id"]: [tag for tag in tags if tag["event_id"] == event["id"]] for event in events},
        {table: _select(connection, table, domain_id) for table in ("hour_count", "dimension_count")},
    )


def _payload(sample: Values, key: str, at: float, recipient: str, message_id: str) -> str:
    payload = orjson.loads(sample["payload"])
    payload |= {"id": key, "timestamp": at, "recipient": recipient}
    payload["message"]["headers"] |= {"message-id": message_id, "to": recipient}
    return orjson.dumps(payload).decode()


def _copies(sample: Sample, at: float, number: int, first_id: int) -> Iterator[tuple[Values, list[Values]]]:
    """The events of one more message, each with its tags."""
    recipient = f"recipient{number}@inbox.example.net"
    message_id = f"{number:016x}.{sample.events[0]['message_id']}"
    for step, event in enumerate(sample.events):
        event_id, when = first_id + step, at + step / 10
        key = f"{event_id:022}"
        row = {
            **event,
            "id": event_id,
            "key": key,
            "at": when,
            "recipient": recipient,
            "message_id": message_id,
            "payload": _payload(event, key, when, recipient, message_id),
        }
        yield row, [{**tag, "event_id": event_id, "at": when} for tag in sample.tags[event["id"]]]


def fill(database: Path, samples: list[Sample], events: int) -> list[int]:
    """Spread so many events evenly over the 29 days before the samples' hour; return each domain's messages.

    Also into a database that a server has open.
    """
    per_message = len(samples[0].events)
    messages = events // per_message
    begin = min(sample.counts["hour_count"][0]["hour"] for sample in samples) - HOURS * HOUR
    totals = [0] * len(samples)
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")
        (next_id,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()
        for hour in range(HOURS):
            numbers = range(messages * hour // HOURS, messages * (hour + 1) // HOURS)
            at = begin + hour * HOUR
            in_hour = [0] * len(samples)
            rows: list[Values] = []
            tags: list[Values] = []
            for place, number in enumerate(numbers):
                domain = SHARES[number % len(SHARES)]
                in_hour[domain] += 1
                when = at + place * (HOUR - 1) / len(numbers)
                for row, its_tags in _copies(samples[domain], when, number, next_id):
                    rows.append(row)
                    tags += its_tags
                next_id += per_message
            connection.execute("BEGIN IMMEDIATE")
            _insert(connection, "event", rows)
            _insert(connection, "event_tag", tags)
            _count(connection, samples, in_hour, at)
            connection.execute("COMMIT")
            totals = [total + more for total, more in zip(totals, in_hour, strict=True)]
    return totals


def _count(connection: sqlite3.Connection, samples: list[Sample], in_hour: list[int], hour: int) -> None:
    for sample, messages in zip(samples, in_hour, strict=True):
        if messages:
            for table, counts in sample.counts.items():
                rows = [{**row, "hour": hour, "count": row["count"] * messages} for row in counts]
                _insert(connection, table, rows)
