"""How much mail went where on which day and what became of it: what all reports on reputation are made from
(facts/account.md, 11.6).

What the account sends is told as it was counted. A watched domain that it doesn't send by is mailed from elsewhere: of
that nothing can be known here, so it is made up, but the same each time.
"""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from mailgun_emulator.mail import made_up, periods, providers, traps
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.mail.periods import Period, Resolution
from mailgun_emulator.state import monitored_domains, statistics
from mailgun_emulator.state.domains import Finding, of_accounts
from mailgun_emulator.state.event_conditions import Values
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.predicates import Predicate
from mailgun_emulator.state.statistics import Counts, Question, total_of
from mailgun_emulator.state.subaccounts import find_domain
from mailgun_emulator.state.transaction import Tx

FULL_MAILBOX = "failed+rule.permanent.a208"
_REFUSED = tuple(
    f"failed+rule.permanent.{rule}"
    for rule in ("a202", "a203", "a204", "a205", *(f"b10{n}" for n in range(1, 8)))
)
"""Of `mail.bounce_rules`: for what the sender is to blame."""
MADE_UP_DAYS = 90
"""So far back."""
_SHARES = {"Gmail": 0.4, "Outlook": 0.2}
"""Which part of what is made up goes to a provider."""

_WATCHED_BY_ITS_OWN = (
    "SELECT domain.id FROM domain JOIN monitored_domain AS watched USING (account_id, name)"  # noqa: S608 - a word of our own goes in
    f" WHERE watched.status <> '{monitored_domains.Status.PENDING}'"
)


class Numbers(NamedTuple):
    """`bounced` for good, `deferred` for a while; `full` and `refused` are some of those that bounced."""

    delivered: int = 0
    complained: int = 0
    bounced: int = 0
    deferred: int = 0
    full: int = 0
    refused: int = 0
    traps: int = 0

    @property
    def tried(self) -> int:
        return self.delivered + self.bounced + self.deferred

    def plus(self, other: "Numbers") -> "Numbers":
        return Numbers(*(mine + others for mine, others in zip(self, other, strict=True)))


class Authentication(NamedTuple):
    """Whether what a domain sends passes."""

    spf: bool
    dkim: bool

    @property
    def dmarc(self) -> bool:
        return self.spf or self.dkim


class Traffic(NamedTuple):
    """Of one domain by one IP on the day that begins at `day`, in seconds since 1970."""

    account_id: str
    domain: str
    ip: str
    day: int
    numbers: Numbers
    passes: Authentication


class TrapHit(NamedTuple):
    """So many messages to traps of that kind."""

    at: float
    account_id: str
    domain: str
    ip: str
    sender: str
    author: str
    subject: str
    tags: tuple[str, ...]
    kind: str
    number: int = 1


def _authentication(tx: Tx, name: str) -> Authentication:
    """By what the last look-up of its DNS records found; of a domain of others all is in order."""
    own = find_domain(tx, name)
    if own is None:
        return Authentication(True, True)
    return Authentication(orjson.loads(own.checked).get("spf") == Finding.FOUND, own.verified)


def days(tx: Tx, start: float, end: float) -> Period:
    """Whole days, from 1970 up to today; raise ValueError for what can't be."""
    if start > end:
        raise ValueError("the start is after the end")
    start = max(start, 0.0)
    return periods.period(start, max(start, min(end, tx.now)), Resolution.DAY)


def _made_up_days(tx: Tx, span: Period) -> list[tuple[str, int]]:
    """What something is made up for: the watched domains that are neither the account's nor a subaccount's, on each of
    the last days.
    """
    first = tx.now - MADE_UP_DAYS * periods.DAY
    recent = [day for day in span.buckets() if first < day <= tx.now]
    watched = [each.name for each in monitored_domains.list_watched(tx)]
    foreign = [name for name in watched if find_domain(tx, name) is None]
    return [(name, day) for name in foreign for day in recent]


def total(found: Iterable[Traffic]) -> Numbers:
    added = Numbers()
    for each in found:
        added = added.plus(each.numbers)
    return added


def list_all(
    tx: Tx, span: Period, provider: str = "", *, subaccounts: bool = False, with_traps: bool = False
) -> list[Traffic]:
    """In the order of days, domains and IPs; to one of `mail.providers`, if that is named."""
    found = _count(tx, span, provider, subaccounts=subaccounts)
    if with_traps:
        for hit in _read_trap_hits(tx, span, provider, subaccounts=subaccounts):
            key = (hit.account_id, hit.domain, hit.ip, periods.floor(hit.at, Resolution.DAY))
            found[key] = found.get(key, Numbers()).plus(Numbers(traps=hit.number))
    for name, day in _made_up_days(tx, span):
        key = (tx.account_id, name, shared_ip(tx.account_id), day)
        found[key] = _made_up_numbers(tx.account_id, name, day, provider)
    passes = {name: _authentication(tx, name) for name in {name for _, name, _, _ in found}}
    told = [Traffic(*key, numbers, passes[key[1]]) for key, numbers in found.items() if any(numbers)]
    return sorted(told, key=_order)


Key = tuple[str, str, str, int]
"""Account, domain, IP and day."""


