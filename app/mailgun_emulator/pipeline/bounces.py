"""Bounces: those that go on the list, and those that come back after the delivery (facts/sending.md, 3.2 and 6.6)."""

from typing import Any

import orjson

from mailgun_emulator.pipeline.outcomes import Outcome
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.state import suppressions
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.state.transaction import Tx


def suppress(tx: Tx, message: SentMessage, recipient: str, outcome: Outcome) -> None:
    """A hard bounce goes on the bounce list, unless the address or its domain is on the allowlist."""
    if not outcome.hard:
        return
    domain_id = message.domain_id
    for entry in (recipient, recipient.rpartition("@")[2]):
        if Kind.ALLOW in {each.kind for each in suppressions.list_of_address(tx, domain_id, entry)}:
            return
    suppressions.put(tx, domain_id, recipient, Kind.BOUNCE, code=str(outcome.code), error=outcome.text)


def record_delayed(tx: Tx, message: SentMessage, recipient: str, outcome: Outcome) -> dict[str, Any]:
    """The recipient's server took the message and sent it back later."""
    told = {
        "severity": "permanent",
        "reason": "generic",
        "log-level": "error",
        "flags": {"is-delayed-bounce": True},
        "envelope": {},
        "delivery-status": {
            "code": outcome.code,
            "bounce-code": outcome.enhanced_code,
            "enhanced-code": outcome.enhanced_code,
            "message": f"smtp; {outcome.code} {outcome.text}",
            "description": "The message could not be delivered to one or more recipients.",
        },
        "message": {
            "attachments": orjson.Fragment(message.attachments),
            "size": message.size,
            "headers": orjson.Fragment(message.headers),
        },
        "storage": storage(message),
    }
    suppress(tx, message, recipient, outcome)
    return record(tx, EventType.FAILED, message, recipient, told)
