"""A message handed over by SMTP becomes a `Submission`: its header says what parameters say by HTTP."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses, headers, stored, variables_container
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.pipeline import options
from mailgun_emulator.pipeline.submission import Submission

_PREFIX = "x-mailgun-"
_RECIPIENT_VARIABLES = "recipient-variables"
_CHOICES = {
    "dkim": "dkim",
    "track": "tracking",
    "track-clicks": "tracking-clicks",
    "track-opens": "tracking-opens",
    "track-pixel-location-top": "tracking-pixel-location-top",
    "require-tls": "require-tls",
    "skip-verification": "skip-verification",
}
_TEXTS = {
    "deliver-within": "deliver-within",
    "delivery-time-optimize-period": "deliverytime-optimize-period",
    "time-zone-localize": "time-zone-localize",
    "sending-ip": "sending-ip",
    "sending-ip-pool": "sending-ip-pool",
    "secondary-dkim": "secondary-dkim",
    "secondary-dkim-public": "secondary-dkim-public",
    "suppress-headers": "suppress-headers",
}
"""Header fields without `X-Mailgun-` and the options that they are (facts/sending.md, 1.12)."""

Asked = dict[str, list[str]]


class Handover(NamedTuple):
    """One SMTP transaction; `sender` is empty for a bounce. `base_url` is where the emulator's API is."""

    sender: str
    recipients: list[Address]
    content: bytes
    helo: str
    client_ip: str
    tls: str
    base_url: str


def read(handed: Handover) -> Submission:
    """Whom it goes to is what the envelope says: who is in no header field is a blind copy."""
    given, content = variables_container.unpack(handed.content)
    fields = headers.read(content)
    own = {name.lower(): value for name, value in reversed(fields)}
    asked = _asked(fields)
    _check_size(asked)
    texts = asked.get(_RECIPIENT_VARIABLES, [given])
    batch = options.recipient_variables(texts[0])
    sender = own.get("from") or handed.sender
    _check_sender(sender)
    if _RECIPIENT_VARIABLES in asked:
        content = _without_recipient_variables(content)
    return Submission(
        sender=sender,
        subject=own.get("subject", ""),
        ready=_as_mime(content, own),
        headers=[] if own.get("from") else [("From", sender)],
        message_id=own.get("message-id", "").strip().removeprefix("<").removesuffix(">"),
        attachments=stored.read(content).attachments if _is_mixed(own) else [],
        tags=options.tags(asked.get("tag", ())),
        variables=_variables(asked.get("variables", ())),
        recipient_variables=batch,
        options=_options(asked),
        deliver_at=options.delivery_time(_first(asked, "deliver-by")),
        method="SMTP",
        base_url=handed.base_url,
        client_ip=handed.client_ip,
        helo=handed.helo,
        tls=handed.tls,
        **_recipients(handed.recipients, own, one_each=batch is not None),
    )


def _asked(fields: Iterable[tuple[str, str]]) -> Asked:
    asked: Asked = {}
    for name, value in fields:
        lower = name.lower()
        if lower.startswith(_PREFIX):
            asked.setdefault(lower.removeprefix(_PREFIX), []).append(value)
    return asked


def _first(asked: Asked, name: str) -> str | None:
    return asked[name][0] if name in asked else None


def _check_size(asked: Asked) -> None:
    counted = {name: values for name, values in asked.items() if name != _RECIPIENT_VARIABLES}
    size = sum(len(name) + len(value) for name, values in counted.items() for value in values)
    if size > options.MOST_OPTION_BYTES:
        raise options.TooMuchInOptions


def _check_sender(sender: str) -> None:
    try:
        found = addresses.parse_list([sender])
    except NotAnAddress:
        found = []
    if not found:
        raise BadRequest("cannot parse from address")


def _without_recipient_variables(content: bytes) -> bytes:
    """No recipient is to read what is known of the others."""
    fields, body = headers.split(headers.crlf(content))
    name = _PREFIX + _RECIPIENT_VARIABLES
    return b"".join([*(each.raw for each in fields if each.name.lower() != name), b"\r\n", body])


def _as_mime(content: bytes, own: dict[str, str]) -> bytes:
    """What does not say so is plain text."""
    charset = "us-ascii" if content.isascii() else "utf-8"
    fields = (("Mime-Version", "1.0"), ("Content-Type", f"text/plain; charset={charset}"))
    missing = [f"{name}: {value}\r\n".encode() for name, value in fields if not own.get(name.lower())]
    return b"".join([*missing, content])


def _is_mixed(own: dict[str, str]) -> bool:
    return own.get("content-type", "").lower().startswith(("multipart/mixed", "multipart/related"))


def _variables(given: Iterable[str]) -> dict[str, str]:
    """Several fields add up (facts/sending.md, 1.12)."""
    merged: dict[str, str] = {}
    for text in given:
        merged.update(options.variables(text))
    return merged


def _options(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, option in _CHOICES.items():
        if name in asked and (value := options.choice(asked[name][0])):
            found[option] = value
    for name, option in _TEXTS.items():
        if asked.get(name, [""])[0]:
            found[option] = asked[name][0]
    if options.choice(_first(asked, "drop-message")) == "yes":
        found["testmode"] = "yes"
    options.check(found)
    if template := _first(asked, "template-name"):
        about = (_first(asked, "template-variables"), _first(asked, "template-version"))
        found.update(
            options.template(template, *about), **options.plain_variables(asked.get("variables", ()))
        )
    return found


def _recipients(everyone: list[Address], own: dict[str, str], *, one_each: bool) -> dict[str, Any]:
    """With the names that the header gives them; in batch mode each gets a copy of its own."""
    named = {field: _named(own.get(field, "")) for field in ("bcc", "cc", "to")}
    known = {email: each for named_here in named.values() for email, each in named_here.items()}
    full = [known.get(each.email.lower(), each) for each in addresses.unique(everyone)]
    if one_each:
        return {"to": full}
    places: dict[str, list[Address]] = {"to": [], "cc": [], "bcc": []}
    for each in full:
        email = each.email.lower()
        place = next((field for field in ("to", "cc") if email in named[field]), "bcc")
        places[place].append(each)
    return places


def _named(field: str) -> dict[str, Address]:
    with suppress(NotAnAddress):
        return {each.email.lower(): each for each in addresses.parse_list([field])}
    return {}
