"""One attempt to deliver a message to one recipient (facts/sending.md, 3.2 and 6.6)."""

from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import providers
from mailgun_emulator.pipeline import archive
from mailgun_emulator.pipeline.outcomes import Outcome, Security, outcome_for
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.state import jobs, messages, suppressions
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.suppressions import Kind

TEST_MODE_CODE = 650
BIG = 1_000_000
RETRY_AFTER = (600, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds from one failed attempt to the next; after the last the message is too old."""


class Suppression(NamedTuple):
    """How Mailgun words that it does not even try."""

    reason: str
    code: int
    description: str


class Attempt(NamedTuple):
    """`number` counts from 1; `options` are the message's."""

    message: SentMessage
    recipient: str
    number: int
    options: dict[str, Any]

    @property
    def security(self) -> Security:
        """As the message asks for it or, if it says nothing, its domain."""
        asked = (self.options.get(name) == "yes" for name in ("require-tls", "skip-verification"))
        return Security(*asked)


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
    if message is not None:
        attempt_delivery(tx, message, recipient, job.attempt)


def attempt_delivery(tx: Tx, message: SentMessage, recipient: str, number: int = 1) -> None:
    attempt = Attempt(message, recipient, number, orjson.loads(message.options))
    suppression = suppression_of(tx, message, recipient)
    if suppression is not None:
        _refuse(tx, attempt, suppression)
    elif "template" in attempt.options:
        missing = f"template {attempt.options['template']} not found"
        _refuse(tx, attempt, Suppression("generic", 0, missing))
    elif "testmode" in attempt.options:
        _record_delivered(tx, attempt, Outcome(TEST_MODE_CODE, text=""))
    else:
        _try(tx, attempt, outcome_for(recipient, attempt.security, tx.settings))


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


def _try(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    if outcome.delivered:
        _record_delivered(tx, attempt, outcome)
        if "archive-to" in attempt.options:
            archive.schedule(tx, attempt.message, attempt.options["archive-to"])
    elif not outcome.temporary:
        _record_bounce(tx, attempt, outcome)
        _suppress(tx, attempt, outcome)
    elif attempt.number <= len(RETRY_AFTER):
        after = RETRY_AFTER[attempt.number - 1]
        _record_deferral(tx, attempt, outcome, after)
        subject = f"{attempt.message.id} {attempt.recipient}"
        domain_id = attempt.message.domain_id
        jobs.schedule(tx, Step.DELIVER, subject, domain_id=domain_id, after=after, attempt=attempt.number + 1)
    else:
        _give_up(tx, attempt)


def _suppress(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    """A hard bounce goes on the bounce list, unless the address or its domain is on the allowlist."""
    domain_id, recipient = attempt.message.domain_id, attempt.recipient
    for entry in (recipient, recipient.rpartition("@")[2]):
        if Kind.ALLOW in {each.kind for each in suppressions.list_of_address(tx, domain_id, entry)}:
            return
    suppressions.put(tx, domain_id, recipient, Kind.BOUNCE, code=str(outcome.code), error=outcome.text)


def _common(attempt: Attempt) -> dict[str, Any]:
    message, options = attempt.message, attempt.options
    told = {
        "flags": {
            "is-routed": False,
            "is-authenticated": True,
            "is-system-test": False,
            "is-test-mode": "testmode" in options,
            "is-big": message.size > BIG,
        },
        "message": {
            "attachments": orjson.Fragment(message.attachments),
            "size": message.size,
            "headers": orjson.Fragment(message.headers),
        },
        "storage": storage(message),
        "envelope": {"sender": message.sender, "transport": "smtp", "targets": attempt.recipient},
    }
    if "template" in options:
        told["template"] = {"name": options["template"]}
    return told


def _sent(attempt: Attempt) -> dict[str, Any]:
    """What is told of an attempt that reached the recipient's server."""
    told = _common(attempt)
    told["envelope"]["sending-ip"] = attempt.options.get("sending-ip", "127.0.0.1")
    told["recipient-provider"] = providers.group(attempt.recipient.rpartition("@")[2])
    told["primary-dkim"] = attempt.options["signed-by"]
    return told


def _status(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    return {
        "attempt-no": attempt.number,
        "code": outcome.code,
        "message": outcome.text,
        "description": "",
        "enhanced-code": outcome.enhanced_code,
        "mx-host": f"mx.{attempt.recipient.rpartition('@')[2]}",
        "tls": outcome.tls,
        "certificate-verified": outcome.verified,
        "utf8": True,
        "session-seconds": 0.05,
        "first-delivery-attempt-seconds": 0.01,
    }


def _record_delivered(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    told = {**_sent(attempt), "delivery-status": _status(attempt, outcome)}
    record(tx, EventType.DELIVERED, attempt.message, attempt.recipient, told)


def _record_bounce(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    status = {**_status(attempt, outcome), "bounce-type": "hard"}
    _record_failed(tx, attempt, "bounce", {**_sent(attempt), "delivery-status": status})


def _record_deferral(tx: Tx, attempt: Attempt, outcome: Outcome, after: int) -> None:
    told = {
        **_sent(attempt),
        "severity": "temporary",
        "log-level": "warn",
        "delivery-status": {**_status(attempt, outcome), "retry-seconds": after},
    }
    _record_failed(tx, attempt, "generic", told)


def _give_up(tx: Tx, attempt: Attempt) -> None:
    told = {**_common(attempt), "delivery-status": _unsent(attempt, 602, message="Too old")}
    _record_failed(tx, attempt, "old", told)


def _refuse(tx: Tx, attempt: Attempt, suppression: Suppression) -> None:
    status = _unsent(attempt, suppression.code, description=suppression.description)
    _record_failed(tx, attempt, suppression.reason, {**_common(attempt), "delivery-status": status})


def _unsent(attempt: Attempt, code: int, *, message: str = "", description: str = "") -> dict[str, Any]:
    """The status of what did not even reach the recipient's server."""
    return {
        "attempt-no": attempt.number,
        "message": message,
        "code": code,
        "description": description,
        "session-seconds": 0.0,
    }


def _record_failed(tx: Tx, attempt: Attempt, reason: str, told: dict[str, Any]) -> None:
    """For good, unless `told` has another severity."""
    told = {"severity": "permanent", "reason": reason, "log-level": "error", **told}
    record(tx, EventType.FAILED, attempt.message, attempt.recipient, told)
