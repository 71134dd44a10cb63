"""Deliveries to webhooks as they are shown."""

import orjson
from pydantic import BaseModel

from mailgun_emulator.state.webhook_deliveries import DeliveryState, Told


class DeliveryView(BaseModel):
    """One event that goes to one URL. Times in seconds since 1970.

    `webhook` is the kind of webhook that asked for it; `event` and `event_id` tell the event. `attempts` is how many
    were made, `status` what the last one was answered, 0 if by nobody. `next_try` is there while it is pending.
    """

    id: int
    state: DeliveryState
    webhook: str
    event: str
    event_id: str
    url: str
    domain: str
    recipient: str
    message_id: str
    created_at: float
    attempts: int
    status: int | None
    next_try: float | None


def view(told: Told) -> DeliveryView:
    attempts = orjson.loads(told.attempts)
    return DeliveryView(
        id=told.id,
        state=DeliveryState(told.state),
        webhook=told.webhook,
        event=told.event,
        event_id=told.event_key,
        url=told.url,
        domain=told.domain,
        recipient=told.recipient,
        message_id=told.message_id,
        created_at=told.at,
        attempts=len(attempts),
        status=attempts[-1]["status"] if attempts else None,
        next_try=told.next_at,
    )
