"""The only place that makes events: what happened, in Mailgun's words, counted and told (facts/sending.md, 3)."""

from collections.abc import Mapping
from typing import Any

import orjson

from mailgun_emulator.pipeline import notify, tally
from mailgun_emulator.pipeline.about import About, Subject
from mailgun_emulator.state import events
from mailgun_emulator.state.events import OF_LISTS, EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

__all__ = ["About", "Subject", "envelope", "origin", "record", "remember", "storage"]

_NULL_WITHOUT_TAGS = (EventType.ACCEPTED, EventType.REJECTED)
"""As recorded (facts/sending.md, 3.1)."""

_OF_ORIGIN = {"template": "template-info", "mailing-list": "mailing-list", "batch": "batch"}


def record(
    tx: Tx, kind: EventType, message: Subject, recipient: str, told: Mapping[str, Any]
) -> dict[str, Any]:
    """The event as it is told. `told` is what this kind of event tells besides what all do."""
    tags = orjson.loads(message.tags)
    payload = {
        "event": kind.value,
        "id": tx.ids.event_id(),
        "timestamp": tx.now,
        "log-level": "info",
        "account": tx.account,
        "domain": {"name": message.domain_name},
        **({} if kind in OF_LISTS else _of_message(kind, message, recipient, tags)),
        **told,
    }
    row = events.add(
        tx,
        domain_id=message.domain_id,
        type=kind,
        key=payload["id"],
        recipient=recipient,
        message_id=message.message_id,
        payload=orjson.dumps(payload).decode(),
        tags=tags,
    )
    if kind not in OF_LISTS:
        tally.count(tx, kind, message, payload)
        notify.schedule(tx, kind, message.domain_id, payload, row)
    tx.tell("event", payload)
    return payload


def remember(
    tx: Tx, kind: EventType, about: Subject, recipient: str, payload: dict[str, Any], tags: list[str]
) -> None:
    """What happened before, at what is now the transaction's time: it is counted, and nobody is told.

    It is found by the `tags`, and counted for those of the subject.
    """
    events.add(
        tx,
        domain_id=about.domain_id,
        type=kind,
        key=payload["id"],
        recipient=recipient,
        message_id=about.message_id,
        payload=orjson.dumps(payload).decode(),
        tags=tags,
    )
    if kind not in OF_LISTS:
        tally.count(tx, kind, about, payload)


def _of_message(kind: EventType, message: Subject, recipient: str, tags: list[str]) -> dict[str, Any]:
    """What is stored has its recipients elsewhere (facts/sending.md, 3.2)."""
    whom = {"recipient": recipient, "recipient-domain": recipient.rpartition("@")[2]}
    return {
        **({} if kind is EventType.STORED else whom),
        "tags": tags or (None if kind in _NULL_WITHOUT_TAGS else []),
        "user-variables": orjson.Fragment(message.variables),
    }


def origin(options: Mapping[str, Any]) -> dict[str, Any]:
    """What events tell of how a message came about, of its options."""
    return {name: options[option] for name, option in _OF_ORIGIN.items() if option in options}


def envelope(message: SentMessage, recipient: str, options: Mapping[str, Any]) -> dict[str, str]:
    """With the pool of IPs that it is sent by, if it is by one."""
    told = {"sender": message.sender, "transport": "smtp", "targets": recipient}
    if "sending-ip-pool" in options:
        told["i-ip-pool-id"] = options["sending-ip-pool"]
    return told


def storage(message: SentMessage) -> dict[str, str]:
    return {"region": "us-west1", "env": "production", "key": message.storage_key, "url": message.url}
