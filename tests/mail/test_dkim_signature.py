"""Signatures hold for a DKIM library, and break when anything is changed."""

import re

import dkim as library  # type: ignore[import-untyped]  # it has no type hints
import pytest

from mailgun_emulator.mail import dkim, dkim_signature
from mailgun_emulator.mail.dkim_signature import NotSigned, Signer

PAIR = dkim.generate(1024)
SIGNER = Signer("mg.example.com", "mx", PAIR.private_pem)
HEAD = (
    b"Received: by x\r\nSender: a@mg.example.com\r\nDate: Tue, 30 Dec 2025 11:03:22 GMT\r\nMime-Version: 1.0\r\n"
    b"Subject: Hi  there\r\n again\r\nFrom: Ann <a@mg.example.com>\r\nTo: b@y.com\r\n"
    b"X-Mailgun-Tag: t\r\nMessage-ID: <1@x>\r\n\r\n"
)


def holds(mime: bytes) -> bool:
    asked = []

    def look_up(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return f"k=rsa; p={PAIR.public}".encode()

    good: bool = library.verify(mime, dnsfunc=look_up)
    assert asked == [b"mx._domainkey.mg.example.com."]
    return good


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"hi",
        b"hi\r\n",
        b"hi\r\n\r\n\r\n",
        b"a  b\t c \r\n\td\r\n \r\n \r\n",
        b" \r\nhi\r\n",
        b"x" * 9000,
        b"\xc3\xa9",
    ],
)
def test_a_signature_holds(body: bytes) -> None:
    mime = HEAD + body
    signed = dkim_signature.sign(mime, SIGNER, 1767092602.5) + mime
    assert holds(signed)
    assert not holds(signed + b"!")
    assert not holds(signed.replace(b"To: b@", b"To: c@"))
    assert holds(signed.replace(b"X-Mailgun-Tag: t", b"X-Mailgun-Tag: u"))


def test_a_signature_holds_for_fields_that_are_folded_repeated_or_not_ascii() -> None:
    fields = (
        b"To:\tb@y.com,\r\n \tc@y.com \r\nSubject:  caf\xc3\xa9\t x\r\n"
        b"To: second@y.com\r\nReferences: <" + b"r" * 200 + b">\r\n"
    )
    mime = fields + HEAD + b"hi\r\n"
    signed = dkim_signature.sign(mime, SIGNER, 1767092602.5) + mime
    assert holds(signed)
    assert not holds(signed.replace(b"c@y.com", b"d@y.com"))
    assert not holds(signed.replace(b"second@y", b"third@y"))


def test_the_field_looks_like_mailguns() -> None:
    field = dkim_signature.sign(HEAD, SIGNER, 1767092602.5)
    assert field == dkim_signature.sign(HEAD, SIGNER, 1767092602.5)
    text = " ".join(field.decode().split())
    assert re.fullmatch(
        r"DKIM-Signature: a=rsa-sha256; v=1; c=relaxed/relaxed; d=mg\.example\.com; q=dns/txt; s=mx; t=1767092602; "
        r"h=Message-ID: To: From: Subject: Mime-Version: Date: Sender; bh=\S+; b=.*",
        text,
    )
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_a_message_without_sender_is_not_signed() -> None:
    with pytest.raises(NotSigned):
        dkim_signature.sign(b"To: b@y.com\r\n\r\nhi", SIGNER, 0)
