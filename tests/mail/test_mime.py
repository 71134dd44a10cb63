import email
import random
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest

from mailgun_emulator.mail import headers
from mailgun_emulator.mail.mime import Draft, Part, Stamp, attachment_summary, build, restamp

BOUNDARY = "8154ceac6c9463c25df5781e190f3ace30d029a70a9340da3ddf904b7a9a"
MESSAGE_ID = "20251230110322.4521c221870b1300@mg.example.com"
PNG = b"\x89PNG\r\n\x1a\n\0\xff"


def draft(**changes: Any) -> Draft:
    fields: dict[str, Any] = {
        "sender": "Ann <ann@mg.example.com>",
        "to": ["bob@example.net"],
        "subject": "Hello",
        "text": "Hi Bob\n",
        "message_id": MESSAGE_ID,
        "date": 1767092602.9,
        "domain": "mg.example.com",
        "boundary": BOUNDARY,
    }
    return Draft(**fields | changes)


def stamp(**changes: Any) -> Stamp:
    fields: dict[str, Any] = {"message_id": "new@mg.example.com", "date": 0.0, "domain": "mg.example.com"}
    return Stamp(**fields | changes)


def parsed(mime: bytes) -> EmailMessage:
    """The message as the standard library reads it; nothing in it may be against the rules."""
    lines = mime.split(b"\r\n")
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    assert max(map(len, lines)) <= 998
    message = email.message_from_bytes(mime, policy=default)
    assert not [defect for part in message.walk() for defect in part.defects]
    return message


def shape(message: EmailMessage) -> Any:
    if not message.is_multipart():
        return message.get_content_type()
    return message.get_content_subtype(), [shape(cast("EmailMessage", part)) for part in message.iter_parts()]


def texts() -> Iterator[str]:
    chooser = random.Random(7)
    letters = "abc xyz  ,.;:()<>@\"'\\=?_%&é—日本🚀\t\r\n\0\x7f"
    for length in [0, 1, 70, 76, 77, 78, 79, 998, 999, 1100, *chooser.sample(range(3000), 60)]:
        yield "".join(chooser.choices(letters, k=length))
        yield "x" * length


def test_a_text_is_sent_as_mailgun_sends_it() -> None:
    assert build(draft()).decode() == (
        "Sender: ann@mg.example.com\r\n"
        "Date: Tue, 30 Dec 2025 11:03:22 +0000\r\n"
        "Mime-Version: 1.0\r\n"
        "Subject: Hello\r\n"
        "From: Ann <ann@mg.example.com>\r\n"
        "To: bob@example.net\r\n"
        f"Message-Id: <{MESSAGE_ID}>\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "Content-Type: text/plain; charset=ascii\r\n"
        "\r\n"
        "Hi Bob\r\n"
    )


def test_text_and_html_are_alternatives_and_all_headers_have_their_place() -> None:
    mime = build(
        draft(
            html="<p>Hé</p>",
            cc=["c@example.net", "d@example.net"],
            headers=[("Reply-To", "r@example.net"), ("X-Two", "1"), ("X-Two", "2")],
            tags=["one", "two"],
            variables='{"a": "1"}',
            extra=[("X-Mailgun-Sid", "Wy"), ("Received", "by us")],
            echoes=[("X-Mailgun-Track", "false")],
        )
    )
    assert mime.decode() == (
        "X-Mailgun-Sid: Wy\r\n"
        "Received: by us\r\n"
        "Sender: ann@mg.example.com\r\n"
        "Date: Tue, 30 Dec 2025 11:03:22 +0000\r\n"
        "Mime-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative;\r\n boundary="{BOUNDARY}"\r\n'
        "Subject: Hello\r\n"
        "From: Ann <ann@mg.example.com>\r\n"
        "To: bob@example.net\r\n"
        "Cc: c@example.net, d@example.net\r\n"
        "X-Mailgun-Tag: one\r\n"
        "X-Mailgun-Tag: two\r\n"
        "X-Mailgun-Track: false\r\n"
        "Reply-To: r@example.net\r\n"
        "X-Two: 1\r\n"
        "X-Two: 2\r\n"
        'X-Mailgun-Variables: {"a": "1"}\r\n'
        f"Message-Id: <{MESSAGE_ID}>\r\n"
        "\r\n"
        f"--{BOUNDARY}\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "Content-Type: text/plain; charset=ascii\r\n"
        "\r\n"
        "Hi Bob\r\n"
        "\r\n"
        f"--{BOUNDARY}\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        'Content-Type: text/html; charset="utf-8"\r\n'
        "\r\n"
        "<p>H=C3=A9</p>\r\n"
        f"--{BOUNDARY}--\r\n"
    )


