"""How many failures met which rule of `mail.bounce_rules` (facts/sending.md, 7.5)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mailgun_emulator.mail import bounce_rules
from mailgun_emulator.mail.bounce_rules import Rule
from mailgun_emulator.state import statistics
from mailgun_emulator.state.statistics import Counts, Question
from mailgun_emulator.state.transaction import Tx

RULE = "failed+rule."
DELIVERED = "delivered.smtp"


class Classified(NamedTuple):
    """So many failures of one severity that met the rule; `key` has the values of the dimensions."""

    key: tuple[Any, ...]
    severity: str
    rule: Rule
    number: int

    @property
    def permanent(self) -> bool:
        return self.severity == "permanent"


class Measured(NamedTuple):
    """`delivered` is by the values of the dimensions."""

    classified: list[Classified]
    delivered: dict[tuple[Any, ...], int]


def measure(
    tx: Tx, dimensions: Sequence[str], asked: Question, more: Mapping[str, str] | None = None
) -> Measured:
    """By dimensions that `statistics` knows, and `more`."""
    about = asked._replace(events=frozenset(("delivered", "failed")))
    found = statistics.measure(tx, dimensions, about, more)
    classified = [each for key, counts in found.items() for each in _classified(key, counts)]
    return Measured(classified, {key: counts.get(DELIVERED, 0) for key, counts in found.items()})


def _classified(key: tuple[Any, ...], counts: Counts) -> list[Classified]:
    parts = [
        (metric.removeprefix(RULE).split(".", 1), n)
        for metric, n in counts.items()
        if metric.startswith(RULE)
    ]
    return [Classified(key, severity, bounce_rules.BY_ID[rule], n) for (severity, rule), n in parts]


def entity_of(rule: Rule, provider: str) -> str:
    """The blocklist or filter that refused, or else the mailbox provider; `provider` is one of `mail.providers`."""
    return rule.filter or bounce_rules.PROVIDER_ENTITIES.get(provider, "other")


def provider_name(provider: str) -> str:
    return bounce_rules.ENTITY_NAMES[bounce_rules.PROVIDER_ENTITIES.get(provider, "other")]
