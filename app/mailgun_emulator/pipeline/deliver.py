"""One attempt to deliver a message to one recipient (facts/sending.md, 3.2 and 6.6)."""

from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import providers
from mailgun_emulator.pipeline.outcomes import Outcome, outcome_for
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.state import jobs, messages, suppressions
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.suppressions import Kind

TEST_MODE_CODE = 650
RETRY_AFTER = (600, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds from one failed attempt to the next; after the last the message is too old."""


class Suppression(NamedTuple):
    """How Mailgun words that it does not even try."""

    reason: str
    code: int
    description: str


SUPPRESSIONS = {
    Kind.BOUNCE: Suppression("suppress-bounce", 605, "Not delivering to previously bounced address"),
    Kind.UNSUBSCRIBE: Suppression("suppress-unsubscribe", 606, "Not delivering to unsubscribed address"),
    Kind.COMPLAINT: Suppression(
        "suppress-complaint", 607, "Not delivering to a user who marked your messages as spam"
    ),
}


def deliver(tx: Tx, job: DueJob) -> None:
    """The job's subject is the message's row and the recipient."""
    row, _, recipient = job.subject.partition(" ")
    message = messages.find_sent(tx, int(row))
    if message is None:
        return
    options = orjson.loads(message.options)
    suppression = suppression_of(tx, message, recipient)
    if suppression is not None:
        _refuse(tx, message, recipient, suppression)
    elif options.get("template"):
        _refuse(
            tx, message, recipient, Suppression("generic", 0, f"template {options['template']} not found")
        )
    elif options.get("testmode"):
        _record_delivered(tx, message, recipient, job.attempt, Outcome(TEST_MODE_CODE, text=""))
    else:
        _attempt(tx, message, recipient, job)


def suppression_of(tx: Tx, message: SentMessage, recipient: str) -> Suppression | None:
    """Bounces first, then unsubscribes from all or from one of the message's tags, then complaints."""
    found = {each.kind: each.tags for each in suppressions.list_of_address(tx, message.domain_id, recipient)}
    if not found:
        return None
    if Kind.BOUNCE in found:
        return SUPPRESSIONS[Kind.BOUNCE]
    if Kind.UNSUBSCRIBE in found:
        refused = {tag.lower() for tag in orjson.loads(found[Kind.UNSUBSCRIBE])}
        if "*" in refused or refused & {tag.lower() for tag in orjson.loads(message.tags)}:
            return SUPPRESSIONS[Kind.UNSUBSCRIBE]
    return SUPPRESSIONS[Kind.COMPLAINT] if Kind.COMPLAINT in found else None


def _attempt(tx: Tx, message: SentMessage, recipient: str, job: DueJob) -> None:
    outcome = outcome_for(recipient, tx.settings)
    if outcome.delivered:
        _record_delivered(tx, message, recipient, job.attempt, outcome)
    elif not outcome.temporary:
        _record_bounce(tx, message, recipient, job.attempt, outcome)
        _suppress(tx, message, recipient, outcome)
    elif job.attempt <= len(RETRY_AFTER):
        after = RETRY_AFTER[job.attempt - 1]
        _record_deferral(tx, message, recipient, job.attempt, outcome, after)
        jobs.schedule(
            tx, Step.DELIVER, job.subject, domain_id=job.domain_id, after=after, attempt=job.attempt + 1
        )
    else:
        _give_up(tx, message, recipient, job.attempt)


def _suppress(tx: Tx, message: SentMessage, recipient: str, outcome: Outcome) -> None:
    """A hard bounce goes on the bounce list, unless the address or its domain is on the allowlist."""
    domain = recipient.rpartition("@")[2]
    for entry in (recipient, domain):
        if Kind.ALLOW in {each.kind for each in suppressions.list_of_address(tx, message.domain_id, entry)}:
            return
    suppressions.put(
        tx, message.domain_id, recipient, Kind.BOUNCE, code=str(outcome.code), error=outcome.text
    )


def _common(message: SentMessage) -> dict[str, Any]:
    options = orjson.loads(message.options)
    return {
        "flags": {
            "is-routed": False,
            "is-authenticated": True,
            "is-system-test": False,
            "is-test-mode": bool(options.get("testmode")),
            "is-big": message.size > 1_000_000,
        },
        "message": {
            "attachments": orjson.Fragment(message.attachments),
            "size": message.size,
            "headers": orjson.Fragment(message.headers),
        },
        "storage": storage(message),
        **({"template": {"name": options["template"]}} if options.get("template") else {}),
    }


def _sent(message: SentMessage, recipient: str) -> dict[str, Any]:
    """What is told of an attempt that reached the recipient's server."""
    options = orjson.loads(message.options)
    domain = recipient.rpartition("@")[2]
    return {
        **_common(message),
        "envelope": {
            "sender": message.sender,
            "transport": "smtp",
            "targets": recipient,
            "sending-ip": options.get("sending-ip") or "127.0.0.1",
        },
        "recipient_provider": providers.group(domain),
        "primary_dkim": options.get("dkim", ""),
    }


def _status(message: SentMessage, recipient: str, attempt: int, outcome: Outcome) -> dict[str, Any]:
    options = orjson.loads(message.options)
    verified = not options.get("skip-verification")
    return {
        "attempt-no": attempt,
        "code": outcome.code,
        "message": outcome.text,
        "description": "",
        "enhanced-code": outcome.enhanced_code,
        "mx-host": f"mx.{recipient.rpartition('@')[2]}",
        "tls": True,
        "certificate-verified": verified,
        "utf8": True,
        "session-seconds": 0.05,
        "first-delivery-attempt-seconds": 0.01,
    }


def _record_delivered(tx: Tx, message: SentMessage, recipient: str, attempt: int, outcome: Outcome) -> None:
    status = _status(message, recipient, attempt, outcome)
    record(tx, EventType.DELIVERED, message, recipient, **_sent(message, recipient), delivery_status=status)


def _record_bounce(tx: Tx, message: SentMessage, recipient: str, attempt: int, outcome: Outcome) -> None:
    status = {**_status(message, recipient, attempt, outcome), "bounce-type": "hard"}
    record(
        tx,
        EventType.FAILED,
        message,
        recipient,
        **_sent(message, recipient),
        severity="permanent",
        reason="bounce",
        log_level="error",
        delivery_status=status,
    )


def _record_deferral(
    tx: Tx, message: SentMessage, recipient: str, attempt: int, outcome: Outcome, after: int
) -> None:
    status = {**_status(message, recipient, attempt, outcome), "retry-seconds": after}
    record(
        tx,
        EventType.FAILED,
        message,
        recipient,
        **_sent(message, recipient),
        severity="temporary",
        reason="generic",
        log_level="warn",
        delivery_status=status,
    )


def _give_up(tx: Tx, message: SentMessage, recipient: str, attempt: int) -> None:
    status = {
        "attempt-no": attempt,
        "message": "Too old",
        "code": 602,
        "description": "",
        "session-seconds": 0.0,
    }
    _fail(tx, message, recipient, "old", status)


def _refuse(tx: Tx, message: SentMessage, recipient: str, suppression: Suppression) -> None:
    status = {
        "attempt-no": 1,
        "message": "",
        "code": suppression.code,
        "description": suppression.description,
        "session-seconds": 0.0,
    }
    _fail(tx, message, recipient, suppression.reason, status)


def _fail(tx: Tx, message: SentMessage, recipient: str, reason: str, status: dict[str, Any]) -> None:
    record(
        tx,
        EventType.FAILED,
        message,
        recipient,
        **_common(message),
        envelope={"sender": message.sender, "transport": "smtp", "targets": recipient},
        severity="permanent",
        reason=reason,
        log_level="error",
        delivery_status=status,
    )
