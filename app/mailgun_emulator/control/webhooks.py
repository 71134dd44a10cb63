"""What was posted to webhooks, what came of it, and posting it again."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from mailgun_emulator.pipeline import notify, redact
from mailgun_emulator.pipeline.outgoing import USER_AGENT
from mailgun_emulator.state import webhook_deliveries
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhook_deliveries import DeliveryState, Told
from mailgun_emulator.web import near_deliveries, paging
from mailgun_emulator.web.deps import AccountId, ChosenAccount, ChosenTx
from mailgun_emulator.web.forms import LARGEST
from mailgun_emulator.web.happenings import Asked
from mailgun_emulator.web.views import REFUSALS
from mailgun_emulator.web.waiting import HowMany, NothingCame, Timeout, wait_for
from mailgun_emulator.web.webhook_posts import DeliveryView, view

router = APIRouter(prefix="/_emulator/webhooks", tags=["Emulator"])

DeliveryId = Annotated[int, Field(ge=0, le=LARGEST)]


class DeliveryWish(Asked):
    """Which deliveries; what is not said is not asked for."""

    event: str = Field("", description="A kind of webhook or of event.")
    url: str = Field("", description="`*` stands for anything.")
    domain: str = Field("", description="The domain that the event is of.")
    recipient: str = Field("", description="Whose event it is.")
    message_id: str = Field("", description="With or without its angle brackets.")
    message_id_too: str = Field("", alias="message-id", description="The same.")
    state: DeliveryState | None = Field(
        None, description="`pending`, `done`, `stopped` by a 406, or `given-up`."
    )
    before: DeliveryId | None = Field(None, description="The id of a delivery: only older ones.")
    account: AccountId = None

    def where(self) -> dict[str, Any]:
        """As the deliveries are chosen by it."""
        asked = {
            "event": self.event,
            "url": self.url,
            "domain": self.domain.lower(),
            "recipient": self.recipient.lower(),
            "message_id": (self.message_id or self.message_id_too).strip("<>").lower(),
            "state": self.state and self.state.value,
            "before": self.before,
        }
        return {name: value for name, value in asked.items() if value not in (None, "")}


class DeliveriesAsked(DeliveryWish):
    limit: int = Field(100, ge=1, le=1000, description="So many on a page at most.")


class DeliveriesAwaited(DeliveryWish):
    count: HowMany = 1
    timeout: Timeout = 5.0


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


def attempt_view(told: Told, attempt: dict[str, Any]) -> AttemptView:
    payload = redact.redacted(told.payload) if attempt.get("redacted") else told.payload
    body = orjson.loads(notify.body_of(attempt["signature"], payload))
    return AttemptView(
        at=attempt["at"],
        request=PostedView(headers={"User-Agent": USER_AGENT, **notify.HEADERS}, body=body),
        response=AnswerView(**{name: attempt[name] for name in AnswerView.model_fields}),
    )


@router.get("/deliveries", responses=REFUSALS)
async def list_webhook_deliveries(
    request: Request, tx: ChosenTx, asked: Annotated[DeliveriesAsked, Query()]
) -> DeliveryList:
    """List what was and what is to be posted to webhooks, the newest first."""
    found = webhook_deliveries.list_told(tx, asked.where(), asked.limit + 1)
    shown = found[: asked.limit]
    following = None
    if len(found) > asked.limit:
        following = paging.link(request, **{**request.query_params, "before": shown[-1].id})
    return DeliveryList(items=[view(told) for told in shown], next=following)


@router.get("/deliveries/wait", responses={**REFUSALS, 404: {"model": DeliveriesThatDidNot}})
async def wait_for_webhook_deliveries(
    request: Request, account_id: ChosenAccount, asked: Annotated[DeliveriesAwaited, Query()]
) -> DeliveriesThatCame:
    """Answer once so many such events were posted, whatever was answered; 404 with what there is when time is over.

    `timeout` is in seconds of real time.
    """
    emulator = request.app.state.emulator
    account_id = account_id or emulator.default_account_id
    database = emulator.database
    posted = {**asked.where(), "posted": True}

    def look() -> list[Told] | None:
        with database.reading(account_id) as tx:
            found = webhook_deliveries.list_told(tx, posted, asked.count)
        return found if len(found) == asked.count else None

    found = await wait_for(request, account_id, {"webhook"}, look, asked.timeout)
    if found is not None:
        return DeliveriesThatCame(items=[view(told) for told in found])
    with database.reading(account_id) as tx:
        raise absence(tx, asked)


def absence(tx: Tx, asked: DeliveriesAwaited) -> NothingCame:
    where = asked.where()
    near = near_deliveries.list_near(tx, where)
    came = len(webhook_deliveries.list_told(tx, {**where, "posted": True}, asked.count))
    return NothingCame(
        near_deliveries.absence(where, came, asked.count, asked.timeout, near),
        where,
        webhook_deliveries.total(tx),
        [{**view(told).model_dump(mode="json"), "difference": text} for told, text in near if text],
    )


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