FILE, IMAGE = Part("a.txt", "text/plain", b"a"), Part("i.png", "image/png", PNG)
ALTERNATIVE = ("alternative", ["text/plain", "text/x-amp-html", "text/html"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": None}, "text/plain"),
        ({"text": None, "html": "<p>"}, "text/html"),
        ({"html": "<p>", "amp_html": "<html amp4email>"}, ALTERNATIVE),
        ({"attachments": [FILE]}, ("mixed", ["text/plain", "text/plain"])),
        ({"text": None, "html": "<p>", "inlines": [IMAGE]}, ("related", ["text/html", "image/png"])),
        (
            {"html": "<p>", "amp_html": "<html>", "inlines": [IMAGE], "attachments": [FILE, IMAGE]},
            ("mixed", [("related", [ALTERNATIVE, "image/png"]), "text/plain", "image/png"]),
        ),
    ],
)
def test_there_are_as_many_levels_as_are_needed(changes: dict[str, Any], expected: Any) -> None:
    assert shape(parsed(build(draft(**changes)))) == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Ann <ann@MG.example.com>", "ann@mg.example.com"),
        ("ann@example.org", "ann=example.org@mg.example.com"),
        ("nobody", "postmaster@mg.example.com"),
    ],
)
def test_the_sender_field_tells_who_sends_for_whom(sender: str, expected: str) -> None:
    assert parsed(build(draft(sender=sender)))["Sender"] == expected


def test_own_headers_take_the_place_of_mailguns_but_not_of_the_structure() -> None:
    own = [
        ("date", "Mon, 01 Jan 2024 00:00:00 +0000"),
        ("Message-Id", "mine@example.com"),
        ("sender", "other@example.com"),
        ("content-type", "multipart/mixed; boundary=x"),
        ("Content-Transfer-Encoding", "base64"),
        ("MIME-Version", "2.0"),
        ("Bcc", "secret@example.com"),
        ("X-Empty", " "),
        ("X-Mailgun-Variables", "{}"),
    ]
    fields = headers.read(build(draft(headers=own, variables='{"a": 1}')))
    assert fields == [
        ("Mime-Version", "1.0"),
        ("Subject", "Hello"),
        ("From", "Ann <ann@mg.example.com>"),
        ("To", "bob@example.net"),
        ("date", "Mon, 01 Jan 2024 00:00:00 +0000"),
        ("Message-Id", "<mine@example.com>"),
        ("sender", "other@example.com"),
        ("X-Mailgun-Variables", '{"a": 1}'),
        ("Content-Transfer-Encoding", "7bit"),
        ("Content-Type", "text/plain; charset=ascii"),
    ]


def test_line_ends_in_values_cannot_make_headers() -> None:
    evil = "x\r\nBcc: evil@example.com\r\n\r\nbody"
    mime = build(
        draft(
            sender=f"Ann {evil}",
            to=[evil],
            subject=evil,
            tags=[evil],
            variables=evil,
            message_id=evil,
            headers=[("X-A", evil), ("X-B: y\r\nBcc", evil), ("Reply-To", f"é{evil}")],
            extra=[("X-C", evil)],
            attachments=[Part(evil, f"text/plain\r\n{evil}", b"1"), Part("b", 'text/plain; x="\r\n"', b"2")],
            inlines=[Part(evil, "multipart/mixed", b"3")],
        )
    )
    message = parsed(mime)
    assert "Bcc" not in message
    assert message["X-A"] == "x Bcc: evil@example.com body"
    assert "X-ByBcc" in message
    assert [part.get_content_type() for part in message.walk() if part.get_filename()] == [
        "application/octet-stream"
    ] * 3
    assert b"\r\nBcc" not in mime


