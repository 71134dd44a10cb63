"""Signs messages (RFC 6376), with the fields in the order Mailgun has them (facts/sending.md, 1.11)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

from mailgun_emulator.mail import headers

SIGNED = frozenset(
    {
        "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
    }
)  # fmt: skip
_TAGS = (b"a", b"v", b"c", b"d", b"q", b"s", b"t", b"h", b"bh", b"b")
_BLANKS = re.compile(rb"[ \t]+")


class Signer(NamedTuple):
    """`domain` and `selector` say where the public key is."""

    domain: str
    selector: str
    private_pem: str


class NotSigned(ValueError):
    """The message is such that no signature is possible: it has no From, say."""


def sign(mime: bytes, signer: Signer, at: float) -> bytes:
    """The field to put before the message; `at` in seconds since 1970. The same arguments give the same field."""
    import dkim  # type: ignore[import-untyped]  # it has no type hints

    fields, body = headers.split(mime)
    names = [field.name.encode() for field in reversed(fields) if field.name.lower() in SIGNED]
    own = {b"t": b"%d" % at, b"h": b": ".join(names), b"bh": _hash(body)}
    try:
        signing: Any = dkim.DKIM(b"".join(field.raw for field in fields) + b"\r\n")
        write = signing.gen_header

        def write_ours(tags: list[tuple[bytes, bytes]], *how: Any) -> Any:
            return write([(tag, {**dict(tags), **own}[tag]) for tag in _TAGS], *how)

        signing.gen_header = (
            write_ours  # else it tells the time by the system's clock, and is slow with large bodies
        )
        field: bytes = signing.sign(
            signer.selector.encode(),
            signer.domain.encode(),
            signer.private_pem.encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=names,
        )
    except dkim.DKIMException as error:
        raise NotSigned(str(error)) from None
    return field


def verify(mime: bytes, find_record: Callable[[str], str | None]) -> bool | None:
    """Whether the first signature holds; None if there is none, its key is not to be found, or it was made at a time
    that by the system's clock, which the library goes by, is yet to come.

    `find_record` gives the text that is published at a name such as `pic._domainkey.example.com`.
    """
    import dkim

    unknown = False

    def look_up(name: bytes, **_: Any) -> str | None:
        nonlocal unknown
        record = find_record(name.decode("ascii", "replace").rstrip(".").lower())
        unknown = record is None
        return record

    if all(field.name.lower() != "dkim-signature" for field in headers.split(headers.crlf(mime))[0]):
        return None
    try:
        holds = bool(dkim.DKIM(mime).verify(dnsfunc=look_up))
    except Exception as error:  # noqa: BLE001 - a signature can be wrong in more ways than the library has errors for
        holds, unknown = False, unknown or "in the future" in str(error)
    return None if unknown else holds


def _hash(body: bytes) -> bytes:
    """Of the relaxed form (RFC 6376, 3.4.4), with the line end that the transport puts behind the last line."""
    lines = body.rstrip(b"\r\n") + b"\r\n"
    if b" \r\n" in lines or b"  " in lines or b"\t" in lines:
        lines = _BLANKS.sub(b" ", lines).replace(b" \r\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"
    return b64encode(hashlib.sha256(b"" if lines == b"\r\n" else lines).digest())
