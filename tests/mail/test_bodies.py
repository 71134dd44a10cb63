"""Texts of ready messages are changed in place; every other byte stays."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from mailgun_emulator.mail import bodies


def upper(subtype: str, text: str) -> str:
    return text.replace("word", f"{subtype.upper()}-WORD")


def entity(head: str, body: str) -> bytes:
    return f"{head}\n\n{body}".replace("\n", "\r\n").encode()


MULTIPART = """\
Subject: word
Content-Type: multipart/mixed; boundary="outer"

preamble word
--outer
Content-Type: multipart/alternative; boundary=inner

--inner

no head, word
--inner{blanks}
Content-Type: text/html; charset=utf-8
X-Kept:   as it   is

<p>word</p>
--inner--
epilogue word
--outer
Content-Type: text/plain
Content-Disposition: attachment

word in a file
--outer
Content-Type: text/plain; name=word.txt

word in a named file
--outer
Content-Type: message/rfc822

Subject: inner

word inside
--outer
--outer
Content-Type: text/csv

word
--outer--
word""".replace("{blanks}", "  ")


def test_only_shown_texts_change() -> None:
    mime = MULTIPART.replace("\n", "\r\n").encode()
    changed = bodies.change_texts(mime, upper)
    expected = mime.replace(b"no head, word", b"no head, PLAIN-WORD").replace(b"<p>word", b"<p>HTML-WORD")
    assert changed == expected.replace(b"csv\r\n\r\nword", b"csv\r\n\r\nCSV-WORD")


def test_what_is_not_changed_is_the_same_byte_for_byte() -> None:
    seen = []

    def look(kind: str, text: str) -> str:
        seen.append((kind, text))
        return text

    mime = MULTIPART.replace("\n", "\r\n").encode()
    assert bodies.change_texts(mime, look) == mime
    assert seen == [("plain", "no head, word"), ("html", "<p>word</p>"), ("csv", "word")]


@pytest.mark.parametrize(
    ("head", "body", "changed"),
    [
        ("Subject: x", "word", entity("Subject: x", "PLAIN-WORD")),
        (
            "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=iso-8859-1",
            "word =E9 wo=\nrd",
            entity(
                "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=iso-8859-1",
                "PLAIN-WORD =E9 PLAIN-WORD",
            ),
        ),
        (
            "Content-Transfer-Encoding: BASE64\nContent-Type: text/html",
            "d29yZA==",
            entity("Content-Transfer-Encoding: BASE64\nContent-Type: text/html", "SFRNTC1XT1JE\n"),
        ),
        (
            "Content-Transfer-Encoding: 8bit\nContent-Type: text/plain; charset=utf-8",
            "word é",
            entity(
                "Content-Transfer-Encoding: 8bit\nContent-Type: text/plain; charset=utf-8", "PLAIN-WORD é"
            ),
        ),
        ("Content-Transfer-Encoding: x-uuencode", "word", None),
        ("Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64", "dwBvAHIAZAA=", None),
        ("Content-Type: image/png", "word", None),
        ("Content-Type: multipart/mixed", "word", None),
    ],
)
def test_a_text_keeps_its_encoding(head: str, body: str, changed: bytes | None) -> None:
    assert bodies.change_texts(entity(head, body), upper) == (changed or entity(head, body))


def test_a_text_that_no_longer_fits_gets_another_encoding() -> None:
    mime = entity(
        "Content-Type: text/plain; charset=ascii\nContent-Transfer-Encoding: 7bit\nX: y", "word\nline"
    )
    long = bodies.change_texts(mime, lambda _, text: text.replace("word", "w" * 2000))
    found = message_from_bytes(long)
    assert found["Content-Transfer-Encoding"] == "quoted-printable"
    assert found["X"] == "y"
    assert max(map(len, long.split(b"\r\n"))) < 998
    assert found.get_payload(decode=True) == b"w" * 2000 + b"\r\nline"
    foreign = message_from_bytes(bodies.change_texts(mime, lambda _, text: text + "é"))
    assert foreign.get_content_charset() == "utf-8"
    assert foreign.get_payload(decode=True) == "word\r\nlineé".encode()
    assert len(foreign.items()) == 3


def test_what_is_changed_can_still_be_read() -> None:
    message = EmailMessage()
    message.set_content("a word and é\n" * 40)
    message.add_alternative("<p>a word</p>\n", subtype="html")
    message.add_attachment(b"\x00word", maintype="application", subtype="octet-stream", filename="word")
    message["Subject"] = "x"
    changed = message_from_bytes(bodies.change_texts(message.as_bytes(policy=SMTP), upper))
    texts = [part.get_payload(decode=True) for part in changed.walk() if not part.is_multipart()]
    assert texts == ["a PLAIN-WORD and é\r\n".encode() * 40, b"<p>a HTML-WORD</p>\r\n", b"\x00word"]


def test_a_message_nested_too_deep_is_left_alone() -> None:
    mime = entity("Subject: x", "word")
    for level in range(60):
        head = f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'.encode()
        mime = head + mime + f"\r\n--b{level}--\r\n".encode()
    assert bodies.change_texts(mime, upper) == mime


@pytest.mark.parametrize(
    "kind",
    [
        b'text/plain; charset="utf\0-8"',
        b"text/plain; charset*=utf\0-8''utf-8",
        b"text/plain; name*=utf\0''x",
        b"text/\xef",
        b"multipart/mixed; boundary=\xe9",
        b"multipart/mixed; boundary*=utf\0''b",
    ],
)
def test_a_type_that_is_none_does_no_harm(kind: bytes) -> None:
    mime = b"Content-Type: " + kind + b"\r\n\r\n--b\r\n\r\nword\r\n--b--\r\n"
    assert bodies.change_texts(mime, upper).endswith((b"word\r\n--b--\r\n", b"WORD\r\n--b--\r\n"))
