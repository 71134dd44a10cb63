import pytest

from mailgun_emulator.mail.variables_container import unpack

INNER = b"From: a@x.com\r\nSubject: Hi\r\n\r\none\r\n\r\ntwo"
HEAD = b'From: a@x.com\r\nContent-Type: multipart/mailgun-variables; boundary="b"\r\n\r\n'
VARIABLES = (
    b"--b\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\neyJhIjp7fX0=\r\n"
)
MESSAGE = b"--b\r\nContent-Type: message/rfc822\r\nMime-Version: 1.0\r\n\r\n" + INNER + b"\r\n--b--\r\n"


def test_variables_and_message_are_taken_apart() -> None:
    assert unpack(HEAD + VARIABLES + MESSAGE) == ('{"a":{}}', INNER)


def test_line_ends_may_be_bare() -> None:
    container = (HEAD + VARIABLES + MESSAGE).replace(b"\r\n", b"\n")
    assert unpack(container) == ('{"a":{}}', INNER.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize(
    "mime",
    [
        b"",
        INNER,
        b"Subject: about multipart/mailgun-variables\r\n\r\nhello",
        b"Content-Type: multipart/mailgun-variables\r\n\r\nno boundary",
        HEAD + b"nothing in it",
        HEAD + VARIABLES + b"--b--\r\n",
    ],
)
def test_what_is_no_container_stays_as_it_is(mime: bytes) -> None:
    assert unpack(mime)[1] == mime


@pytest.mark.parametrize(
    "boundary", [b"boundary*=utf-8\x00''ab", b"boundary*=nonsense''a%FFb", b"boundary=\xff"]
)
def test_a_boundary_may_be_impossible(boundary: bytes) -> None:
    mime = b"Content-Type: multipart/mailgun-variables; " + boundary + b"\r\n\r\n--ab\r\n\r\n{}\r\n--ab--\r\n"
    assert unpack(mime)[1] == mime
