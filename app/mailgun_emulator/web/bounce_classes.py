"""Failures by who refused and why: what requests ask, and how it is added up (facts/sending.md, 7.5)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mailgun_emulator.mail import bounce_rules, dates
from mailgun_emulator.mail.periods import DAY, HOUR, Period, Resolution
from mailgun_emulator.state import accounts, bounce_counts, ip_pools
from mailgun_emulator.state.bounce_counts import Classified
from mailgun_emulator.state.predicates import SEARCHED, Predicate, holds
from mailgun_emulator.state.statistics import Question, split_tags
from mailgun_emulator.state.transaction import Tx

_COUNTED = {
    "entity-name": "recipient_provider",
    "domain.name": "domain",
    "envelope.sending-ip": "ip",
    "account.name": "subaccount",
    "envelope.i-ip-pool-name": "ip_pool_name",
    "tags": "tags",
    "tag": "tag",
    "recipient-domain": "recipient_domain",
    "timestamp": "time",
}
"""What counts are told apart by for each dimension."""
_OF_RULE = ("group-id", "criticality", "severity", "category")
DIMENSIONS = (*_COUNTED, *_OF_RULE)
ATTRIBUTES = {name: SEARCHED for name in DIMENSIONS if name != "timestamp"}
COUNTS = (
    "critical_bounce_count",
    "non_critical_bounce_count",
    "critical_delay_count",
    "non_critical_delay_count",
)
RATES = {f"{name.removesuffix('_count')}_rate": name for name in COUNTS}
_FILTERS = {bounce_rules.ENTITY_NAMES[rule.filter] for rule in bounce_rules.RULES if rule.filter}
METRICS = (*COUNTS, "classified_failures_count", "delivered_smtp_count", *RATES)


class Item(NamedTuple):
    """`values` are those of the dimensions; empty where a failure has none."""

    values: tuple[str, ...]
    metrics: dict[str, int | None]


class Span(NamedTuple):
    """In seconds since 1970, told apart by `resolution` where time is a dimension. Counts are of whole hours."""

    start: float
    end: float
    resolution: Resolution

    @property
    def step(self) -> int:
        return HOUR if self.resolution is Resolution.HOUR else DAY

    def question(self, predicates: Iterable[Predicate], *, subaccounts: bool) -> Question:
        hours = Period(int(self.start // HOUR) * HOUR, int(self.end // HOUR) * HOUR, Resolution.HOUR)
        about_tag = tuple(each for each in predicates if each.attribute == "tag")
        return Question(hours, predicates=about_tag, subaccounts=subaccounts)


class Breakdown:
    """Adds up by dimensions what the predicates are true of; those about one tag are left to the statement."""

    def __init__(self, tx: Tx, dimensions: list[str], predicates: tuple[Predicate, ...]) -> None:
        self._dimensions = dimensions
        self._predicates = [each for each in predicates if each.attribute != "tag"]
        asked = [*dimensions, *(each.attribute for each in self._predicates), "entity-name"]
        self.counted = [name for name in dict.fromkeys(asked) if name in _COUNTED]
        self._names = accounts.names(tx)

    def failures(self, found: Iterable[Classified]) -> dict[tuple[str, ...], dict[str, int]]:
        sums: dict[tuple[str, ...], dict[str, int]] = {}
        for each in found:
            told = self._told(each.key) | _told_of_rule(each)
            if self._meets(told):
                at_key = sums.setdefault(
                    tuple(told[name] for name in self._dimensions), dict.fromkeys(COUNTS, 0)
                )
                at_key[_count_of(each)] += each.number
        return sums

    def deliveries(self, found: Mapping[tuple[Any, ...], int]) -> dict[tuple[str, ...], int]:
        """By those of the dimensions that deliveries have: see `own`."""
        sums: dict[tuple[str, ...], int] = {}
        for key, number in found.items():
            told = self._told(key)
            if self._meets(told):
                values = tuple(told[name] for name in self._dimensions if name in told)
                sums[values] = sums.get(values, 0) + number
        return sums

    def own(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Those values that deliveries can have, too."""
        pairs = zip(self._dimensions, values, strict=True)
        return tuple(value for name, value in pairs if name in _COUNTED)

    def by_filter(self, values: tuple[str, ...]) -> bool:
        """Whether it is a spam filter's; those deliver nothing."""
        named = dict(zip(self._dimensions, values, strict=True)).get("entity-name")
        return named in _FILTERS

    def _told(self, key: tuple[Any, ...]) -> dict[str, str]:
        told = {name: str(value) for name, value in zip(self.counted, key, strict=True)}
        told["entity-name"] = bounce_counts.provider_name(told["entity-name"])
        if "account.name" in told:
            told["account.name"] = self._names[told["account.name"]]
        if "tags" in told:
            told["tags"] = ", ".join(split_tags(told["tags"]))
        if "timestamp" in told:
            told["timestamp"] = dates.rfc2822(float(told["timestamp"]))
        return told

    def _meets(self, told: dict[str, str]) -> bool:
        return all(holds(each, told[each.attribute]) for each in self._predicates if each.attribute in told)


def _told_of_rule(each: Classified) -> dict[str, str]:
    rule = each.rule
    return {
        **({"entity-name": bounce_rules.ENTITY_NAMES[rule.filter]} if rule.filter else {}),
        "group-id": rule.group,
        "criticality": rule.criticality,
        "severity": each.severity.upper(),
        "category": rule.category,
    }


def _count_of(each: Classified) -> str:
    return f"{'critical' if each.rule.critical else 'non_critical'}_{'bounce' if each.permanent else 'delay'}_count"


def _metrics(counts: dict[str, int], delivered: int | None) -> dict[str, int | None]:
    """Rates are percents of what was delivered or bounced; a spam filter has none."""
    done = (delivered or 0) + counts["critical_bounce_count"] + counts["non_critical_bounce_count"]
    rates = {
        name: None if delivered is None else round(100 * counts[count] / done) if done else 0
        for name, count in RATES.items()
    }
    return {
        **counts,
        "classified_failures_count": sum(counts.values()),
        "delivered_smtp_count": delivered,
        **rates,
    }


def measure(
    tx: Tx, span: Span, dimensions: list[str], predicates: tuple[Predicate, ...], *, subaccounts: bool = False
) -> list[Item]:
    """Only of what failures were classified for, in the order of the values."""
    breakdown = Breakdown(tx, dimensions, predicates)
    more = {
        "tags": "dimension_count.tags",
        "time": f"hour - hour % {span.step}",
        "ip_pool_name": ip_pools.NAME_COUNTED,
    }
    names = [_COUNTED[name] for name in breakdown.counted]
    found = bounce_counts.measure(tx, names, span.question(predicates, subaccounts=subaccounts), more)
    delivered = breakdown.deliveries(found.delivered)
    return [
        Item(
            values,
            _metrics(
                counts, None if breakdown.by_filter(values) else delivered.get(breakdown.own(values), 0)
            ),
        )
        for values, counts in sorted(breakdown.failures(found.classified).items())
    ]
