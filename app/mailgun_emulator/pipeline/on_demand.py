"""What a test lets happen to a recipient now, if it can happen at all."""

from typing import Any, NamedTuple

import orjson

from mailgun_emulator.core.errors import BadRequest, Conflict
from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline import deliver, follow_up
from mailgun_emulator.pipeline.deliver import Attempt
from mailgun_emulator.pipeline.outcomes import FollowUp, Outcome
from mailgun_emulator.state import deliveries, jobs
from mailgun_emulator.state.deliveries import Plan
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx


class NameTheRecipient(BadRequest):
    def __init__(self, recipients: list[str]) -> None:
        super().__init__(f"Say with recipient which one: {', '.join(recipients)}")


class NotARecipient(BadRequest):
    def __init__(self, recipient: str, recipients: list[str]) -> None:
        super().__init__(f"{recipient} is no recipient of the message: {', '.join(recipients)}")


class NotDelivered(Conflict):
    def __init__(self, recipient: str, job: DueJob) -> None:
        super().__init__(
            f"The message is not delivered to {recipient} yet: attempt {job.attempt} is due on "
            f"{dates.rfc2822(job.at, 'GMT')}. Let it be delivered first."
        )


class Over(Conflict):
    """It was delivered, or failed for good."""

    def __init__(self, recipient: str, event: dict[str, Any]) -> None:
        how = "was delivered to" if event["event"] == EventType.DELIVERED else "failed for good to"
        at = dates.rfc2822(event["timestamp"], "GMT")
        follows = (
            "It can be opened, clicked, unsubscribed from, complained about or fail for good."
            if event["event"] == EventType.DELIVERED
            else "Nothing follows that."
        )
        super().__init__(f"The message {how} {recipient} on {at}. {follows}")


class Cancelled(Conflict):
    def __init__(self, recipient: str) -> None:
        super().__init__(
            f"The delivery to {recipient} was cancelled, or its events are forgotten: nothing follows that."
        )


class Refused(Conflict):
    def __init__(self, recipient: str, why: str) -> None:
        super().__init__(f"The delivery to {recipient} is not even tried: {why}.")


class InTestMode(Conflict):
    message = "The message is in test mode: it does not fail."


class Wanted(NamedTuple):
    """`answer` is what the recipient's server says to an attempt, `then` what follows a delivery."""

    event: EventType
    answer: Outcome
    then: FollowUp


def find_copy(copies: list[SentMessage], recipient: str | None) -> tuple[SentMessage, str]:
    """The copy that goes to the recipient, who need not be named if there is but one, and how it spells the address."""
    places = {
        address.lower(): (copy, address) for copy in copies for address in orjson.loads(copy.recipients)
    }
    everyone = [address for _, address in places.values()]
    if recipient is None:
        if len(places) != 1:
            raise NameTheRecipient(everyone)
        return next(iter(places.values()))
    found = places.get(recipient.lower())
    if found is None:
        raise NotARecipient(recipient, everyone)
    return found


def let_happen(tx: Tx, message: SentMessage, recipient: str, wanted: Wanted) -> dict[str, Any]:
    """The event that tells so. Raise `Conflict` for what can't happen."""
    pending = deliveries.find_pending(tx, message, recipient)
    if pending is not None:
        if wanted.event not in (EventType.DELIVERED, EventType.FAILED):
            raise NotDelivered(recipient, pending)
        return _attempt(tx, message, pending, wanted.answer)
    end = deliveries.find_end(tx, message, recipient)
    if end is None:
        raise Cancelled(recipient)
    if end["event"] != EventType.DELIVERED or wanted.event == EventType.DELIVERED or wanted.answer.temporary:
        raise Over(recipient, end)
    return follow_up.make(tx, message, recipient, wanted.then)


def _attempt(tx: Tx, message: SentMessage, pending: DueJob, answer: Outcome) -> dict[str, Any]:
    """In the place of the next attempt."""
    plan = Plan.read(pending.subject)
    attempt = Attempt(message, plan.recipient, pending.attempt, orjson.loads(message.options), plan.rule)
    refusal = deliver.refusal_of(tx, attempt)
    if refusal is not None:
        raise Refused(plan.recipient, refusal.description)
    if "testmode" in attempt.options:
        if not answer.delivered:
            raise InTestMode
        answer = deliver.TESTED
    jobs.complete(tx, pending)
    return deliver.carry_out(tx, attempt, answer)
