from urllib.parse import parse_qs

import pytest

from mailgun_emulator.mail import forms, headers, inbound, spam, stored
from mailgun_emulator.mail.mime import Part

OWN = [("Received", "from a"), ("X-Mailgun-Incoming", "Yes"), ("X-Envelope-From", "<a@x.com>")]


def test_our_fields_stand_in_front_and_can_not_be_forged() -> None:
    mime = b"Received: from b\nX-MAILGUN-INCOMING: No\nSubject: =?utf-8?q?a?=\n folded\n\nHello\n"
    assert inbound.stamp(mime, OWN, [("Subject", "none"), ("Date", "now")]) == (
        b"Received: from a\r\nX-Mailgun-Incoming: Yes\r\nX-Envelope-From: <a@x.com>\r\nDate: now\r\n"
        b"Received: from b\r\nSubject: =?utf-8?q?a?=\r\n folded\r\n\r\nHello\r\n"
    )


@pytest.mark.parametrize("mime", [b"", b"\n", b"no header\n", b"A: b", b"A: b\n\n"])
def test_any_bytes_get_our_fields(mime: bytes) -> None:
    stamped = inbound.stamp(mime, OWN, [("Message-Id", "<1@x.com>")])
    assert [name for name, _ in headers.read(stamped)][:4] == [
        "Received",
        "X-Mailgun-Incoming",
        "X-Envelope-From",
        "Message-Id",
    ]


def test_hops_are_counted() -> None:
    ours = b"Received: from x\n by mxa.mailgun.org with SMTP id 1\n"
    assert inbound.hops(b"Received: a\nRECEIVED: b\nX: c\n" + ours + b"\nReceived: d\n") == (3, 1)


@pytest.mark.parametrize(
    ("mime", "score", "rules"),
    [
        (b"Subject: Hi\nDate: x\nMessage-Id: <1>\n\nHello", 0.0, ()),
        (b"Subject: FREE MONEY NOW\nDate: x\nMessage-Id: <1>\n\nHello", 0.3, ("SUBJ_ALL_CAPS",)),
        (b"X: y\n\nHello", 0.5, ("MISSING_SUBJECT", "MISSING_MID", "MISSING_DATE")),
        (b"Subject: Hi\nDate: x\nMessage-Id: <1>\n\n" + spam.GTUBE.encode(), 999.0, ("GTUBE",)),
        (
            b"Subject: " + spam.GTUBE.encode() + b"\nDate: x\nMessage-Id: <1>\n\n",
            999.0,
            ("GTUBE", "SUBJ_ALL_CAPS"),
        ),
    ],
)
def test_spam_has_a_score(mime: bytes, score: float, rules: tuple[str, ...]) -> None:
    verdict = spam.judge(stored.read(mime))
    assert (round(verdict.score), verdict.rules) == (round(score), rules)
    assert verdict.is_spam is (score >= 5)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("MIME-Version", "Mime-Version"),
        ("X-Google-DKIM-Signature", "X-Google-Dkim-Signature"),
        ("subject", "Subject"),
        ("X--y", "X--Y"),
    ],
)
def test_names_of_fields_are_spelled_as_mailgun_does(name: str, spelled: str) -> None:
    assert headers.spelled(name) == spelled
    assert stored.read(f"{name}: 1\n\n".encode()).headers == [(spelled, "1")]


def test_a_form_is_urlencoded() -> None:
    form = forms.urlencoded([("a", "ü & \ud800"), ("a", b"\xff"), ("b", "")])
    assert form.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(form.body.decode(), keep_blank_values=True) == {"a": ["ü & ?", "\ufffd"], "b": [""]}


def test_a_form_has_files() -> None:
    part = Part('a"\r\nü.txt', "text/plain;\r\n x=y", b"\x00\r\n")
    form = forms.multipart([("a", "ü"), ("b", b"\xff")], [("file", part)], "frontier")
    assert form.content_type == "multipart/form-data; boundary=frontier"
    assert form.body == (
        b'--frontier\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xbc\r\n'
        b'--frontier\r\nContent-Disposition: form-data; name="b"\r\n\r\n\xff\r\n'
        b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a%22%0D%0A\xc3\xbc.txt"\r\n'
        b"Content-Type: text/plain; x=y\r\n\r\n\x00\r\n\r\n--frontier--\r\n"
    )
