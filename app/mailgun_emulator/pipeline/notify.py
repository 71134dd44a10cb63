"""Events posted to webhooks (facts/sending.md, 4)."""

from typing import Any

from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.events import EventType


def schedule(tx: Tx, kind: EventType, domain_id: str, payload: dict[str, Any], event_row_id: int) -> None:
    """Until the webhooks part is there."""
