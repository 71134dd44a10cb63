"""One attempt to deliver a message to one recipient (facts/sending.md, 3.2 and 6.6)."""

from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import providers
from mailgun_emulator.mail.addresses import OF_SEED_LISTS
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.pipeline import bounces
from mailgun_emulator.pipeline.outcomes import NO_MX, Outcome, Security, outcome_for, outcome_of
from mailgun_emulator.pipeline.record import envelope, origin, record, storage
from mailgun_emulator.state import deliveries, jobs, messages, outcome_rules, sending, suppressions
from mailgun_emulator.state.deliveries import Plan
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.state.transaction import Tx

TESTED = Outcome(650, text="")
"""What becomes of a message in test mode (facts/sending.md, 1.8)."""
TOO_OLD_CODE = 602
BIG = 1_000_000
SESSION_SECONDS = 0.05
RETRY_AFTER = (600, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds from one failed attempt to the next; after the last the message is too old."""


class Suppression(NamedTuple):
    """How Mailgun words that it does not even try."""

    reason: str
    code: int
    description: str


class Attempt(NamedTuple):
    """`number` counts from 1; `options` are the message's; `rule` is the outcome rule it goes by, if any."""

    message: SentMessage
    recipient: str
    number: int
    options: dict[str, Any]
    rule: str = ""

    @property
    def plan(self) -> Plan:
        return Plan(self.message.id, self.recipient, self.rule)

    @property
    def security(self) -> Security:
        """As the message asks for it or, if it says nothing, its domain."""
        options = self.options
        return Security(options.get("require-tls") == "yes", options.get("skip-verification") == "yes")


SUPPRESSIONS = {
    Kind.BOUNCE: Suppression("suppress-bounce", 605, "Not delivering to previously bounced address"),
    Kind.UNSUBSCRIBE: Suppression("suppress-unsubscribe", 606, "Not delivering to unsubscribed address"),
    Kind.COMPLAINT: Suppression(
        "suppress-complaint", 607, "Not delivering to a user who marked your messages as spam"
    ),
}


def deliver(tx: Tx, job: DueJob) -> None:
    plan = Plan.read(job.subject)
    message = messages.find_sent(tx, plan.row)
    if message is not None:
        attempt_delivery(tx, message, plan.recipient, job.attempt, plan.rule)


def attempt_delivery(tx: Tx, message: SentMessage, recipient: str, number: int = 1, rule: str = "") -> None:
    attempt = Attempt(message, recipient, number, orjson.loads(message.options), rule)
    refusal = refusal_of(tx, attempt)
    if refusal is not None:
        _refuse(tx, attempt, refusal)
    elif "testmode" in attempt.options:
        carry_out(tx, attempt, TESTED)
    elif number == 1 and not rule and outcome_rules.exist(tx):
        _begin(tx, attempt)
    else:
        outcome = _outcome_of(tx, attempt)
        carry_out(tx, attempt, outcome if number == 1 else _or_refused(tx, attempt, outcome))


def refusal_of(tx: Tx, attempt: Attempt) -> Suppression | None:
    """Why it is not even tried."""
    suppression = suppression_of(tx, attempt.message, attempt.recipient)
    if suppression is None and "template-error" in attempt.options:
        return Suppression("generic", 0, attempt.options["template-error"])
    return suppression


def refuse(tx: Tx, message: SentMessage, recipient: str, why: Suppression) -> None:
    """It is not tried, for a reason that lies outside the delivery."""
    _refuse(tx, Attempt(message, recipient, 1, orjson.loads(message.options)), why)


def _begin(tx: Tx, attempt: Attempt) -> None:
    """Rules are asked at the first attempt; the one that is chosen stays. One with a delay lets it end later."""
    rule = outcome_rules.choose(tx, _to_rules(attempt))
    if rule is not None:
        attempt = attempt._replace(rule=rule.id)
        delay = orjson.loads(rule.outcome).get("delay", 0.0)
        if delay:
            deliveries.schedule(tx, attempt.message, attempt.plan, after=delay, attempt=attempt.number)
            return
    carry_out(tx, attempt, _or_refused(tx, attempt, _outcome_of(tx, attempt)))


def _or_refused(tx: Tx, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Servers ask blocklists about what they would take, unless a rule says what becomes of it."""
    if attempt.rule or not outcome.delivered or not outcome_rules.is_listed(tx):
        return outcome
    from mailgun_emulator.pipeline import blocklisting  # seldom needed

    return blocklisting.refusal_of(tx, _sending_ip(tx, attempt), attempt.message.domain_name) or outcome


def _to_rules(attempt: Attempt) -> outcome_rules.Delivery:
    message = attempt.message
    told = orjson.loads(message.headers)
    author = told.get("from", "").rpartition("<")[2].rstrip("> ")
    return outcome_rules.Delivery(
        recipient=attempt.recipient,
        domain=message.domain_name,
        senders=(message.sender, author),
        tags=tuple(orjson.loads(message.tags)),
        subject=told.get("subject", ""),
    )


def _outcome_of(tx: Tx, attempt: Attempt) -> Outcome:
    """A rule that is gone says no more: the address does."""
    rule = outcome_rules.find(tx, attempt.rule) if attempt.rule else None
    if rule is None:
        outcome = outcome_for(attempt.recipient, attempt.security, tx.settings)
    else:
        outcome = outcome_of(orjson.loads(rule.outcome), attempt.recipient, attempt.security)
    return outcome.at(attempt.number)


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


def carry_out(tx: Tx, attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    """What comes of it; the event that tells so."""
    if outcome.suppressed is not None:
        return _refuse(tx, attempt, SUPPRESSIONS[outcome.suppressed])
    if outcome.delivered:
        delivered = _record_delivered(tx, attempt, outcome)
        _go_on(tx, attempt, outcome)
        return delivered
    if not outcome.temporary:
        bounces.suppress(tx, attempt.message, attempt.recipient, outcome)
        return _record_bounce(tx, attempt, outcome)
    after = _retry_after(tx, attempt)
    if after is None:
        return _give_up(tx, attempt)
    deliveries.schedule(
        tx, attempt.message, attempt.plan, after=after + outcome.delay, attempt=attempt.number + 1
    )
    return _record_deferral(tx, attempt, outcome, after)


def _go_on(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    """All that follows a delivery has its line here. What few messages need is loaded when one does."""
    message, recipient, options = attempt.message, attempt.recipient, attempt.options
    if "testmode" in options:
        return
    if "archive-to" in options:
        from mailgun_emulator.pipeline import archive

        archive.schedule(tx, message, recipient, options["archive-to"])
    if tx.settings.relay:
        from mailgun_emulator.pipeline import relay

        relay.schedule(tx, message, recipient, tx.settings.relay)
    if sending.find_receiving(tx, recipient) is not None:
        jobs.schedule(tx, Step.RECEIVE, f"{message.id} {recipient}", domain_id=message.domain_id)
    if recipient.startswith(OF_SEED_LISTS):
        from mailgun_emulator.pipeline import placement

        placement.begin_if_asked_for(tx, message, recipient)
    if outcome.then:
        from mailgun_emulator.pipeline import follow_up

        for each in outcome.then:
            follow_up.schedule(tx, message, recipient, each)


def _retry_after(tx: Tx, attempt: Attempt) -> int | None:
    """Seconds; none if it was the last attempt, or the next came too late for the sender (`o:deliver-within`)."""
    if attempt.number > len(RETRY_AFTER):
        return None
    after = RETRY_AFTER[attempt.number - 1]
    until = attempt.options.get("deliver-until")
    return None if until is not None and tx.now + after > float(until) else after


def _common(attempt: Attempt) -> dict[str, Any]:
    message, options = attempt.message, attempt.options
    told = {
        "flags": {
            "is-routed": "incoming" in options,
            "is-authenticated": "incoming" not in options,
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
        "envelope": envelope(message, attempt.recipient, options),
        **origin(options),
    }
    if "deliverytime-optimize-period" in options:
        told["i-delivery-optimizer"] = options["deliverytime-optimize-period"]
    return told


def _sending_ip(tx: Tx, attempt: Attempt) -> str:
    if "warm-up" in attempt.options:
        from mailgun_emulator.pipeline import sending_ips  # few IPs are new

        sending_ips.warm_up(tx, attempt.options)
    return attempt.options.get("sending-ip") or shared_ip(tx.account_id)


def _sent(tx: Tx, attempt: Attempt) -> dict[str, Any]:
    """What is told of an attempt that reached the recipient's server."""
    told = _common(attempt)
    told["envelope"]["sending-ip"] = _sending_ip(tx, attempt)
    told["recipient-provider"] = providers.group(attempt.recipient.rpartition("@")[2])
    told["primary-dkim"] = attempt.options["signed-by"]
    return told


def _status(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    if not outcome.connected:
        description = outcome.text if outcome.code == NO_MX else ""
        return _unsent(attempt, outcome.code, message=outcome.text, description=description)
    return {
        "attempt-no": attempt.number,
        "code": outcome.code,
        "message": outcome.text,
        "description": "",
        "enhanced-code": outcome.enhanced_code,
        "mx-host": outcome.mx_host or f"mx.{attempt.recipient.rpartition('@')[2]}",
        "tls": outcome.tls,
        "certificate-verified": outcome.verified,
        "utf8": True,
        "session-seconds": outcome.delay or SESSION_SECONDS,
        "first-delivery-attempt-seconds": 0.01,
    }


def _record_delivered(tx: Tx, attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    told = {**_sent(tx, attempt), "delivery-status": _status(attempt, outcome)}
    return record(tx, EventType.DELIVERED, attempt.message, attempt.recipient, told)


def _record_bounce(tx: Tx, attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    status = {**_status(attempt, outcome), "bounce-type": "hard" if outcome.hard else "soft"}
    told = {**_sent(tx, attempt), "delivery-status": status}
    return _record_failed(tx, attempt, outcome.reason or "bounce", told)


def _record_deferral(tx: Tx, attempt: Attempt, outcome: Outcome, after: int) -> dict[str, Any]:
    told = {
        **(_sent(tx, attempt) if outcome.connected else _common(attempt)),
        "severity": "temporary",
        "log-level": "warn",
        "delivery-status": {**_status(attempt, outcome), "retry-seconds": after},
    }
    return _record_failed(tx, attempt, outcome.reason or "generic", told)


def _give_up(tx: Tx, attempt: Attempt) -> dict[str, Any]:
    told = {**_common(attempt), "delivery-status": _unsent(attempt, TOO_OLD_CODE, message="Too old")}
    return _record_failed(tx, attempt, "old", told)


def _refuse(tx: Tx, attempt: Attempt, suppression: Suppression) -> dict[str, Any]:
    status = _unsent(attempt, suppression.code, description=suppression.description)
    told = {**_common(attempt), "delivery-status": status}
    return _record_failed(tx, attempt, suppression.reason, told)


def _unsent(attempt: Attempt, code: int, *, message: str = "", description: str = "") -> dict[str, Any]:
    """The status of what did not even reach the recipient's server."""
    return {
        "attempt-no": attempt.number,
        "message": message,
        "code": code,
        "description": description,
        "session-seconds": 0.0,
    }


def _record_failed(tx: Tx, attempt: Attempt, reason: str, told: dict[str, Any]) -> dict[str, Any]:
    """For good, unless `told` has another severity."""
    told = {"severity": "permanent", "reason": reason, "log-level": "error", **told}
    return record(tx, EventType.FAILED, attempt.message, attempt.recipient, told)
