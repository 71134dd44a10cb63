"""How far the delivery of a message to one recipient has come: what is planned, how it ended."""

from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, or_, select
from sqlmodel import col

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state import jobs, messages
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.events import Event, EventType
from mailgun_emulator.state.jobs import DueJob, Job, Step
from mailgun_emulator.state.messages import Message, SentMessage
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.transaction import Tx


class MessageUnknown(NotFound):
    """Only `/_emulator` is asked so, and the words are our own."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The account has no message {name}: name it by the id that sending it answered, or by the key in the "
            "storage of its events. A message is forgotten after three days, or when its domain's message_ttl is over."
        )


class Plan(NamedTuple):
    """The subject of a job that delivers: the message's row, the outcome rule it goes by, if any, the recipient."""

    row: int
    recipient: str
    rule: str = ""

    @classmethod
    def read(cls, subject: str) -> "Plan":
        place, _, recipient = subject.partition(" ")
        row, _, rule = place.partition("/")
        return cls(int(row), recipient, rule)

    def __str__(self) -> str:
        return f"{self.row}/{self.rule} {self.recipient}" if self.rule else f"{self.row} {self.recipient}"


class _Row(NamedTuple):
    id: int


class _Payload(NamedTuple):
    payload: str


class _Key(NamedTuple):
    storage_key: str


_PENDING = Query(
    select(*columns(Job, DueJob._fields))
    .where(
        col(Job.account_id) == bindparam("account_id"),
        col(Job.step) == Step.DELIVER.value,
        or_(col(Job.subject).like(bindparam("plain")), col(Job.subject).like(bindparam("by_rule"))),
    )
    .order_by(col(Job.at), col(Job.id)),
    DueJob,
)
_ENDS = Query(
    select(col(Event.payload))
    .where(
        col(Event.message_id) == bindparam("message_id"),
        col(Event.domain_id) == bindparam("domain_id"),
        col(Event.recipient) == bindparam("recipient"),
        or_(col(Event.type) == EventType.DELIVERED.value, col(Event.type) == EventType.FAILED.value),
    )
    .order_by(col(Event.id).desc()),
    _Payload,
)
_OF_ACCOUNT = col(Domain.account_id) == bindparam("account_id")
_KEYS = Query(
    select(func.json_extract(col(Event.payload), "$.storage.key"))
    .distinct()
    .join(Domain, col(Domain.id) == col(Event.domain_id))
    .where(
        _OF_ACCOUNT,
        col(Event.message_id) == bindparam("message_id"),
        col(Event.type) == EventType.ACCEPTED.value,
    ),
    _Key,
)
_BY_KEY = Query(
    select(col(Message.id))
    .join(Domain, col(Domain.id) == col(Message.domain_id))
    .where(_OF_ACCOUNT, col(Message.storage_key) == bindparam("storage_key")),
    _Row,
)


def schedule(tx: Tx, message: SentMessage, plan: Plan, *, after: float, attempt: int) -> None:
    jobs.schedule(tx, Step.DELIVER, str(plan), domain_id=message.domain_id, after=after, attempt=attempt)
    messages.keep(tx, message, tx.now + after + 1)


def list_copies(tx: Tx, name: str) -> list[SentMessage]:
    """The stored copies of the message of that id, with or without its angle brackets, or that storage key.

    Those of other messages are not found through the messages themselves, because only their events are indexed
    by id.
    """
    tx.settle()
    message_id = name.strip().removeprefix("<").removesuffix(">").lower()
    keys = [name.strip(), *(each.storage_key for each in _KEYS.list(tx, **_whose(tx), message_id=message_id))]
    rows = [_BY_KEY.find(tx, **_whose(tx), storage_key=key) for key in keys if key]
    copies = [messages.find_sent(tx, row.id) for row in rows if row is not None]
    found = [copy for copy in copies if copy is not None]
    if not found:
        raise MessageUnknown(name)
    return found


def find_pending(tx: Tx, message: SentMessage, recipient: str) -> DueJob | None:
    """The next attempt."""
    tx.settle()
    planned = _PENDING.list(tx, **_whose(tx), plain=f"{message.id} %", by_rule=f"{message.id}/%")
    return next((job for job in planned if Plan.read(job.subject).recipient == recipient), None)


def find_end(tx: Tx, message: SentMessage, recipient: str) -> dict[str, Any] | None:
    """The event that it was delivered, or failed for good; the last, where it came back after a delivery."""
    tx.settle()
    about = {"message_id": message.message_id.lower(), "domain_id": message.domain_id}
    for found in _ENDS.list(tx, recipient=recipient.lower(), **about):
        event: dict[str, Any] = orjson.loads(found.payload)
        is_of_copy = event.get("storage", {}).get("key") == message.storage_key
        if is_of_copy and event.get("severity") != "temporary":
            return event
    return None


def _whose(tx: Tx) -> dict[str, str]:
    return {"account_id": tx.account_id}
