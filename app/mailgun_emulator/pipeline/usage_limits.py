"""What the limits of `/v1/thresholds/limits` refuse (facts/account.md, 10.2)."""

from fractions import Fraction
from importlib import import_module
from typing import Any

from mailgun_emulator.core.errors import Forbidden
from mailgun_emulator.state import jobs, thresholds
from mailgun_emulator.state.jobs import Step
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


def used(tx: Tx, metric: str, since: float) -> int:
    """How many there were since then."""
    counter: Any = import_module(COUNTED_BY[metric])
    return int(counter.count_since(tx, since))


def check(tx: Tx, metric: str) -> None:
    """`metric` is email_preview_success_count or seed_test_count: refuse one more, if a limit is used up.

    Of an account's own limits those that it uses up by this one more have a hit afterwards.
    """
    limits = thresholds.limits_on(tx, metric)
    for limit in limits:
        begin, _ = thresholds.span(limit.period, tx.now)
        if limit.is_passed_by(Fraction(used(tx, metric, begin))):
            raise LimitReached(limit)
    if limits:
        jobs.schedule(tx, Step.CHECK_THRESHOLDS, "")
