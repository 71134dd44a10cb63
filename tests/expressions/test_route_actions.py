import pytest

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions.patterns import Captures
from mailgun_emulator.expressions.route_actions import Action, Forward, Stop, Store, fill, is_url, parse

CAUGHT = Captures(("bob", "x y#z", "a/b"), {"user": "bob", "tag": "5%"})


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('forward("a@x.com")', Forward(("a@x.com",))),
        (" forward( 'http://x/mime' ) ", Forward(("http://x/mime",))),
        ('forward("http://x/, a@x.com")', Forward(("http://x/", "a@x.com"))),
        ('forward(".*@")', Forward((".*@",))),
        ("store()", Store()),
        ('store(notify="http://x/")', Store("http://x/")),
        ("store( notify = 'http://x/' )", Store("http://x/")),
        ('store("http://x/")', Store("http://x/")),
        ("stop()", Stop()),
        ("stop( )", Stop()),
    ],
)
def test_an_action_means(text: str, meaning: Action) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    "text", ["drop()", "forward()", "forward(a@x.com)", 'forward("a@x.com"', "stop", 'stop("a")', "http://x/"]
)
def test_what_is_no_action_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(text)
    assert str(refusal.value) == "invalid syntax (<unknown>, line 1)"
    assert f"{text!r} is no action" in str(refusal.value.hint)


def test_an_action_has_its_limit() -> None:
    parse(f'forward("{"a" * 4085}")')
    with pytest.raises(BadRequest, match="The 'action' parameter can't be larger than 4096 bytes"):
        parse(f'forward("{"a" * 4086}")')


@pytest.mark.parametrize(
    ("target", "filled"),
    [
        (r"http://h/post/?mailbox=\1", "http://h/post/?mailbox=bob"),
        (r"http://h/domains/\g<user>/\2", "http://h/domains/bob/x%20y%23z"),
        (r"http://h/\g<tag>/\3", "http://h/5%25/a/b"),
        (r"http://\1.h:80/\1", r"http://\1.h:80/bob"),
        (r"http://h/\9/\g<no>/\0", r"http://h/\9/\g<no>/\0"),
        (r"\1@y.com", "bob@y.com"),
        (r"\g<user>@\g<user>.com", r"bob@\g<user>.com"),
        (r"\1", "bob"),
    ],
)
def test_what_was_caught_is_filled_in_but_not_in_the_name_of_a_host(target: str, filled: str) -> None:
    assert fill(target, CAUGHT) == filled


def test_an_address_is_no_url() -> None:
    assert [is_url(target) for target in ("http://x", "HTTPS://x/y", "a@x.com", "ftp://x")] == [
        True,
        True,
        False,
        False,
    ]
