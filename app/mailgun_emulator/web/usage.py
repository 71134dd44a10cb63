"""What Mailgun bills for: how each is told from what was counted (facts/sending.md, 7.4)."""

from collections.abc import Iterable

from mailgun_emulator.state.statistics import Counts
from mailgun_emulator.web import measures

COUNTED = (
    "email_validation_count", "email_validation_public_count", "email_validation_valid_count",
    "email_validation_single_count", "email_validation_bulk_count", "email_validation_list_count",
    "email_validation_mailgun_count", "email_validation_mailjet_count", "email_preview_count",
    "email_preview_failed_count", "link_validation_count", "link_validation_failed_count", "seed_test_count",
    "ip_blocklist_monitoring_count", "domain_blocklist_monitoring_count", "accessibility_count",
    "accessibility_failed_count", "image_validation_count", "image_validation_failed_count", "archived_count",
)  # fmt: skip
"""Counted as `usage.` and the name without `_count` when it is done."""
NAMES = ("processed_count", *COUNTED)


def number(name: str, counts: Counts) -> int:
    if name == "processed_count":
        return measures.COUNTS[name](counts)
    return counts.get(f"usage.{name.removesuffix('_count')}", 0)


def tell(counts: Counts, names: Iterable[str]) -> dict[str, int]:
    """Those metrics, in Mailgun's order."""
    asked = set(names)
    return {name: number(name, counts) for name in NAMES if name in asked}
