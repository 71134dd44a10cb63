"""What becomes of a delivery: it succeeds unless a rule or the recipient's address asks for something else."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state.suppressions import Kind

DOMAINS = ("example.com", "simulator.test")
NO_MX, UNREACHABLE = 498, 499
"""Mailgun's own codes for servers that were not reached (facts/sending.md, 3.2)."""
UNLISTED = "Requested by a test"

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
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= )")
_SOFT = re.compile(r"5\.(?:[3467]\.|2\.(?!1$))")
_GREYLISTED = re.compile(r"gr[ea]y-?list", re.IGNORECASE)
_LOCAL_PART = re.compile(
    r"(?P<word>suppressed-(?:bounce|unsubscribe|complaint)|[a-z]+)(?:\+(?P<number>\d{1,3}))?(?:-.*)?",
    re.DOTALL,
)


class FollowUp(NamedTuple):
    """What happens `after` so many seconds to a message that was delivered: `event` is the kind of its event.

    Opens, clicks and unsubscribes have a client, clicks a `url` (else the message's first link is taken),
    unsubscribes `tags` (else it is from all mail), a delayed bounce is `failed` and has what the server answered.
    """

    event: str
    after: float = 0.0
    url: str = ""
    tags: list[str] | None = None
    ip: str = ""
    user_agent: str = ""
    geolocation: dict[str, str] | None = None
    code: int = 550
    enhanced_code: str = ""
    text: str = ""


class Security(NamedTuple):
    """What the sender asks of the connection (facts/sending.md, 1.3: o:require-tls, o:skip-verification)."""

    requires_tls: bool = False
    skips_verification: bool = False


class Outcome(NamedTuple):
    """What the receiving server answered: an SMTP reply code, its enhanced code (RFC 3463), its text.

    `tls` tells whether the connection was encrypted, `verified` whether the server's certificate was found good.
    `reason` is Mailgun's, where it is not the usual one; an empty `mx_host` is that of the recipient's domain.
    An attempt ends after `delay` seconds. So many `attempts` fail before one succeeds, or all if it is 0. What is
    `suppressed` is refused as if it was on that list. `then` follows a delivery.
    """

    code: int = 250
    enhanced_code: str = ""
    text: str = "OK"
    tls: bool = True
    verified: bool = True
    reason: str = ""
    mx_host: str = ""
    delay: float = 0.0
    attempts: int = 0
    suppressed: Kind | None = None
    then: tuple[FollowUp, ...] = ()

    @property
    def delivered(self) -> bool:
        return not 400 <= self.code < 600

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def connected(self) -> bool:
        return self.code not in (NO_MX, UNREACHABLE)

    @property
    def hard(self) -> bool:
        """Nobody is there. A mailbox that is full, mail that is too big or not wanted bounces softly.

        Only hard bounces go on the list (facts/sending.md, 6.6).
        """
        return self.code >= 500 and not _SOFT.match(self.enhanced_code)

    def at(self, attempt: int) -> "Outcome":
        """As it is at this attempt, counted from 1."""
        if self.temporary and 0 < self.attempts < attempt:
            return self._replace(code=250, enhanced_code="", text="OK", reason="")
        return self


class Address(NamedTuple):
    """What the local part of a recipient's address can ask for.

    `written` is how it is documented, N and CODE being numbers; `happens` says in plain words what for. `make`
    takes the number, which may be absent, and the domain; None if the number makes no sense.
    """

    written: str
    happens: str
    make: Callable[[int | None, str], Outcome | None]


def reply(code: int, enhanced_code: str = "", text: str = "", *, domain: str = "") -> Outcome:
    """A server's answer; what is not given is what servers usually say along with the code."""
    if code in (NO_MX, UNREACHABLE):
        usual = f"No MX for [{domain}]" if code == NO_MX else f"Unable to connect to MX servers: [{domain}]"
        return Outcome(code, enhanced_code, text or usual)
    if 200 <= code < 400:
        return Outcome(code, enhanced_code, text or "OK")
    usual_enhanced, usual = _TEXTS.get(code, (f"{code // 100}.0.0", UNLISTED))
    told = _ENHANCED.match(text)
    enhanced = enhanced_code or (told[0] if told else usual_enhanced)
    reason = "greylisted" if code < 500 and _GREYLISTED.search(text) else ""
    return Outcome(code, enhanced, text or f"{enhanced} {usual}", reason=reason)


def _bounce(code: int | None, domain: str) -> Outcome | None:
    return reply(code or 550, domain=domain) if code is None or 400 <= code < 600 else None


def _deferred(attempts: int | None, domain: str) -> Outcome:
    return Outcome() if attempts == 0 else reply(450)._replace(attempts=attempts or 1)


def _always(outcome: Outcome) -> Callable[[int | None, str], Outcome | None]:
    return lambda number, _: outcome if number is None else None


def _followed_by(*events: str) -> Callable[[int | None, str], Outcome | None]:
    return _always(Outcome(then=tuple(FollowUp(event) for event in events)))


