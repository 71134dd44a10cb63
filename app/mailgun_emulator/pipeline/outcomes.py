"""What becomes of a delivery: it succeeds unless the recipient's address asks for a bounce."""

import re
from typing import NamedTuple

from mailgun_emulator.core.settings import Settings

DOMAINS = ("example.com", "simulator.test")
_ASKS = re.compile(r"bounce(?:\+(?P<code>[45]\d\d))?", re.IGNORECASE)

_TEXTS = {
    421: ("4.7.0", "Service not available, closing transmission channel"),
    450: ("4.2.0", "Requested mail action not taken: mailbox busy"),
    451: ("4.3.0", "Requested action aborted: local error in processing"),
    452: ("4.2.2", "The email account that you tried to reach is over quota"),
    550: ("5.1.1", "The email account that you tried to reach does not exist"),
    552: ("5.2.2", "Requested mail action aborted: exceeded storage allocation"),
    553: ("5.1.3", "Requested action not taken: mailbox name not allowed"),
    554: ("5.7.1", "Message rejected"),
}


class Outcome(NamedTuple):
    """What the receiving server answered: an SMTP reply code, its enhanced code (RFC 3463), its text."""

    code: int
    enhanced_code: str = ""
    text: str = "OK"

    @property
    def delivered(self) -> bool:
        return self.code < 400

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


DELIVERED = Outcome(250)


def outcome_for(recipient: str, settings: Settings) -> Outcome:
    """`bounce@` and `bounce+CODE@` a domain that is set aside for it fail with 550 or that code."""
    local, _, domain = recipient.rpartition("@")
    if not (domain in DOMAINS or domain in settings.simulator_domain):
        return DELIVERED
    asked = _ASKS.fullmatch(local)
    if asked is None:
        return DELIVERED
    code = int(asked["code"] or 550)
    enhanced, text = _TEXTS.get(code, (f"{code // 100}.0.0", "Requested by the recipient's address"))
    return Outcome(code, enhanced, f"{enhanced} {text}")
