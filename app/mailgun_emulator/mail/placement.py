"""Where a mailbox provider puts a message: by what its content scores, and by whether it is who it says it is.

No filter is known from outside; these rules are few and plain, so that a test can tell what will come out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mailgun_emulator.mail import replies, seeds, spam, stored
from mailgun_emulator.mail.stored import StoredParts

REQUIRED = spam.THRESHOLD
PROMOTIONAL_LINKS = 3
"""From so many links on it is a promotion to Gmail."""

_PHRASES = re.compile(
    r"\b(?:act now|buy now|cash bonus|casino|click below|double your|earn money|extra income|free money|"
    r"limited time|lottery|million dollars|no obligation|risk[- ]free|viagra|winner|you have won|100% free)\b",
    re.IGNORECASE,
)
_SHORTENED = re.compile(r"https?://(?:bit\.ly|tinyurl\.com|goo\.gl|ow\.ly|t\.co|is\.gd)/", re.IGNORECASE)
_LINK = re.compile(r"<a\b[^>]{0,1000}?\bhref\s*=", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b", re.IGNORECASE)


class Rule(NamedTuple):
    short: str
    long: str


RULES: Mapping[str, Rule] = {
    "GTUBE": Rule(
        "Generic test for unsolicited bulk email", "The text that spam filters are tried out with."
    ),
    "MISSING_SUBJECT": Rule("No subject", "The message has no Subject, or an empty one."),
    "SUBJ_ALL_CAPS": Rule("Subject is all capitals", "The subject has no letter in lower case."),
    "MISSING_MID": Rule("No Message-ID", "The header field Message-ID is missing."),
    "MISSING_DATE": Rule("No date", "The header field Date is missing."),
    "PLING_PLING": Rule("Subject has !!", "The subject has several exclamation marks in a row."),
    "HTML_IMAGE_ONLY": Rule("Images and hardly a word", "The HTML has images and less than 60 letters."),
    "MIME_HTML_ONLY": Rule("HTML without text", "There is no text for those who see no HTML."),
    "SPAM_PHRASES": Rule("Phrases of spam", "Each phrase as `risk free` or `act now` adds to the score."),
    "URI_SHORTENER": Rule("Shortened links", "A link hides where it leads to."),
    "SPF_FAIL": Rule("SPF does not pass", "The sending domain's SPF record is missing or wrong."),
    "DKIM_FAIL": Rule("DKIM does not pass", "The record of the key that signs is missing or wrong."),
    "DMARC_FAIL": Rule("DMARC does not pass", "Neither SPF nor DKIM passes."),
}
UNKNOWN = Rule("", "")


class Authentication(NamedTuple):
    """Each `pass`, `fail` (the record is wrong) or `none` (there is no record)."""

    spf: str
    dkim: str

    @property
    def dmarc(self) -> str:
        return "pass" if "pass" in self else "fail"

    def points(self) -> Iterator[tuple[str, float]]:
        if self.spf != "pass":
            yield "SPF_FAIL", 1.5
        if self.dkim != "pass":
            yield "DKIM_FAIL", 2.0
        if self.dmarc != "pass":
            yield "DMARC_FAIL", 1.5


PASSED = Authentication("pass", "pass")


class Judgement(NamedTuple):
    """`rules` are those met with their points; `category` is the tab of an inbox that has tabs.

    As it is, nothing is held against a message.
    """

    rules: Mapping[str, float] = {}
    category: str = "primary"
    body: str = ""
    spf: str = PASSED.spf
    dkim: str = PASSED.dkim

    @property
    def dmarc(self) -> str:
        return Authentication(self.spf, self.dkim).dmarc

    @property
    def score(self) -> float:
        return round(sum(self.rules.values()), 1)


def judge(mime: bytes, authentication: Authentication) -> Judgement:
    parts = stored.read(mime)
    has_text = stored.take_apart(mime).text("plain") is not None
    rules = {**spam.points(parts), **dict(_of_content(parts, has_text=has_text))}
    promotes = len(_LINK.findall(parts.body_html)) >= PROMOTIONAL_LINKS
    return Judgement(
        rules={**rules, **dict(authentication.points())},
        category="promotions" if promotes else "primary",
        body=parts.body_html or parts.body_plain,
        **authentication._asdict(),
    )


def _of_content(parts: StoredParts, *, has_text: bool) -> Iterator[tuple[str, float]]:
    subject = next((value for name, value in parts.headers if name.lower() == "subject"), "")
    words = replies.to_text(parts.body_html) if parts.body_html and has_text else parts.body_plain
    if "!!" in subject:
        yield "PLING_PLING", 0.8
    if _IMAGE.search(parts.body_html) and len("".join(words.split())) < 60:
        yield "HTML_IMAGE_ONLY", 2.2
    if not has_text:
        yield "MIME_HTML_ONLY", 0.5
    phrases = {each.lower() for each in _PHRASES.findall(f"{subject}\n{words}")}
    if phrases:
        yield "SPAM_PHRASES", min(0.9 * len(phrases), 4.5)
    if _SHORTENED.search(parts.body_html or parts.body_plain):
        yield "URI_SHORTENER", 1.2


def is_spam_at(provider: str, score: float) -> bool:
    known = seeds.BY_DOMAIN.get(provider)
    return score >= (known.threshold if known else REQUIRED)
