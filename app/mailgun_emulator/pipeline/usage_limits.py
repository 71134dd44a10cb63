"""What the limits of `/v1/thresholds/limits` refuse (facts/account.md, 10.2)."""

from fractions import Fraction
from importlib import import_module
from typing import Any, NamedTuple

from mailgun_emulator.core.errors import Forbidden
from mailgun_emulator.state import thresholds
from mailgun_emulator.state.thresholds import Threshold
from mailgun_emulator.state.transaction import Tx

COUNTED_BY = {
    "email_preview_success_count": "mailgun_emulator.state.email_previews",
    "seed_test_count": "mailgun_emulator.state.seed_tests",
}
"""Where each metric's `count_since` is."""


class LimitReached(Forbidden):
    """Mailgun's own text is not known."""

    def __init__(self, limit: Threshold) -> None:
        super().__init__(
            f"limit '{limit.name}' reached: {limit.metric} {limit.comparator} {limit.limit} in {limit.period}"
        )


class Usage(NamedTuple):
    number: int
    until: float
    """When it begins again at nothing, by the clock of whose it is."""


def usage(tx: Tx, limit: Threshold, account_id: str) -> Usage:
    """What the account used up of a limit, by its own clock."""
    counter: Any = import_module(COUNTED_BY[limit.metric])
    with tx.speaking_for(account_id):
        begin, end = thresholds.span(limit.period, tx.now)
        return Usage(int(counter.count_since(tx, begin)), end)


def check(tx: Tx, metric: str) -> None:
    """`metric` is email_preview_success_count or seed_test_count: refuse one more, if a limit is used up.

    Those that are used up by this one more have a hit afterwards.
    """
    limits = thresholds.limits_on(tx, metric)
    for limit in limits:
        if limit.is_passed_by(Fraction(usage(tx, limit, tx.account_id).number)):
            raise LimitReached(limit)
    thresholds.have_checked(tx, dict.fromkeys(each.account_id for each in limits))
