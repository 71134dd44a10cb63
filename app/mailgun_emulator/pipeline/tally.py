"""What is counted of an event (facts/sending.md, 7).

The metrics and, with a plus, what is counted besides of some of their events:

accepted.incoming, accepted.outgoing · delivered.smtp, delivered.http · failed.SEVERITY.REASON · and the other events
by their names · delivered+retried (not at the first attempt) · delivered+optimized, failed+optimized (send time
optimization) · failed+hard (bounces) · failed+rule.SEVERITY.RULE (of `mail.bounce_rules`) · opened+unique,
clicked+unique (the recipient's first to that message in a week). `pipeline.notify` counts failed+webhook (given up).

Of a message that is delivered at once nothing is counted that can be told from the rest.
"""

from typing import Any

import orjson

from mailgun_emulator.mail import bounce_rules
from mailgun_emulator.pipeline.about import Subject
from mailgun_emulator.state import events, statistics
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.transaction import Tx

OPTIMIZER = "i-delivery-optimizer"
"""Events of messages that are sent at their recipients' best time have it."""
_NONE: dict[str, Any] = {}


def count(tx: Tx, kind: EventType, message: Subject, payload: dict[str, Any]) -> None:
    tags = () if message.tags == "[]" else orjson.loads(message.tags)
    client = _client(payload) if "client-info" in payload else {}
    envelope = payload.get("envelope", _NONE)
    about = {
        "recipient_domain": payload.get("recipient-domain", "").lower(),
        "ip": envelope.get("sending-ip", ""),
        "ip_pool": envelope.get("i-ip-pool-id", ""),
        **client,
    }
    statistics.count(tx, message.domain_id, metric_of(kind, payload), tags, **about)
    if tx.has_alerts:
        from mailgun_emulator.pipeline import thresholds  # few accounts have alerts

        thresholds.check_soon(tx)
    if kind is not EventType.ACCEPTED:
        for metric in besides(tx, kind, message, payload):
            statistics.count(tx, message.domain_id, metric, tags, **about)


def metric_of(kind: EventType, payload: dict[str, Any]) -> str:
    """The path to its number in the answers of Stats. Incoming is what nobody's credentials sent, with the copies that
    routes forward, as the published document defines it.
    """
    match kind:
        case EventType.ACCEPTED:
            authenticated = payload.get("flags", {}).get("is-authenticated")
            return "accepted.incoming" if authenticated is False else "accepted.outgoing"
        case EventType.DELIVERED:
            return f"delivered.{payload['envelope'].get('transport', 'smtp')}"
        case EventType.FAILED if payload.get("flags", {}).get("is-delayed-bounce"):
            return f"failed.{payload['severity']}.delayed-bounce"
        case EventType.FAILED:
            return f"failed.{payload['severity']}.{payload['reason']}"
        case _:
            return kind.value


def besides(tx: Tx, kind: EventType, message: Subject, payload: dict[str, Any]) -> list[str]:
    match kind:
        case EventType.DELIVERED:
            return _besides_delivered(payload)
        case EventType.FAILED:
            return _besides_failed(payload)
        case EventType.OPENED | EventType.CLICKED if _is_first(tx, kind, message, payload):
            return [f"{kind.value}+unique"]
        case _:
            return []


def _besides_delivered(payload: dict[str, Any]) -> list[str]:
    found = ["delivered+optimized"] if OPTIMIZER in payload else []
    if payload.get("delivery-status", _NONE).get("attempt-no", 1) > 1:
        found.append("delivered+retried")
    return found


def _besides_failed(payload: dict[str, Any]) -> list[str]:
    found = ["failed+optimized"] if OPTIMIZER in payload and payload["severity"] == "permanent" else []
    if payload.get("delivery-status", _NONE).get("bounce-type") == "hard":
        found.append("failed+hard")
    rule = bounce_rules.rule_of(payload)
    if rule is not None:
        found.append(f"failed+rule.{payload['severity']}.{rule.id}")
    return found


def _client(payload: dict[str, Any]) -> dict[str, str]:
    about, place = payload.get("client-info", {}), payload.get("geolocation", {})
    told = {"country": place.get("country"), "device": about.get("device-type"), "bot": about.get("bot")}
    return {name: value or "" for name, value in told.items()}


def _is_first(tx: Tx, kind: EventType, message: Subject, payload: dict[str, Any]) -> bool:
    """Whether the recipient has not opened or clicked that message in the week before."""
    since = tx.now - events.UNIQUE_AGAIN_AFTER
    first = events.find_first(tx, message.domain_id, kind, message.message_id, payload["recipient"], since)
    return first is None or first["id"] == payload["id"]
