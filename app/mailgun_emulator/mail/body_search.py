"""The bodies of messages, read fast enough to look through thousands of them for a text."""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator

from mailgun_emulator.mail import links, stored

Body = tuple[str, str]
"""Its subtype and its text, with LF line ends."""

_WORD = re.compile(r"[a-z0-9]+")
_RAW_TAG = re.compile(rb"<[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_TAG_IN_WORDS = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u|wbr)\b[^>]*>", re.IGNORECASE
)
"""Those that a word goes on behind."""

_DEEPEST = 8
_FIELD = rb"(?:\A|\r\n)%b:[ \t]*((?:[^\r\n]|\r\n[ \t])*)"
_TYPE = re.compile(_FIELD % b"content-type", re.IGNORECASE).findall
_ENCODING = re.compile(_FIELD % b"content-transfer-encoding", re.IGNORECASE).findall
_DISPOSITION = re.compile(_FIELD % b"content-disposition", re.IGNORECASE).findall
_CHARSET = re.compile(rb"""charset="?([\w.:-]+)"?""", re.IGNORECASE).search
_BOUNDARY = re.compile(rb"""boundary="?([^"\s;]+)"?""", re.IGNORECASE).search


class _NotSimple(Exception):
    """It takes a closer look."""


def holds(mime: bytes, text: str) -> bool:
    """Whether `text`, in lower case, may be in a body: no more than a look at the bytes, which errs on that side."""
    word = max(_WORD.findall(text), key=len, default="").encode()
    raw = mime.lower()
    if not word or b"base64" in raw or b"&#" in raw or b"utf-7" in raw or b"utf-16" in raw:
        return True
    raw = raw.replace(b"=\r\n", b"")
    end = raw.rfind(b">") + 1
    return word in raw or word in _RAW_TAG.sub(b"", raw[:end]) + raw[end:]


def texts(mime: bytes) -> Iterator[str]:
    """The bodies, all blanks and line ends made one blank; HTML as it reads, in about, and as it is written."""
    for subtype, text in read_bodies(mime):
        if subtype != "plain":
            read = _without(_TAG, " ", _without(_TAG_IN_WORDS, "", text))
            yield " ".join(links.unescape_text(read).split())
        yield " ".join(text.split())


def _without(tags: re.Pattern[str], instead: str, text: str) -> str:
    """Behind the last `>` none ends: there each `<` would be looked at in vain."""
    end = text.rfind(">") + 1
    return tags.sub(instead, text[:end]) + text[end:]


def read_bodies(mime: bytes) -> list[Body]:
    """As `stored.take_apart` has them, at a twentieth of the cost for messages that are written as most are."""
    try:
        return _sorted(_simple_bodies(mime, _DEEPEST))
    except _NotSimple:
        found = stored.take_apart(mime).texts
        return [(subtype, text) for subtype, several in found.items() for text in several]


def _sorted(bodies: Iterator[Body]) -> list[Body]:
    """Those of one subtype together."""
    by_subtype: dict[str, list[Body]] = {}
    for body in bodies:
        by_subtype.setdefault(body[0], []).append(body)
    return [body for several in by_subtype.values() for body in several]


def _simple_bodies(entity: bytes, deep: int) -> Iterator[Body]:
    head, blank, body = entity.partition(b"\r\n\r\n")
    types = _TYPE(head)
    if not blank or len(types) != 1 or not deep:
        raise _NotSimple
    kind, _, parameters = types[0].partition(b";")
    match kind.strip().lower():
        case b"multipart/alternative" | b"multipart/mixed" | b"multipart/related":
            for part in _parts(body, parameters):
                yield from _simple_bodies(part, deep - 1)
        case (b"text/plain" | b"text/html") as known if not _DISPOSITION(head) and b"name" not in parameters:
            yield known.decode().removeprefix("text/"), _text(head, parameters, body)
        case other if other.startswith((b"text/", b"multipart/", b"message/")):
            raise _NotSimple


def _parts(body: bytes, parameters: bytes) -> list[bytes]:
    boundary = _BOUNDARY(parameters)
    if boundary is None:
        raise _NotSimple
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary[1])
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise _NotSimple
    if not all(piece.startswith(b"\r\n") for piece in pieces[1:-1]):
        raise _NotSimple
    return [piece[2:] for piece in pieces[1:-1]]


def _text(head: bytes, parameters: bytes, body: bytes) -> str:
    charset = _CHARSET(parameters)
    try:
        data = _decoded((_ENCODING(head) or [b""])[-1].strip().lower(), body)
        text = data.decode(charset[1].decode() if charset else "utf-8")
    except (LookupError, ValueError, NotBase64):
        raise _NotSimple from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(encoding: bytes, body: bytes) -> bytes:
    match encoding:
        case b"" | b"7bit" | b"8bit" | b"binary":
            return body
        case b"quoted-printable":
            return a2b_qp(body)
        case b"base64":
            return a2b_base64(body)
        case _:
            raise _NotSimple
