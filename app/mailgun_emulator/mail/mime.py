"""Messages as Mailgun sends them: built from parts, or stamped if they come ready made (facts/sending.md, 1.11)."""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mailgun_emulator.mail import addresses, dates, headers

_STRUCTURAL = frozenset({"content-type", "content-transfer-encoding", "mime-version"})
_NEVER_SENT = frozenset({"bcc", "resent-bcc"})
_NOT_TO_SET = _STRUCTURAL | _NEVER_SENT
_NEEDS_VALUE = frozenset({"message-id", "date", "from", "sender"})
_NOT_IN_ID = re.compile(r"[\x00-\x1f\x7f<>]+")
_LONG_NAME = 200
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:;[ -~]*)?", re.ASCII).fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_UNKNOWN_TYPE = "application/octet-stream"


class Part(NamedTuple):
    """A file that goes with a message."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """All that becomes one message.

    `sender`, `to` and `cc` are header texts. `headers` are the sender's own: they take the place of the ones Mailgun
    would write, but for those that say how the body is built. `extra` stands in front of all (`Received`,
    `X-Mailgun-Sid` …), `echoes` repeats options after the tags (`X-Mailgun-Track` …). `variables` is JSON text,
    `message_id` has no angle brackets, `boundary` is 60 hex digits.
    """

    sender: str
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    amp_html: str | None = None
    attachments: Sequence[Part] = ()
    inlines: Sequence[Part] = ()
    headers: Sequence[tuple[str, str]] = ()
    tags: Sequence[str] = ()
    variables: str = ""
    message_id: str
    date: float
    domain: str
    extra: Sequence[tuple[str, str]] = ()
    echoes: Sequence[tuple[str, str]] = ()
    boundary: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """What a ready message gets on its way.

    `message_id` is for a message that has none, or for any if `new_id`. `headers` and `extra` take the place of
    fields of the same name (`Received` is only ever added), `variables` of all `X-Mailgun-Variables`. Fields named
    in `remove` go, `Bcc` always.
    """

    message_id: str
    date: float
    domain: str
    new_id: bool = False
    extra: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    tags: Sequence[str] = ()
    variables: str = ""
    remove: Sequence[str] = ()


class Stamped(NamedTuple):
    """`message_id` is the one the message bears, without angle brackets."""

    mime: bytes
    message_id: str


class _Entity(NamedTuple):
    """Header fields that say what `body` is, and the body."""

    head: str
    body: bytes


def build(draft: Draft) -> bytes:
    """The message, with CRLF line ends throughout."""
    content = _content(draft)
    multipart = content.head.startswith("Content-Type: multipart/")
    lines = []
    for name, value in _fields(draft):
        lines.append(headers.write(name, value))
        if multipart and name == "Mime-Version":
            lines.append(content.head)
    if not multipart:  # seen in the wild: what a body of one piece is stands last
        lines.append(content.head)
    lines.append("\r\n")
    return "".join(lines).encode("utf-8", "replace") + content.body


def restamp(mime: bytes, stamp: Stamp) -> Stamped:
    """A ready message with new fields before and behind its own. What stays keeps its bytes; line ends become CRLF."""
    fields, body = headers.split(headers.crlf(mime))
    custom = _custom(stamp.headers)
    gone = _replaced(stamp, custom)
    kept = [field for field in fields if _stays(field, gone)]
    known = {name.lower(): value for name, value in [*custom, *reversed([field[:2] for field in kept])]}
    front = list(stamp.extra)
    if "sender" not in known:
        front.append(("Sender", _sender(known.get("from", ""), stamp.domain)))
    tags = {field.value for field in kept if field.name.lower() == "x-mailgun-tag"}
    back = [("X-Mailgun-Tag", tag) for tag in stamp.tags if tag not in tags]
    back += custom
    if stamp.variables:
        back.append(("X-Mailgun-Variables", stamp.variables))
    if "date" not in known:
        back.append(("Date", dates.rfc2822(stamp.date)))
    if "message-id" not in known:
        back.append(("Message-Id", _bracketed(stamp.message_id)))
    head = b"".join([_written(front), *(field.raw for field in kept), _written(back)])
    return Stamped(head + b"\r\n" + body, _bracketed(known.get("message-id", stamp.message_id))[1:-1])


def attachment_summary(parts: Iterable[Part]) -> list[dict[str, str | int]]:
    """The parts as events list them, `size` in bytes (facts/sending.md, 3.2)."""
    return [
        {"filename": part.filename, "content-type": part.content_type, "size": len(part.data)}
        for part in parts
    ]


def _fields(draft: Draft) -> Iterable[tuple[str, str]]:
    """All fields in the order of facts/sending.md, 1.11."""
    fields = [
        ("Sender", _sender(draft.sender, draft.domain)),
        ("Date", dates.rfc2822(draft.date)),
        ("Mime-Version", "1.0"),
        ("Subject", draft.subject),
        ("From", draft.sender),
    ]
    if draft.to:
        fields.append(("To", ", ".join(draft.to)))
    if draft.cc:
        fields.append(("Cc", ", ".join(draft.cc)))
    last = [("Message-Id", _bracketed(draft.message_id))]
    custom = _custom(draft.headers) if draft.headers else []
    if custom:
        own = {name.lower() for name, _ in custom}
        fields = [field for field in fields if field[0].lower() not in own]
        last = [field for field in last if field[0].lower() not in own]
    if draft.variables:
        custom = [field for field in custom if field[0].lower() != "x-mailgun-variables"]
        last.insert(0, ("X-Mailgun-Variables", draft.variables))
    tags = [("X-Mailgun-Tag", tag) for tag in draft.tags]
    return [*draft.extra, *fields, *tags, *draft.echoes, *custom, *last]


def _custom(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The sender's own fields, without the empty ones and those that are not the sender's to set."""
    custom = []
    for name, value in given:
        cleaned = headers.clean_name(name)
        lower = cleaned.lower()
        if cleaned and value.strip() and lower not in _NOT_TO_SET:
            custom.append((cleaned, _bracketed(value) if lower == "message-id" else value))
    return custom


