"""Deliverability Alerts: who is told of listings and validations, and how (facts/account.md, 10.3)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline import alerting
from mailgun_emulator.pipeline.alerting import Post
from mailgun_emulator.pipeline.outgoing import TAKEN, Answer
from mailgun_emulator.state import alert_settings
from mailgun_emulator.state.alert_settings import AlertEvent, AlertSetting, Channel
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.alert_settings import (
    Asked,
    SettingForm,
    checked,
    checked_token,
    checked_url,
    email_settings,
    known_event,
    texts,
)
from mailgun_emulator.web.deps import CurrentTx, own_tx
from mailgun_emulator.web.forms import Form, Text, form, read_fields, takes
from mailgun_emulator.web.hints import hint
from mailgun_emulator.web.offset_pages import PageForm, page_of
from mailgun_emulator.web.paging import Paging
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["Deliverability Alerts"])

REFUSED = refusals(400)
CONFLICTS = refusals(400, 404, 409)


class UnreachableUrl(BadRequest):
    """A webhook's URL has to answer a GET with 200."""

    def __init__(self, answer: Answer) -> None:
        why = answer.error or f"expected status code {TAKEN}, got {answer.status}"
        super().__init__(f"failed to validate webhook url: {why}")


class TestFailed(BadRequest):
    def __init__(self, why: str) -> None:
        super().__init__(f"failed to send test: {why}")


class WebhookTestForm(Form):
    event_type: Text = ""
    url: str = ""


class EmailTestForm(Form):
    event_type: Text = ""
    emails: list[str] = Field(default=[])


class SlackTestForm(Form):
    event_type: Text = ""
    channel_ids: list[str] = Field(default=[])


class SlackForm(Form):
    """A `token` that is a URL is that of an incoming webhook."""

    token: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    scope: str | None = None


class EventTypes(BaseModel):
    events: list[str]


class SettingView(BaseModel):
    id: str
    event_type: str
    channel: str
    settings: dict[str, Any]
    disabled_at: str | None


class ChangedSetting(SettingView):
    message: str


class SlackView(BaseModel):
    token: str
    team_id: str | None
    team_name: str | None
    scope: str | None


class AlertSigningKey(BaseModel):
    signing_key: str


class SettingsView(BaseModel):
    events: list[SettingView]
    slack: SlackView
    webhooks: AlertSigningKey


class SlackChannel(BaseModel):
    id: str
    name: str
    is_archived: bool


class SlackChannelList(BaseModel):
    items: list[SlackChannel]
    paging: Paging


def view(setting: AlertSetting) -> dict[str, Any]:
    """The fields of `SettingView`."""
    at = setting.disabled_at
    return {
        "id": setting.id,
        "event_type": setting.event_type,
        "channel": setting.channel,
        "settings": setting.read(),
        "disabled_at": None if at is None else dates.rfc3339_s(at),
    }


@takes(SettingForm)
async def reachable(request: Request) -> Asked:
    """Whoever is to be posted to is asked before, in no transaction: ask for this before `CurrentTx`."""
    fields = await read_fields(request)
    async with own_tx(request):
        asked = checked(SettingForm.of(fields))
    if asked.channel == Channel.WEBHOOK:
        answer = await request.app.state.emulator.worker.outgoing.get(asked.settings["url"])
        if answer.status != TAKEN:
            raise UnreachableUrl(answer)
    return asked


Reachable = Annotated[Asked, Depends(reachable)]


def sample(tx: Tx, event_type: str) -> dict[str, Any]:
    """What never happened."""
    about = {"message": f"Test of {event_type} alerts"}
    if event_type.startswith("ip_"):
        about = {"ip": "192.0.2.1", "blocklist": "bl.example.net", **about}
    elif event_type.startswith("domain_"):
        about = {"domain": "example.com", "blocklist": "bl.example.net", **about}
    return alerting.event_of(tx, event_type, about)


def hint_at_slack(request: Request, tx: Tx) -> None:
    """Nothing goes to Slack itself; the answer says what to do instead."""
    if alerting.is_kept_from_slack(tx):
        hint(request, alerting.KEPT)


@takes(WebhookTestForm)
async def webhook_test(request: Request) -> list[tuple[str, Post]]:
    """What is to be posted, and to which channel if it is for Slack."""
    fields = await read_fields(request)
    async with own_tx(request) as tx:
        asked = WebhookTestForm.of(fields)
        event = sample(tx, known_event(asked.event_type))
        return [("", alerting.compose_webhook(tx, checked_url(asked.url), event))]


@takes(SlackTestForm)
async def slack_test(request: Request) -> list[tuple[str, Post]]:
    """The same, for each channel; nothing for Slack itself."""
    fields = await read_fields(request)
    async with own_tx(request) as tx:
        asked = SlackTestForm.of(fields)
        event = sample(tx, known_event(asked.event_type))
        ids = texts(asked.model_dump(), "channel_ids")
        alert_settings.meet_channels(tx, ids)
        hint_at_slack(request, tx)
        if alerting.is_kept_from_slack(tx):
            return []
        workspace = alert_settings.identity(tx)
        return [(each, alerting.compose_slack(workspace, each, event)) for each in ids]


async def post_all(request: Request, posts: list[tuple[str, Post]]) -> None:
    """Refuse for the first that is not taken."""
    emulator, account_id = request.app.state.emulator, request.scope["mailgun_account_id"]
    for channel_id, made in posts:
        job = DueJob(0, account_id, None, 0.0, Step.ALERT, "", 1, made.url)
        answer = await emulator.worker.outgoing.post_for(
            emulator.database, job, made.url, data=made.body, headers=made.headers
        )
        if why := alerting.refusal(answer, channel_id):
            raise TestFailed(why)


