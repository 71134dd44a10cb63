"""Those who want to know are told of what happened to the account (facts/account.md, 10.3)."""

import hmac
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from mailgun_emulator.mail import dates, hosts
from mailgun_emulator.pipeline import letters
from mailgun_emulator.pipeline.outgoing import Answer, Outgoing, retry_after
from mailgun_emulator.state import accounts, alert_settings, jobs, users
from mailgun_emulator.state.alert_settings import AlertIdentity, AlertSetting, Channel
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.threshold_hits import ThresholdHit
from mailgun_emulator.state.thresholds import SUBACCOUNT, Threshold
from mailgun_emulator.state.transaction import Tx

SLACK_HOST = "slack.com"
SLACK = f"https://{SLACK_HOST}/api/chat.postMessage"
"""Where an app posts with its token; a token that is a URL is an incoming webhook's."""
KEPT = (
    "Nothing is posted to slack.com itself: start with --webhook-rewrite slack.com=http://HOST:PORT, "
    "or give the URL of an incoming webhook as the token of PUT /v1/alerts/settings/slack"
)
THRESHOLD_HIT = "threshold_hit"
TOKEN_LENGTH = 50

log = logging.getLogger(__name__)

Event = Mapping[str, Any]


class Post(NamedTuple):
    url: str
    body: bytes
    headers: dict[str, str]


def tell(tx: Tx, event_type: str, about: Mapping[str, Any]) -> None:
    """`event_type` is one of `/v1/alerts/events`; `about` are the fields of `event_data` besides those all have."""
    settings = [each for each in alert_settings.list_all(tx) if each.event_type == event_type]
    if settings:
        _tell(tx, settings, list(Channel), event_of(tx, event_type, about))


def tell_of_hit(tx: Tx, alert: Threshold, hit: ThresholdHit) -> None:
    """By the alert's channels, wherever the account has anything told by them; letters else go to its master user."""
    channels = orjson.loads(alert.alert_channels)
    if not channels:
        return
    value = hit.dimension_value
    shown = accounts.get(tx, value).name if alert.dimension == SUBACCOUNT else value
    passed = f"{alert.metric} {hit.latest_value} {alert.comparator} {alert.limit}"
    about = {
        "name": alert.name,
        "metric": alert.metric,
        "comparator": alert.comparator,
        "limit": alert.limit,
        "latest_value": hit.latest_value,
        "dimension": alert.dimension,
        "dimension_value": shown,
        "period": alert.period,
        "hit_id": hit.id,
        "message": f"{alert.name}: {passed} for {alert.dimension} {shown} within {alert.period}",
    }
    event = event_of(tx, THRESHOLD_HIT, about)
    settings = alert_settings.list_all(tx)
    _tell(tx, settings, channels, event)
    if Channel.EMAIL in channels and not any(each.channel == Channel.EMAIL for each in settings):
        write(tx, [users.get_master(tx).email], event)


def event_of(tx: Tx, event_type: str, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": tx.ids.uuid(),
        "timestamp": dates.rfc3339_ms(tx.now),
        "log_level": "warn",
        "event": event_type,
        **about,
    }


def _tell(tx: Tx, settings: Iterable[AlertSetting], channels: Iterable[str], event: Event) -> None:
    """Nobody twice, however many settings name them."""
    told: set[str] = set()
    for setting in settings:
        if setting.disabled_at is not None or setting.channel not in channels:
            continue
        targets = [each for each in _targets(tx, setting) if each not in told]
        told.update(targets)
        if setting.channel == Channel.EMAIL:
            write(tx, targets, event)
            continue
        for target in targets:
            slack_channel = target if setting.channel == Channel.SLACK else ""
            subject = orjson.dumps([setting.id, slack_channel, event]).decode()
            jobs.schedule(tx, Step.ALERT, subject, lane=target)


def _targets(tx: Tx, setting: AlertSetting) -> list[str]:
    """A URL, addresses, or channels of a workspace that is connected."""
    settings = setting.read()
    match setting.channel:
        case Channel.WEBHOOK:
            return [settings["url"]]
        case Channel.EMAIL:
            return list(settings["emails"])
        case _ if alert_settings.identity(tx).token:
            disabled = settings.get("disabled_channel_ids", {})
            return [each for each in settings["channel_ids"] if each not in disabled]
        case _:
            return []


