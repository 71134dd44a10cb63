"""Changes the texts of a ready message; what is not changed keeps its bytes."""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from mailgun_emulator.mail import headers

if TYPE_CHECKING:
    from email.message import Message

Change = Callable[[str, str], str]
"""From the subtype of a text body (`plain`, `html` …) and its text, with LF line ends, to what takes its place."""

DEEPEST = 32
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "quoted-printable", "base64"})


class _Encoded(NamedTuple):
    encoding: str
    data: bytes


def change_texts(mime: bytes, change: Change) -> bytes:
    """Each text that is shown, in the order they stand: no attachments, nothing of messages within the message.

    Line ends have to be CRLF. A text that can't be read stays as it is.
    """
    return _changed(mime, change, DEEPEST)


def _changed(entity: bytes, change: Change, deep: int) -> bytes:
    from email import message_from_string

    _, body = headers.split(entity)
    head = entity[: len(entity) - len(body)]
    if not head.endswith(b"\r\n\r\n") and head != b"\r\n":
        return entity
    about = message_from_string(head.decode("latin-1").replace("\0", ""))  # the parser falls over other forms
    match about.get_content_maintype():
        case "multipart" if deep and about.get_content_subtype() != "digest":
            return head + _changed_parts(about, body, change, deep - 1)
        case "text" if _is_shown(about):
            return _changed_text(about, head, body, change)
        case _:
            return entity


def _is_shown(about: "Message") -> bool:
    return about.get_content_disposition() != "attachment" and about.get_filename() is None


def _changed_parts(about: "Message", body: bytes, change: Change, deep: int) -> bytes:
    boundary = about.get_boundary()
    if not boundary or not boundary.isascii():
        return body
    pieces = []
    position = 0
    for start, end in _spans(body, boundary.encode()):
        pieces += [body[position:start], _changed(body[start:end], change, deep)]
        position = end
    return b"".join([*pieces, body[position:]])


def _spans(body: bytes, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts stand; the last may lack its closing delimiter."""
    delimiter = re.compile(rb"(?:\A|(?<=\r\n))--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    start = -1
    for match in delimiter.finditer(body):
        if 0 <= start <= match.start() - 2:
            yield start, match.start() - 2
        start = match.end()
        if match[1]:
            return
    if 0 <= start < len(body):
        yield start, len(body)


def _changed_text(about: "Message", head: bytes, body: bytes, change: Change) -> bytes:
    encoding = str(about.get("Content-Transfer-Encoding", "")).strip().lower()
    found = _read(about, encoding, body)
    if found is None:
        return head + body
    text, charset = found
    new = change(about.get_content_subtype(), text)
    if new == text:
        return head + body
    data, charset_of_new = _in_charset(new, charset)
    written = _written(data, encoding)
    replaced = {}
    if charset_of_new != charset or (about.get_content_charset() is None and not new.isascii()):
        about.set_param("charset", charset_of_new)
        replaced["content-type"] = headers.write("Content-Type", str(about["Content-Type"]))
    if written.encoding != encoding:
        replaced["content-transfer-encoding"] = f"Content-Transfer-Encoding: {written.encoding}\r\n"
    return (_with_fields(head, replaced) if replaced else head) + written.data


def _read(about: "Message", encoding: str, body: bytes) -> tuple[str, str] | None:
    """The text, and the name of the charset it is in; what says nothing of it, or lies, may be in UTF-8."""
    from email import message_from_bytes

    if encoding not in _ENCODINGS:
        return None
    leaf = message_from_bytes(b"Content-Transfer-Encoding: %b\r\n\r\n" % encoding.encode() + body)
    data = leaf.get_payload(decode=True)
    if not isinstance(data, bytes):
        return None
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for charset in (about.get_content_charset("utf-8"), "utf-8"):
        try:
            if "\n".encode(charset) == b"\n":
                return data.decode(charset), charset
        except (LookupError, UnicodeError):
            continue
    return None


def _in_charset(text: str, charset: str) -> tuple[bytes, str]:
    try:
        return text.encode(charset), charset
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace"), "utf-8"


def _written(data: bytes, encoding: str) -> _Encoded:
    """In the encoding it had, if that can hold it."""
    if encoding == "base64":
        encoded = b2a_base64(data.replace(b"\n", b"\r\n"), newline=False)
        lines = [encoded[start : start + 76] for start in range(0, len(encoded), 76)]
        return _Encoded(encoding, b"\r\n".join([*lines, b""]))
    fits = b"\0" not in data and max(map(len, data.split(b"\n"))) <= headers.LONGEST_LINE
    if encoding != "quoted-printable" and fits and (data.isascii() or encoding in ("8bit", "binary")):
        return _Encoded(encoding, data.replace(b"\n", b"\r\n"))
    return _Encoded("quoted-printable", b2a_qp(data).replace(b"\n", b"\r\n"))


def _with_fields(head: bytes, replaced: dict[str, str]) -> bytes:
    """In their places, or last where there were none."""
    fields, _ = headers.split(head)
    lines = []
    waiting = dict(replaced)
    for field in fields:
        name = field.name.lower()
        if name not in replaced:
            lines.append(field.raw)
        elif name in waiting:
            lines.append(waiting.pop(name).encode())
    return b"".join([*lines, *(field.encode() for field in waiting.values()), b"\r\n"])
