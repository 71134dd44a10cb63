"""Posts to webhooks: those that are owed and those that were made (facts/sending.md, 4.5)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Index, bindparam, delete, insert, literal_column, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.events import Event
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx


class DeliveryNotFound(NotFound):
    """Only `/_emulator` names deliveries, so the words are our own."""

    def __init__(self, delivery_id: int) -> None:
        super().__init__(
            f"There is no webhook delivery {delivery_id}; GET /_emulator/webhooks/deliveries lists those there are."
        )


class DeliveryState(StrEnum):
    """`stopped` by a 406; `given-up` after the last retry."""

    PENDING = "pending"
    DONE = "done"
    STOPPED = "stopped"
    GIVEN_UP = "given-up"


class WebhookDelivery(SQLModel, table=True):
    """One event that goes to one URL. `attempts` is JSON; times are seconds since 1970.

    `event_id` is the event's row, `webhook` the kind of webhook that asked for it. `next_at` is there while the
    state is pending.
    """

    __tablename__: ClassVar[Any] = "webhook_delivery"
    __table_args__ = (Index("webhook_delivery_expiry", "domain_id", "at"),)
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    event_id: int
    webhook: str
    url: str
    at: float
    state: str = DeliveryState.PENDING
    next_at: float | None = None
    attempts: str = "[]"


class Owed(NamedTuple):
    """All that a post needs; `payload`, `attempts` and the account's `settings` are JSON. `parent_signing_key` is there
    for subaccounts.
    """

    id: int
    domain_id: str
    url: str
    state: str
    attempts: str
    payload: str
    signing_key: str
    settings: str
    parent_signing_key: str | None


class Told(NamedTuple):
    """A delivery as it is shown; `payload` and `attempts` are JSON."""

    id: int
    domain_id: str
    webhook: str
    url: str
    at: float
    state: str
    next_at: float | None
    attempts: str
    event: str
    event_key: str
    recipient: str
    message_id: str
    payload: str
    domain: str


_INSERT = Statement(
    insert(WebhookDelivery).values({name: bindparam(name) for name in WebhookDelivery.model_fields})
)
_ID = col(WebhookDelivery.id) == bindparam("id")
_Parent = aliased(Account)
_OWED = Query(
    select(  # type: ignore[call-overload]  # SQLModel declares it for up to four columns
        *columns(WebhookDelivery, Owed._fields[:5]),
        col(Event.payload),
        col(Account.signing_key),
        col(Account.settings),
        col(_Parent.signing_key),
    )
    .join(Event, col(Event.id) == WebhookDelivery.event_id)
    .join(Domain, col(Domain.id) == WebhookDelivery.domain_id)
    .join(Account, col(Account.id) == Domain.account_id)
    .outerjoin(_Parent, col(_Parent.id) == Account.parent_id)
    .where(_ID),
    Owed,
)
_PUT = Statement(
    update(WebhookDelivery)
    .where(_ID)
    .values({name: bindparam(name) for name in ("state", "next_at", "attempts")})
)
_EXPIRED = select(col(WebhookDelivery.id)).where(
    col(WebhookDelivery.domain_id) == bindparam("domain_id"), col(WebhookDelivery.at) < bindparam("before")
)
_EXPIRE = Statement(
    delete(WebhookDelivery).where(col(WebhookDelivery.id).in_(_EXPIRED.limit(bindparam("most"))))
)


def add(tx: Tx, *, domain_id: str, event_id: int, webhook: str, url: str) -> int:
    """The delivery's id."""
    row = tx.next_id("webhook_delivery")
    _INSERT.later(
        tx,
        id=row,
        domain_id=domain_id,
        event_id=event_id,
        webhook=webhook,
        url=url,
        at=tx.now,
        state=DeliveryState.PENDING.value,
        next_at=tx.now,
        attempts="[]",
    )
    return row


def find_owed(tx: Tx, delivery_id: int) -> Owed | None:
    """None once its event or its domain is gone."""
    return _OWED.find(tx, id=delivery_id)


def put(tx: Tx, delivery_id: int, state: DeliveryState, attempts: str, next_at: float | None = None) -> None:
    """How it stands after an attempt."""
    _PUT.run(tx, id=delivery_id, state=state.value, next_at=next_at, attempts=attempts)


_FILTERS: dict[str, Any] = {
    "event": or_(col(WebhookDelivery.webhook) == bindparam("event"), col(Event.type) == bindparam("event")),
    "url": col(WebhookDelivery.url) == bindparam("url"),
    "url_pattern": col(WebhookDelivery.url).op("GLOB")(bindparam("url_pattern")),
    "domain": col(Domain.name) == bindparam("domain"),
    "recipient": col(Event.recipient) == bindparam("recipient"),
    "message_id": col(Event.message_id) == bindparam("message_id"),
    "state": col(WebhookDelivery.state) == bindparam("state"),
    "posted": col(WebhookDelivery.attempts) != literal_column("'[]'"),
    "before": col(WebhookDelivery.id) < bindparam("before"),
    "id": _ID,
}
"""What `list_told` can choose by; `event` is a kind of webhook or of event, `before` the id of another delivery.

`url` may have `*` for anything; `posted` are those with an attempt, whatever value is given.
"""


@cache
def _select(where: frozenset[str]) -> Query[Told]:
    found = (
        select(  # type: ignore[call-overload]  # SQLModel declares it for up to four columns
            *columns(WebhookDelivery, Told._fields[:8]),
            *columns(Event, ("type", "key", "recipient", "message_id", "payload")),
            col(Domain.name),
        )
        .join(Event, col(Event.id) == WebhookDelivery.event_id)
        .join(Domain, col(Domain.id) == WebhookDelivery.domain_id)
        .where(col(Domain.account_id) == bindparam("account_id"), col(Domain.deleted).is_(False))
        .where(*(_FILTERS[name] for name in sorted(where)))
        .order_by(col(WebhookDelivery.id).desc())
        .limit(bindparam("most"))
    )
    return Query(found, Told)


def list_told(tx: Tx, where: Mapping[str, Any], most: int) -> list[Told]:
    """Of the account's deliveries the newest first."""
    tx.settle()
    chosen = dict(where)
    if "*" in chosen.get("url", ""):  # nothing but that is special
        chosen["url_pattern"] = chosen.pop("url").replace("[", "[[]").replace("?", "[?]")
    return _select(frozenset(chosen)).list(tx, **chosen, account_id=tx.account_id, most=most)


def is_url(url: str, wanted: str) -> bool:
    """As `list_told` chooses by it."""
    if "*" not in wanted:
        return url == wanted
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), url, re.DOTALL) is not None


def total(tx: Tx) -> int:
    """How many the account has."""
    tx.settle()
    row = tx.read(
        "SELECT count(*) FROM webhook_delivery JOIN domain ON domain.id = domain_id "
        "WHERE account_id = :account AND NOT deleted",
        {"account": tx.account_id},
    ).fetchone()
    return int(row[0])


def get_told(tx: Tx, delivery_id: int) -> Told:
    found = list_told(tx, {"id": delivery_id}, 1)
    if not found:
        raise DeliveryNotFound(delivery_id)
    return found[0]


def expire(tx: Tx, domain_id: str, most: int) -> int:
    """Forget some of those whose events are kept no longer; how many."""
    before = tx.now - tx.settings.event_retention * 86400.0
    return _EXPIRE.run(tx, domain_id=domain_id, before=before, most=most).rowcount
