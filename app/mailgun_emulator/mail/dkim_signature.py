"""Signs messages (RFC 6376), with the fields in the order Mailgun has them (facts/sending.md, 1.11)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mailgun_emulator.mail import headers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SIGNED = frozenset(
    {
        "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
    }
)  # fmt: skip
_BLANKS = re.compile(rb"[ \t]+")
_LINE = 72


class Signer(NamedTuple):
    """`domain` and `selector` say where the public key is."""

    domain: str
    selector: str
    private_pem: str


class NotSigned(ValueError):
    """The message is such that no signature is possible: it has no From."""


def sign(mime: bytes, signer: Signer, at: float) -> bytes:
    """The field to put before the message; `at` in seconds since 1970. The same arguments give the same field."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    fields, body = headers.split(mime)
    signed = [field for field in reversed(fields) if field.name.lower() in SIGNED]
    if all(field.name.lower() != "from" for field in signed):
        raise NotSigned("it has no From")
    names = ": ".join(field.name for field in signed)
    value = (
        f"a=rsa-sha256; v=1; c=relaxed/relaxed; d={signer.domain}; q=dns/txt; s={signer.selector}; t={int(at)}; "
        f"h={names}; bh={_hash(body)}; b="
    )
    unsigned = headers.write("DKIM-Signature", value).encode().removesuffix(b"\r\n")
    relaxed = b"\r\n".join([*(_relaxed(field.raw) for field in signed), _relaxed(unsigned)])
    signature = b64encode(_key(signer.private_pem).sign(relaxed, PKCS1v15(), SHA256()))
    lines = [signature[start : start + _LINE] for start in range(0, len(signature), _LINE)]
    return b"\r\n ".join([unsigned, *lines]) + b"\r\n"


@lru_cache(maxsize=64)
def _key(pem: str) -> "RSAPrivateKey":
    """It was checked when it was made or came in."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return cast(
        "RSAPrivateKey", load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    )


def verify(mime: bytes, find_record: Callable[[str], str | None]) -> bool | None:
    """Whether the first signature holds; None if there is none, its key is not to be found, or it was made at a time
    that by the system's clock, which the library goes by, is yet to come.

    `find_record` gives the text that is published at a name such as `pic._domainkey.example.com`.
    """
    import dkim  # type: ignore[import-untyped]  # it has no type hints

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


def _relaxed(field: bytes) -> bytes:
    """A field as it is signed (RFC 6376, 3.4.2), without its line end."""
    name, _, value = field.replace(b"\r\n", b"").partition(b":")
    return name.strip().lower() + b":" + _BLANKS.sub(b" ", value).strip()


def _hash(body: bytes) -> str:
    """Of the relaxed form (RFC 6376, 3.4.4), with the line end that the transport puts behind the last line."""
    lines = body.rstrip(b"\r\n") + b"\r\n"
    if b" \r\n" in lines or b"  " in lines or b"\t" in lines:
        lines = _BLANKS.sub(b" ", lines).replace(b" \r\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"
    return b64encode(hashlib.sha256(b"" if lines == b"\r\n" else lines).digest()).decode()
