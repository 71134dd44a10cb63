"""What Google Postmaster Tools and Microsoft's SNDS tell of watched domains: made from the account's own traffic.

Reputations are as Google's, in numbers: 4 high, 3 medium, 2 low, 1 bad. Ratios are parts of one.
"""

from collections.abc import Iterable

from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import DAY, Period, Resolution, floor
from mailgun_emulator.state import blocklistings, monitored_domains, statistics, traffic
from mailgun_emulator.state.blocklistings import Blocklisting
from mailgun_emulator.state.predicates import Predicate
from mailgun_emulator.state.statistics import Question, ratio, total_of
from mailgun_emulator.state.traffic import Numbers, Traffic
from mailgun_emulator.state.transaction import Tx

HIGH, BAD = 4, 1
_SPAM_RATIOS = (0.001, 0.003, 0.01)
"""From each on the reputation is one worse (Google's guidelines for senders name the first two)."""


class DeliveryError(BaseModel):
    error_class: str
    error_type: str
    error_ratio: float


class IpCount(BaseModel):
    reputation: int
    total: int


class LoopRatio(BaseModel):
    id: str
    spam_ratio: float


class DomainDay(BaseModel):
    account_id: str
    name: str
    user_reported_spam_ratio: float
    spf_success_ratio: float
    dkim_success_ratio: float
    dmarc_success_ratio: float
    inbound_encryption_ratio: float
    delivery_error_ratio: float
    delivery_errors: list[DeliveryError]
    reputation: int
    date: str
    ip_counts: list[IpCount]
    feedback_loops: list[LoopRatio]


class DomainSummary(BaseModel):
    """Averages of days; what is not asked for is None."""

    name: str
    user_reported_spam_ratio: float | None
    spf_success_ratio: float | None
    dkim_success_ratio: float | None
    dmarc_success_ratio: float | None
    inbound_encryption_ratio: float | None
    reputation: float | None
    errors: list[DeliveryError] | None


class AddressDay(BaseModel):
    address: str
    domain_name: str
    reputation: int
    date: str


class AddressSummary(BaseModel):
    domain_name: str
    address: str
    reputation: float


class FeedbackLoop(BaseModel):
    """`id` is a tag: Mailgun tells campaigns apart by it."""

    name: str
    id: str
    ratio: float
    date: str


class SndsDay(BaseModel):
    """`filter_result` is GREEN, YELLOW or RED: less than 10 % of it was spam, less than 90 %, or more."""

    block_text: str
    complaint_rate: str
    date: str
    filter_result: str
    is_blocked: bool
    ip_address: str
    recipients: int
    trap_hits: int
    trap_message_period: str
    trap_percentage: float


class _Lists:
    """What stood on a blocklist when."""

    def __init__(self, tx: Tx) -> None:
        self._listings = blocklistings.list_all(tx)

    def on(self, day: int, *subjects: str) -> Blocklisting | None:
        found = (
            each
            for each in self._listings
            if each.subject in subjects
            and floor(each.first_seen, Resolution.DAY) <= day
            and (each.delisted_at is None or each.delisted_at >= day)
        )
        return next(found, None)


def tells_of(tx: Tx, domain: str) -> bool:
    return domain.lower() in {each.name for each in monitored_domains.list_watched(tx)}


def list_domain_days(tx: Tx, span: Period) -> list[DomainDay]:
    """The earliest first."""
    lists, loops = _Lists(tx), _loop_ratios(tx, span)
    groups: dict[tuple[int, str], list[Traffic]] = {}
    for each in _traffic(tx, span, "Gmail"):
        groups.setdefault((each.day, each.domain), []).append(each)
    return [_domain_day(day, name, found, lists, loops) for (day, name), found in groups.items()]


def _domain_day(
    day: int,
    name: str,
    found: list[Traffic],
    lists: _Lists,
    loops: dict[tuple[int, str], list[LoopRatio]],
) -> DomainDay:
    numbers = traffic.total(found)
    passes = found[0].passes
    levels = [_reputation(each.numbers, lists.on(day, each.ip)) for each in found if each.ip]
    errors = _errors(numbers, lists.on(day, name, *(each.ip for each in found)))
    return DomainDay(
        account_id=found[0].account_id,
        name=name,
        user_reported_spam_ratio=ratio(numbers.complained, numbers.delivered),
        spf_success_ratio=float(passes.spf),
        dkim_success_ratio=float(passes.dkim),
        dmarc_success_ratio=float(passes.dmarc),
        inbound_encryption_ratio=1.0,
        delivery_error_ratio=ratio(numbers.bounced + numbers.deferred, numbers.tried),
        delivery_errors=errors,
        reputation=_reputation(numbers, lists.on(day, name)),
        date=dates.rfc3339_s(day),
        ip_counts=[
            IpCount(reputation=level, total=levels.count(level))
            for level in sorted(set(levels), reverse=True)
        ],
        feedback_loops=loops.get((day, name), []),
    )


def _traffic(tx: Tx, span: Period, provider: str) -> list[Traffic]:
    """Of watched domains, that led to something there."""
    names = {each.name for each in monitored_domains.list_watched(tx)}
    return [
        each for each in traffic.list_all(tx, span, provider) if each.domain in names and each.numbers.tried
    ]