def write(tx: Tx, to: list[str], event: Event) -> None:
    """A letter each."""
    lines = [text_of(event), "", *(f"{name}: {value}" for name, value in event.items() if name != "message")]
    for each in to:
        letters.send(tx, [each], f"[Mailgun alert] {text_of(event)}", "\n".join(lines) + "\n")


def text_of(event: Event) -> str:
    return str(event.get("message") or event["event"])


def compose_webhook(tx: Tx, url: str, event: Event) -> Post:
    """Signed as a whole, by a key that is not that of other webhooks."""
    signature = {"timestamp": int(tx.now), "token": tx.ids.hex(TOKEN_LENGTH)}
    body = orjson.dumps({"signature": signature, "event_data": event})
    key = alert_settings.identity(tx).signing_key
    sign = hmac.digest(key.encode(), body, "sha256").hex()
    return Post(url, body, {"Content-Type": "application/json", "Accept": "*/*", "X-Sign": sign})


def _is_webhook(workspace: AlertIdentity) -> bool:
    return hosts.fault_of_url(workspace.token) is None


def is_kept_from_slack(tx: Tx) -> bool:
    """What is for the workspace would go to Slack itself, which nobody named."""
    workspace = alert_settings.identity(tx)
    url = workspace.token if _is_webhook(workspace) else SLACK
    host = urlsplit(hosts.rewritten(url, tx.settings.webhook_rewrite)).hostname or ""
    return host.rstrip(".") == SLACK_HOST


def compose_slack(workspace: AlertIdentity, channel_id: str, event: Event) -> Post:
    text = text_of(event)
    fields = "\n".join(f"*{name}*: {value}" for name, value in event.items() if name not in ("id", "message"))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": each}} for each in (text, fields)]
    body = orjson.dumps({"channel": channel_id, "text": text, "blocks": blocks})
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if _is_webhook(workspace):
        return Post(workspace.token, body, headers)
    return Post(SLACK, body, {**headers, "Authorization": f"Bearer {workspace.token}"})


def refusal(answer: Answer, channel_id: str) -> str:
    """Why it was not taken; empty if it was. Slack says so in a body, with a status that says it was."""
    if answer.error:
        return answer.error
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return f"status code {answer.status}"
    return _slacks_error(answer.body) if channel_id else ""


def _slacks_error(body: str) -> str:
    """Incoming webhooks answer `ok`, the API an object."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    is_refused = isinstance(told, dict) and told.get("ok") is False
    return str(told.get("error", "unknown_error")) if is_refused else ""


async def post(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """Each attempt is signed anew. Who takes none of them is disabled (facts/account.md, 10.3)."""
    setting_id, channel_id, event = orjson.loads(job.subject)
    async with database.begin(job.account_id) as tx:
        made = _compose(tx, setting_id, channel_id, event)
    answer = None
    if made is not None:
        answer = await outgoing.post_for(database, job, made.url, data=made.body, headers=made.headers)
    async with database.begin(job.account_id) as tx:
        setting = alert_settings.find(tx, setting_id)
        if not jobs.complete(tx, job) or setting is None or answer is None:
            return
        why = refusal(answer, channel_id)
        if why:
            _try_again(tx, job, setting, channel_id, why)


def _compose(tx: Tx, setting_id: str, channel_id: str, event: Event) -> Post | None:
    """None for who is not to be told any more, and for Slack itself."""
    setting = alert_settings.find(tx, setting_id)
    if setting is None or setting.disabled_at is not None:
        return None
    if channel_id:
        workspace = alert_settings.identity(tx)
        if not workspace.token:
            return None
        if is_kept_from_slack(tx):
            log.warning("Alert for %s: %s", channel_id, KEPT)
            return None
        return compose_slack(workspace, channel_id, event)
    url = setting.read().get("url")
    return compose_webhook(tx, url, event) if url else None


def _try_again(tx: Tx, job: DueJob, setting: AlertSetting, channel_id: str, why: str) -> None:
    after = retry_after(job)
    if after is not None:
        next_attempt = job.attempt + 1
        jobs.schedule(tx, Step.ALERT, job.subject, after=after, attempt=next_attempt, lane=job.lane)
        return
    log.warning("Gave up the alert for %s: %s", job.lane, why)
    if channel_id:
        alert_settings.disable_channel(tx, setting, channel_id, why)
    else:
        alert_settings.disable(tx, setting)
