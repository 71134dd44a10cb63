"""A submission becomes a message: one row for each copy, an event and a delivery for each recipient."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from mailgun_emulator.mail import addresses, dates, mime
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.pipeline.leniency import SandboxRestricted
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.state import jobs, messages, tags
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.sending import SendingDomain

STORED_SECONDS = 3 * 86400
MOST_VARIABLES = 4096
TRUNCATED = '"Could not load user-variables. They were either truncated or invalid JSON"'


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a sender hands over, whether by the API or by SMTP.

    `options` are those parameters that matter after acceptance, by their names without `o:`; `deliver_at` is in
    seconds since 1970. With `recipient_variables` each of `to` gets a copy of its own. `base_url` is the one the
    sender called.
    """

    sender: str
    to: list[Address]
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    subject: str = ""
    text: str | None = None
    html: str | None = None
    amp_html: str | None = None
    attachments: list[mime.Part] = field(default_factory=list)
    inlines: list[mime.Part] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    ready: bytes | None = None
    tags: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    recipient_variables: dict[str, dict[str, Any]] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    deliver_at: float | None = None
    method: str = "HTTP"
    base_url: str = ""
    key_id: str = ""
    client_ip: str = "127.0.0.1"


def accept(tx: Tx, domain: SendingDomain, submission: Submission) -> str | SandboxRestricted:
    """The id of the message, without angle brackets; or why it was rejected, which leaves an event behind."""
    leniency.check_may_send(tx, domain)
    message_id = _given_id(submission) or tx.ids.message_id(domain.name, tx.now)
    everyone = addresses.unique([*submission.to, *submission.cc, *submission.bcc])
    refusal = leniency.sandbox_refusal(tx, domain, [each.email for each in everyone])
    if refusal is not None:
        _reject(tx, domain, submission, message_id, refusal)
        return refusal
    tags.see(tx, domain.id, submission.tags)
    for copy, recipients in _copies(submission, everyone):
        _accept_copy(tx, domain, copy, message_id, recipients)
    return message_id


def _given_id(submission: Submission) -> str:
    for name, value in submission.headers:
        if name.lower() == "message-id":
            return value.strip().removeprefix("<").removesuffix(">")
    return mime.find_message_id(submission.ready) if submission.ready is not None else ""


def _copies(submission: Submission, everyone: list[Address]) -> Iterator[tuple[Submission, list[Address]]]:
    """One for all; in batch mode one for each of `to`, and with it one for each of `cc` and `bcc`."""
    if submission.recipient_variables is None:
        yield submission, everyone
        return
    known = {address.lower(): values for address, values in submission.recipient_variables.items()}
    for to in addresses.unique(submission.to):
        copy = _personal(submission, to, known.get(to.email.lower(), {}))
        yield copy, addresses.unique([to, *submission.cc, *submission.bcc])


def _personal(submission: Submission, to: Address, values: dict[str, Any]) -> Submission:
    """With `%recipient.KEY%` filled in wherever it stands (facts/sending.md, 1.9 and 1.10)."""
    first, _, last = to.name.partition(" ")
    marks = {
        "%recipient%": str(to),
        "%recipient_email%": to.email,
        "%recipient_name%": to.name,
        "%recipient_fname%": first,
        "%recipient_lname%": last.rpartition(" ")[2],
    }
    for key, value in values.items():
        marks[f"%recipient.{key}%"] = value if isinstance(value, str) else orjson.dumps(value).decode()

    def fill(text: str) -> str:
        for mark, value in marks.items():
            text = text.replace(mark, value)
        return text

    return replace(
        submission,
        to=[to],
        subject=fill(submission.subject),
        text=None if submission.text is None else fill(submission.text),
        html=None if submission.html is None else fill(submission.html),
        amp_html=None if submission.amp_html is None else fill(submission.amp_html),
        headers=[(name, fill(value)) for name, value in submission.headers],
        variables={name: fill(value) for name, value in submission.variables.items()},
    )


def _accept_copy(
    tx: Tx, domain: SendingDomain, copy: Submission, message_id: str, recipients: list[Address]
) -> None:
    message, body = _message(tx, domain, copy, message_id, recipients)
    message = messages.add(tx, message, body)
    after = 0.0 if copy.deliver_at is None else max(copy.deliver_at - tx.now, 0.0)
    for recipient in recipients:
        record(tx, EventType.ACCEPTED, message, recipient.email, **_accepted(copy, message, recipient.email))
        jobs.schedule(tx, Step.DELIVER, f"{message.id} {recipient.email}", domain_id=domain.id, after=after)


def _accepted(copy: Submission, message: SentMessage, recipient: str) -> dict[str, Any]:
    about: dict[str, Any] = {"size": message.size, "headers": orjson.Fragment(message.headers)}
    if message.attachments != "[]":
        about["attachments"] = orjson.Fragment(message.attachments)
    if copy.deliver_at is not None:
        about["scheduled-for"] = int(copy.deliver_at)
    told = {
        "method": copy.method,
        "api_key_id": copy.key_id,
        "originating_ip": copy.client_ip,
        "envelope": {"sender": message.sender, "transport": "smtp", "targets": recipient},
        "flags": {"is-authenticated": True, "is-test-mode": bool(copy.options.get("testmode"))},
        "message": about,
        "storage": storage(message),
    }
    if not copy.tags:
        told["tags"] = None
    if copy.options.get("template"):
        told["template"] = {"name": copy.options["template"]}
    return told


def _message(
    tx: Tx, domain: SendingDomain, copy: Submission, message_id: str, recipients: list[Address]
) -> tuple[SentMessage, bytes]:
    sender = addresses.parse_list([copy.sender])[0] if copy.sender else None
    envelope_sender = sender.email if sender and sender.domain == domain.name else f"postmaster@{domain.name}"
    variables = orjson.dumps(copy.variables).decode() if copy.variables else "{}"
    body = _mime(tx, domain, copy, message_id, recipients)
    key = tx.ids.storage_key()
    told = {
        "from": copy.sender,
        "to": ", ".join(map(str, copy.to)),
        "subject": copy.subject,
        "message-id": message_id,
    }
    message = SentMessage(
        id=0,
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
    return {
        "dkim": domain.dkim,
        **({"require-tls": True} if domain.require_tls else {}),
        **({"skip-verification": True} if domain.skip_verification else {}),
        **copy.options,
    }


def _summary(copy: Submission) -> str:
    if not copy.attachments and not copy.inlines:
        return "[]"
    return orjson.dumps(mime.attachment_summary([*copy.attachments, *copy.inlines])).decode()
