"""The only place that makes events: what happened, in Mailgun's words, and counted (facts/sending.md, 3)."""

from collections.abc import Mapping
from typing import Any

import orjson

from mailgun_emulator.mail import providers
from mailgun_emulator.state import events, statistics
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage

_NULL_WITHOUT_TAGS = (EventType.ACCEPTED, EventType.REJECTED)
"""As recorded (facts/sending.md, 3.1)."""


def record(tx: Tx, kind: EventType, message: SentMessage, recipient: str, told: Mapping[str, Any]) -> None:
    """`told` is what this kind of event tells besides what all do."""
    recipient_domain = recipient.rpartition("@")[2]
    tags = orjson.loads(message.tags)
    key = tx.ids.event_id()
    payload = {
        "event": kind.value,
        "id": key,
        "timestamp": tx.now,
        "log-level": "info",
        "account": {"id": tx.account_id},
        "domain": {"name": message.domain_name},
        "recipient": recipient,
        "recipient-domain": recipient_domain,
        "tags": tags or (None if kind in _NULL_WITHOUT_TAGS else []),
        "user-variables": orjson.Fragment(message.variables),
        **told,
    }
    events.add(
        tx,
        domain_id=message.domain_id,
        type=kind,
        key=key,
        recipient=recipient,
        message_id=message.message_id,
        payload=orjson.dumps(payload).decode(),
        tags=tags,
    )
    statistics.count(
        tx,
        message.domain_id,
        metric_of(kind, payload),
        tags,
        provider=providers.known(recipient_domain),
        ip=payload.get("envelope", {}).get("sending-ip", ""),
    )


def storage(message: SentMessage) -> dict[str, str]:
    return {"region": "us-west1", "env": "production", "key": message.storage_key, "url": message.url}


def metric_of(kind: EventType, payload: dict[str, Any]) -> str:
    """What `statistics` counts it as: the path to its number in the answers of Mailgun's statistics."""
    match kind:
        case EventType.ACCEPTED:
            return "accepted.outgoing"
        case EventType.DELIVERED:
            return f"delivered.{payload['envelope'].get('transport', 'smtp')}"
        case EventType.FAILED:
            return f"failed.{payload['severity']}.{payload['reason']}"
        case _:
            return kind.value
