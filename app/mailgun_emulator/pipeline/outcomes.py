"""What becomes of a delivery: it succeeds unless the recipient's address asks for something else."""

import re
from typing import NamedTuple

from mailgun_emulator.core.settings import Settings

DOMAINS = ("example.com", "simulator.test")
_BOUNCE = re.compile(r"bounce(?:\+(?P<code>[45]\d\d))?", re.IGNORECASE)
NO_TLS = "notls"
BAD_CERTIFICATE = "badcert"

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


class Security(NamedTuple):
    """What the sender asks of the connection (facts/sending.md, 1.3: o:require-tls, o:skip-verification)."""

    requires_tls: bool = False
    skips_verification: bool = False


class Outcome(NamedTuple):
    """What the receiving server answered: an SMTP reply code, its enhanced code (RFC 3463), its text.

    `tls` tells whether the connection was encrypted, `verified` whether the server's certificate was found good.
    """

    code: int = 250
    enhanced_code: str = ""
    text: str = "OK"
    tls: bool = True
    verified: bool = True

    @property
    def delivered(self) -> bool:
        return not 400 <= self.code < 600

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


def outcome_for(recipient: str, security: Security, settings: Settings) -> Outcome:
    """At a domain that is set aside for it, `bounce@` and `bounce+CODE@` fail with 550 or that code,
    the server of `notls@` offers no TLS, and that of `badcert@` has a certificate that is not to be trusted.
    """
    local, _, domain = recipient.rpartition("@")
    if not (domain in DOMAINS or domain in settings.simulator_domain):
        return Outcome(verified=not security.skips_verification)
    asked = _BOUNCE.fullmatch(local)
    if asked is not None:
        return _bounce(int(asked["code"] or 550))
    return _connected(local.lower(), security)


def _bounce(code: int) -> Outcome:
    enhanced, text = _TEXTS.get(code, (f"{code // 100}.0.0", "Requested by the recipient's address"))
    return Outcome(code, enhanced, f"{enhanced} {text}")


def _connected(local: str, security: Security) -> Outcome:
    """Without TLS that the sender trusts, mail goes in the clear, unless the sender requires TLS."""
    if local == NO_TLS or (local == BAD_CERTIFICATE and not security.skips_verification):
        if security.requires_tls:
            return Outcome(454, "4.7.0", "4.7.0 TLS is required, but can't be established", False, False)
        return Outcome(tls=False, verified=False)
    return Outcome(verified=not security.skips_verification)
