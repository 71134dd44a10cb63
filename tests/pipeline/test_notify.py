import asyncio
from typing import Any

import orjson
import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail.signing import sign
from mailgun_emulator.pipeline import notify
from mailgun_emulator.pipeline.notify import Post
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.events import EventType

POSTED = ("accepted", "opened", "clicked", "unsubscribed", "complained")


@pytest.mark.parametrize(
    ("kind", "payload", "webhook"),
    [
        *((kind, {}, kind) for kind in POSTED),
        ("delivered", {"envelope": {"transport": "smtp"}}, "delivered"),
        ("delivered", {"envelope": {"transport": "http"}}, None),
        ("failed", {"severity": "temporary", "envelope": {}}, "temporary_fail"),
        ("failed", {"severity": "permanent"}, "permanent_fail"),
    ],
)
def test_an_event_has_the_webhook_of_its_kind(
    kind: str, payload: dict[str, Any], webhook: str | None
) -> None:
    assert notify.webhook_of(EventType(kind), payload) == webhook


def test_mailgun_posts_no_other_events() -> None:
    others = set(EventType) - {*POSTED, "delivered", "failed"}
    assert {"rejected", "stored"} <= others
    assert {notify.webhook_of(kind, {}) for kind in others} == {None}


def test_what_a_subaccount_is_told_is_signed_by_its_parent_as_well() -> None:
    database = Database(Settings(database=":memory:", seed=1), Clock())

    async def compose(*keys: str) -> Post:
        with database.reading() as tx:
            return notify.compose(tx, '{"event":"opened"}', *keys)

    alone, child = (asyncio.run(compose(*keys)) for keys in (("own",), ("own", "parent")))
    database.close()
    assert list(alone.signature) == ["timestamp", "token", "signature"]
    timestamp, token = child.signature["timestamp"], child.signature["token"]
    assert child.signature == {
        "timestamp": str(int(child.at)),
        "token": token,
        "signature": sign("own", timestamp, token),
        "parent-signature": sign("parent", timestamp, token),
    }
    assert orjson.loads(child.body) == {"signature": child.signature, "event-data": {"event": "opened"}}
