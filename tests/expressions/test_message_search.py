import pytest

from mailgun_emulator.expressions import message_search
from mailgun_emulator.expressions.message_search import BadSearch, Word


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        ("   ", []),
        ("hello", [Word("", "hello")]),
        ("hello  world", [Word("", "hello"), Word("", "world")]),
        ('"hello  world"', [Word("", "hello  world")]),
        ("to:ann@x.com from:bob", [Word("to", "ann@x.com"), Word("from", "bob")]),
        ('Subject:"Your code" -tag:news', [Word("subject", "Your code"), Word("tag", "news", negated=True)]),
        ('!"not this"', [Word("", "not this", negated=True)]),
        ("has:attachments", [Word("has", "attachment")]),
        ("after:10m before:2026-01-01", [Word("since", "10m"), Word("before", "2026-01-01")]),
        ("message-id:<a@x.com>", [Word("message-id", "a@x.com")]),
        ("domain:mg.x.com text:hi", [Word("domain", "mg.x.com"), Word("text", "hi")]),
        ("https://x.com/a 12:30 a-b Re:", [*(Word("", each) for each in ("https://x.com/a", "12:30", "a-b", "Re:"))]),
        ("-", [Word("", "-")]),
        ('say "half a phrase', [*(Word("", each) for each in ("say", "half", "a", "phrase"))]),
    ],
)  # fmt: skip
def test_words_are_read_as_in_other_mail_catchers(query: str, words: list[Word]) -> None:
    assert message_search.parse(query) == words


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("is:unread", "is: is not known here; possible are to:, from:, subject:, tag:, text:, has:, since:, "
         "before:, domain:, message-id:"),
        ("-cc:ann@x.com", "cc: is not known here; possible are to:, from:, subject:, tag:, text:, has:, since:, "
         "before:, domain:, message-id:"),
        ("has:wings", "has can't be 'wings'; possible is attachment"),
        ("to: ann@x.com", "to: has nothing behind it; write to:something, without a blank"),
        ("x" * 2001, "query is longer than 2000 characters"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_with_what_is(query: str, message: str) -> None:
    with pytest.raises(BadSearch) as refusal:
        message_search.parse(query)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("field", "text", "there", "meets"),
    [
        ("to", "ann@x.com", "ann@x.com", True),
        ("to", "ANN@x.com", "ann@X.com", True),
        ("to", "ann@x.com", "joann@x.com", False),
        ("to", "@x.com", "ann@x.com", True),
        ("to", "ann@", "joann@x.com", True),
        ("to", "*@x.com", "ann@x.com", True),
        ("to", "ann@*", "joann@x.com", False),
        ("subject", "code", "Your Code", True),
        ("subject", "code*", "Your code", False),
        ("subject", "*code", "Your code", True),
        ("subject", "y*c*e", "Your code", True),
        ("subject", "*ab*ba*", "aba", False),
        ("subject", "a*a", "a", False),
        ("subject", "ÄRGER", "nur ärger", True),
        ("subject", "a?c", "abc", False),
        ("subject", "ann@x.com", "for ann@x.com", True),
        ("tag", "news", "newsletter", False),
        ("tag", "news*", "NEWSLETTER", True),
        ("domain", "x.com", "mg.x.com", False),
        ("text", "ann@x.com", "write to ann@x.com", True),
        ("text", "your\n code", "here is your code", True),
        ("text", "your*code", "here is your new code.", True),
        ("", "your*code", "here is your new code.", True),
    ],
)
def test_a_text_is_met_by_what_it_means(field: str, text: str, there: str, meets: bool) -> None:
    assert Word(field, text).fits([there]) is meets
    assert Word(field, text, negated=True).fits([there]) is not meets


def test_many_stars_take_no_longer_than_the_text_is_long() -> None:
    assert not Word("subject", "a*" * 1000 + "b").fits(["a" * 10_000])


def test_nothing_meets_a_word_where_nothing_is() -> None:
    assert not Word("tag", "*").fits([])
    assert Word("tag", "*", negated=True).fits([])