def _count(tx: Tx, span: Period, provider: str, *, subaccounts: bool) -> dict[Key, Numbers]:
    about = (Predicate("recipient_provider", "=", (provider,)),) if provider else ()
    wanted = frozenset({"complained", "delivered", "failed"})
    asked = Question(span, wanted, about, subaccounts=subaccounts)
    counted = statistics.measure(tx, ("subaccount", "domain", "ip", "time"), asked)
    main = _main_ips(counted)
    found: dict[Key, Numbers] = {}
    for (account_id, domain, ip, day), counts in counted.items():
        key = (account_id, domain, ip or main.get(domain, ""), day)
        found[key] = found.get(key, Numbers()).plus(_numbers(counts))
    return found


def _order(traffic: Traffic) -> tuple[int, str, str]:
    return traffic.day, traffic.domain, traffic.ip


def _main_ips(counted: dict[tuple[str, ...], Counts]) -> dict[str, str]:
    """By domain that which most was sent by: complaints and the like come from nowhere."""
    best: dict[str, tuple[int, str]] = {}
    for (_, domain, ip, _), counts in counted.items():
        if ip:
            best[domain] = max(best.get(domain, (0, "")), (_numbers(counts).delivered, ip))
    return {domain: ip for domain, (_, ip) in best.items()}


def _numbers(counts: Counts) -> Numbers:
    return Numbers(
        delivered=total_of(counts, "delivered."),
        complained=counts.get("complained", 0),
        bounced=total_of(counts, "failed.permanent.") - total_of(counts, "failed.permanent.suppress-"),
        deferred=total_of(counts, "failed.temporary."),
        full=counts.get(FULL_MAILBOX, 0),
        refused=sum(counts.get(each, 0) for each in _REFUSED),
    )


def _made_up_numbers(account_id: str, name: str, day: int, provider: str) -> Numbers:
    about = (account_id, name, day)
    tried = int(made_up.between(500, 2000, *about) * _SHARES.get(provider, 1.0))
    bounced = int(tried * made_up.fraction("bounced", *about) * 0.03)
    deferred = int(tried * made_up.fraction("deferred", *about) * 0.02)
    return Numbers(
        delivered=tried - bounced - deferred,
        complained=int(tried * made_up.fraction("complained", *about) * 0.003),
        bounced=bounced,
        deferred=deferred,
        full=bounced // 8,
        refused=bounced // 5,
        traps=0 if provider else sum(_made_up_traps(account_id, name, day)),
    )


def _made_up_traps(account_id: str, name: str, day: int) -> list[int]:
    """By `traps.KINDS`."""
    most = zip(traps.KINDS, (1, 4, 3, 1), strict=True)
    return [made_up.between(0, number, kind, account_id, name, day) for kind, number in most]


def list_trap_hits(tx: Tx, span: Period, provider: str = "", *, subaccounts: bool = False) -> list[TrapHit]:
    """Of the watched domains, in the order of time; of traps at one of `mail.providers`, if that is named."""
    hits = _read_trap_hits(tx, span, provider, subaccounts=subaccounts)
    ip = shared_ip(tx.account_id)
    for name, day in _made_up_days(tx, span):
        sender = f"postmaster@{name}"
        hits += [
            TrapHit(day, tx.account_id, name, ip, sender, sender, "", (), kind, number)
            for kind, number in zip(traps.KINDS, _made_up_traps(tx.account_id, name, day), strict=True)
            if number
        ]
    return sorted(hits, key=lambda each: each.at)


def _read_trap_hits(tx: Tx, span: Period, provider: str, *, subaccounts: bool) -> list[TrapHit]:
    """Of what the account watches, and what subaccounts watch themselves, if theirs count.

    Most events are no hits, which their index tells by itself.
    """
    names = [each.name for each in monitored_domains.list_watched(tx)]
    if not names and not subaccounts:
        return []
    tx.settle()
    values = Values()
    watched = f"domain.name IN ({', '.join(map(values.put, names))})"
    if subaccounts:
        watched += f" OR domain.id IN ({_WATCHED_BY_ITS_OWN})"
    rows = tx.read(
        "SELECT e.at, domain.account_id, domain.name, e.recipient, e.payload FROM domain"  # noqa: S608 - what was given goes in as parameters
        " CROSS JOIN event e INDEXED BY event_recipient ON e.domain_id = domain.id"
        f" WHERE {of_accounts(values.put(tx.account_id), subaccounts=subaccounts)} AND NOT domain.deleted"
        f" AND ({watched}) AND e.type = '{EventType.DELIVERED}'"
        f" AND e.at >= {values.put(span.start)} AND e.at < {values.put(span.past)}"
        f" AND {traps.condition('e.recipient')} ORDER BY e.at, e.id",
        values.parameters,
    )
    found = []
    for at, account_id, name, recipient, payload in rows.fetchall():
        kind = traps.kind_of(recipient)
        at_provider = provider in ("", providers.group(recipient.rpartition("@")[2]))
        if kind is not None and at_provider:
            told = orjson.loads(payload)
            envelope, headers = told.get("envelope", {}), told.get("message", {}).get("headers", {})
            found.append(
                TrapHit(
                    at=at,
                    account_id=account_id,
                    domain=name,
                    ip=envelope.get("sending-ip", ""),
                    sender=envelope.get("sender", ""),
                    author=headers.get("from", ""),
                    subject=headers.get("subject", ""),
                    tags=tuple(told.get("tags") or ()),
                    kind=kind,
                )
            )
    return found
