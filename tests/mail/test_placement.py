import pytest

from mailgun_emulator.mail import placement, seeds
from mailgun_emulator.mail.placement import PASSED, Authentication
from mailgun_emulator.mail.spam import GTUBE

HEADERS = "From: a@x.com\r\nTo: b@y.com\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@x.com>\r\n"
LINKS = "".join(f'<a href="https://x.com/{number}">more</a>' for number in range(3))


def judged(body: str, subject: str = "Hello there", kind: str = "html") -> placement.Judgement:
    mime = f"{HEADERS}Subject: {subject}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{body}\r\n"
    return placement.judge(mime.encode(), PASSED)


@pytest.mark.parametrize(
    ("body", "subject", "rules"),
    [
        ("<p>Hello Bob, here is what you asked for.</p>", "Hello there", {"MIME_HTML_ONLY"}),
        (f"<p>{GTUBE}</p>", "Hello there", {"GTUBE", "MIME_HTML_ONLY"}),
        ('<img src="a.png">', "Hello there", {"HTML_IMAGE_ONLY", "MIME_HTML_ONLY"}),
        (
            "<p>Act now! You have won the lottery.</p>",
            "Hello!!",
            {"SPAM_PHRASES", "PLING_PLING", "MIME_HTML_ONLY"},
        ),
        ('<a href="https://bit.ly/x">here</a>', "", {"URI_SHORTENER", "MISSING_SUBJECT", "MIME_HTML_ONLY"}),
    ],
)
def test_a_message_meets_rules(body: str, subject: str, rules: set[str]) -> None:
    found = judged(body, subject)
    assert set(found.rules) == rules
    assert rules <= placement.RULES.keys()


def test_plain_words_in_text_meet_none() -> None:
    assert judged("Hello Bob.", kind="plain").score == 0


def test_many_links_make_a_promotion() -> None:
    assert (judged("<p>Hi</p>").category, judged(LINKS).category) == ("primary", "promotions")


@pytest.mark.parametrize(
    ("spf", "dkim", "dmarc", "spam_at"),
    [
        ("pass", "pass", "pass", 0),
        ("pass", "none", "pass", 0),
        ("fail", "pass", "pass", 0),
        ("none", "fail", "fail", len(seeds.PROVIDERS)),
    ],
)
def test_who_is_not_who_it_says_ends_up_in_spam(spf: str, dkim: str, dmarc: str, spam_at: int) -> None:
    own = Authentication(spf, dkim)
    score = sum(points for _, points in own.points())
    assert own.dmarc == dmarc
    assert sum(placement.is_spam_at(each.domain, score) for each in seeds.PROVIDERS) == spam_at


def test_providers_differ_in_what_they_take_for_spam() -> None:
    assert placement.is_spam_at("gmail.com", 3.2)
    assert not placement.is_spam_at("orange.fr", 3.2)
    assert not placement.is_spam_at("elsewhere.example", 4.9)


def test_seeds_are_the_same_for_the_same_chance() -> None:
    grown = seeds.grow(["gmail.com", "gmx.de"], 2, lambda length: "a1b2c3d4"[:length])
    assert [seed.email for seed in grown] == ["kim.baker.b2c3@gmail.com"] * 2 + ["kim.baker.b2c3@gmx.de"] * 2
    assert all(10 <= seed.lag <= seeds.MOST_LAG for seed in grown)
