"""How healthy a domain's sending is, and which dynamic IP pool that makes it fit for (facts/account.md, 5.5).

Mailgun tells neither the limits nor the window. The limits of the rates are those above which it is seen to disable
domains; the rest is a guess that fits the published examples.
"""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import DAY, Period, Resolution
from mailgun_emulator.state import statistics
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statistics import Counts, Question, ratio, total_of
from mailgun_emulator.state.transaction import Tx

WINDOW_SECONDS = 30 * DAY
"""What is looked back upon."""
POOR_BOUNCE_RATE = 0.05
POOR_COMPLAINT_RATE = 0.0005
KNOWN_FROM = 100
"""A domain that processed fewer messages in the window is a new sender, whatever its rates are."""


class Band(StrEnum):
    """The three pools, in the order of the wire."""

    GOOD = "dynamic_good"
    POOR = "dynamic_poor"
    NEW = "dynamic_new"


class Finding(NamedTuple):
    value: float
    band: Band


class Health(NamedTuple):
    """Rates are parts of one: bounces of what was sent, complaints of what was delivered."""

    bounce_rate: Finding
    complaint_rate: Finding
    processed_count: Finding

    @property
    def band(self) -> Band:
        """Too few messages tell nothing; of enough, the worst counts."""
        if self.processed_count.band is Band.NEW:
            return Band.NEW
        return Band.POOR if self._findings_in(Band.POOR) else Band.GOOD

    @property
    def reason(self) -> str:
        """For the band, in the words of the published examples."""
        about = self._findings_in(self.band)
        what = about[0] if len(about) == 1 else "Multiple metrics"
        return f"{what} in {self.band.removeprefix('dynamic_')} threshold"

    def _findings_in(self, band: Band) -> list[str]:
        return [name for name, finding in self._asdict().items() if finding.band is band]


def examine(tx: Tx, domain: Domain) -> Health:
    """By what was counted until now, by the clock of the domain's account."""
    window = _until(tx.now_of(domain.account_id))
    return health_of(statistics.measure(tx, (), Question(window, domain_id=domain.id)).get((), {}))


def examine_all(tx: Tx) -> Mapping[str, Health]:
    """Of the account's domains, by their names."""
    counted = statistics.measure(tx, ("domain",), Question(_until(tx.now)))
    known = {name: health_of(counts) for (name,), counts in counted.items()}
    return defaultdict(lambda: health_of({}), known)


def _until(now: float) -> Period:
    return periods.period(max(now - WINDOW_SECONDS, 0), now, Resolution.HOUR)


def health_of(counts: Counts) -> Health:
    delivered, failed = total_of(counts, "delivered."), total_of(counts, "failed.permanent.")
    suppressed = total_of(counts, "failed.permanent.suppress-")
    bounces = ratio(failed - suppressed, delivered + failed - suppressed)
    complaints = ratio(counts.get("complained", 0), delivered)
    return Health(
        Finding(bounces, Band.POOR if bounces >= POOR_BOUNCE_RATE else Band.GOOD),
        Finding(complaints, Band.POOR if complaints >= POOR_COMPLAINT_RATE else Band.GOOD),
        Finding(delivered + failed, Band.NEW if delivered + failed < KNOWN_FROM else Band.GOOD),
    )