def _errors(numbers: Numbers, listing: Blocklisting | None) -> list[DeliveryError]:
    """As Google names them: https://developers.google.com/gmail/postmaster."""
    refused = "SUSPECTED_SPAM" if listing is None else "IP_IN_RBL" if listing.of_ip else "DOMAIN_IN_RBL"
    found = (
        ("PERMANENT_ERROR", refused, numbers.bounced),
        ("TEMPORARY_ERROR", "RATE_LIMIT_EXCEEDED", numbers.deferred),
    )
    return [
        DeliveryError(error_class=kind, error_type=why, error_ratio=ratio(number, numbers.tried))
        for kind, why, number in found
        if number
    ]


def _reputation(numbers: Numbers, listing: Blocklisting | None) -> int:
    if listing is not None:
        return BAD
    spam_ratio = ratio(numbers.complained, numbers.delivered)
    return HIGH - sum(spam_ratio >= least for least in _SPAM_RATIOS)


def sum_up_domains(found: Iterable[DomainDay]) -> list[DomainSummary]:
    groups: dict[str, list[DomainDay]] = {}
    for each in found:
        groups.setdefault(each.name, []).append(each)
    return [_domain_summary(name, each) for name, each in groups.items()]


def _domain_summary(name: str, found: list[DomainDay]) -> DomainSummary:
    averaged = [field for field in DomainSummary.model_fields if field not in ("name", "errors")]
    told = {field: ratio(sum(getattr(each, field) for each in found), len(found)) for field in averaged}
    added: dict[tuple[str, str], float] = {}
    for error in (error for each in found for error in each.delivery_errors):
        key = (error.error_class, error.error_type)
        added[key] = added.get(key, 0.0) + error.error_ratio
    errors = [
        DeliveryError(error_class=kind, error_type=why, error_ratio=ratio(added_up, len(found)))
        for (kind, why), added_up in sorted(added.items())
    ]
    return DomainSummary(name=name, errors=errors, **told)


def list_address_days(tx: Tx, span: Period) -> list[AddressDay]:
    """The earliest first."""
    lists = _Lists(tx)
    return [
        AddressDay(
            address=each.ip,
            domain_name=each.domain,
            reputation=_reputation(each.numbers, lists.on(each.day, each.ip)),
            date=dates.rfc3339_s(each.day),
        )
        for each in _traffic(tx, span, "Gmail")
        if each.ip
    ]


def sum_up_addresses(found: Iterable[AddressDay]) -> list[AddressSummary]:
    groups: dict[tuple[str, str], list[int]] = {}
    for each in found:
        groups.setdefault((each.domain_name, each.address), []).append(each.reputation)
    return [
        AddressSummary(domain_name=name, address=address, reputation=ratio(sum(levels), len(levels)))
        for (name, address), levels in groups.items()
    ]


def list_feedback_loops(tx: Tx, span: Period) -> list[FeedbackLoop]:
    """The earliest first."""
    return [
        FeedbackLoop(name=name, id=loop.id, ratio=loop.spam_ratio, date=dates.rfc3339_s(day))
        for (day, name), loops in sorted(_loop_ratios(tx, span).items())
        for loop in loops
    ]


def _loop_ratios(tx: Tx, span: Period) -> dict[tuple[int, str], list[LoopRatio]]:
    """Of each tag, by day and domain; of what is made up nothing is tagged."""
    gmail = (Predicate("recipient_provider", "=", ("Gmail",)),)
    asked = Question(span, frozenset({"complained", "delivered"}), gmail)
    names = {each.name for each in monitored_domains.list_watched(tx)}
    found: dict[tuple[int, str], list[LoopRatio]] = {}
    for (day, name, tag), counts in statistics.measure(tx, ("time", "domain", "tag"), asked).items():
        if tag and name in names:
            delivered = total_of(counts, "delivered.")
            spam_ratio = ratio(counts.get("complained", 0), delivered)
            found.setdefault((day, name), []).append(LoopRatio(id=tag, spam_ratio=spam_ratio))
    return {key: sorted(loops, key=lambda each: each.id) for key, loops in found.items()}


def list_snds_days(tx: Tx, span: Period) -> list[SndsDay]:
    """The earliest first: of each IP that watched domains sent to Outlook by."""
    lists = _Lists(tx)
    groups: dict[tuple[int, str], list[Traffic]] = {}
    for each in _traffic(tx, span, "Outlook"):
        if each.ip:
            groups.setdefault((each.day, each.ip), []).append(each)
    hits: dict[tuple[int, str], int] = {}
    for hit in traffic.list_trap_hits(tx, span, "Outlook"):
        key = (floor(hit.at, Resolution.DAY), hit.ip)
        hits[key] = hits.get(key, 0) + hit.number
    return [
        _snds_day(day, ip, traffic.total(found), hits.get((day, ip), 0), lists.on(day, ip))
        for (day, ip), found in groups.items()
    ]


def _snds_day(day: int, ip: str, numbers: Numbers, hits: int, listing: Blocklisting | None) -> SndsDay:
    complained = ratio(numbers.complained, numbers.delivered)
    red = listing is not None or complained >= 0.9
    return SndsDay(
        block_text=f"Blocked due to listing on {listing.blocklist}" if listing else "",
        complaint_rate="< 0.1%" if complained < 0.001 else f"{complained * 100:.1f}%",
        date=dates.rfc3339_s(day),
        filter_result="RED" if red else "YELLOW" if complained >= 0.1 else "GREEN",
        is_blocked=listing is not None,
        ip_address=ip,
        recipients=numbers.tried,
        trap_hits=hits,
        trap_message_period=f"{dates.rfc3339_s(day)} - {dates.rfc3339_s(day + DAY - 1)}" if hits else "",
        trap_percentage=round(100 * ratio(hits, numbers.tried), 4),
    )
