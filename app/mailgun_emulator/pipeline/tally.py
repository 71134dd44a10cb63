"""What is counted of an event (facts/sending.md, 7)."""

from typing import Any

import orjson

from mailgun_emulator.mail import providers
from mailgun_emulator.pipeline.about import Subject
from mailgun_emulator.state import statistics
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType


def count(tx: Tx, kind: EventType, message: Subject, payload: dict[str, Any]) -> None:
    statistics.count(
        tx,
        message.domain_id,
        metric_of(kind, payload),
        orjson.loads(message.tags),
        provider=providers.known(payload.get("recipient-domain", "")),
        ip=payload.get("envelope", {}).get("sending-ip", ""),
    )


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
