"""Mailgun's metrics: how each is told from what was counted (facts/sending.md, 7.4)."""

from collections.abc import Callable, Iterable

from mailgun_emulator.state.statistics import Counts

Formula = Callable[[Counts], int]


def _of(metric: str) -> Formula:
    """That metric, and those that it is the beginning of."""
    return lambda counts: sum(
        number for name, number in counts.items() if name == metric or name.startswith(f"{metric}.")
    )


def _one(metric: str) -> Formula:
    return lambda counts: counts.get(metric, 0)


def _sum(*formulas: Formula) -> Formula:
    return lambda counts: sum(formula(counts) for formula in formulas)


def _less(formula: Formula, *subtracted: Formula) -> Formula:
    return lambda counts: formula(counts) - sum(each(counts) for each in subtracted)


_delivered = _of("delivered")
_retried = _one("delivered+retried")
_permanent = _of("failed.permanent")
_suppressed = _sum(
    *(_one(f"failed.permanent.suppress-{each}") for each in ("bounce", "unsubscribe", "complaint"))
)
_bounced = _less(_permanent, _suppressed)
_processed = _sum(_delivered, _permanent)
_sent = _less(_processed, _suppressed)
_old = _one("failed.permanent.old")

COUNTS: dict[str, Formula] = {
    "accepted_incoming_count": _one("accepted.incoming"),
    "accepted_outgoing_count": _one("accepted.outgoing"),
    "accepted_count": _of("accepted"),
    "delivered_smtp_count": _one("delivered.smtp"),
    "delivered_http_count": _one("delivered.http"),
    "delivered_optimized_count": _one("delivered+optimized"),
    "delivered_count": _delivered,
    "stored_count": _one("stored"),
    "processed_count": _processed,
    "sent_count": _sent,
    "opened_count": _one("opened"),
    "clicked_count": _one("clicked"),
    "unique_opened_count": _one("opened+unique"),
    "unique_clicked_count": _one("clicked+unique"),
    "unsubscribed_count": _one("unsubscribed"),
    "complained_count": _one("complained"),
    "failed_count": _of("failed"),
    "temporary_failed_count": _of("failed.temporary"),
    "permanent_failed_count": _permanent,
    "temporary_failed_esp_block_count": _one("failed.temporary.espblock"),
    "permanent_failed_esp_block_count": _one("failed.permanent.espblock"),
    "rate_limit_count": _one("rate-limited"),
    "webhook_count": _one("failed+webhook"),
    "permanent_failed_optimized_count": _one("failed+optimized"),
    "permanent_failed_old_count": _old,
    "bounced_count": _bounced,
    "hard_bounces_count": _one("failed+hard"),
    "soft_bounces_count": _less(_bounced, _one("failed+hard")),
    "delayed_bounce_count": _one("failed.permanent.delayed-bounce"),
    "suppressed_bounces_count": _one("failed.permanent.suppress-bounce"),
    "suppressed_unsubscribed_count": _one("failed.permanent.suppress-unsubscribe"),
    "suppressed_complaints_count": _one("failed.permanent.suppress-complaint"),
    "delivered_first_attempt_count": _less(_delivered, _retried),
    "delayed_first_attempt_count": _sum(_retried, _old),
    "delivered_subsequent_count": _retried,
    "delivered_two_plus_attempts_count": _retried,
}
"""In the order of the wire."""

RATES: dict[str, tuple[str, Formula]] = {
    "delivered_rate": ("delivered_count", _sent),
    "opened_rate": ("opened_count", _delivered),
    "clicked_rate": ("clicked_count", _delivered),
    "unique_opened_rate": ("unique_opened_count", _delivered),
    "unique_clicked_rate": ("unique_clicked_count", _delivered),
    "unsubscribed_rate": ("unsubscribed_count", _delivered),
    "complained_rate": ("complained_count", _delivered),
    "bounce_rate": ("bounced_count", _sent),
    "fail_rate": ("failed_count", _processed),
    "permanent_fail_rate": ("permanent_failed_count", _processed),
    "temporary_fail_rate": ("temporary_failed_count", _processed),
    "delayed_rate": ("delivered_two_plus_attempts_count", _delivered),
    "delayed_first_attempt_rate": ("delayed_first_attempt_count", _processed),
}
"""What is divided by what; as parts of one."""

NAMES = (*COUNTS, *RATES)


def rate(name: str, counts: Counts) -> float:
    part, whole = RATES[name]
    of = whole(counts)
    return COUNTS[part](counts) / of if of else 0.0


def tell(counts: Counts, names: Iterable[str]) -> dict[str, int | str]:
    """Those metrics, in Mailgun's order; rates are text with four decimals."""
    asked = set(names)
    told: dict[str, int | str] = {name: COUNTS[name](counts) for name in COUNTS if name in asked}
    return told | {name: f"{rate(name, counts):.4f}" for name in RATES if name in asked}


def number(name: str, counts: Counts) -> float:
    """To sort by."""
    return COUNTS[name](counts) if name in COUNTS else rate(name, counts)
