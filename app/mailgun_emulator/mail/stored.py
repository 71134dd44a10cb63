"""A message taken apart again, as Mailgun shows stored and inbound ones (facts/sending.md, 1.13 and 8.4)."""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from mailgun_emulator.mail import encoded_words, headers
from mailgun_emulator.mail.mime import Part

if TYPE_CHECKING:
    from email.message import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredParts:
    """Texts are decoded and have CRLF line ends; one that is not there is empty. The names of `headers` are spelled as
    Mailgun spells them, `Mime-Version`, whatever the message says.

    `other` holds further text bodies by their subtype, as `x-amp-html`. `content_ids` gives, for each `<cid>`, the
    index of its part in `attachments`, where the parts without one come first.
    """

    headers: list[tuple[str, str]]
    body_plain: str
    body_html: str
    other: dict[str, str]
    attachments: list[Part]
    content_ids: dict[str, int]
    stripped_text: str
    stripped_signature: str
    stripped_html: str


class File(NamedTuple):
    """`content_id` has its angle brackets, if there is one; `inline` is what the text shows or means to show."""

    part: Part
    content_id: str
    inline: bool


class Contents(NamedTuple):
    """`texts` are the bodies by their subtype, with LF line ends. Files without a `content_id` come first."""

    texts: dict[str, list[str]]
    files: list[File]

    def text(self, subtype: str) -> str | None:
        """None if there is no such body."""
        return "\n".join(self.texts[subtype]) if subtype in self.texts else None


_NAMED = re.compile(rb"name\s*+[*=]").search
_OF_ANOTHER_TYPE = re.compile(rb"\ncontent-type[ \t]*+:\s*+(?!text/|multipart/(?!digest))").search


def read(mime: bytes) -> StoredParts:
    """Line ends may be LF or CRLF. A message with HTML only gets a `body_plain` made from that."""
    from mailgun_emulator.mail import replies

    texts, files = take_apart(mime)
    bodies = {subtype: "\r\n".join(map(_crlf, found)) for subtype, found in texts.items()}
    html = bodies.pop("html", "")
    stripped_html = replies.strip_html(html)
    plain = bodies.pop("plain", "")
    shown = plain or replies.to_text(html)
    stripped_text, signature = replies.strip_text(
        shown if plain or stripped_html == html else replies.to_text(stripped_html)
    )
    return StoredParts(
        headers=read_headers(mime),
        body_plain=shown,
        body_html=html,
        other=bodies,
        attachments=[file.part for file in files],
        content_ids={file.content_id: index for index, file in enumerate(files) if file.content_id},
        stripped_text=stripped_text,
        stripped_signature=signature,
        stripped_html=stripped_html,
    )


def take_apart(mime: bytes) -> Contents:
    """The leaves of the tree, whatever is wrong with it."""
    contents = Contents({}, [])
    for leaf in _leaves(parsed(mime)):
        if _is_body(leaf):
            subtype = encoded_words.whole(leaf.get_content_subtype())
            contents.texts.setdefault(subtype, []).append(_text(leaf))
        else:
            contents.files.append(_file(leaf, len(contents.files) + 1))
    contents.files.sort(key=lambda file: file.content_id != "")
    return contents


def list_files(mime: bytes) -> list[File]:
    """Most messages have none, which is told at a hundredth of the cost of taking them apart."""
    return take_apart(mime).files if _may_have_files(mime) else []


def has_files(mime: bytes) -> bool:
    return _may_have_files(mime) and any(not _is_body(leaf) for leaf in _leaves(parsed(mime)))


def _may_have_files(mime: bytes) -> bool:
    lower = b"\n" + mime.lower()
    marks = b"\ncontent-disposition", b"\ncontent-id"
    return (
        any(mark in lower for mark in marks)
        or _NAMED(lower) is not None
        or _OF_ANOTHER_TYPE(lower) is not None
    )


def read_headers(mime: bytes) -> list[tuple[str, str]]:
    return [(headers.spelled(name), value) for name, value in headers.read(mime)]


def parsed(mime: bytes) -> "Message":
    """Whatever is wrong with it."""
    from email import message_from_bytes

    try:
        return message_from_bytes(mime)
    except ValueError:  # of a boundary with a NUL in its charset
        return message_from_bytes(mime.replace(b"\0", b""))


def _leaves(message: "Message") -> Iterator["Message"]:
    """The parts that hold no parts. A message within the message is a leaf."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in cast("list[Message]", message.get_payload()):
            yield from _leaves(part)
    else:
        yield message


def _is_body(leaf: "Message") -> bool:
    return (
        leaf.get_content_maintype() == "text"
        and leaf.get_content_disposition() != "attachment"
        and _file_name(leaf) is None
    )


def _text(leaf: "Message") -> str:
    data = _data(leaf)
    try:
        text = encoded_words.whole(data.decode(leaf.get_content_charset("utf-8")))
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _file(leaf: "Message", number: int) -> File:
    name = _file_name(leaf) or f"attachment-{number}"
    content_id = encoded_words.whole(encoded_words.decode(" ".join(str(leaf.get("Content-Id", "")).split())))
    part = Part(name, encoded_words.whole(leaf.get_content_type()), _data(leaf))
    inline = leaf.get_content_disposition() == "inline" or content_id != ""
    return File(part, content_id, inline)


def _file_name(leaf: "Message") -> str | None:
    try:
        filename = leaf.get_filename()
    except ValueError:  # of a charset that is none
        return ""
    return filename and encoded_words.whole(encoded_words.decode(filename))


def _data(leaf: "Message") -> bytes:
    if leaf.is_multipart():
        return _inner_messages(leaf, cast("list[Message]", leaf.get_payload()))
    try:
        decoded = leaf.get_payload(decode=True)
    except (TypeError, ValueError):  # it stumbles over some charsets, though bytes are asked for
        del leaf["Content-Type"]
        decoded = leaf.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _inner_messages(leaf: "Message", inner: list["Message"]) -> bytes:
    """Base64 around a message is against RFC 2046 but common; the parser then takes it for the body of an empty one."""
    if str(leaf.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        with suppress(NotBase64, TypeError, ValueError):
            return a2b_base64(str(inner[0].get_payload()))
    from email.policy import compat32

    policy = compat32.clone(linesep="\r\n", max_line_length=None)
    return b"\r\n".join(message.as_bytes(policy=policy) for message in inner)
