"""Events posted to webhooks (facts/sending.md, 4.5)."""

import logging
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail.signing import sign
from mailgun_emulator.pipeline.outgoing import TAKEN, UNWANTED, Answer, Outgoing, retry_after
from mailgun_emulator.state import jobs, statistics, webhook_deliveries, webhooks
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhook_deliveries import DeliveryState, Owed

HEADERS = {"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "gzip"}
GIVEN_UP_METRIC = "failed+webhook"
TOKEN_LENGTH = 50

log = logging.getLogger(__name__)

_ENDED = {TAKEN: DeliveryState.DONE, UNWANTED: DeliveryState.STOPPED}
_NAMED_AS_EVENTS = frozenset(
    (
        EventType.ACCEPTED,
        EventType.OPENED,
        EventType.CLICKED,
        EventType.UNSUBSCRIBED,
        EventType.COMPLAINED,
    )
)


class Post(NamedTuple):
    """`signature` is the part of `body` that changes from attempt to attempt; `at` in seconds since 1970.

    `redacted`: the event is told without personal data.
    """

    at: float
    signature: dict[str, str]
    body: bytes
    redacted: bool = False


def webhook_of(kind: EventType, payload: dict[str, Any]) -> str | None:
    """The kind of webhook that is told of an event; none of what routes have forwarded (facts/sending.md, 4.1)."""
    if kind in _NAMED_AS_EVENTS:
        return kind.value
    if kind is EventType.FAILED:
        return f"{payload['severity']}_fail"
    if kind is EventType.DELIVERED and payload.get("envelope", {}).get("transport") != "http":
        return kind.value
    return None


def schedule(tx: Tx, kind: EventType, domain_id: str, payload: dict[str, Any], event_row_id: int) -> None:
    """Each URL that wants to be told of the event is owed a post. It is made even if the webhook is deleted before."""
    webhook = webhook_of(kind, payload)
    if webhook is None:
        return
    for url in webhooks.hooks_for(tx, domain_id, webhook):
        delivery_id = webhook_deliveries.add(
            tx, domain_id=domain_id, event_id=event_row_id, webhook=webhook, url=url
        )
        jobs.schedule(tx, Step.NOTIFY, delivery_id, domain_id=domain_id, lane=url)


def resend(tx: Tx, delivery_id: int) -> None:
    """Post again now, whatever came of it; what still was to be tried, or is under way, is only hastened."""
    told = webhook_deliveries.get_told(tx, delivery_id)
    webhook_deliveries.put(tx, delivery_id, DeliveryState.PENDING, told.attempts, tx.now)
    if not jobs.hasten(tx, Step.NOTIFY, delivery_id):
        jobs.schedule(tx, Step.NOTIFY, delivery_id, domain_id=told.domain_id, lane=told.url)


async def notify(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """Read in one transaction, post outside any, write in another."""
    with database.reading(job.account_id) as tx:
        owed = webhook_deliveries.find_owed(tx, int(job.subject))
        post = None
        if owed is not None and owed.state == DeliveryState.PENDING:
            told = _told(owed)
            post = compose(tx, told, owed.signing_key, owed.parent_signing_key)
            post = post if told is owed.payload else post._replace(redacted=True)
    answer = None
    if owed is not None and post is not None:
        answer = await outgoing.post_for(database, job, owed.url, data=post.body, headers=HEADERS)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and owed is not None and post is not None and answer is not None:
            _finish(tx, job, owed, post, answer)


def _told(owed: Owed) -> str:
    """The event; without personal data, if the account wants it so."""
    if owed.settings == "{}":
        return owed.payload
    from mailgun_emulator.pipeline import redact  # few accounts have said anything
    from mailgun_emulator.state import account_settings

    return redact.redacted(owed.payload) if account_settings.redacts(owed.settings) else owed.payload


def compose(
    tx: Tx, payload: str | dict[str, Any], signing_key: str, parent_signing_key: str | None = None
) -> Post:
    """What is posted now: each attempt is signed anew. A subaccount's is signed by its parent as well.

    `payload` is the event, or its JSON.
    """
    timestamp, token = str(int(tx.now)), tx.ids.hex(TOKEN_LENGTH)
    signature = {
        "timestamp": timestamp,
        "token": token,
        "signature": sign(signing_key, timestamp, token),
    }
    if parent_signing_key is not None:
        signature["parent-signature"] = sign(parent_signing_key, timestamp, token)
    return Post(tx.now, signature, body_of(signature, payload))


def body_of(signature: dict[str, str], payload: str | dict[str, Any]) -> bytes:
    event = orjson.Fragment(payload) if isinstance(payload, str) else payload
    return orjson.dumps({"signature": signature, "event-data": event})


def _finish(tx: Tx, job: DueJob, owed: Owed, post: Post, answer: Answer) -> None:
    attempt = {"at": post.at, "signature": post.signature, **answer._asdict()}
    attempt.update({"redacted": True} if post.redacted else {})
    attempts = orjson.dumps([*orjson.loads(owed.attempts), attempt]).decode()
    tx.tell("webhook", owed.id)
    after = retry_after(job)
    if answer.is_final:
        webhook_deliveries.put(tx, owed.id, _ENDED[answer.status], attempts)
    elif after is None:
        log.warning("Gave up posting to %s: %s", owed.url, answer.error or f"it answered {answer.status}")
        webhook_deliveries.put(tx, owed.id, DeliveryState.GIVEN_UP, attempts)
        _count_given_up(tx, owed)
    else:
        webhook_deliveries.put(tx, owed.id, DeliveryState.PENDING, attempts, tx.now + after)
        jobs.schedule(
            tx,
            Step.NOTIFY,
            owed.id,
            domain_id=owed.domain_id,
            after=after,
            attempt=job.attempt + 1,
            lane=owed.url,
        )


def _count_given_up(tx: Tx, owed: Owed) -> None:
    event = orjson.loads(owed.payload)
    recipient_domain = event.get("recipient-domain", "").lower()
    tags = event.get("tags") or []
    statistics.count(tx, owed.domain_id, GIVEN_UP_METRIC, tags, recipient_domain=recipient_domain)