def _sender(sender: str, domain: str) -> str:
    """Its address; one of another domain is written into an address of this one (facts/sending.md, 1.8)."""
    try:
        first = addresses.parse_list((sender,))[0]
    except (addresses.NotAnAddress, IndexError):
        return f"postmaster@{domain}"
    if first.domain == domain.lower():
        return first.email
    return f"{first.email.replace('@', '=')}@{domain}"


def _bracketed(message_id: str) -> str:
    return f"<{''.join(message_id.split()).strip('<>')}>"


def _replaced(stamp: Stamp, custom: Iterable[tuple[str, str]]) -> set[str]:
    gone = {name.lower() for name, _ in (*stamp.extra, *custom)} - {"received"}
    gone.update(_NEVER_SENT, map(str.lower, stamp.remove))
    if stamp.variables:
        gone.add("x-mailgun-variables")
    if stamp.new_id:
        gone.add("message-id")
    return gone


def _stays(field: headers.Field, gone: set[str]) -> bool:
    name = field.name.lower()
    return name not in gone and (field.value != "" or name not in _NEEDS_VALUE)


def _written(fields: Iterable[tuple[str, str]]) -> bytes:
    return "".join([headers.write(name, value) for name, value in fields]).encode("utf-8", "replace")


def _content(draft: Draft) -> _Entity:
    """As many levels as are needed: mixed(related(alternative(text, amp, html), inlines), attachments)."""
    texts = [("plain", draft.text), ("x-amp-html", draft.amp_html), ("html", draft.html)]
    bodies = [_text(subtype, text) for subtype, text in texts if text is not None] or [_text("plain", "")]
    entity = bodies[0]
    if len(bodies) > 1:
        entity = _multipart("alternative", bodies, draft.boundary)
    if draft.inlines:
        inlines = [_file(part, "inline") for part in draft.inlines]
        entity = _multipart("related", [entity, *inlines], _another(draft.boundary, 1))
    if draft.attachments:
        attachments = [_file(part, "attachment") for part in draft.attachments]
        entity = _multipart("mixed", [entity, *attachments], _another(draft.boundary, 2))
    return entity


def _another(boundary: str, level: int) -> str:
    return f"{(int(boundary[0], 16) + level) % 16:x}{boundary[1:]}"


def _multipart(subtype: str, entities: Iterable[_Entity], boundary: str) -> _Entity:
    opening = f"--{boundary}\r\n"
    pieces = []
    for entity in entities:
        pieces += [f"{opening}{entity.head}\r\n".encode(), entity.body, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n'
    return _Entity(head, b"".join(pieces))


def _text(subtype: str, text: str) -> _Entity:
    """ASCII goes as it is unless a line is too long; charset and quotes as seen in the wild."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    ascii_only = text.isascii()
    if ascii_only and _short_lines(text):
        encoding, body = "7bit", text.replace("\n", "\r\n").encode()
    else:
        encoding, body = "quoted-printable", b2a_qp(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    charset = "ascii" if ascii_only else '"utf-8"'
    return _Entity(
        f"Content-Transfer-Encoding: {encoding}\r\nContent-Type: text/{subtype}; charset={charset}\r\n", body
    )


def _short_lines(text: str) -> bool:
    longest = headers.LONGEST_LINE
    return "\0" not in text and (len(text) <= longest or max(map(len, text.split("\n"))) <= longest)


def _file(part: Part, disposition: str) -> _Entity:
    """An inline file is called by its name in the HTML, `cid:logo.png` (facts/sending.md, 1.3)."""
    content_type = part.content_type if _MEDIA_TYPE(part.content_type) else _UNKNOWN_TYPE
    if content_type.lower().startswith("multipart/"):
        content_type = _UNKNOWN_TYPE
    head = [f"Content-Disposition: {disposition};\r\n {_file_name(part.filename)}\r\n"]
    if disposition == "inline":
        head.append(headers.write("Content-Id", f"<{_NOT_IN_ID.sub('', part.filename)}>"))
    head.append("Content-Transfer-Encoding: base64\r\n")
    head.append(headers.write("Content-Type", content_type))
    encoded = b2a_base64(part.data, newline=False)
    lines = [encoded[start : start + 76] for start in range(0, len(encoded), 76)]
    return _Entity("".join(head), b"\r\n".join(lines))


def _file_name(name: str) -> str:
    """The `filename` parameter, beyond ASCII or very long as RFC 2231 has it."""
    name = _CONTROL.sub("", name)
    if name.isascii() and len(name) <= _LONG_NAME:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'filename="{escaped}"'
    from urllib.parse import quote

    pieces = [quote(name[at : at + 75], safe="", errors="replace") for at in range(0, len(name), 75)]
    if len(pieces) == 1:
        return f"filename*=utf-8''{pieces[0]}"
    first, *others = pieces
    return ";\r\n ".join(
        [f"filename*0*=utf-8''{first}", *(f"filename*{n}*={piece}" for n, piece in enumerate(others, 1))]
    )