ADDRESSES: Mapping[str, Address] = {
    "delivered": Address("delivered@", "Delivered, as to any other address", _always(Outcome())),
    "bounce": Address(
        "bounce@, bounce+CODE@",
        "Fails for good with 550, or with the SMTP reply CODE: 5xx fails for good, 4xx is retried until it is "
        "too old. A hard bounce, that is any but 552 and 554, goes on the bounce list",
        _bounce,
    ),
    "softbounce": Address(
        "softbounce@",
        "Fails once with 452, mailbox full, and is delivered at the second attempt",
        _always(reply(452)._replace(attempts=1)),
    ),
    "deferred": Address(
        "deferred@, deferred+N@",
        "Fails once or N times with 450, then is delivered; from 8 times on it becomes too old instead",
        _deferred,
    ),
    "greylisted": Address(
        "greylisted@",
        "Fails once with 451 and the reason `greylisted`, then is delivered",
        _always(reply(451, text="4.7.1 Greylisted, please try again later")._replace(attempts=1)),
    ),
    "espblock": Address(
        "espblock@",
        "Fails with 421 and the reason `espblock` until it is too old",
        _always(reply(421, text="4.7.0 Temporarily blocked: too much mail")._replace(reason="espblock")),
    ),
    "timeout": Address(
        "timeout@",
        "No server is reached: fails with 499 until it is too old",
        lambda number, domain: reply(UNREACHABLE, domain=domain) if number is None else None,
    ),
    "complaint": Address(
        "complaint@",
        "Delivered, then reported as spam; goes on the list of complaints",
        _followed_by("complained"),
    ),
    "unsubscribe": Address(
        "unsubscribe@",
        "Delivered, then unsubscribed from all mail; goes on the list of unsubscribes",
        _followed_by("unsubscribed"),
    ),
    "opened": Address("opened@", "Delivered, then opened", _followed_by("opened")),
    "clicked": Address(
        "clicked@",
        "Delivered, then opened, then the first link clicked; without a link, the sending domain's home page",
        _followed_by("opened", "clicked"),
    ),
    "delayedbounce": Address(
        "delayedbounce@",
        "Delivered, then bounced all the same with 550; goes on the bounce list",
        _followed_by("failed"),
    ),
    "suppressed": Address(
        "suppressed@, suppressed-bounce@",
        "Refused with 605 as if it had bounced before",
        _always(Outcome(suppressed=Kind.BOUNCE)),
    ),
    "suppressed-unsubscribe": Address(
        "suppressed-unsubscribe@",
        "Refused with 606 as if it had unsubscribed",
        _always(Outcome(suppressed=Kind.UNSUBSCRIBE)),
    ),
    "suppressed-complaint": Address(
        "suppressed-complaint@",
        "Refused with 607 as if it had complained",
        _always(Outcome(suppressed=Kind.COMPLAINT)),
    ),
    "notls": Address(
        "notls@",
        "Its server offers no TLS: delivered in the clear, or with `o:require-tls` 454 until it is too old",
        _always(Outcome(tls=False, verified=False)),
    ),
    "badcert": Address(
        "badcert@",
        "Its server's certificate is not to be trusted: as `notls@`, unless `o:skip-verification` says yes",
        _always(Outcome(verified=False)),
    ),
}
"""By its word. `-` and anything behind it makes more of the same: `opened-7@`, `bounce+550-ann@`."""
_DELIVERED, _UNVERIFIED = Outcome(), Outcome(verified=False)
_ADDRESSES = {**ADDRESSES, "suppressed-bounce": ADDRESSES["suppressed"]}


def documented() -> str:
    """All that an address can ask for, as a table in Markdown."""
    rows = (
        f"| {', '.join(f'`{each}`' for each in address.written.split(', '))} | {address.happens} |"
        for address in ADDRESSES.values()
    )
    return "\n".join(["| Recipient | What happens |", "|---|---|", *rows])


def outcome_for(recipient: str, security: Security, settings: Settings) -> Outcome:
    """At a domain that is set aside for it, what `ADDRESSES` says; anywhere else mail is delivered."""
    local, _, domain = recipient.rpartition("@")
    domain = domain.lower()
    if domain in DOMAINS or domain in settings.simulator_domain:
        asked = _LOCAL_PART.fullmatch(local.lower())
        address = _ADDRESSES.get(asked["word"]) if asked else None
        if asked and address:
            outcome = address.make(int(asked["number"]) if asked["number"] else None, domain)
            if outcome is not None:
                return secured(outcome, security)
    return _UNVERIFIED if security.skips_verification else _DELIVERED


def outcome_of(rule: Mapping[str, Any], recipient: str, security: Security) -> Outcome:
    """What a rule says, in its own words: see `state.outcome_rules`."""
    domain = recipient.rpartition("@")[2]
    answer = reply(rule.get("code", 250), rule.get("enhanced_code", ""), rule.get("text", ""), domain=domain)
    outcome = answer._replace(
        reason=rule.get("reason", answer.reason),
        mx_host=rule.get("mx_host", ""),
        delay=rule.get("delay", 0.0),
        attempts=rule.get("attempts", 0),
        then=tuple(FollowUp(**each) for each in rule.get("then", ())),
    )
    return secured(outcome, security)


def secured(outcome: Outcome, security: Security) -> Outcome:
    """Without TLS that the sender trusts, mail goes in the clear, unless the sender requires TLS."""
    if outcome.tls and (outcome.verified or security.skips_verification):
        return outcome._replace(verified=False) if security.skips_verification else outcome
    if security.requires_tls:
        return Outcome(454, "4.7.0", "4.7.0 TLS is required, but can't be established", False, False)
    return outcome._replace(tls=False, verified=False)
