"""A submission becomes a message: one row for each copy, an event and a delivery for each recipient."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from mailgun_emulator.core import hints
from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.mail import addresses, headers, mime
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.pipeline import leniency, options, placeholders, timing
from mailgun_emulator.pipeline.compose import compose
from mailgun_emulator.pipeline.deliver import attempt_delivery
from mailgun_emulator.pipeline.leniency import SandboxRestricted
from mailgun_emulator.pipeline.record import envelope, origin, record, storage
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.pipeline.tracking_settings import tracked_by
from mailgun_emulator.state import jobs, mailing_lists, messages, tags
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.messages import SentMessage, StoredMime
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

if TYPE_CHECKING:
    from mailgun_emulator.pipeline.templating import Made

MOST_VARIABLES = 4096
DELIVERED_AT_ONCE = 8
"""Up to so many recipients are delivered to in the transaction that accepts: one commit instead of two."""
OF_ACCEPTANCE = (
    *("signed-by", "tracked", "deliver-until", "mailing-list", "incoming", "encrypted", "batch"),
    *("sending-ip", "sending-ip-pool", "sending-ip-pool-name", "warm-up"),
)
"""Options that acceptance adds, and adds anew when the message is sent again."""
Begin = Callable[[], AbstractAsyncContextManager[tuple[Tx, SendingDomain]]]
"""Begins a transaction and finds the domain that sends."""
TRUNCATED = '"Could not load user-variables. They were either truncated or invalid JSON"'


async def hand_over(begin: Begin, read: Callable[[], Awaitable[Submission]]) -> str | MailgunError:
    """Accept what is read. A template for many recipients is rendered before, outside any transaction."""
    async with begin() as (tx, domain):
        submission = await read()
        if "template" not in submission.options:
            return accept(tx, domain, submission)
        from mailgun_emulator.pipeline import templating

        content = templating.find_for_many(tx, domain, submission)
        if content is None:
            return accept(tx, domain, submission)
        lists = mailing_lists.list_among(tx, submission.to)
    copies = (copy for copy, _ in _copies(submission, [], lists))
    ahead = await templating.render_ahead(content, copies)
    async with begin() as (tx, domain):
        return accept(tx, domain, submission, ahead)


def accept(
    tx: Tx, domain: SendingDomain, submission: Submission, ahead: Mapping[str, "Made"] | None = None
) -> str | MailgunError:
    """The id of the message, without angle brackets; or why it is refused, which is to be remembered."""
    leniency.check_may_send(tx, domain)
    if submission.deliver_at is not None:
        leniency.check_delivery_time(tx, domain, submission.deliver_at)
    choice = None
    if domain.ips != "[]" or "sending-ip" in submission.options or "sending-ip-pool" in submission.options:
        from mailgun_emulator.pipeline import sending_ips  # most go by the shared IP

        choice = sending_ips.of(tx, domain, submission)
        submission = sending_ips.prepare(tx, domain, submission, choice.ips)
    message_id = submission.message_id or tx.ids.message_id(domain.name, tx.now)
    everyone = addresses.unique([*submission.to, *submission.cc, *submission.bcc])
    refusal = leniency.sandbox_refusal(tx, domain, [each.email for each in everyone])
    if refusal is not None:
        _reject(tx, domain, submission, message_id, refusal)
        return refusal
    if tx.meets_faults:
        from mailgun_emulator.pipeline import faults  # few accounts have any

        exceeded = faults.refusal_of(tx, domain.name, submission)
        if exceeded is not None:
            return exceeded
    if domain.restrained:
        from mailgun_emulator.pipeline import restraints  # few accounts have any

        restraints.check(tx, domain.name, submission.reach)
    is_batch = submission.recipient_variables is not None
    if is_batch:
        submission = replace(submission, options={**submission.options, "batch": {"id": tx.ids.object_id()}})
    tags.see(tx, domain.id, submission.tags)
    lists = mailing_lists.list_among(tx, everyone) if is_batch else ()
    for copy, recipients in _copies(submission, everyone, lists):
        by_own_ip = copy if choice is None else choice.take(tx, copy)
        accept_copy(tx, domain, by_own_ip, message_id, recipients, ahead)
    return message_id


def _copies(
    submission: Submission, everyone: list[Address], lists: Collection[str]
) -> Iterator[tuple[Submission, list[Address]]]:
    """One for all; in batch mode one for each of `to`, and with it one for each of `cc` and `bcc`."""
    if submission.recipient_variables is None:
        yield submission, everyone
        return
    known = {address.lower(): values for address, values in submission.recipient_variables.items()}
    for to in addresses.unique(submission.to):
        address = to.email.lower()
        fill = submission.for_list if address in lists else submission.for_one
        copy = fill(to, known.get(address, {}))
        yield copy, addresses.unique([to, *submission.cc, *submission.bcc])


def _reject(
    tx: Tx, domain: SendingDomain, submission: Submission, message_id: str, refusal: SandboxRestricted
) -> None:
    """Nothing is stored; the event has neither recipient nor storage (facts/sending.md, 3.2)."""
    message, _ = _message(tx, domain, submission, message_id, [], tx.now)
    about = {"attachments": [], "size": message.size, "headers": orjson.Fragment(message.headers)}
    told = {
        "log-level": "warn",
        "reject": {"reason": refusal.reason, "description": ""},
        "message": about,
        "flags": {"is-authenticated": True, "is-test-mode": "testmode" in submission.options},
        "storage": {},
    }
    record(tx, EventType.REJECTED, message, "", told)


def accept_copy(
    tx: Tx,
    domain: SendingDomain,
    copy: Submission,
    message_id: str,
    recipients: list[Address],
    ahead: Mapping[str, "Made"] | None = None,
) -> None:
    times = [timing.delivery_time(tx, domain.id, copy, each.email) for each in recipients]
    lists = {} if "mailing-list" in copy.options else mailing_lists.list_among(tx, recipients)
    filled = replace(copy, hints=[]) if lists else copy  # the members may have what is not given yet
    if "template" in copy.options:
        from mailgun_emulator.pipeline import templating  # most messages, the first above all, do without

        filled = templating.fill(tx, domain, filled, ahead)
    if not lists:
        _hint_at_unfilled(filled)
    message, body = _message(tx, domain, filled, message_id, recipients, max(times, default=tx.now))
    messages.add(tx, message, body)
    tx.tell("message", message.storage_key)
    for recipient, at in zip(recipients, times, strict=True):
        told = _accepted(filled, message, recipient.email, at if at > tx.now else copy.deliver_at)
        record(tx, EventType.ACCEPTED, message, recipient.email, told)
    at_once = len(recipients) <= DELIVERED_AT_ONCE
    for recipient, at in zip(recipients, times, strict=True):
        listed = lists.get(recipient.email.lower())
        if listed is not None:
            from mailgun_emulator.pipeline import list_posts

            list_posts.post(tx, listed, copy, message)
        elif at_once and at <= tx.now:
            attempt_delivery(tx, message, recipient.email)
        else:
            subject = f"{message.id} {recipient.email}"
            jobs.schedule(tx, Step.DELIVER, subject, domain_id=domain.id, after=at - tx.now)


def _hint_at_unfilled(copy: Submission) -> None:
    mark, html, text = placeholders.OF_VARIABLES, copy.html, copy.text
    if (text and mark in text) or (html and mark in html) or mark in copy.subject:
        for placeholder in placeholders.of_variables("\n".join((copy.subject, text or "", html or ""))):
            hints.add(copy.hints, _about_unfilled(placeholder, copy))


def _about_unfilled(placeholder: str, copy: Submission) -> str:
    if not copy.marks:
        return f"`{placeholder}` stays as it is: no recipient-variables were given"
    to = copy.marks.get("%recipient_email%", "the recipient")
    return f"`{placeholder}` stays as it is: the variables of {to} have no such name"


def _accepted(
    copy: Submission, message: SentMessage, recipient: str, scheduled_for: float | None
) -> dict[str, Any]:
    untold = copy.options.get(options.UNTOLD)
    shown = {**orjson.loads(message.headers), **untold} if untold else orjson.Fragment(message.headers)
    about: dict[str, Any] = {"size": message.size, "headers": shown}
    if message.attachments != "[]":
        about["attachments"] = orjson.Fragment(message.attachments)
    if scheduled_for is not None:
        about["scheduled-for"] = int(scheduled_for)
    return {
        "method": copy.method,
        **({"api-key-id": copy.key_id} if copy.key_id else {}),
        "originating-ip": copy.client_ip,
        "envelope": envelope(message, recipient, copy.options),
        "flags": {"is-authenticated": True, "is-test-mode": "testmode" in copy.options},
        "message": about,
        "storage": storage(message),
        **origin(copy.options),
    }


def _message(
    tx: Tx,
    domain: SendingDomain,
    copy: Submission,
    message_id: str,
    recipients: list[Address],
    delivery: float,
) -> tuple[SentMessage, bytes]:
    """It is kept for as long as the domain says from its `delivery` on, the last of its recipients."""
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
        sender=_envelope_sender(copy, domain),
        recipients=orjson.dumps([each.email for each in recipients]).decode(),
        headers=orjson.dumps(told).decode(),
        tags=orjson.dumps(copy.tags).decode(),
        variables=variables if len(variables) <= MOST_VARIABLES else TRUNCATED,
        options=orjson.dumps(_options(domain, copy, tx.now)).decode(),
        attachments=_summary(copy),
        size=len(body),
        url=f"{copy.base_url}/v3/domains/{domain.name}/messages/{key}",
        addressees=_addressees(copy, body),
        accepted_at=tx.now,
        expires_at=delivery + domain.stored_seconds,
        domain_name=domain.name,
    )
    return message, body


def _addressees(copy: Submission, body: bytes) -> str:
    """As the header names them, which the sender may have written."""
    if copy.ready is not None or (
        copy.headers and any(name.lower() in headers.ADDRESSEES for name, _ in copy.headers)
    ):
        return orjson.dumps(headers.addressees(body)).decode()
    named = [list(map(str, copy.to)), list(map(str, copy.cc)) if copy.cc else []]
    return orjson.dumps(named).decode()


def _envelope_sender(copy: Submission, domain: SendingDomain) -> str:
    """The first author, if the domain is theirs (facts/sending.md, 1.8)."""
    with suppress(NotAnAddress):
        for author in addresses.parse_list([copy.sender])[:1]:
            if author.domain == domain.name:
                return author.email
    return f"postmaster@{domain.name}"


def _options(domain: SendingDomain, copy: Submission, now: float) -> dict[str, Any]:
    """The domain's settings, unless the message has its own."""
    deadline = timing.deadline(copy, now)
    return {
        **({} if deadline is None else {"deliver-until": str(deadline)}),
        "signed-by": domain.dkim,
        "require-tls": "yes" if domain.require_tls else "no",
        "skip-verification": "yes" if domain.skip_verification else "no",
        **({"archive-to": domain.archive_to} if domain.archive_to else {}),
        **copy.options,
        **tracked_by(domain, copy.options),
    }


def _summary(copy: Submission) -> str:
    if not copy.attachments and not copy.inlines:
        return "[]"
    return orjson.dumps(mime.attachment_summary([*copy.attachments, *copy.inlines])).decode()


def resend(tx: Tx, domain: SendingDomain, stored: StoredMime, submission: Submission) -> str | MailgunError:
    """Send a stored message to the recipients of the submission, under a new id."""
    own = {name.lower(): value for name, value in reversed(headers.read(stored.mime))}
    asked, variables = orjson.loads(stored.options), orjson.loads(stored.variables)
    gone = {*OF_ACCEPTANCE, *options.TEMPLATE, options.UNTOLD}
    again = replace(
        submission,
        sender=own.get("from", ""),
        subject=own.get("subject", ""),
        ready=stored.mime,
        tags=orjson.loads(stored.tags),
        variables=variables if isinstance(variables, dict) else {},
        options={name: value for name, value in asked.items() if name not in gone},
    )
    return accept(tx, domain, again)
