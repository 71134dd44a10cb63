from random import Random

import pytest

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.web import forms
from mailgun_emulator.web.forms import Upload

PIECES = [
    b"a",
    b"\r\n",
    b"--",
    b"----b",
    b"\r\n--",
    b"\n",
    b"\xc3\xbc",
    b"--b--",
    b";",
    b'"',
    b" ",
    b"x" * 80,
]


def body_of(parts: list[tuple[str, str | None, bytes]], boundary: bytes = b"--b0undary") -> bytes:
    body = b""
    for name, filename, data in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename}"\r\nContent-Type: text/plain'
        body += b"--" + boundary + b"\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return body + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize("seed", range(60))
def test_plain_forms_are_split_as_the_library_parses_them(seed: int) -> None:
    random = Random(seed)
    parts = [
        (
            random.choice(["to", "o:tag", "v:ä", "attachment[0]"]),
            random.choice([None, "a.txt", "ä b;c.pdf", ""]),
            b"".join(random.choices(PIECES, k=random.randrange(12))),
        )
        for _ in range(random.randrange(1, 6))
    ]
    body = body_of(parts)
    split = forms._split_plain(body, b"----b0undary")
    assert split is not None
    assert split == forms._parse_any(body, b"--b0undary")


def test_parts_with_other_headers_are_parsed_all_the_same() -> None:
    body = (
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=to\r\n\r\na@x.com\r\n"
        b'--b\r\nContent-Length: 1\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n1\r\n--b--'
    )
    assert forms._split_plain(body, b"--b") is None
    assert forms._multipart(body, "multipart/form-data; boundary=b") == [
        ("to", "a@x.com"),
        ("f", Upload("n", "application/octet-stream", b"1")),
    ]


def test_the_empty_form_that_php_sends_has_no_parts() -> None:
    assert forms._multipart(b"--b--\r\n", 'multipart/form-data; boundary="b"') == []


@pytest.mark.parametrize("body", [b"", b"nonsense", b"--b\r\nContent-Disposition: form-data"])
def test_a_damaged_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="malformed multipart/form-data request"):
        forms._multipart(body, "multipart/form-data; boundary=b")


def test_a_form_with_too_long_a_boundary_is_refused() -> None:
    with pytest.raises(BadRequest, match="malformed multipart/form-data request"):
        forms._multipart(b"--x", f"multipart/form-data; boundary={'x' * 300}")
