"""How much a message looks like spam: enough to try out what a domain does with it, no filter to rely on."""

from collections.abc import Iterator
from typing import NamedTuple

from mailgun_emulator.mail.stored import StoredParts

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""By this text, made for the purpose, spam filters are tried out everywhere."""
THRESHOLD = 5.0
"""From this score on it is spam (Mailgun's, roughly)."""


class Verdict(NamedTuple):
    """`rules` are the names of those that added to the score."""

    score: float
    rules: tuple[str, ...]

    @property
    def is_spam(self) -> bool:
        return self.score >= THRESHOLD

    def headers(self) -> list[tuple[str, str]]:
        """Those of facts/sending.md, 8.3. Nobody's SPF record is asked, so that result is neutral."""
        return [
            ("X-Mailgun-Sflag", "Yes" if self.is_spam else "No"),
            ("X-Mailgun-Sscore", f"{self.score:.1f}"),
            ("X-Mailgun-Spf", "Neutral"),
            ("X-Mailgun-Spam-Rules", ", ".join(self.rules) or "NONE"),
        ]


def judge(parts: StoredParts) -> Verdict:
    """GTUBE in subject or text makes spam of a message; the other rules together stay below 1."""
    found = points(parts)
    return Verdict(round(sum(found.values()), 1), tuple(found))


def points(parts: StoredParts) -> dict[str, float]:
    """What each rule that is met adds to the score."""
    return dict(_rules(parts))


def _rules(parts: StoredParts) -> Iterator[tuple[str, float]]:
    own = {name.lower(): value for name, value in reversed(parts.headers)}
    subject = own.get("subject", "").strip()
    if any(GTUBE in text for text in (subject, parts.body_plain, parts.body_html)):
        yield "GTUBE", 999.0
    if not subject:
        yield "MISSING_SUBJECT", 0.3
    elif len(subject) > 8 and subject.isupper():
        yield "SUBJ_ALL_CAPS", 0.3
    if "message-id" not in own:
        yield "MISSING_MID", 0.1
    if "date" not in own:
        yield "MISSING_DATE", 0.1