def test_any_text_arrives_as_it_was_sent() -> None:
    for text in texts():
        expected = text.replace("\r\n", "\n").replace("\r", "\n")
        message = parsed(build(draft(text=text, html=text)))
        for part in message.iter_parts():
            data = cast("bytes", part.get_payload(decode=True)).decode()
            assert data.replace("\r\n", "\n") == expected


def test_any_header_text_arrives_on_one_line() -> None:
    for text in texts():
        mime = build(draft(subject=text, headers=[("X-Long-Name-Of-A-Field", text)]))
        parsed(mime)
        fields = dict(headers.read(mime))
        visible = re.sub(r"[\0\x7f]", "", re.sub(r"[\r\n]+[ \t]*", " ", text)).strip()
        assert fields["Subject"] == visible
        assert fields.get("X-Long-Name-Of-A-Field", "") == visible


def test_long_headers_are_folded_at_blanks() -> None:
    to = [f"Person {number} <p{number}@example.com>" for number in range(40)]
    mime = build(draft(to=to, variables='{"key": "' + "v" * 100 + '", "other": "w"}'))
    assert parsed(mime)["To"] == ", ".join(to)
    assert b'X-Mailgun-Variables: {"key":\r\n "vvv' in mime
    head = mime.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(len(line) <= 78 for line in head if b"vvv" not in line)


def test_display_names_and_domains_beyond_ascii_are_encoded() -> None:
    names = ["Jörg, Müller <j@x.de>", '"日本, 太郎" <t@x.jp>', "Plain <p@bücher.example>"]
    mime = build(draft(sender='"Jörg, Müller" <j@x.de>', to=names[1:]))
    assert mime.isascii()
    message = parsed(mime)
    assert [(a.display_name, a.addr_spec) for a in message["From"].addresses] == [("Jörg, Müller", "j@x.de")]
    assert [(a.display_name, a.addr_spec) for a in message["To"].addresses] == [
        ("日本, 太郎", "t@x.jp"),
        ("Plain", "p@xn--bcher-kva.example"),
    ]


@pytest.mark.parametrize(
    "filename",
    ["a.txt", "two words.txt", 'quote".txt', "back\\slash", "naïve.txt", "日本" * 90 + ".txt", "x" * 300, ""],
)
@pytest.mark.parametrize("data", [b"", b"a", PNG * 1000, "é\n".encode()])
def test_files_arrive_as_they_were_sent(filename: str, data: bytes) -> None:
    attachments = [Part(filename, "application/pdf", data)]
    inlines = [Part(filename, "image/png", data)]
    message = parsed(build(draft(attachments=attachments, inlines=inlines)))
    inline, attachment = (
        part for part in message.walk() if part.get_content_maintype() in {"image", "application"}
    )
    for part, disposition in ((attachment, "attachment"), (inline, "inline")):
        assert part.get_content_disposition() == disposition
        assert part.get_filename() == filename
        assert part.get_payload(decode=True) == data
    cids = [value for name, value in inline.items() if name.lower() == "content-id"]
    assert len(cids) == 1
    assert "Content-Id" not in attachment


def test_html_calls_an_inline_file_by_its_name() -> None:
    message = parsed(
        build(draft(html='<img src="cid:my logo.png">', inlines=[Part("my logo.png", "image/png", PNG)]))
    )
    assert [part["Content-Id"] for part in message.walk() if part["Content-Id"]] == ["<my logo.png>"]


def test_attachments_are_listed_for_events() -> None:
    assert attachment_summary([FILE, IMAGE]) == [
        {"filename": "a.txt", "content-type": "text/plain", "size": 1},
        {"filename": "i.png", "content-type": "image/png", "size": len(PNG)},
    ]


