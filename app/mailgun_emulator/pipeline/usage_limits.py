"""What the limits of `/v1/thresholds/limits` refuse (facts/account.md, 10.2)."""

from mailgun_emulator.state.transaction import Tx


def check(tx: Tx, metric: str) -> None:
    """`metric` is email_preview_success_count or seed_test_count: refuse one more, if a limit is used up."""
