"""The quick way to the bodies of a message tells the same as the thorough one."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from mailgun_emulator.mail import body_search, stored

LINES = "Grüße,\nyour code is 482913.\n\n-- \nAnn\n" + "long " * 300
HTML = "<p>Your <b>co</b>de is <span>48</span><span>29</span></p>\n<p>na&iuml;ve</p>"


def mail(*, charset: str = "utf-8", cte: str | None = None, files: bool = False) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "Hi"
    message.set_content(LINES, charset=charset, cte=cte)
    message.add_alternative(HTML, subtype="html", charset=charset, cte=cte)
    if files:
        message.add_attachment("in a file: 999", filename="a.txt")
        message.add_attachment(b"\0\1", maintype="image", subtype="png", filename="ü.png")
    return message.as_bytes()


ODD = {
    "no head": b"\r\nonly a body",
    "no body": b"Subject: Hi\r\n\r\n",
    "nothing": b"",
    "no type": b"Subject: Hi\r\n\r\nplain text",
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nhi \xc3\xa9",
    "lying charset": b"Content-Type: text/plain; charset=ascii\r\n\r\nhi \xc3\xa9",
    "unknown encoding": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: rot13\r\n\r\nuv",
    "broken base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGk",
    "no closing delimiter": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nhi",
    "text attached": b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nhi",
    "utf-16": b'Content-Type: text/plain; charset="utf-16le"\r\n\r\n' + "hi\r\nthere".encode("utf-16le"),
    "message inside": b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\nhi\r\n--b--\r\n",
    "nested": (
        b"Content-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n--o\r\n"
        b'Content-Type: multipart/alternative;\r\n boundary="oi"\r\n\r\n--oi\r\nContent-Type: text/plain\r\n\r\none\r\n'
        b"--oi--\r\n\r\n--o\r\nContent-Type: text/plain; charset=latin-1\r\n\r\ntw\xf6 --o\r\n--o--\r\nepilogue"
    ),
}


@pytest.mark.parametrize(
    "mime",
    [
        mail(),
        mail(cte="base64"),
        mail(cte="quoted-printable", charset="iso-8859-1"),
        mail(cte="8bit", files=True),
        *ODD.values(),
    ],
    ids=["utf-8", "base64", "latin-1", "files", *ODD],
)
def test_both_ways_read_the_same(mime: bytes) -> None:
    thorough = stored.take_apart(mime).texts
    found = body_search.read_bodies(mime)
    assert found == [(subtype, text) for subtype, several in thorough.items() for text in several]


@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize(
    "text", ["grüße, your code", "482913. -- ann", "your code is 4829 naïve", "<b>co</b>"]
)
def test_a_text_is_found_however_it_is_written(cte: str, text: str) -> None:
    mime = mail(cte=cte)
    assert body_search.holds(mime, text)
    assert any(text in each.lower() for each in body_search.texts(mime))


def test_what_is_in_a_file_or_not_there_is_not_found() -> None:
    assert not body_search.holds(mail(cte="8bit"), "nowhere")
    assert not any("999" in each for each in body_search.texts(mail(files=True)))


@pytest.mark.parametrize("name", ODD)
def test_a_message_is_known_to_have_files_if_it_has_some(name: str) -> None:
    assert stored.has_files(ODD[name]) == bool(stored.list_files(ODD[name]))


def test_files_are_told_from_bodies() -> None:
    assert stored.has_files(mail(files=True))
    assert not stored.has_files(mail())
    assert [file.part.filename for file in stored.list_files(mail(files=True))] == ["a.txt", "ü.png"]
    assert stored.list_files(mail()) == []