READY = (
    b"Received: from a\n by b\n"
    b'From: "Doe, J" <j@example.org>\n'
    b"To: bob@example.net,\n\tann@example.net\n"
    b"BCC: secret@example.com\n"
    b"Subject:   odd   blanks\n"
    b"X-Mailgun-Tag: one\n"
    b'X-Mailgun-Variables: {"a": "1"}\n'
    b"Message-ID: <old@example.org>\n"
    b"\n"
    b"line\n\nBcc: body\r\n\xff\n"
)


def test_a_ready_message_is_stamped_and_its_body_kept() -> None:
    mime, message_id = restamp(
        READY,
        stamp(
            extra=[("X-Mailgun-Sid", "Wy"), ("Received", "by us")],
            tags=["one", "two"],
            headers=[("subject", "Changed"), ("X-New", "1"), ("Content-Type", "evil/type")],
            remove=["to"],
        ),
    )
    assert message_id == "old@example.org"
    assert mime == (
        b"X-Mailgun-Sid: Wy\r\n"
        b"Received: by us\r\n"
        b"Sender: j=example.org@mg.example.com\r\n"
        b"Received: from a\r\n by b\r\n"
        b'From: "Doe, J" <j@example.org>\r\n'
        b"X-Mailgun-Tag: one\r\n"
        b'X-Mailgun-Variables: {"a": "1"}\r\n'
        b"Message-ID: <old@example.org>\r\n"
        b"X-Mailgun-Tag: two\r\n"
        b"subject: Changed\r\n"
        b"X-New: 1\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
        b"\r\n"
        b"line\r\n\r\nBcc: body\r\n\xff\r\n"
    )


def test_a_message_sent_again_gets_a_new_id_and_new_variables() -> None:
    mime, message_id = restamp(READY, stamp(new_id=True, variables='{"b": "2"}'))
    assert message_id == "new@mg.example.com"
    fields = [
        (name, value)
        for name, value in headers.read(mime)
        if name.lower() in {"message-id", "x-mailgun-variables"}
    ]
    assert fields == [("X-Mailgun-Variables", '{"b": "2"}'), ("Message-Id", "<new@mg.example.com>")]


@pytest.mark.parametrize(
    "ready", [b"Subject: x\n\nbody", b"Subject: x\r\nMessage-Id: \r\n\r\nbody", b"no fields at all", b""]
)
def test_a_ready_message_without_an_id_gets_one(ready: bytes) -> None:
    mime, message_id = restamp(ready, stamp())
    assert message_id == "new@mg.example.com"
    assert [value for name, value in headers.read(mime) if name.lower() == "message-id"] == [
        "<new@mg.example.com>"
    ]
    assert mime.endswith(b"\r\n\r\n" + (b"body" if b"body" in ready else ready))


def test_stamping_what_was_built_changes_nothing_else() -> None:
    built = build(draft(html="<p>é</p>", attachments=[FILE, IMAGE]))
    assert restamp(built, stamp()) == (built, MESSAGE_ID)


@pytest.mark.parametrize(
    ("mime", "expected"),
    [
        (b"A: 1\nB:2\n\tmore\nA: 3\n\nC: no", [("A", "1"), ("B", "2\tmore"), ("A", "3")]),
        (b"Subject: =?utf-8?q?J=C3=B6?=\r\n =?utf-8?b?cmc=?= x\r\n\r\n", [("Subject", "Jörg x")]),
        (b"Subject: =?nonsense?q?x?=\n", [("Subject", "=?nonsense?q?x?=")]),
        (b"S: \xc3\xa9\nL: \xe9\n\n", [("S", "é"), ("L", "é")]),
        (b"From mbox line\nA: 1\n\n", [("A", "1")]),
        (b"A: 1\nthis is no field\nB: 2\n\n", [("A", "1")]),
        (b"\nA: 1\n", []),
        (b"", []),
    ],
)
def test_headers_are_read_unfolded_and_decoded(mime: bytes, expected: list[tuple[str, str]]) -> None:
    assert headers.read(mime) == expected
