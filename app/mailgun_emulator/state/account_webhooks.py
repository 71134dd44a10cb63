"""Where the events of all domains of an account are posted to (facts/sending.md, 4.4)."""

from collections.abc import Iterable

import orjson
from sqlmodel import col, select

from mailgun_emulator.core.errors import Conflict, NotFound
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhooks import MOST_URLS, AccountWebhook, WebhookEvent


class AccountWebhookNotFound(NotFound):
    key = "Description"
    message = "webhook not found"


class UnknownWebhookId(AccountWebhookNotFound):
    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"webhook_id not found: {webhook_id}")


class NoWebhooks(NotFound):
    key = "Description"
    message = "no webhooks found for account"


class TooManyAccountUrls(Conflict):
    key = "Description"
    message = "unable to add more than {most} urls for event type {event}"


class AccountUrlExists(Conflict):
    key = "Description"
    message = "url {url} already exists for event type {event}"


def event_types(webhook: AccountWebhook) -> list[str]:
    types: list[str] = orjson.loads(webhook.event_types)
    return types


def list_all(tx: Tx, only: Iterable[str] | None = None) -> list[AccountWebhook]:
    """In the order they were made; those of these ids, if any are named."""
    own = select(AccountWebhook).where(AccountWebhook.account_id == tx.account_id)
    if only is not None:
        own = own.where(col(AccountWebhook.id).in_(list(only)))
    return list(tx.session.exec(own.order_by(col(AccountWebhook.created_at), col(AccountWebhook.id))))


def find(tx: Tx, webhook_id: str) -> AccountWebhook | None:
    webhook = tx.session.get(AccountWebhook, webhook_id)
    return webhook if webhook is not None and webhook.account_id == tx.account_id else None


def get(tx: Tx, webhook_id: str) -> AccountWebhook:
    webhook = find(tx, webhook_id)
    if webhook is None:
        raise AccountWebhookNotFound
    return webhook


def create(tx: Tx, url: str, events: list[WebhookEvent], description: str = "") -> AccountWebhook:
    _check(list_all(tx), url, events)
    return tx.add(
        AccountWebhook(
            id=tx.ids.object_id(),
            account_id=tx.account_id,
            url=url,
            event_types=orjson.dumps(events).decode(),
            description=description,
            created_at=tx.now,
        )
    )


def put(tx: Tx, webhook_id: str, url: str, events: list[WebhookEvent], description: str = "") -> None:
    """All of it anew but its id and when it was made."""
    webhook = find(tx, webhook_id)
    if webhook is None:
        raise UnknownWebhookId(webhook_id)
    _check([each for each in list_all(tx) if each.id != webhook_id], url, events)
    webhook.url, webhook.description = url, description
    webhook.event_types = orjson.dumps(events).decode()


def _check(others: list[AccountWebhook], url: str, events: list[WebhookEvent]) -> None:
    for event in events:
        urls = {each.url for each in others if event in event_types(each)}
        if url in urls:
            raise AccountUrlExists(AccountUrlExists.message.format(url=url, event=event))
        if len(urls) >= MOST_URLS:
            raise TooManyAccountUrls(TooManyAccountUrls.message.format(most=MOST_URLS, event=event))


def delete(tx: Tx, webhook_ids: Iterable[str]) -> None:
    """All of these or, if one is unknown, none. What was scheduled for them is still posted."""
    for webhook_id in dict.fromkeys(webhook_ids):
        webhook = find(tx, webhook_id)
        if webhook is None:
            raise UnknownWebhookId(webhook_id)
        tx.session.delete(webhook)


def delete_all(tx: Tx) -> None:
    webhooks = list_all(tx)
    if not webhooks:
        raise NoWebhooks
    for webhook in webhooks:
        tx.session.delete(webhook)
