"""Account Webhooks: told of the events of all domains (facts/sending.md, 4.4)."""

import re
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import dates, hosts
from mailgun_emulator.state import account_webhooks, webhooks
from mailgun_emulator.state.webhooks import AccountWebhook, WebhookEvent
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Flag, Form, form
from mailgun_emulator.web.views import Done, Responses, refusals

router = APIRouter(tags=["Account Webhooks"])

_ID = re.compile(r"[0-9a-f]{24}")
_MALFORMED = "Invalid parameter: webhook_ids malformed webhook_ids parameter"


class InvalidField(BadRequest):
    def __init__(self, field: str, value: str) -> None:
        super().__init__(value)
        self._field = field

    def body(self) -> dict[str, object]:
        return {"Field": self._field, "Value": str(self)}


class UnknownEventType(NotFound):
    key = "Description"

    def __init__(self, name: str) -> None:
        super().__init__(f"event_type '{name}' is invalid")


class EmptyIds(BadRequest):
    message = f"{_MALFORMED}: empty values not allowed"


class NothingNamed(BadRequest):
    message = "Invalid parameter: either webhook_ids or all=true is required"


class AccountWebhookForm(Form):
    url: str = ""
    event_types: list[str] = Field(default=[])
    description: str = ""


class WebhookIdsForm(Form):
    """Ids with commas between them."""

    webhook_ids: list[str] = Field(default=[])


class UnwantedWebhooksForm(WebhookIdsForm):
    """`all` counts when no ids are named."""

    all: Flag = False


class AccountWebhookView(BaseModel):
    webhook_id: str
    description: str
    url: str
    event_types: list[str]
    created_at: str


class AccountWebhookList(BaseModel):
    webhooks: list[AccountWebhookView]


class CreatedAccountWebhook(BaseModel):
    webhook_id: str


class WebhookFault(BaseModel):
    """How a wrong parameter is told."""

    Field: str
    Value: str


class WebhookDescription(BaseModel):
    """How other refusals are told."""

    Description: str


NOT_FOUND: Responses = {404: {"model": WebhookDescription}}
REFUSALS: Responses = {
    400: {"model": WebhookFault},
    404: {"model": WebhookDescription},
    409: {"model": WebhookDescription},
}


def checked(asked: AccountWebhookForm) -> tuple[str, list[WebhookEvent], str]:
    """URL, events and description."""
    url = asked.url.strip()
    if not url or hosts.fault_of_url(url) is not None:
        raise InvalidField("url", "missing or invalid url parameter")
    if not any(asked.event_types):
        raise InvalidField("event_types", "missing or invalid event_types parameter")
    events: list[WebhookEvent] = []
    for name in asked.event_types:
        event = webhooks.event_of(name)
        if event is None:
            raise UnknownEventType(name)
        if event in events:
            raise InvalidField("event_types", f"duplicate event types: '{event}'")
        events.append(event)
    return url, events, asked.description


def named(asked: WebhookIdsForm) -> list[str]:
    """The ids of a comma list, none if there is no list."""
    ids = [webhook_id.strip() for given in asked.webhook_ids for webhook_id in given.split(",")]
    if not any(asked.webhook_ids):
        return []
    if not all(ids):
        raise EmptyIds
    return ids


def view(webhook: AccountWebhook) -> AccountWebhookView:
    return AccountWebhookView(
        webhook_id=webhook.id,
        description=webhook.description,
        url=webhook.url,
        event_types=account_webhooks.event_types(webhook),
        created_at=dates.rfc3339_s(webhook.created_at),
    )


@router.get("/v1/webhooks", responses=refusals(400))
async def list_account_webhooks(
    tx: CurrentTx, asked: Annotated[WebhookIdsForm, form(WebhookIdsForm)]
) -> AccountWebhookList:
    """List the account's webhooks, or those of these ids."""
    found = account_webhooks.list_all(tx, named(asked) or None)
    return AccountWebhookList(webhooks=[view(webhook) for webhook in found])


@router.post("/v1/webhooks", responses=REFUSALS)
async def create_account_webhook(
    tx: CurrentTx, asked: Annotated[AccountWebhookForm, form(AccountWebhookForm)]
) -> CreatedAccountWebhook:
    """Have kinds of events of all domains posted to a URL."""
    return CreatedAccountWebhook(webhook_id=account_webhooks.create(tx, *checked(asked)).id)


@router.delete("/v1/webhooks", status_code=204, responses={400: {"model": Done}, **NOT_FOUND})
async def delete_account_webhooks(
    tx: CurrentTx, asked: Annotated[UnwantedWebhooksForm, form(UnwantedWebhooksForm)]
) -> Response:
    """Delete the webhooks of these ids, or all; what has happened by now is still posted."""
    ids = named(asked)
    if not ids and not asked.all:
        raise NothingNamed
    if ids:
        account_webhooks.delete(tx, ids)
    else:
        account_webhooks.delete_all(tx)
    return Response(status_code=204)


@router.get("/v1/webhooks/{webhook_id}", responses=NOT_FOUND)
async def get_account_webhook(tx: CurrentTx, webhook_id: str) -> AccountWebhookView:
    """Tell one of the account's webhooks."""
    return view(account_webhooks.get(tx, webhook_id))


@router.put("/v1/webhooks/{webhook_id}", status_code=204, responses=REFUSALS)
async def update_account_webhook(
    tx: CurrentTx, webhook_id: str, asked: Annotated[AccountWebhookForm, form(AccountWebhookForm)]
) -> Response:
    """Replace a webhook's URL, kinds of events and description."""
    account_webhooks.put(tx, webhook_id, *checked(asked))
    return Response(status_code=204)


@router.delete(
    "/v1/webhooks/{webhook_id}", status_code=204, responses={400: {"model": WebhookFault}, **NOT_FOUND}
)
async def delete_account_webhook(tx: CurrentTx, webhook_id: str) -> Response:
    """Delete one of the account's webhooks; what has happened by now is still posted."""
    if not _ID.fullmatch(webhook_id):
        raise InvalidField("webhook_id", "is not valid")
    account_webhooks.delete(tx, [webhook_id])
    return Response(status_code=204)
