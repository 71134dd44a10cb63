"""Tokens carry what was put in, and nobody else can make or change one."""

import zlib
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode

import pytest

from mailgun_emulator.mail import tokens
from mailgun_emulator.mail.tokens import BadToken, TooLong

KEY = b"key"
FIELDS = [
    ("r", "bob@example.com"),
    ("d", "5f00"),
    ("t", "b"),
    ("t", "a&b"),
    ("l", "http://x.com/?a=1&b=é"),
    ("my var", ""),
]


def packed(plain: str) -> str:
    return urlsafe_b64encode(zlib.compress(plain.encode())).decode().rstrip("=")


def plain_of(token: str) -> str:
    return zlib.decompress(urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode()


def test_a_token_is_a_sorted_query_string_with_a_signature() -> None:
    token = tokens.make("c", FIELDS, KEY)
    assert token.startswith("eJ")
    names = [pair.partition("=")[0] for pair in plain_of(token).split("&")]
    assert names == ["d", "h", "l", "my+var", "r", "t", "t"]
    assert token == tokens.make("c", FIELDS, KEY)
    found = tokens.read(token)
    found.check("c", KEY)
    assert sorted(found.fields) == sorted(FIELDS)
    assert found.first("l") == "http://x.com/?a=1&b=é"
    assert found.all("t") == ["b", "a&b"]
    assert found.first("absent") == ""


def test_a_local_part_may_change_its_case() -> None:
    local = tokens.make_local_part("m", FIELDS, KEY)
    assert local.isalnum()
    assert local == local.lower()
    tokens.read_local_part(local.upper()).check("m", KEY)


def test_a_token_serves_one_key_and_one_purpose() -> None:
    found = tokens.read(tokens.make("o", FIELDS, KEY))
    for purpose, key in (("u", KEY), ("o", b"another"), ("", KEY)):
        with pytest.raises(BadToken):
            found.check(purpose, key)


@pytest.mark.parametrize(
    "change",
    [
        ("bob", "eve"),
        ("x.com", "evil.com"),
        ("t=b", "t=c"),
        ("d=5f00", "d=5f01"),
        ("&t=b", ""),
        ("t=b", "t=b&t=z"),
    ],
)
def test_what_was_altered_is_refused(change: tuple[str, str]) -> None:
    plain = plain_of(tokens.make("c", FIELDS, KEY))
    assert change[0] in plain
    with pytest.raises(BadToken):
        tokens.read(packed(plain.replace(*change))).check("c", KEY)


@pytest.mark.parametrize(
    "token",
    [
        "", "a", "eJ", "%00", "../x", "é", "eJ" + "A" * 60_000, packed("d=1"), packed("h=1&h=2"), packed("no pairs"),
        packed("d=é&h=1"), packed("h=1&" + "&".join(f"a{n}=1" for n in range(2000))), packed("h=1") + "AAAA",
        packed("h=1")[:-4],
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        tokens.read(token)


def test_a_token_that_would_fill_the_memory_is_not_unpacked() -> None:
    bomb = packed("h=1&l=" + "A" * 10_000_000)
    assert len(bomb) < tokens.MOST_CHARACTERS
    with pytest.raises(BadToken):
        tokens.read(bomb)


@pytest.mark.parametrize("text", ["", "!", "a", b32encode(b"no pairs").decode(), "a" * 100_000])
def test_what_is_no_local_part_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        tokens.read_local_part(text)


def test_no_token_is_made_that_would_not_be_read() -> None:
    with pytest.raises(TooLong):
        tokens.make("c", [("l", "A" * 100_000)], KEY)
