"""How failures are classified: who refused a message, for what kind of reason (facts/sending.md, 7.5).

Mailgun's own rules are not known. Ours tell apart what SMTP codes, enhanced codes (RFC 3463) and the words that large
providers and blocklists use say.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from mailgun_emulator.mail import providers

ENTITY_NAMES = {
    "gmail": "Gmail",
    "yahoo": "Yahoo",
    "hotmail": "Microsoft (Hotmail)",
    "apple": "Apple",
    "mail-ru": "Mail.ru",
    "comcast": "Comcast",
    "orange": "Orange",
    "yandex": "Yandex",
    "seznam": "Seznam",
    "mailinator": "Mailinator",
    "qq": "QQ",
    "other": "Other",
    "spamhaus": "Spamhaus",
    "spamcop": "SpamCop",
    "barracuda": "Barracuda",
    "proofpoint": "Proofpoint",
    "cloudmark": "Cloudmark",
    "sorbs": "SORBS",
    "mimecast": "Mimecast",
}
"""Mailbox providers, and the spam filters and blocklists that they ask."""

_PROVIDERS = {"Outlook": "hotmail", "Mail.ru": "mail-ru"}
PROVIDER_ENTITIES = {group: _PROVIDERS.get(group, group.lower()) for group in ("Other", *providers.GROUPS)}
"""The entities of the groups of `mail.providers`."""


class Rule(NamedTuple):
    """A failure meets it if its enhanced code begins with one of `enhanced`, its code is among `codes`, or its text
    has `words`. Rules without an entity are met at any provider; `filter` names the blocklist or filter that refused.
    """

    id: str
    group: str
    category: str
    critical: bool
    explanation: str
    sample: str
    short: str
    codes: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    words: str = ""
    filter: str = ""

    @property
    def criticality(self) -> str:
        return "CRITICAL" if self.critical else "NON-CRITICAL"


def _listed_by(id: str, entity: str, words: str, sample: str) -> Rule:  # noqa: A002 - the field's name
    name = ENTITY_NAMES[entity]
    return Rule(
        id=id,
        group="blocklist",
        category="ESPBLOCK",
        critical=True,
        explanation=f"The sending IP or domain is listed or filtered by {name}.",
        sample=sample,
        short=f"You're listed on {name}",
        words=words,
        filter=entity,
    )


RULES = (
    _listed_by(
        "b101", "spamhaus", r"spamhaus|\bzen\b.*listed|\bsbl\b|\bpbl\b|\bxbl\b",
        "5.7.1 Service unavailable; client host blocked using zen.spamhaus.org",
    ),
    _listed_by("b102", "spamcop", "spamcop", "5.7.1 Blocked - see https://www.spamcop.net/bl.shtml"),
    _listed_by("b103", "barracuda", r"barracuda|\bbrbl\b", "5.7.1 Blocked by Barracuda Reputation"),
    _listed_by("b104", "proofpoint", r"proofpoint|pphosted", "5.7.0 Local Policy Violation - Proofpoint"),
    _listed_by("b105", "cloudmark", "cloudmark", "5.7.1 Refused by Cloudmark Sender Intelligence"),
    _listed_by("b106", "sorbs", r"\bsorbs\b", "5.7.1 Listed on dnsbl.sorbs.net"),
    _listed_by("b107", "mimecast", "mimecast", "5.7.1 Rejected by Mimecast policy"),
    Rule(
        "a201", "greylisting", "GREYLISTED", critical=False,
        explanation="The server asks unknown senders to try again later.",
        sample="4.7.1 Greylisted, please try again later", short="Greylisted",
        words=r"gr[ae]y-?list",
    ),
    Rule(
        "a202", "authentication", "ESPBLOCK", critical=True,
        explanation="The message failed SPF, DKIM or DMARC, which the provider requires.",
        sample="5.7.26 This mail has been blocked because the sender is unauthenticated", short="Unauthenticated",
        enhanced=("5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.27", "5.7.30"),
        words=r"unauthenticated|\b(?:spf|dkim|dmarc)\b",
    ),
    Rule(
        "a203", "rate-limit", "ESPBLOCK", critical=True,
        explanation="The provider takes fewer messages from this IP or domain than it is sent.",
        sample="4.7.28 Our system has detected an unusual rate of mail", short="Rate limited",
        enhanced=("4.7.28", "4.7.650", "4.7.651", "4.7.652"),
        words=r"rate limit|too many (?:messages|connections)|unusual rate|throttl",
    ),
    Rule(
        "a204", "spam-content", "ESPBLOCK", critical=True,
        explanation="The provider takes the message for spam.",
        sample="5.7.1 Message rejected as spam", short="Content taken for spam",
        words=r"\bspam|unsolicited|\bphish|virus",
    ),
    Rule(
        "a205", "reputation", "ESPBLOCK", critical=True,
        explanation="The provider refuses this sender because of its reputation or its policy.",
        sample="5.7.1 Message rejected due to the sender's reputation", short="Blocked by policy",
        codes=(554,), enhanced=("5.7.",),
        words=r"reputation|blocked|black-?list|block-?list|access denied|policy",
    ),
    Rule(
        "a206", "unknown-recipient", "BOUNCE", critical=False,
        explanation="There is no mailbox of that address.",
        sample="5.1.1 The email account that you tried to reach does not exist", short="Unknown recipient",
        codes=(553,), enhanced=("5.1.0", "5.1.1", "5.1.3", "5.1.6", "5.1.10"),
        words=r"does(?: not|n't) exist|unknown (?:user|recipient)|(?:user|recipient|mailbox) (?:unknown|not found)"
        r"|no such (?:user|recipient|mailbox)|invalid (?:recipient|mailbox)",
    ),
    Rule(
        "a207", "disabled-mailbox", "BOUNCE", critical=False,
        explanation="The mailbox is there, but takes no mail.",
        sample="5.2.1 The email account that you tried to reach is disabled", short="Disabled mailbox",
        enhanced=("5.2.1", "4.2.1"), words=r"(?:account|mailbox) (?:is )?(?:disabled|inactive|suspended)",
    ),
    Rule(
        "a208", "full-mailbox", "GENERIC", critical=False,
        explanation="The mailbox is full.",
        sample="5.2.2 Mailbox full", short="Full mailbox",
        codes=(452, 552), enhanced=("4.2.2", "5.2.2"), words=r"over ?quota|mailbox (?:is )?full|exceeded storage",
    ),
    Rule(
        "a209", "message-size", "GENERIC", critical=False,
        explanation="The message is larger than the provider takes.",
        sample="5.3.4 Message size exceeds fixed limit", short="Too large",
        enhanced=("5.2.3", "5.3.4"), words=r"message (?:is )?too (?:big|large)|size exceeds|size limit",
    ),
    Rule(
        "a210", "unknown-domain", "BOUNCE", critical=False,
        explanation="The recipient's domain takes no mail.",
        sample="No MX for [example.com]", short="Domain without mail",
        codes=(498,), enhanced=("5.1.2", "5.4.4", "4.4.4"), words=r"no mx|host not found|domain not found",
    ),
    Rule(
        "a211", "connection", "GENERIC", critical=False,
        explanation="The provider's servers could not be reached or broke off.",
        sample="Unable to connect to MX servers: [example.com]", short="Not reachable",
        codes=(421, 499), enhanced=("4.4.",), words=r"unable to connect|timed? ?out|connection (?:refused|lost|reset)",
    ),
    Rule(
        "a212", "tls", "GENERIC", critical=False,
        explanation="No connection could be made that is as safe as the sender requires.",
        sample="4.7.0 TLS is required, but can't be established", short="No TLS",
        codes=(454, 523, 530, 538), words=r"\btls\b|certificate",
    ),
    Rule(
        "a213", "busy", "GENERIC", critical=False,
        explanation="The provider can't take the message just now.",
        sample="4.3.0 Requested action aborted: local error in processing", short="Server busy",
        codes=(450, 451), enhanced=("4.2.", "4.3."),
    ),
    Rule(
        "a214", "unclassified", "GENERIC", critical=False,
        explanation="The answer fits none of the other rules.",
        sample="5.0.0 Requested action not taken", short="Other",
    ),
)  # fmt: skip
"""The first one that is met counts: words first, of all rules in order; then enhanced codes; then codes."""

OTHER = RULES[-1]
BY_ID = {rule.id: rule for rule in RULES}


@cache
def _worded() -> list[tuple[Rule, re.Pattern[str]]]:
    return [(rule, re.compile(rule.words, re.IGNORECASE)) for rule in RULES if rule.words]


def _begins(enhanced: str, beginnings: tuple[str, ...]) -> bool:
    return any(enhanced == each or (each.endswith(".") and enhanced.startswith(each)) for each in beginnings)


def classify(code: int, enhanced: str, text: str) -> Rule | None:
    """The rule that an answer of the recipient's server meets; none if it was never asked, as with suppressions."""
    if not 400 <= code < 600:
        return None
    return (
        next((rule for rule, pattern in _worded() if pattern.search(text)), None)
        or next((rule for rule in RULES if _begins(enhanced, rule.enhanced)), None)
        or next((rule for rule in RULES if code in rule.codes), OTHER)
    )


def rule_of(event: Mapping[str, Any]) -> Rule | None:
    """The rule that a failed event meets, as webhooks and Events tell it."""
    status = event.get("delivery-status") or {}
    return classify(
        status.get("code") or 0,
        status.get("enhanced-code") or status.get("bounce-code") or "",
        status.get("message") or "",
    )
