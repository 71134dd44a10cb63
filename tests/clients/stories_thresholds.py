"""What Mailgun's Python package is used for: alerts and limits."""

from typing import Any

from tests.clients.package_desk import Desk, Story, body_of
from tests.receiver import receiving

ALERT = {
    "name": "bounces",
    "metric": "hard_bounce_rate",
    "comparator": ">",
    "limit": "0.05",
    "dimension": "domain",
}
LIMIT = {
    "name": "seeds",
    "metric": "seed_test_count",
    "comparator": ">=",
    "limit": "1000",
    "dimension": "subaccount",
}
SUCCESS = {"message": "success"}
JSON = {"Content-Type": "application/json"}


async def send_alerts(desk: Desk) -> None:
    await _kept(desk, "thresholds_alerts_send", ALERT, period="1d")
    hits = body_of(await desk.mailgun.thresholds_hits.get())
    assert set(hits) == {"items", "total"}


async def limits(desk: Desk) -> None:
    await _kept(desk, "thresholds_limits", LIMIT, period="1M")


async def _kept(desk: Desk, endpoint: str, threshold: dict[str, str], period: str) -> None:
    """The package's router puts the name where a part of the address would be."""
    every, one = (getattr(desk.mailgun, name) for name in (endpoint, f"{endpoint}_{threshold['name']}"))
    made = body_of(await every.create(data=threshold, headers=JSON))
    assert made["metric"] == threshold["metric"]
    assert [each["id"] for each in body_of(await every.get())["items"]] == [made["id"]]
    changed = {**threshold, "period": period}
    assert body_of(await one.put(data=changed, headers=JSON)) == SUCCESS
    assert body_of(await one.get())["period"] == period
    assert body_of(await one.delete()) == SUCCESS


async def alert_settings(desk: Desk) -> None:
    mailgun = desk.mailgun
    events = body_of(await mailgun.alerts_events.get())
    assert body_of(await mailgun.alerts.get()) == events
    asked: dict[str, Any] = {
        "event_type": "ip_listed",
        "channel": "email",
        "settings": {"emails": ["ann@example.com"]},
    }
    made = body_of(await mailgun.alerts_settings_events.create(data=asked, headers=JSON))
    other = {**asked, "event_type": "ip_delisted"}
    again = body_of(await mailgun.alerts_settings.create(data=other, headers=JSON))
    listed = body_of(await mailgun.alerts_settings.get())["events"]
    assert listed == [made, again]
    one = getattr(mailgun, f"alerts_settings_events_{made['id']}")
    assert (await one.delete()).status_code == 404
    key = body_of(await mailgun.alerts_settings_webhooks_signing_key.put())["signing_key"]
    assert body_of(await mailgun.alerts_settings.get())["webhooks"]["signing_key"] == key


async def alert_tests(desk: Desk) -> None:
    mailgun = desk.mailgun
    letter = {"event_type": "ip_listed", "emails": ["ann@example.com"]}
    body_of(await mailgun.alerts_email_test.create(data=letter, headers=JSON))
    with receiving() as receiver:
        hook = {"event_type": "ip_listed", "url": receiver.url("/hook")}
        body_of(await mailgun.alerts_webhooks_test.create(data=hook, headers=JSON))
        workspace = {"token": receiver.url("/slack")}
        body_of(await mailgun.alerts_settings_slack.put(data=workspace, headers=JSON))
        (general,) = body_of(await mailgun.alerts_slack_channels.get())["items"]
        test = {"event_type": "ip_listed", "channel_ids": [general["id"]]}
        body_of(await mailgun.alerts_slack_test.create(data=test, headers=JSON))
        assert [each.path for each in receiver.requests()] == ["/hook", "/slack"]
    body_of(await mailgun.alerts_slack_oauth.delete())
    body_of(await mailgun.alerts_settings_slack.delete())


STORIES: tuple[Story, ...] = (send_alerts, limits, alert_settings, alert_tests)

UNREACHABLE: dict[str, set[str]] = {
    "its router takes the hyphens out of ids, and writes them in lower case": {
        "DELETE /v1/alerts/settings/events/{id}",
        "DELETE /v1/alerts/settings/{id}",
        "GET /v1/alerts/slack/channels/{id}",
        "PUT /v1/alerts/settings/events/{id}",
    },
    "its router makes no such address": {"PUT /v1/alerts/settings/webhooks/signing_key"},
}
"""Operations that are there and that the package has no way to, by the reason."""
