"""Mail that comes in for the account's domains: stored, counted, handed to its routes (facts/sending.md, 8.3).

With `encrypt_incoming_message` on, the events say so by `flags.is-encrypted`. Mailgun encrypts what it stores and
decrypts it for who may read it, so nothing else of it is to be seen from outside; here the database is as safe as the
machine it is on.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import dates, dkim_signature, headers, inbound, mime, spam, stored
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.mail.stored import StoredParts
from mailgun_emulator.pipeline import list_posts, track, tracking_urls
from mailgun_emulator.pipeline.finish import finished
from mailgun_emulator.pipeline.record import record
from mailgun_emulator.pipeline.routing import Done, carry_out, told_of
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import domain_keys, domains, mailing_lists, messages, routes, sending
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.routes import Match
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

MOST_HOPS, MOST_ROUNDS = 25, 5
"""What has come through so many servers, or here so often, is going round in circles: each round may double it."""
MOST_NAMED = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A message as it is handed over. `sender` is what MAIL FROM said, empty for a bounce; `recipients` what RCPT TO
    said. `method` is SMTP or HTTP, `helo` the name the other side goes by, `base_url` where this emulator is reached.
    What is `posted` is on its way to the members of mailing lists already, and for routes alone.
    """

    sender: str
    recipients: Sequence[str]
    mime: bytes
    method: str = "SMTP"
    client_ip: str = "127.0.0.1"
    helo: str = "localhost"
    base_url: str
    posted: bool = False


class Refusal(NamedTuple):
    """As SMTP says it; `hint` says in our own words how to mend it."""

    code: int
    enhanced_code: str
    text: str
    hint: str

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced_code} {self.text}"


class Taken(NamedTuple):
    """For one recipient: the message as it is stored, if it was to be, and what was done with it."""

    message: SentMessage | None
    done: list[Done]


@dataclass(slots=True)
class Received:
    """What became of it, by recipient."""

    taken: dict[str, Taken] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


class _Want(NamedTuple):
    """The routes that take it, and the mailing list it is posted to: each for itself (facts/sending.md, 8.3)."""

    matches: list[Match]
    listed: ListDetails | None


def receive(tx: Tx, mail: Incoming) -> Received:
    """The message is stored once for each of the domains it is for. A recipient nobody takes mail for is refused."""
    received = Received()
    unique = {recipient.lower(): recipient for recipient in reversed(mail.recipients)}
    hops, rounds = inbound.hops(mail.mime)
    looping = hops >= MOST_HOPS or rounds >= MOST_ROUNDS
    by_domain: dict[SendingDomain, list[str]] = {}
    for recipient in reversed(unique.values()):
        domain = sending.find_receiving(tx, recipient)
        if looping:
            received.refused[recipient] = _too_many_hops()
        elif domain is None:
            received.refused[recipient] = _refusal_of_unknown_domain(tx, recipient)
        else:
            by_domain.setdefault(domain, []).append(recipient)
    if by_domain:
        parts = stored.read(mail.mime)
        for domain, recipients in by_domain.items():
            _receive_for(tx, domain, recipients, mail, parts, received)
    for refusal in received.refused.values():
        log.info("Refused mail from <%s>: %s %s", mail.sender, refusal, refusal.hint)
    return received


def takes(tx: Tx, recipient: str) -> bool:
    """Whether mail to that address comes in here, as far as can be told before its headers are known."""
    domain = sending.find_receiving(tx, recipient)
    return domain is not None and _is_wanted(tx, domain, recipient)


def refusal_of(tx: Tx, recipient: str) -> Refusal | None:
    """What RCPT TO is answered, as far as can be told before the headers are known."""
    domain = sending.find_receiving(tx, recipient)
    if domain is None:
        return _refusal_of_unknown_domain(tx, recipient)
    return None if _is_wanted(tx, domain, recipient) else _refusal_of_unrouted(tx, recipient)


def _is_wanted(tx: Tx, domain: SendingDomain, recipient: str) -> bool:
    """By a route, by a mailing list, or to unsubscribe."""
    return (
        routes.may_match(tx, recipient)
        or _list_of(tx, recipient) is not None
        or tracking_urls.follow_address(tx, domain.id, recipient.rpartition("@")[0]) is not None
    )


