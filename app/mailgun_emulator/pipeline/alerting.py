"""Those who want to know are told of what happened to the account (facts/account.md, 10.3)."""

from collections.abc import Mapping
from typing import Any

from mailgun_emulator.state.transaction import Tx


def tell(tx: Tx, event_type: str, about: Mapping[str, Any]) -> None:
    """`event_type` is one of `/v1/alerts/events`; `about` are the fields of `event_data` besides those all have."""
