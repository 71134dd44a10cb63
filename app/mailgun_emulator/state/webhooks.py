"""Where the events of a domain are posted to (facts/sending.md, 4.1 to 4.3)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.transaction import Tx

MOST_URLS = 3
"""Of one kind of event, for a domain and for an account."""


class WebhookNotFound(NotFound):
    message = "Webhook not found"


class UrlNotFound(WebhookNotFound):
    key = "Description"


class WebhookExists(BadRequest):
    message = "Webhook already exists"


class UrlExists(BadRequest):
    key = "Reason"
    message = "Webhook for event type '{event}' with URL '{url}' already exists"


class TooManyUrls(BadRequest):
    key = "Reason"
    message = "unable to add more than {most} urls for event type {event}"


class WebhookEvent(StrEnum):
    """What a webhook can be told of, in the order in which webhooks are listed."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    TEMPORARY_FAIL = "temporary_fail"
    PERMANENT_FAIL = "permanent_fail"


_ALIASES = {"unsubscribe": WebhookEvent.UNSUBSCRIBED}
"""As mailgun.js has it (facts/sending.md, 4.1)."""


class DomainWebhook(SQLModel, table=True):
    """One URL for one kind of event; `id` is the order in which they came."""

    __tablename__: ClassVar[Any] = "domain_webhook"
    __table_args__ = (UniqueConstraint("domain_id", "event", "url"),)
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    event: str
    url: str


class AccountWebhook(SQLModel, table=True):
    """One URL for several kinds of events of all domains; `event_types` is JSON, the time in seconds since 1970."""

    __tablename__: ClassVar[Any] = "account_webhook"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    url: str
    event_types: str
    description: str = ""
    created_at: float


Urls = dict[WebhookEvent, list[str]]


class _Wanting(NamedTuple):
    """URLs on lines of their own."""

    of_domain: str | None
    of_account: str | None


_OF_DOMAIN = (
    select(func.group_concat(DomainWebhook.url, "\n"))
    .where(
        col(DomainWebhook.domain_id) == bindparam("domain_id"), col(DomainWebhook.event) == bindparam("event")
    )
    .scalar_subquery()
)
_PARENT = select(Account.parent_id).where(col(Account.id) == bindparam("account_id")).scalar_subquery()
_OF_ACCOUNT = (
    select(func.group_concat(AccountWebhook.url, "\n"))
    .where(
        col(AccountWebhook.account_id).in_((bindparam("account_id"), _PARENT)),
        # not LIKE: SQLite compiles it anew for each pattern
        func.instr(AccountWebhook.event_types, bindparam("mentioned")) > 0,
    )
    .scalar_subquery()
)
_NOBODY = _Wanting(None, None)
_WANTING = Query(select(_OF_DOMAIN, _OF_ACCOUNT), _Wanting)


def hooks_for(tx: Tx, domain_id: str, event: str) -> list[str]:
    """The URLs that want to be told, each once: of the domain, of its account and of that one's parent, which is told
    of its subaccounts, too (facts/sending.md, 4.4).
    """
    found = _WANTING.recall(
        tx,
        domain_id=domain_id,
        event=event,
        account_id=tx.account_id,
        mentioned=f'"{event}"',
    )
    if found is None or found == _NOBODY:
        return []
    return list(dict.fromkeys(url for urls in found if urls for url in urls.split("\n")))


def event_of(name: str) -> WebhookEvent | None:
    """The event that a client means by a name."""
    try:
        return _ALIASES.get(name) or WebhookEvent(name)
    except ValueError:
        return None


def list_urls(tx: Tx, domain_id: str) -> Urls:
    """Of a domain, by those events that have any."""
    urls: Urls = {event: [] for event in WebhookEvent}
    for webhook in _list(tx, domain_id):
        urls[WebhookEvent(webhook.event)].append(webhook.url)
    return {event: each for event, each in urls.items() if each}


def _list(tx: Tx, domain_id: str) -> list[DomainWebhook]:
    own = select(DomainWebhook).where(DomainWebhook.domain_id == domain_id)
    return list(tx.session.exec(own.order_by(col(DomainWebhook.id))))


def get(tx: Tx, domain_id: str, event: WebhookEvent) -> list[str]:
    found = list_urls(tx, domain_id).get(event)
    if found is None:
        raise WebhookNotFound
    return found


def create(tx: Tx, domain_id: str, event: WebhookEvent, urls: Iterable[str]) -> list[str]:
    """Refuse an event that has any URL, even for another one."""
    if event in list_urls(tx, domain_id):
        raise WebhookExists
    return _add(tx, domain_id, event, urls)


def put(tx: Tx, domain_id: str, event: WebhookEvent, urls: Iterable[str]) -> list[str]:
    """Instead of the URLs it has; refuse an event that has none."""
    delete(tx, domain_id, event)
    return _add(tx, domain_id, event, urls)


def delete(tx: Tx, domain_id: str, event: WebhookEvent) -> list[str]:
    """Return the URLs that are gone. What was scheduled for them is still posted."""
    urls = get(tx, domain_id, event)
    _remove(tx, [each for each in _list(tx, domain_id) if each.event == event])
    return urls


def add_url(tx: Tx, domain_id: str, url: str, events: Iterable[WebhookEvent]) -> None:
    """Refuse if one of the events has it."""
    known = list_urls(tx, domain_id)
    for event in events:
        if url in known.get(event, []):
            raise UrlExists(UrlExists.message.format(event=event, url=url))
        _add(tx, domain_id, event, [url], known.get(event, []))


def put_url(tx: Tx, domain_id: str, url: str, events: Iterable[WebhookEvent]) -> None:
    """For these events and no others; refuse a URL that is there for none."""
    if not delete_urls(tx, domain_id, [url]):
        raise UrlNotFound
    add_url(tx, domain_id, url, events)


def delete_urls(tx: Tx, domain_id: str, urls: Iterable[str]) -> int:
    """From all events; how often they were found."""
    unwanted = set(urls)
    gone = [each for each in _list(tx, domain_id) if each.url in unwanted]
    _remove(tx, gone)
    return len(gone)


def _add(
    tx: Tx, domain_id: str, event: WebhookEvent, urls: Iterable[str], known: Iterable[str] = ()
) -> list[str]:
    new = list(dict.fromkeys(urls))
    if len([*known, *new]) > MOST_URLS:
        raise TooManyUrls(TooManyUrls.message.format(most=MOST_URLS, event=event))
    for url in new:
        tx.add(DomainWebhook(domain_id=domain_id, event=event.value, url=url))
    return new


def _remove(tx: Tx, gone: list[DomainWebhook]) -> None:
    for webhook in gone:
        tx.session.delete(webhook)
    tx.session.flush()
