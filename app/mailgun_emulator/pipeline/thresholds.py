"""Figures held against alerts and limits: who passes them, and who does no more (facts/account.md, 10.1 and 10.2).

Figures are counted by the hour: an hour counts as long as any of it lies in the alert's period.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import inf
from typing import Any, NamedTuple

from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import HOUR, Period, Resolution
from mailgun_emulator.pipeline import alerting, usage_limits
from mailgun_emulator.state import accounts, jobs, rows, statistics, threshold_hits, thresholds
from mailgun_emulator.state.jobs import DueJob, Job, Step
from mailgun_emulator.state.statistics import Counts, Question, total_of
from mailgun_emulator.state.thresholds import SUBACCOUNT, Kind, Threshold
from mailgun_emulator.state.transaction import Tx

EVENTS = frozenset(("complained", "delivered", "failed"))
SUPPRESSED = tuple(f"failed.permanent.suppress-{each}" for each in ("bounce", "unsubscribe", "complaint"))


class Figures(NamedTuple):
    """`counts` by the dimension's values; `until` is when the oldest hour that has any leaves the period."""

    counts: dict[str, Counts]
    until: float


def _processed(counts: Counts) -> int:
    return total_of(counts, "delivered.") + total_of(counts, "failed.permanent.")


def _sent(counts: Counts) -> int:
    return _processed(counts) - sum(counts.get(metric, 0) for metric in SUPPRESSED)


Count = Callable[[Counts], int]
RATES: dict[str, tuple[Count, Count]] = {
    "hard_bounce_rate": (lambda counts: counts.get("failed+hard", 0), _sent),
    "temporary_fail_rate": (lambda counts: total_of(counts, "failed.temporary."), _processed),
    "delivered_rate": (lambda counts: total_of(counts, "delivered."), _sent),
    "complained_rate": (
        lambda counts: counts.get("complained", 0),
        lambda counts: total_of(counts, "delivered."),
    ),
}
"""What is divided by what, as Metrics have it."""


def check_soon(tx: Tx) -> None:
    """Something was counted. Of a subaccount it is counted for its parent as well, who has another clock."""
    thresholds.have_checked(tx, tx.check_soon())


def put(tx: Tx, kind: Kind, name: str, given: Mapping[str, Any]) -> Threshold:
    """Hits of what is not watched any more are forgotten."""
    is_other = thresholds.put(tx, kind, name, given)
    threshold = thresholds.get(tx, kind, given["name"])
    if is_other:
        threshold_hits.forget(tx, threshold)
    return threshold


def check(tx: Tx, _: DueJob | None = None) -> None:
    """All of the account's thresholds. Once more when an hour leaves a period, as that changes figures as well."""
    tx.check_now()
    rows.delete(tx, Job, {"account_id": tx.account_id, "step": Step.CHECK_THRESHOLDS.value})
    again = min((_check_alert(tx, each) for each in thresholds.list_all(tx, Kind.ALERT)), default=inf)
    check_limits(tx)
    if again < inf:
        jobs.schedule(tx, Step.CHECK_THRESHOLDS, "", after=again - tx.now)


def check_limits(tx: Tx) -> None:
    """Nobody is told of those: what they refuse says so itself. Hits that are over long enough go."""
    for limit in thresholds.list_all(tx, Kind.LIMIT):
        limit.last_checked = tx.now
        _check_limit(tx, limit)
    threshold_hits.expire(tx)


def _check_limit(tx: Tx, limit: Threshold) -> None:
    """Each of those it is about for itself."""
    known = threshold_hits.of(tx, limit)
    for account_id in thresholds.list_bound(tx, limit):
        (used, until), hit = usage_limits.usage(tx, limit, account_id), known.pop(account_id, None)
        if limit.is_passed_by(Fraction(used)):
            threshold_hits.trigger(tx, limit, hit, account_id, str(used))
        elif hit is not None:
            threshold_hits.fall_back(tx, hit, str(used), until)
    for hit in known.values():
        threshold_hits.fall_back(tx, hit, None, tx.now)


def figures(tx: Tx, alert: Threshold) -> Figures:
    """Of the account and its subaccounts, in the period before now."""
    seconds = thresholds.seconds_of(alert.period)
    begin = periods.floor(max(tx.now - seconds, 0.0), Resolution.HOUR)
    period = Period(begin, periods.floor(tx.now, Resolution.HOUR), Resolution.HOUR)
    filters = alert.read_filters()
    dimensions = [*dict.fromkeys(["time", alert.dimension, *(each.dimension for each in filters)])]
    names = accounts.names(tx) if SUBACCOUNT in dimensions else {}
    found: dict[str, Counts] = {}
    oldest = inf
    for key, counts in statistics.measure(tx, dimensions, Question(period, EVENTS, subaccounts=True)).items():
        texts = dict(zip(dimensions, key, strict=True))
        value = texts[alert.dimension]
        if not value or not all(
            thresholds.passes(each, *_known_as(each.dimension, texts[each.dimension], names))
            for each in filters
        ):
            continue
        oldest = min(oldest, texts["time"])
        own = found.setdefault(value, {})
        for metric, number in counts.items():
            own[metric] = own.get(metric, 0) + number
    return Figures(found, oldest + HOUR + seconds)


def _known_as(dimension: str, value: str, names: dict[str, str]) -> tuple[str, ...]:
    """A subaccount goes by its id and by its name."""
    return (value, names[value]) if dimension == SUBACCOUNT else (value,)


def _check_alert(tx: Tx, alert: Threshold) -> float:
    """When its figures change by themselves, if ever."""
    part, whole = RATES[alert.metric]
    known = threshold_hits.of(tx, alert)
    found = figures(tx, alert)
    alert.last_checked = tx.now
    over = tx.now + thresholds.seconds_of(alert.period)
    for value, counts in found.counts.items():
        of, hit = whole(counts), known.pop(value, None)
        rate = Fraction(part(counts), of) if of else None
        latest = None if rate is None else f"{float(rate):.4f}"
        if rate is not None and latest is not None and alert.is_passed_by(rate):
            new = threshold_hits.trigger(tx, alert, hit, value, latest)
            if new is not None:
                alerting.tell_of_hit(tx, alert, new)
        elif hit is not None:
            threshold_hits.fall_back(tx, hit, latest, over)
    for hit in known.values():
        threshold_hits.fall_back(tx, hit, None, over)
    return found.until