def _list_of(tx: Tx, recipient: str) -> ListDetails | None:
    return mailing_lists.list_among(tx, [Address("", recipient)]).get(recipient.lower())


def receive_again(tx: Tx, job: DueJob) -> None:
    """What the account has sent to an address of its own comes in again; the job's subject is the message's row and the
    recipient.
    """
    row, _, recipient = job.subject.partition(" ")
    message, body = messages.find_sent(tx, int(row)), messages.find_mime(tx, int(row))
    if message is not None and body is not None and takes(tx, recipient):
        mail = Incoming(
            sender=message.sender,
            recipients=[recipient],
            mime=finished(tx, message, body, recipient),
            helo=message.domain_name,
            base_url=message.url.partition("/v3/domains/")[0],
            posted=_is_posted(tx, message, recipient),
        )
        receive(tx, mail)


def _is_posted(tx: Tx, message: SentMessage, recipient: str) -> bool:
    """What the account itself has sent to a list was posted when it was accepted."""
    came_by = {"incoming", "mailing-list"} & orjson.loads(message.options).keys()
    return not came_by and _list_of(tx, recipient) is not None


def _receive_for(
    tx: Tx,
    domain: SendingDomain,
    recipients: list[str],
    mail: Incoming,
    parts: StoredParts,
    received: Received,
) -> None:
    body, parts = _stamped(tx, domain, mail, parts)
    if domain.spam_action == "block" and spam.judge(parts).is_spam:
        received.refused.update((recipient, _refusal_of_spam(domain)) for recipient in recipients)
        return
    wants = _wants(tx, domain, recipients, mail, parts, received)
    if not wants:
        return
    message = _message(tx, domain, mail, list(wants), body, parts)
    messages.add(tx, message, body)
    tx.tell("message", message.storage_key)
    for recipient, want in wants.items():
        record(tx, EventType.ACCEPTED, message, recipient, _accepted(mail, message, recipient))
        done = list(carry_out(tx, message, recipient, want.matches))
        if want.listed is not None:
            list_posts.post(tx, want.listed, _posting(mail, message, recipient, body), message)
            done.append(Done(None, "post", want.listed.spelled))
        received.taken[recipient] = Taken(message, done)


def _wants(
    tx: Tx,
    domain: SendingDomain,
    recipients: list[str],
    mail: Incoming,
    parts: StoredParts,
    received: Received,
) -> dict[str, _Want]:
    """Who wants it, by recipient. What only unsubscribes is done with here, and what nobody wants refused."""
    wants = {}
    for recipient in recipients:
        listed = None if mail.posted else _list_of(tx, recipient)
        want = _Want(list(routes.matching(tx, recipient, parts.headers)), listed)
        if want.matches or want.listed:
            wants[recipient] = want
        elif mail.posted:
            continue
        elif track.unsubscribe_by_mail(tx, domain.id, recipient.rpartition("@")[0]):
            received.taken[recipient] = Taken(None, [Done(None, "unsubscribe")])
        else:
            received.refused[recipient] = _refusal_of_unrouted(tx, recipient)
    return wants


def _posting(mail: Incoming, message: SentMessage, recipient: str, body: bytes) -> Submission:
    """Whoever sends it is not authenticated, whatever the message says."""
    told = orjson.loads(message.headers)
    return Submission(
        sender=told["from"],
        to=[Address("", recipient)],
        subject=told["subject"],
        ready=body,
        message_id=message.message_id,
        method="smtp",
        base_url=mail.base_url,
        client_ip=mail.client_ip,
        authenticated=False,
    )


def _stamped(tx: Tx, domain: SendingDomain, mail: Incoming, parts: StoredParts) -> tuple[bytes, StoredParts]:
    """With the fields that Mailgun writes: routes see those, too."""
    at = dates.rfc2822(tx.now)
    way = f"from {_line(mail.helo)} ([{mail.client_ip}]) by {inbound.HERE} with {mail.method} id {tx.ids.object_id()}"
    own = [
        ("Received", f"{way}; {at}"),
        ("X-Envelope-From", f"<{_line(mail.sender)}>"),
        ("X-Mailgun-Incoming", "Yes"),
    ]
    if domain.spam_action != "disabled":
        own += [*spam.judge(parts).headers(), *_signature_checked(tx, mail.mime)]
    missing = [("Message-Id", f"<{tx.ids.message_id(domain.name, tx.now)}>"), ("Date", at)]
    body = inbound.stamp(mail.mime, own, missing)
    return body, replace(parts, headers=stored.read_headers(body))


