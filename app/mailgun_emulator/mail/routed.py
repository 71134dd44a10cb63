"""What is posted of a message that a route forwards or stores (facts/sending.md, 8.4 to 8.6)."""

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from mailgun_emulator.mail import forms
from mailgun_emulator.mail.forms import Encoded
from mailgun_emulator.mail.stored import StoredParts

Fields = list[tuple[str, str | bytes]]

RAW_SUFFIX = "mime"
"""URLs that end so are posted the message as it is."""


class Envelope(NamedTuple):
    """`sender` is what MAIL FROM said, `recipient` what RCPT TO said, `domain` the one it came in for."""

    sender: str
    recipient: str
    domain: str


class Signature(NamedTuple):
    timestamp: str
    token: str
    signature: str


def parsed(parts: StoredParts, envelope: Envelope, signature: Signature, boundary: str) -> Encoded:
    """The message taken apart; its files come along."""
    files = [(f"attachment-{number}", part) for number, part in enumerate(parts.attachments, 1)]
    ids = {content_id: files[index][0] for content_id, index in parts.content_ids.items()}
    fields: Fields = [*_envelope(parts, envelope)]
    if files:
        fields.append(("attachment-count", str(len(files))))
    if ids:
        fields.append(("content-id-map", _json(ids)))
    fields += [("message-headers", _json(parts.headers)), *_bodies(parts), *_signature(signature)]
    fields = _with_headers(parts, fields)
    return forms.multipart(fields, files, boundary) if files else forms.urlencoded(fields)


def raw(parts: StoredParts, mime: bytes, envelope: Envelope, signature: Signature) -> Encoded:
    """The message as it is."""
    fields: Fields = [*_envelope(parts, envelope), ("body-mime", mime), *_signature(signature)]
    return forms.urlencoded(_with_headers(parts, fields))


def notice(parts: StoredParts, url: str, envelope: Envelope, signature: Signature) -> Encoded:
    """That the message is stored at `url`, and what is in it; the files are told where they are."""
    files = [
        {
            "url": f"{url}/attachments/{number}",
            "content-type": part.content_type,
            "name": part.filename,
            "size": len(part.data),
        }
        for number, part in enumerate(parts.attachments)
    ]
    ids = {content_id: files[index]["url"] for content_id, index in parts.content_ids.items()}
    fields: Fields = [
        *_signature(signature),
        ("domain", envelope.domain),
        *_envelope(parts, envelope),
        ("attachments", _json(files)),
        ("content-id-map", _json(ids)),
        ("message-headers", _json(parts.headers)),
        ("message-url", url),
        *_bodies(parts),
    ]
    return forms.urlencoded(_with_headers(parts, fields))


def _envelope(parts: StoredParts, envelope: Envelope) -> Iterator[tuple[str, str]]:
    own = {name.lower(): value for name, value in reversed(parts.headers)}
    yield "recipient", envelope.recipient
    yield "sender", envelope.sender
    yield "subject", own.get("subject", "")
    yield "from", own.get("from", "")


def _with_headers(parts: StoredParts, fields: Fields) -> Fields:
    """Every header field, too, behind the envelope; none takes the place of a field of ours."""
    taken = {name for name, _ in fields}
    own = [field for field in parts.headers if field[0] not in taken]
    place = next(index for index, (name, _) in enumerate(fields) if name == "from") + 1
    return [*fields[:place], *own, *fields[place:]]


def _bodies(parts: StoredParts) -> Iterator[tuple[str, str]]:
    yield "body-plain", parts.body_plain
    if parts.body_html:
        yield "body-html", parts.body_html
    for subtype, text in parts.other.items():
        yield f"body-{subtype}", text
    yield "stripped-text", parts.stripped_text
    yield "stripped-signature", parts.stripped_signature
    if parts.body_html:
        yield "stripped-html", parts.stripped_html


def _signature(signature: Signature) -> Iterator[tuple[str, str]]:
    yield "timestamp", signature.timestamp
    yield "token", signature.token
    yield "signature", signature.signature


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
