"""A submission becomes a message: one row for each copy, an event and a delivery for each recipient."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from mailgun_emulator.core.errors import Forbidden
from mailgun_emulator.mail import addresses, headers, mime
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.pipeline.compose import compose
from mailgun_emulator.pipeline.deliver import attempt_delivery
from mailgun_emulator.pipeline.leniency import SandboxRestricted
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import jobs, messages, tags
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.messages import SentMessage, StoredMime
from mailgun_emulator.state.sending import SendingDomain

STORED_SECONDS = 3 * 86400
MOST_VARIABLES = 4096
DELIVERED_AT_ONCE = 8
"""Up to so many recipients are delivered to in the transaction that accepts: one commit instead of two."""
TRUNCATED = '"Could not load user-variables. They were either truncated or invalid JSON"'


class ForeignSendingIp(Forbidden):
    def __init__(self, ip: str) -> None:
        super().__init__(f"Rejected: IP {ip} can't be used to send the message")


def accept(tx: Tx, domain: SendingDomain, submission: Submission) -> str | SandboxRestricted:
    """The id of the message, without angle brackets; or why it was rejected, which leaves an event behind."""
    leniency.check_may_send(tx, domain)
    if domain.ips != "[]":
        submission = _from_own_ip(domain, submission)
    message_id = submission.message_id or tx.ids.message_id(domain.name, tx.now)
    everyone = addresses.unique([*submission.to, *submission.cc, *submission.bcc])
    refusal = leniency.sandbox_refusal(tx, domain, [each.email for each in everyone])
    if refusal is not None:
        _reject(tx, domain, submission, message_id, refusal)
        return refusal
    tags.see(tx, domain.id, submission.tags)
    for copy, recipients in _copies(submission, everyone):
        _accept_copy(tx, domain, copy, message_id, recipients)
    return message_id


def _from_own_ip(domain: SendingDomain, submission: Submission) -> Submission:
    """One of the IPs that the domain was given: the one asked for, or else the first."""
    ips = orjson.loads(domain.ips)
    asked = submission.options.get("sending-ip", ips[0])
    if asked not in ips:
        raise ForeignSendingIp(asked)
    return replace(submission, options={**submission.options, "sending-ip": asked})


def _copies(submission: Submission, everyone: list[Address]) -> Iterator[tuple[Submission, list[Address]]]:
    """One for all; in batch mode one for each of `to`, and with it one for each of `cc` and `bcc`."""
    if submission.recipient_variables is None:
        yield submission, everyone
        return
    known = {address.lower(): values for address, values in submission.recipient_variables.items()}
    for to in addresses.unique(submission.to):
        copy = submission.for_one(to, known.get(to.email.lower(), {}))
        yield copy, addresses.unique([to, *submission.cc, *submission.bcc])


def _reject(
    tx: Tx, domain: SendingDomain, submission: Submission, message_id: str, refusal: SandboxRestricted
) -> None:
    """Nothing is stored; the event has neither recipient nor storage (facts/sending.md, 3.2)."""
    message, _ = _message(tx, domain, submission, message_id, [])
    about = {"attachments": [], "size": message.size, "headers": orjson.Fragment(message.headers)}
    told = {
        "log-level": "warn",
        "reject": {"reason": refusal.reason, "description": ""},
        "message": about,
        "flags": {"is-authenticated": True, "is-test-mode": "testmode" in submission.options},
        "storage": {},
    }
    record(tx, EventType.REJECTED, message, "", told)


def _accept_copy(
    tx: Tx, domain: SendingDomain, copy: Submission, message_id: str, recipients: list[Address]
) -> None:
    message, body = _message(tx, domain, copy, message_id, recipients)
    messages.add(tx, message, body)
    for recipient in recipients:
        record(tx, EventType.ACCEPTED, message, recipient.email, _accepted(copy, message, recipient.email))
    after = 0.0 if copy.deliver_at is None else max(copy.deliver_at - tx.now, 0.0)
    if after == 0.0 and len(recipients) <= DELIVERED_AT_ONCE:
        for recipient in recipients:
            attempt_delivery(tx, message, recipient.email)
    else:
        for recipient in recipients:
            subject = f"{message.id} {recipient.email}"
            jobs.schedule(tx, Step.DELIVER, subject, domain_id=domain.id, after=after)


def _accepted(copy: Submission, message: SentMessage, recipient: str) -> dict[str, Any]:
    about: dict[str, Any] = {"size": message.size, "headers": orjson.Fragment(message.headers)}
    if message.attachments != "[]":
        about["attachments"] = orjson.Fragment(message.attachments)
    if copy.deliver_at is not None:
        about["scheduled-for"] = int(copy.deliver_at)
    told = {
        "method": copy.method,
        "api-key-id": copy.key_id,
        "originating-ip": copy.client_ip,
        "envelope": {"sender": message.sender, "transport": "smtp", "targets": recipient},
        "flags": {"is-authenticated": True, "is-test-mode": "testmode" in copy.options},
        "message": about,
        "storage": storage(message),
    }
    if copy.options.get("template"):
        told["template"] = {"name": copy.options["template"]}
    return told


def _message(
    tx: Tx, domain: SendingDomain, copy: Submission, message_id: str, recipients: list[Address]
) -> tuple[SentMessage, bytes]:
    sender = addresses.parse_list([copy.sender])[0] if copy.sender else None
    envelope_sender = sender.email if sender and sender.domain == domain.name else f"postmaster@{domain.name}"
    variables = orjson.dumps(copy.variables).decode() if copy.variables else "{}"
    body = compose(tx, domain, copy, message_id, recipients)
    key = tx.ids.storage_key()
    told = {
        "from": copy.sender,
        "to": ", ".join(map(str, copy.to)),
        "subject": copy.subject,
        "message-id": message_id,
    }
    message = SentMessage(
        id=tx.next_id("message"),
        domain_id=domain.id,
        storage_key=key,
        message_id=message_id,
        sender=envelope_sender,
        recipients=orjson.dumps([each.email for each in recipients]).decode(),
        headers=orjson.dumps(told).decode(),
        tags=orjson.dumps(copy.tags).decode(),
        variables=variables if len(variables) <= MOST_VARIABLES else TRUNCATED,
        options=orjson.dumps(_options(domain, copy)).decode(),
        attachments=_summary(copy),
        size=len(body),
        url=f"{copy.base_url}/v3/domains/{domain.name}/messages/{key}",
        accepted_at=tx.now,
        expires_at=tx.now + (domain.message_ttl or STORED_SECONDS),
        domain_name=domain.name,
    )
    return message, body


def _options(domain: SendingDomain, copy: Submission) -> dict[str, Any]:
    """The domain's settings, unless the message has its own."""
    return {
        "signed-by": domain.dkim,
        "require-tls": "yes" if domain.require_tls else "no",
        "skip-verification": "yes" if domain.skip_verification else "no",
        **({"archive-to": domain.archive_to} if domain.archive_to else {}),
        **copy.options,
    }


def _summary(copy: Submission) -> str:
    if not copy.attachments and not copy.inlines:
        return "[]"
    return orjson.dumps(mime.attachment_summary([*copy.attachments, *copy.inlines])).decode()


def resend(
    tx: Tx, domain: SendingDomain, stored: StoredMime, submission: Submission
) -> str | SandboxRestricted:
    """Send a stored message to the recipients of the submission, under a new id."""
    own = {name.lower(): value for name, value in reversed(headers.read(stored.mime))}
    options, variables = orjson.loads(stored.options), orjson.loads(stored.variables)
    again = replace(
        submission,
        sender=own.get("from", ""),
        subject=own.get("subject", ""),
        ready=stored.mime,
        tags=orjson.loads(stored.tags),
        variables=variables if isinstance(variables, dict) else {},
        options={name: value for name, value in options.items() if name != "signed-by"},
    )
    return accept(tx, domain, again)