def _signature_checked(tx: Tx, body: bytes) -> list[tuple[str, str]]:
    """What the account has signed itself can be checked; for the keys of others there is nobody to ask."""
    holds = dkim_signature.verify(body, lambda name: domain_keys.find_record(tx, name))
    return [] if holds is None else [("X-Mailgun-Dkim-Check-Result", "Pass" if holds else "Fail")]


def _line(text: str) -> str:
    return "".join(text.split())


def _message(
    tx: Tx, domain: SendingDomain, mail: Incoming, recipients: list[str], body: bytes, parts: StoredParts
) -> SentMessage:
    key = tx.ids.storage_key()
    own = {name.lower(): value for name, value in reversed(parts.headers)}
    told = {
        "from": own.get("from", ""),
        "to": own.get("to", ""),
        "subject": own.get("subject", ""),
        "message-id": own["message-id"].strip().removeprefix("<").removesuffix(">"),
    }
    return SentMessage(
        id=tx.next_id("message"),
        domain_id=domain.id,
        storage_key=key,
        message_id=told["message-id"],
        sender=mail.sender,
        recipients=_json(recipients),
        headers=_json(told),
        tags="[]",
        variables="{}",
        options=_json(_options(domain)),
        attachments=_json(mime.attachment_summary(parts.attachments)),
        size=len(body),
        url=f"{mail.base_url}/v3/domains/{domain.name}/messages/{key}",
        addressees=_json(headers.addressees(body)),
        accepted_at=tx.now,
        expires_at=tx.now + domain.stored_seconds,
        domain_name=domain.name,
    )


def _options(domain: SendingDomain) -> dict[str, str]:
    """What forwarding it to an address needs to know; `incoming` tells it from what the account sends."""
    options = {
        "incoming": "yes",
        "signed-by": domain.dkim,
        "require-tls": "yes" if domain.require_tls else "no",
        "skip-verification": "yes" if domain.skip_verification else "no",
    }
    return {**options, "encrypted": "yes"} if domain.encrypt_incoming_message else options


def _accepted(mail: Incoming, message: SentMessage, recipient: str) -> dict[str, Any]:
    """The method is SMTP's in any case: by HTTP nothing comes in at Mailgun."""
    return {
        "method": "smtp",
        "originating-ip": mail.client_ip,
        "envelope": {"sender": mail.sender, "transport": "smtp", "targets": recipient},
        **told_of(message, routed=False),
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _refusal_of_unrouted(tx: Tx, recipient: str) -> Refusal:
    """Facts/sending.md, 8.3."""
    rules = [f"{rule.expression} (priority {rule.priority})" for rule in routes.list_rules(tx)]
    hint = "The account has no routes; make one with POST /v3/routes."
    if rules:
        hint = f"No route takes mail to {recipient}. The account's routes: {_listed(rules)}."
    return Refusal(550, "5.1.0", f"Recipient rejected: <{recipient}>", hint)


def _refusal_of_unknown_domain(tx: Tx, recipient: str) -> Refusal:
    names = [domain.name for domain in domains.list_domains(tx, limit=MOST_NAMED + 1)[0]]
    name = recipient.rpartition("@")[2]
    hint = f"The account has no domain {name}. Its domains: {_listed(names)}."
    return Refusal(550, "5.1.0", f"Recipient rejected: <{recipient}>", hint)


def _refusal_of_spam(domain: SendingDomain) -> Refusal:
    hint = (
        f"{domain.name} blocks spam; set its spam_action to `tag` to let it in with a mark, or to `disabled`."
    )
    return Refusal(550, "5.7.1", "Message rejected as spam", hint)


def _too_many_hops() -> Refusal:
    hint = (
        f"It has {MOST_HOPS} Received headers, or has come in here {MOST_ROUNDS} times. "
        "A route that forwards to an address it takes mail for?"
    )
    return Refusal(554, "5.4.6", "Too many hops", hint)


def _listed(names: Sequence[str]) -> str:
    shown = " · ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown
