"""Domain Webhooks: by kind of event (v3) and by URL (v4) (facts/sending.md, 4.2 and 4.3)."""

from http import HTTPStatus
from typing import Annotated, ClassVar, NamedTuple

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import hosts
from mailgun_emulator.pipeline import notify
from mailgun_emulator.pipeline.notify import Post
from mailgun_emulator.pipeline.outgoing import Answer
from mailgun_emulator.pipeline.sample import sample
from mailgun_emulator.state import accounts, domains, webhooks
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhooks import Urls, WebhookEvent, WebhookNotFound
from mailgun_emulator.web.call_limits import LimitedTx
from mailgun_emulator.web.deps import CurrentDomain, own_tx
from mailgun_emulator.web.forms import Form, form, read_fields, takes
from mailgun_emulator.web.views import Done, Responses, refusals

router = APIRouter(tags=["Domain Webhooks"])


class MissingParameter(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Missing parameter '{name}'")


class InvalidEventType(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"event_type '{name}' is invalid")


class InvalidUrl(BadRequest):
    key = "Reason"


class InvalidParameters(BadRequest):
    """What v4 finds wrong."""

    key = "Reason"

    def __init__(self, fault: str) -> None:
        super().__init__(f"invalid parameters: {fault}")


class MissingUrl(BadRequest):
    def body(self) -> dict[str, object]:
        return {"Field": "url"}


class UrlsForm(Form):
    """`url` up to three times."""

    missing: ClassVar[str] = "Missing parameter '{name}'"
    url: list[str]


class WebhookForm(UrlsForm):
    """`id` is the kind of event."""

    id: str


class TrialForm(Form):
    missing: ClassVar[str] = "Missing parameter '{name}'"
    url: str


class EventsForm(Form):
    """One URL for several kinds of events."""

    url: str = ""
    event_types: list[str] = Field(default=[])


class UnwantedUrlsForm(Form):
    """Several URLs with commas between them."""

    url: list[str] = Field(default=[])


class WebhookUrls(BaseModel):
    urls: list[str]


class DomainWebhookView(BaseModel):
    webhook: WebhookUrls


class ChangedWebhook(BaseModel):
    message: str
    webhook: WebhookUrls


class DomainWebhookList(BaseModel):
    """By kind of event; those without a URL are left out."""

    webhooks: dict[WebhookEvent, WebhookUrls]


class Tested(BaseModel):
    """`code` is the status the URL answered, 0 if nobody did; `message` its answer, or why there was none."""

    code: int
    message: str


class WebhookReason(BaseModel):
    """How bad requests about webhooks are worded, but for missing parameters."""

    Reason: str


class Trial(NamedTuple):
    url: str
    post: Post


REFUSALS: Responses = {400: {"model": WebhookReason | Done}, 404: {"model": Done}}
V4_REFUSALS: Responses = {400: {"model": WebhookReason}, 404: {"model": Done}}


def named(webhook_name: str) -> WebhookEvent:
    event = webhooks.event_of(webhook_name)
    if event is None:
        raise WebhookNotFound
    return event


def checked_urls(asked: UrlsForm) -> list[str]:
    urls = [url.strip() for url in asked.url if url.strip()]
    if not urls:
        raise MissingParameter("url")
    for url in urls:
        fault = hosts.fault_of_url(url)
        if fault is not None:
            raise InvalidUrl(f"{url} is not a valid url: {fault}")
    return urls


def checked(asked: EventsForm) -> tuple[str, list[WebhookEvent]]:
    """The URL and the events of a request to v4."""
    url = asked.url.strip()
    if not url or not asked.event_types:
        raise InvalidParameters(f"missing or invalid {'event_types' if url else 'url'} parameter")
    fault = hosts.fault_of_url(url)
    if fault is not None:
        raise InvalidParameters(f"{url} is not a valid url: {fault}")
    events: list[WebhookEvent] = []
    for name in asked.event_types:
        event = webhooks.event_of(name)
        if event is None:
            raise InvalidParameters(f"event_type '{name}' is invalid")
        if event in events:
            raise InvalidParameters(f"duplicate event types: '{event}'")
        events.append(event)
    return url, events


def view(urls: Urls) -> DomainWebhookList:
    return DomainWebhookList(webhooks={event: WebhookUrls(urls=each) for event, each in urls.items()})


def changed(what: str, urls: list[str]) -> ChangedWebhook:
    return ChangedWebhook(message=f"Webhook has been {what}", webhook=WebhookUrls(urls=urls))


@router.get("/v3/domains/{domain}/webhooks", responses=refusals(404))
async def list_domain_webhooks(tx: LimitedTx, domain: CurrentDomain) -> DomainWebhookList:
    """List the URLs of a domain by kind of event."""
    return view(webhooks.list_urls(tx, domain.id))


@router.post("/v3/domains/{domain}/webhooks", responses=REFUSALS)
async def create_domain_webhook(
    tx: LimitedTx, domain: CurrentDomain, asked: Annotated[WebhookForm, form(WebhookForm)]
) -> ChangedWebhook:
    """Have a kind of event posted to up to three URLs; refused if it is posted to any already."""
    event = webhooks.event_of(asked.id)
    if not asked.id:
        raise MissingParameter("id")
    if event is None:
        raise InvalidEventType(asked.id)
    return changed("created", webhooks.create(tx, domain.id, event, checked_urls(asked)))


@router.get("/v3/domains/{domain}/webhooks/{webhook_name}", responses=refusals(404))
async def get_domain_webhook(tx: LimitedTx, domain: CurrentDomain, webhook_name: str) -> DomainWebhookView:
    """Tell the URLs that a kind of event is posted to."""
    return DomainWebhookView(webhook=WebhookUrls(urls=webhooks.get(tx, domain.id, named(webhook_name))))


@router.put("/v3/domains/{domain}/webhooks/{webhook_name}", responses=REFUSALS)
async def update_domain_webhook(
    tx: LimitedTx, domain: CurrentDomain, webhook_name: str, asked: Annotated[UrlsForm, form(UrlsForm)]
) -> ChangedWebhook:
    """Have a kind of event posted to these URLs instead."""
    event = named(webhook_name)
    webhooks.get(tx, domain.id, event)
    return changed("updated", webhooks.put(tx, domain.id, event, checked_urls(asked)))


@router.delete("/v3/domains/{domain}/webhooks/{webhook_name}", responses=refusals(404))
async def delete_domain_webhook(tx: LimitedTx, domain: CurrentDomain, webhook_name: str) -> ChangedWebhook:
    """Have a kind of event posted no more; what has happened by now still is."""
    return changed("deleted", webhooks.delete(tx, domain.id, named(webhook_name)))


@takes(TrialForm)
async def trial(request: Request, domain: str, webhook_name: str) -> Trial:
    """Made in a transaction of its own, as nothing may be posted while one is open."""
    fields = await read_fields(request)
    async with own_tx(request) as tx:
        found, event = domains.get(tx, domain), named(webhook_name)
        (url,) = checked_urls(UrlsForm(url=[TrialForm.of(fields).url]))
        return Trial(url, sample_post(tx, found, event))


def sample_post(tx: Tx, domain: Domain, event: WebhookEvent) -> Post:
    account = accounts.get(tx, tx.account_id)
    parent_key = accounts.get(tx, account.parent_id).signing_key if account.parent_id else None
    return notify.compose(tx, sample(tx, event, domain.name), account.signing_key, parent_key)


@router.put("/v3/domains/{domain}/webhooks/{webhook_name}/test", responses=REFUSALS)
async def test_domain_webhook(request: Request, made: Annotated[Trial, Depends(trial)]) -> Tested:
    """Post an event that never happened to a URL, and tell what it answers."""
    outgoing = request.app.state.emulator.worker.outgoing
    answer: Answer = await outgoing.post(made.url, data=made.post.body, headers=notify.HEADERS)
    return Tested(code=answer.status, message=answer.error or answer.body.strip() or phrase_of(answer.status))


def phrase_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


@router.post("/v4/domains/{domain}/webhooks", responses=V4_REFUSALS)
async def create_domain_webhooks(
    tx: LimitedTx, domain: CurrentDomain, asked: Annotated[EventsForm, form(EventsForm)]
) -> DomainWebhookList:
    """Have several kinds of events posted to one URL more."""
    webhooks.add_url(tx, domain.id, *checked(asked))
    return view(webhooks.list_urls(tx, domain.id))


@router.put("/v4/domains/{domain}/webhooks", responses=V4_REFUSALS)
async def update_domain_webhooks(
    tx: LimitedTx, domain: CurrentDomain, asked: Annotated[EventsForm, form(EventsForm)]
) -> DomainWebhookList:
    """Have these kinds of events, and no others, posted to a URL that is known."""
    webhooks.put_url(tx, domain.id, *checked(asked))
    return view(webhooks.list_urls(tx, domain.id))


@router.delete("/v4/domains/{domain}/webhooks", responses=V4_REFUSALS)
async def delete_domain_webhooks(
    tx: LimitedTx, domain: CurrentDomain, asked: Annotated[UnwantedUrlsForm, form(UnwantedUrlsForm)]
) -> DomainWebhookList:
    """Have nothing posted to these URLs any more; what has happened by now still is."""
    if not any(asked.url):
        raise MissingUrl
    if not webhooks.delete_urls(tx, domain.id, unwanted(tx, domain, asked.url)):
        raise WebhookNotFound
    return view(webhooks.list_urls(tx, domain.id))


def unwanted(tx: Tx, domain: Domain, given: list[str]) -> list[str]:
    """A URL may have a comma itself: what is known as a whole is not taken apart."""
    known = {url for urls in webhooks.list_urls(tx, domain.id).values() for url in urls}
    parts = ([value] if value in known else value.split(",") for value in given)
    return [url.strip() for each in parts for url in each]
