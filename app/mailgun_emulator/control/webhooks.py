"""What was posted to webhooks, what came of it, and posting it again."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from mailgun_emulator.pipeline import notify
from mailgun_emulator.pipeline.outgoing import USER_AGENT
from mailgun_emulator.state import webhook_deliveries
from mailgun_emulator.state.webhook_deliveries import DeliveryState, Told
from mailgun_emulator.web import near_deliveries, paging
from mailgun_emulator.web.deps import ChosenAccount, ChosenTx
from mailgun_emulator.web.forms import LARGEST
from mailgun_emulator.web.instants import HowMany
from mailgun_emulator.web.views import Done
from mailgun_emulator.web.waiting import Timeout, wait_for
from mailgun_emulator.web.webhook_posts import DeliveryView, view

router = APIRouter(prefix="/_emulator/webhooks", tags=["Emulator"])

REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": Done} for status in (400, 404)}
DeliveryId = Annotated[int, Field(le=LARGEST)]


class DeliveryList(BaseModel):
    """`next` is where older ones are told, null on the last page."""

    items: list[DeliveryView]
    next: str | None


class PostedView(BaseModel):
    headers: dict[str, str]
    body: dict[str, Any]


class AnswerView(BaseModel):
    """`status` is 0 when nobody answered, and `error` says why."""

    status: int
    headers: dict[str, str]
    body: str
    error: str
    seconds: float


class DeliveriesThatCame(BaseModel):
    """The newest of those that were waited for, the newest first."""

    items: list[DeliveryView]


class DeliveryThere(DeliveryView):
    """`difference` is what keeps it from being what was waited for."""

    difference: str


class DeliveriesThatDidNot(BaseModel):
    """`there` are those that are nearest to it; `total` how many the account has."""

    message: str
    looked_for: dict[str, Any]
    total: int
    there: list[DeliveryThere]


class AttemptView(BaseModel):
    at: float
    request: PostedView
    response: AnswerView


class DeliveryDetails(BaseModel):
    delivery: DeliveryView
    attempts: list[AttemptView]


async def chosen(
    event: str | None = None,
    url: str | None = None,
    domain: str | None = None,
    recipient: str | None = None,
    message_id: Annotated[str | None, Query(description="With or without its angle brackets.")] = None,
    message_id_too: Annotated[str | None, Query(alias="message-id", description="The same.")] = None,
    state: DeliveryState | None = None,
    before: DeliveryId | None = None,
) -> dict[str, Any]:
    """`event` is a kind of webhook or of event; `before` the id of a delivery: only older ones.

    In `url` `*` stands for anything.
    """
    message_id = message_id or message_id_too
    asked = {
        "event": event,
        "url_pattern" if url and "*" in url else "url": url,
        "domain": domain and domain.lower(),
        "recipient": recipient and recipient.lower(),
        "message_id": message_id and message_id.strip("<>").lower(),
        "state": state and state.value,
        "before": before,
    }
    return {name: value for name, value in asked.items() if value is not None}


Chosen = Annotated[dict[str, Any], Depends(chosen)]


def attempt_view(told: Told, attempt: dict[str, Any]) -> AttemptView:
    body = orjson.loads(notify.body_of(attempt["signature"], told.payload))
    return AttemptView(
        at=attempt["at"],
        request=PostedView(headers={"User-Agent": USER_AGENT, **notify.HEADERS}, body=body),
        response=AnswerView(**{name: attempt[name] for name in AnswerView.model_fields}),
    )


@router.get("/deliveries", responses=REFUSALS)
async def list_webhook_deliveries(
    request: Request, tx: ChosenTx, where: Chosen, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> DeliveryList:
    """List what was and what is to be posted to webhooks, the newest first."""
    found = webhook_deliveries.list_told(tx, where, limit + 1)
    following = None
    if len(found) > limit:
        asked = {**request.query_params, "before": found[limit - 1].id}
        following = paging.link(request, **asked)
    return DeliveryList(items=[view(told) for told in found[:limit]], next=following)


@router.get("/deliveries/wait", responses={**REFUSALS, 404: {"model": DeliveriesThatDidNot}})
async def wait_for_webhook_deliveries(
    request: Request,
    account_id: ChosenAccount,
    where: Chosen,
    count: HowMany = 1,
    timeout: Timeout = 5.0,  # noqa: ASYNC109 - the client's own word for it
) -> DeliveriesThatCame:
    """Answer once so many such events were posted, whatever was answered; 404 with what there is when time is over.

    `timeout` is in seconds of real time.
    """
    emulator = request.app.state.emulator
    account_id = account_id or emulator.default_account_id
    database = emulator.database

    def look() -> list[Told] | None:
        with database.reading(account_id) as tx:
            found = webhook_deliveries.list_told(tx, {**where, "posted": True}, count)
        return found if len(found) == count else None

    found = await wait_for(database, account_id, {"webhook"}, look, timeout)
    if found is not None:
        return DeliveriesThatCame(items=[view(told) for told in found])
    with database.reading(account_id) as tx:
        raise near_deliveries.absence(tx, where, count, timeout)


@router.get("/deliveries/{delivery_id}", responses=REFUSALS)
async def get_webhook_delivery(tx: ChosenTx, delivery_id: DeliveryId) -> DeliveryDetails:
    """Tell every attempt with what was posted and what was answered."""
    told = webhook_deliveries.get_told(tx, delivery_id)
    attempts = [attempt_view(told, attempt) for attempt in orjson.loads(told.attempts)]
    return DeliveryDetails(delivery=view(told), attempts=attempts)


@router.post("/deliveries/{delivery_id}/resend", responses=REFUSALS)
async def resend_webhook_delivery(tx: ChosenTx, delivery_id: DeliveryId) -> DeliveryView:
    """Post it once more, now, whatever has come of it; `POST /_emulator/drain` waits until that is done."""
    notify.resend(tx, delivery_id)
    return view(webhook_deliveries.get_told(tx, delivery_id))