@router.get("/v1/alerts/events")
@router.get("/v1/alerts", include_in_schema=False)
async def list_alert_events(_: CurrentTx) -> EventTypes:
    """List what one can be told of."""
    return EventTypes(events=list(AlertEvent))


@router.get("/v1/alerts/settings")
async def list_alert_settings(tx: CurrentTx) -> SettingsView:
    """List who is told of what, the Slack workspace, and the key that webhooks are signed with."""
    own = alert_settings.identity(tx)
    slack = SlackView(token=own.token, team_id=own.team_id, team_name=own.team_name, scope=own.scope)
    events = [SettingView(**view(each)) for each in alert_settings.list_all(tx)]
    return SettingsView(events=events, slack=slack, webhooks=AlertSigningKey(signing_key=own.signing_key))


@router.post("/v1/alerts/settings/events", responses=CONFLICTS)
@router.post("/v1/alerts/settings", include_in_schema=False)
async def create_alert_setting(request: Request, asked: Reachable, tx: CurrentTx) -> SettingView:
    """Have an event told by a webhook, letters or Slack; a webhook has to answer a GET with 200."""
    made = alert_settings.create(tx, *asked)
    if made.channel == Channel.SLACK:
        hint_at_slack(request, tx)
    return SettingView(**view(made))


@router.put("/v1/alerts/settings/events/{id}", responses=CONFLICTS)
async def update_alert_setting(
    request: Request,
    asked: Reachable,
    tx: CurrentTx,
    id: str,  # noqa: A002 - the path's own name
) -> ChangedSetting:
    """Put another in its place; what was disabled is tried again."""
    changed = alert_settings.put(tx, id, *asked)
    if changed.channel == Channel.SLACK:
        hint_at_slack(request, tx)
    return ChangedSetting(**view(changed), message="alert setting updated")


@router.delete("/v1/alerts/settings/events/{id}", responses=REFUSALS)
@router.delete("/v1/alerts/settings/{id}", include_in_schema=False)
async def delete_alert_setting(tx: CurrentTx, id: str) -> Done:  # noqa: A002 - the path's own name
    """Have an event told no more, nor what happened by now and was not told yet."""
    alert_settings.delete(tx, id)
    return Done(message="alert setting deleted")


@router.put("/v1/alerts/settings/slack", responses=REFUSED)
async def update_slack_settings(
    request: Request, tx: CurrentTx, asked: Annotated[SlackForm, form(SlackForm)]
) -> Done:
    """Connect a Slack workspace, by the token of an app or the URL of an incoming webhook."""
    given = {name: value for name, value in asked if value is not None}
    given["token"] = checked_token(given.get("token", "").strip() or alert_settings.identity(tx).token)
    alert_settings.connect_slack(tx, given)
    hint_at_slack(request, tx)
    return Done(message="slack settings updated")


@router.delete("/v1/alerts/settings/slack")
async def delete_slack_settings(tx: CurrentTx) -> Done:
    """Forget the Slack workspace; nothing is posted there any more."""
    alert_settings.disconnect_slack(tx)
    return Done(message="slack settings deleted")


@router.delete("/v1/alerts/slack/oauth", responses=REFUSED)
async def revoke_slack_token(tx: CurrentTx) -> Done:
    """Give up the token; nothing is posted to the workspace until there is another."""
    alert_settings.revoke_slack(tx)
    return Done(message="slack access token revoked")


@router.put("/v1/alerts/settings/webhooks/signing_key")
@router.put("/v1/alerts/settings/webhooks/signing/key", include_in_schema=False)
async def reset_signing_key(tx: CurrentTx) -> AlertSigningKey:
    """Replace the key that alerts are signed with, those that wait to be posted included."""
    own = alert_settings.identity(tx)
    own.signing_key = tx.ids.hex(32)
    return AlertSigningKey(signing_key=own.signing_key)


@router.post("/v1/alerts/webhooks/test", responses=REFUSED)
async def send_webhook_test(
    request: Request, posts: Annotated[list[tuple[str, Post]], Depends(webhook_test)]
) -> Done:
    """Post an event that never happened to a URL; refused if it is not taken."""
    await post_all(request, posts)
    return Done(message="test webhook sent")


@router.post("/v1/alerts/email/test", responses=REFUSED)
async def send_email_test(tx: CurrentTx, asked: Annotated[EmailTestForm, form(EmailTestForm)]) -> Done:
    """Write letters about an event that never happened."""
    event = sample(tx, known_event(asked.event_type))
    alerting.write(tx, email_settings(asked.model_dump())["emails"], event)
    return Done(message="test email sent")


@router.post("/v1/alerts/slack/test", responses=REFUSED)
async def send_slack_test(
    request: Request, posts: Annotated[list[tuple[str, Post]], Depends(slack_test)]
) -> Done:
    """Post an event that never happened to channels of the workspace; refused if one does not take it."""
    await post_all(request, posts)
    return Done(message="test message sent")


@router.get("/v1/alerts/slack/channels", responses=REFUSED)
async def list_slack_channels(
    request: Request, tx: CurrentTx, asked: Annotated[PageForm, form(PageForm)]
) -> SlackChannelList:
    """List the workspace's channels; `page` is what a link told."""
    found = [SlackChannel(**each) for each in alert_settings.connected(tx).read_channels()]
    items, links = page_of(request, asked, found, default=100)
    return SlackChannelList(items=items, paging=links)


@router.get("/v1/alerts/slack/channels/{id}", responses=REFUSALS)
async def get_slack_channel(tx: CurrentTx, id: str) -> SlackChannel:  # noqa: A002 - the path's own name
    """Tell one channel of the workspace."""
    return SlackChannel(**alert_settings.get_channel(tx, id))
