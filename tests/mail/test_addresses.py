import pytest

from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import Address, NotAnAddress


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bob@example.com", [("", "bob@example.com")]),
        ("  Bob.Smith+tag@EXAMPLE.Com \r\n", [("", "Bob.Smith+tag@example.com")]),
        ("postmaster@localhost", [("", "postmaster@localhost")]),
        ("Bob Smith <bob@example.com>", [("Bob Smith", "bob@example.com")]),
        ("<bob@example.com>", [("", "bob@example.com")]),
        ("Dr. Bob <bob@example.com>", [("Dr. Bob", "bob@example.com")]),
        ("bob@example.com <bob@example.com>", [("bob@example.com", "bob@example.com")]),
        ('"Doe, Jane" <j@x.com>, bob@y.com', [("Doe, Jane", "j@x.com"), ("", "bob@y.com")]),
        (r'"a \"b\" c" <a@x.com>', [('a "b" c', "a@x.com")]),
        ('Bob "The Man" Smith <b@x.com>', [("Bob The Man Smith", "b@x.com")]),
        ('"john doe"@x.com', [("", '"john doe"@x.com')]),
        ("a@x.com,,b@y.com,", [("", "a@x.com"), ("", "b@y.com")]),
        (
            "bob@x.com (the (nested, \\) odd) comment)(,), (a) ann@x.com",
            [("", "bob@x.com"), ("", "ann@x.com")],
        ),
        ('"(no comment)" <bob@x.com>', [("(no comment)", "bob@x.com")]),
        ("Jörg Müller <joerg@x.de>", [("Jörg Müller", "joerg@x.de")]),
        ("用户@MÜNCHEN.de", [("", "用户@münchen.de")]),
        ("=?utf-8?q?J=C3=B6rg?= <j@x.de>", [("Jörg", "j@x.de")]),
        ("Bob\r\n <bob@x.com>,\r\n\tann@x.com", [("Bob", "bob@x.com"), ("", "ann@x.com")]),
        ("", []),
        (" , ", []),
    ],
)
def test_an_address_list_is_read(value: str, expected: list[tuple[str, str]]) -> None:
    assert addresses.parse_list([value]) == expected


@pytest.mark.parametrize(
    "value",
    [
        "bob",
        "@example.com",
        "bob@",
        "a b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@b@example.com",
        "a@-example.com",
        "a@example-.com",
        "a@example..com",
        "a@example.com.",
        f"a@{'x' * 64}.com",
        "Bob <bob>",
        "Bob <bob@example.com",
        "bob@example.com>",
        "Acme, Inc. <a@example.com>",
        '"unclosed <a@example.com>',
        "Bob <>",
        "bob@example.com (unclosed",
        "bob@example.com (closed))",
        "a@example.com b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "Bob\0 <bob@example.com>",
        "good@example.com, bad",
    ],
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(NotAnAddress):
        addresses.parse_list(["first@example.com", value])


def test_exactly_one_address_is_asked_for() -> None:
    assert addresses.parse("Bob <bob@example.com>") == Address("Bob", "bob@example.com")
    for value in ("", "a@example.com, b@example.com"):
        with pytest.raises(NotAnAddress):
            addresses.parse(value)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("", "bob@x.com"), "bob@x.com"),
        (Address("Bob Smith", "bob@x.com"), "Bob Smith <bob@x.com>"),
        (Address("Doe, Jane", "j@x.com"), '"Doe, Jane" <j@x.com>'),
        (Address('a "b" \\c', "j@x.com"), r'"a \"b\" \\c" <j@x.com>'),
        (Address("Jörg", "j@x.de"), "Jörg <j@x.de>"),
    ],
)
def test_the_full_spec_reads_back_as_the_same_address(address: Address, text: str) -> None:
    assert str(address) == text
    assert addresses.parse(text) == address


def test_the_domain_is_what_follows_the_last_at_sign() -> None:
    assert addresses.parse('"a@b"@Example.com').domain == "example.com"


def test_duplicates_are_dropped_whatever_their_case() -> None:
    given = addresses.parse_list(["B <b@x.com>", "a@x.com", "B@X.com, A <A@x.com>", "c@x.com"])
    assert [address.email for address in addresses.unique(given)] == ["b@x.com", "a@x.com", "c@x.com"]
