"""Why Mailgun takes no messages from a domain, in its own words (facts/sending.md, 1.7)."""

from math import ceil
from typing import NamedTuple

from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline.leniency import DisabledDomain, SandboxRestricted, UnverifiedDomain

RETRY_AFTER = 60.0
"""Seconds, if nothing else is asked for (facts/account.md, 0.5)."""
NOT_ALLOWED = "Domain {domain} is not allowed to send"


class Reason(NamedTuple):
    status: int
    text: str


REASONS = {
    "unverified": Reason(400, UnverifiedDomain.message.replace("{name}", "{domain}")),
    "not-activated": Reason(
        400,
        f"{NOT_ALLOWED}: Please activate your Mailgun account. Check your inbox or log in to your control panel "
        "to resend the activation email.",
    ),
    "probation": Reason(
        400,
        f"{NOT_ALLOWED}: You are sending too fast. Your account is on probation and the account has been "
        "temporarily disabled.",
    ),
    "recipient-limit": Reason(400, f"{NOT_ALLOWED}: recipient limit exceeded"),
    "account-disabled": Reason(403, f"{NOT_ALLOWED}: Account disabled"),
    "account-inactive": Reason(403, f"{NOT_ALLOWED}: Account Inactivity"),
    "domain-disabled": Reason(403, DisabledDomain.message.replace("{name}", "{domain}")),
    "large-batches": Reason(403, f"{NOT_ALLOWED} large batches yet"),
    "free-account": Reason(
        403,
        f"{NOT_ALLOWED}: Free accounts are for test purposes only. Please upgrade or add the address to "
        "authorized recipients in Account Settings.",
    ),
    "sandbox": Reason(403, f"{NOT_ALLOWED}: {SandboxRestricted.reason}"),
    "too-many-requests": Reason(429, f"{NOT_ALLOWED}: request limit exceeded, try again after {{until}}"),
    "too-many-recipients": Reason(429, f"{NOT_ALLOWED}: recipient limit exceeded, try again after {{until}}"),
    "too-many-bytes": Reason(429, f"{NOT_ALLOWED}: bytes limit exceeded, try again after {{until}}"),
    "too-many-per-second": Reason(
        429,
        f"{NOT_ALLOWED}: account-requests-per-sec limit exceeded, try again after {{seconds}} seconds",
    ),
}


def filled(text: str, domain: str, now: float, seconds: float | None) -> str:
    """With the domain, and when to come again: in so many seconds."""
    return (
        text.replace("{domain}", domain)
        .replace("{until}", dates.rfc2822(ceil(now + (seconds or 0.0)), "UTC"))
        .replace("{seconds}", str(ceil(seconds or 0)))
    )
