"""Validation of an address: what comes out for what mail to it would meet (facts/account.md, 11.1).

An emulator asks no DNS and no server. So an address is judged by its grammar, by what is known of its domain, and by
its fate: what would become of mail to it here.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from mailgun_emulator.mail import validation_domains

LONGEST = 512
ROLES = frozenset({
    "abuse", "accounts", "admin", "administrator", "all", "billing", "contact", "ftp", "help", "helpdesk",
    "hostmaster", "hr", "info", "jobs", "list", "list-request", "mailer-daemon", "marketing", "media",
    "news", "newsletter", "no-reply", "noc", "noreply", "office", "orders", "postmaster", "press",
    "privacy", "root", "sales", "security", "spam", "staff", "support", "sysadmin", "tech", "usenet",
    "uucp", "webmaster", "www",
})  # fmt: skip
"""Those of RFC 2142, and what else is usual."""
_ALIAS = re.compile(r"(?<=.)\+.*", re.DOTALL)
_ITEMS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,;])+')
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots in a local part make no difference."""
_BELOW = ".example"
"""What has no MX is checked as if it were there, since the library takes reserved names for bad grammar."""


class Result(StrEnum):
    CATCH_ALL = "catch_all"
    DELIVERABLE = "deliverable"
    DO_NOT_SEND = "do_not_send"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"


class Risk(StrEnum):
    HIGH = "high"
    LOW = "low"
    MEDIUM = "medium"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    GRAMMAR = "failed custom grammar check"
    NO_MX = "no_mx"
    NOBODY = "mailbox_does_not_exist"
    DISPOSABLE = "mailbox_is_disposable_address"
    ROLE = "mailbox_is_role_address"
    CATCH_ALL = "catch_all"
    NO_DATA = "no_data"


class Fate(StrEnum):
    """What mail to an address meets. A `complaint` is a delivery that is reported as spam."""

    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    NOBODY = "nobody"
    REFUSED = "refused"
    DEFERRED = "deferred"
    NO_MX = "no mx"
    CATCH_ALL = "catch all"
    DISPOSABLE = "disposable"
    UNKNOWN = "unknown"


class Address(NamedTuple):
    """Its `domain` is in lower case, and in ASCII."""

    local: str
    domain: str

    @property
    def is_role(self) -> bool:
        return _ALIAS.sub("", self.local).lower() in ROLES

    @property
    def root(self) -> str | None:
        """The address that this one is an alias of. Nothing that stands in quotes is one."""
        if self.local.startswith('"'):
            return None
        local = _ALIAS.sub("", self.local)
        if self.domain in _DOTLESS:
            local = local.replace(".", "")
        return None if local == self.local else f"{local}@{self.domain}"


class Verdict(NamedTuple):
    did_you_mean: str | None
    is_disposable: bool
    is_role: bool
    reasons: tuple[Reason, ...]
    result: Result
    risk: Risk
    root_address: str | None


MALFORMED = Verdict(None, False, False, (Reason.GRAMMAR,), Result.UNDELIVERABLE, Risk.HIGH, None)
_OUTCOMES: Mapping[Fate, tuple[Result, Risk, tuple[Reason, ...]]] = {
    Fate.NO_MX: (Result.UNDELIVERABLE, Risk.HIGH, (Reason.NO_MX,)),
    Fate.NOBODY: (Result.UNDELIVERABLE, Risk.HIGH, (Reason.NOBODY,)),
    Fate.REFUSED: (Result.UNDELIVERABLE, Risk.HIGH, ()),
    Fate.DISPOSABLE: (Result.DO_NOT_SEND, Risk.HIGH, (Reason.DISPOSABLE,)),
    Fate.COMPLAINT: (Result.DO_NOT_SEND, Risk.HIGH, ()),
    Fate.CATCH_ALL: (Result.CATCH_ALL, Risk.MEDIUM, (Reason.CATCH_ALL,)),
    Fate.DEFERRED: (Result.UNKNOWN, Risk.UNKNOWN, ()),
    Fate.UNKNOWN: (Result.UNKNOWN, Risk.UNKNOWN, (Reason.NO_DATA,)),
    Fate.DELIVERED: (Result.DELIVERABLE, Risk.LOW, ()),
}
_FINAL = frozenset({Fate.NO_MX, Fate.NOBODY, Fate.REFUSED})
"""What is so whatever the domain is known for."""


def split(text: str) -> list[str]:
    """The items between commas and semicolons that stand outside quotes."""
    return [item.strip() for item in _ITEMS.findall(text) if item.strip()]


def read(text: str) -> Address | None:
    """None if its grammar is wrong. A name is no part of an address; `.test` is a domain like any other."""
    from email_validator import EmailNotValidError, validate_email

    below = _BELOW if validation_domains.has_no_mx(text.rpartition("@")[2].lower()) else ""
    try:
        found = validate_email(
            text + below,
            allow_quoted_local=True,
            strict=True,
            test_environment=True,
            check_deliverability=False,
        )
    except EmailNotValidError:
        return None
    return Address(found.local_part, found.ascii_domain.removesuffix(below))


def judge(address: Address, fate: Fate) -> Verdict:
    """A disposable domain and a role are told in any case; what decides comes first among the reasons."""
    is_disposable = fate is Fate.DISPOSABLE or validation_domains.is_disposable(address.domain)
    if validation_domains.has_no_mx(address.domain):
        fate = Fate.NO_MX
    elif is_disposable and fate not in _FINAL:
        fate = Fate.DISPOSABLE
    result, risk, reasons = _OUTCOMES[fate]
    if is_disposable and Reason.DISPOSABLE not in reasons:
        reasons = (*reasons, Reason.DISPOSABLE)
    if address.is_role:
        reasons = (*reasons, Reason.ROLE)
        risk = Risk.MEDIUM if risk is Risk.LOW else risk
    meant = validation_domains.meant(address.domain)
    return Verdict(
        did_you_mean=None if meant is None else f"{address.local}@{meant}",
        is_disposable=is_disposable,
        is_role=address.is_role,
        reasons=reasons,
        result=result,
        risk=risk,
        root_address=address.root,
    )


class Engagement(NamedTuple):
    """What a recipient did with mail of late."""

    engaging: bool
    behavior: str
    is_bot: bool


SEVERAL = 3
"""So many opens and clicks make a high engager."""


def engagement(*, delivered: int, engaged: int, by_bots: int, complained: int) -> Engagement | None:
    """Of numbers of events; None if there were none. Bots are told by what they open with."""
    if complained:
        return Engagement(True, "complainer", False)
    if engaged:
        return Engagement(True, "highly_engaged" if engaged >= SEVERAL else "engaged", False)
    if by_bots:
        return Engagement(True, "bot", True)
    return Engagement(False, "disengaged", False) if delivered else None


def told(address: str, verdict: Verdict, engaged: Engagement | None, last_seen: int | None) -> dict[str, Any]:
    """As the wire has it: what there is none of is left out, and the order is that of the reference."""
    found: dict[str, Any] = {
        "address": address,
        "did_you_mean": verdict.did_you_mean,
        "engagement": None if engaged is None else engaged._asdict(),
        "is_disposable_address": verdict.is_disposable,
        "is_role_address": verdict.is_role,
        "reason": list(verdict.reasons),
        "result": verdict.result,
        "risk": verdict.risk,
        "root_address": verdict.root_address,
        "last_seen": last_seen,
    }
    return {name: value for name, value in found.items() if value is not None}
