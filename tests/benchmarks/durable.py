"""What a server has written to its database file, read from outside."""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.benchmarks.wire import WrongAnswer

_COUNTING = """
    SELECT coalesce(sum(type = 'accepted'), 0), coalesce(sum(type = 'delivered'), 0) FROM event WHERE id > ?
"""
_ID = re.compile(rb'"id": ?"<([^>]+)>"')


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)) as connection:
        yield connection


def last_event(database: Path) -> int:
    with reading(database) as connection:
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
    return int(last)


def wait_until_delivered(database: Path, count: int, after: int = 0, patience: float = 120) -> None:
    """Until as many messages are accepted and delivered by events that came after the event `after`."""
    until = time.perf_counter() + patience
    with reading(database) as connection:
        while True:
            accepted, delivered = connection.execute(_COUNTING, (after,)).fetchone()
            if accepted == delivered == count:
                return
            if time.perf_counter() > until or max(accepted, delivered) > count:
                raise WrongAnswer(f"{count} messages: {accepted} events accepted, {delivered} delivered")
            time.sleep(0.005)


def wait_until_posted(database: Path, count: int, after: int = 0, patience: float = 120) -> None:
    """Until as many posts to webhooks are made and taken, of events that came after the event `after`."""
    until = time.perf_counter() + patience
    with reading(database) as connection:
        while True:
            (made,) = connection.execute(
                "SELECT count(*) FROM webhook_delivery WHERE state = 'done' AND event_id > ?", (after,)
            ).fetchone()
            if made == count:
                return
            if time.perf_counter() > until or made > count:
                raise WrongAnswer(f"{count} posts to webhooks: {made} made")
            time.sleep(0.005)


def posted_events(database: Path) -> list[str]:
    """What was posted to webhooks, in the order it was."""
    with reading(database) as connection:
        rows = connection.execute(
            "SELECT payload FROM webhook_delivery JOIN event ON event.id = event_id ORDER BY webhook_delivery.id"
        )
        return [payload for (payload,) in rows]


def missing(database: Path, acknowledged: Iterable[bytes]) -> int:
    """How many of the messages that were answered with an id are not in the file."""
    answered = [found[1].decode() for body in acknowledged if (found := _ID.search(body))]
    with reading(database) as connection:
        stored = {
            message_id.strip("<>") for (message_id,) in connection.execute("SELECT message_id FROM message")
        }
    return len(set(answered) - stored) + len(answered) - len(set(answered))
