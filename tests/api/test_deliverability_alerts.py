import hmac
import re
from typing import Any

import pytest
from tests.api.answers import refused
from tests.conftest import Account, Client
from tests.receiver import Receiver, dead_url

from mailgun_emulator.testing import Emulator

SETTINGS = "/v1/alerts/settings"
EVENTS = f"{SETTINGS}/events"
SLACK = f"{SETTINGS}/slack"
CHANNELS = "/v1/alerts/slack/channels"
KEPT = (
    "Nothing is posted to slack.com itself: start with --webhook-rewrite slack.com=http://HOST:PORT, "
    "or give the URL of an incoming webhook as the token of PUT /v1/alerts/settings/slack"
)
NOBODY = "00000000-0000-4000-8000-000000000000"
TYPES = [
    "ip_listed",
    "ip_delisted",
    "domain_listed",
    "domain_delisted",
    "validation_job",
    "validation_preview",
]
MAIL = {"event_type": "ip_listed", "channel": "email", "settings": {"emails": ["ann@example.com"]}}
BOUNCES = {
    "name": "bounces",
    "metric": "hard_bounce_rate",
    "comparator": ">",
    "limit": "0",
    "dimension": "domain",
}


def hook(url: str, event_type: str = "ip_listed") -> dict[str, Any]:
    return {"event_type": event_type, "channel": "webhook", "settings": {"url": url}}


def to_slack(*ids: str) -> dict[str, Any]:
    return {"event_type": "ip_listed", "channel": "slack", "settings": {"channel_ids": list(ids)}}


def create(client: Client, asked: dict[str, Any]) -> dict[str, Any]:
    made = client.post(EVENTS, json=asked)
    assert made.status_code == 200, made.text
    return dict(made.json())


def settings(client: Client) -> list[dict[str, Any]]:
    return list(client.get(SETTINGS).json()["events"])


def letters(client: Client) -> list[tuple[str, ...]]:
    found = client.get("/_emulator/messages", params={"limit": 100}).json()["items"]
    return sorted((*each["to"], each["subject"]) for each in found if "Mailgun" in each["from"])


def cross(client: Client, domain: str, *channels: str) -> None:
    """Pass a threshold, which is told of by these channels."""
    assert client.post("/v1/thresholds/alerts/send", json={**BOUNCES, "alert_channels": channels}).is_success
    message = {"from": f"a@{domain}", "to": "bounce@example.com", "subject": "Hi", "text": "Hi"}
    assert client.post(f"/v3/{domain}/messages", data=message).is_success
    client.drain()


def test_the_events_are_those_of_the_documentation(client: Client) -> None:
    assert client.get("/v1/alerts/events").json() == {"events": TYPES}
    assert client.get("/v1/alerts").json() == {"events": TYPES}
    refused(client.get("/v1/alerts/events", auth=("api", "")), 401, "Invalid private key")


def test_a_setting_is_created_read_replaced_and_deleted(client: Client, receiver: Receiver) -> None:
    first = client.get(SETTINGS).json()
    assert re.fullmatch(r"[0-9a-f]{32}", first["webhooks"]["signing_key"])
    nothing = {"token": "", "team_id": None, "team_name": None, "scope": None}
    assert first == {"events": [], "slack": nothing, "webhooks": first["webhooks"]}
    asked = hook(receiver.url("/a"))
    made = create(client, asked)
    assert list(made.items()) == [("id", made["id"]), *asked.items(), ("disabled_at", None)]
    assert client.get(SETTINGS).json() == {**first, "events": [made]}
    (probe,) = receiver.requests("/a")
    assert (probe.method, probe.body) == ("GET", b"")
    other = {**MAIL, "event_type": "validation_job"}
    changed = client.put(f"{EVENTS}/{made['id']}", json=other).json()
    assert changed == {**made, **other, "message": "alert setting updated"}
    assert client.delete(f"{EVENTS}/{made['id']}").json() == {"message": "alert setting deleted"}
    assert settings(client) == []


def test_the_addresses_of_gos_client_are_understood(client: Client) -> None:
    made = client.post(SETTINGS, json=MAIL).json()
    assert settings(client) == [made]
    assert client.delete(f"{SETTINGS}/{made['id']}").json() == {"message": "alert setting deleted"}
    refused(client.delete(f"{SETTINGS}/{made['id']}"), 404, "alert setting not found")


WRONG = [
    ({"event_type": ""}, "Missing mandatory parameter: event_type"),
    ({"event_type": "ip_lost"}, "event_type 'ip_lost' is not valid"),
    ({"channel": None}, "Missing mandatory parameter: channel"),
    ({"channel": "fax"}, "channel 'fax' is not valid"),
    ({"settings": None}, "Missing mandatory parameter: emails"),
    ({"settings": "x"}, "Invalid parameter: settings is invalid"),
    ({"settings": {"emails": ["nobody"]}}, "email 'nobody' is not valid"),
    ({"channel": "webhook"}, "Missing mandatory parameter: url"),
    ({"channel": "webhook", "settings": {"url": "ftp://x"}}, "url 'ftp://x' is not valid"),
    ({"settings": {"emails": [" "]}}, "Missing mandatory parameter: emails"),
    ({"channel": "slack"}, "Missing mandatory parameter: channel_ids"),
    (
        {"channel": "slack", "settings": {"channel_ids": [{"id": "C1"}]}},
        "channel_ids '{'id': 'C1'}' is not valid",
    ),
    ({"channel": "slack", "settings": {"channel_ids": ["C1"]}}, "slack is not connected"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_a_wrong_setting_is_refused_and_changes_nothing(
    client: Client, asked: dict[str, Any], message: str
) -> None:
    made = create(client, MAIL)
    refused(client.post(EVENTS, json={**MAIL, "event_type": "ip_delisted", **asked}), 400, message)
    refused(client.put(f"{EVENTS}/{made['id']}", json={**MAIL, **asked}), 400, message)
    assert settings(client) == [made]


def test_a_webhook_must_be_there(client: Client, receiver: Receiver) -> None:
    receiver.answer("/gone", 202)
    answered = "failed to validate webhook url: expected status code 200, got 202"
    refused(client.post(EVENTS, json=hook(receiver.url("/gone"))), 400, answered)
    with dead_url() as url:
        response = client.post(EVENTS, json=hook(url))
    assert response.status_code == 400
    assert response.json()["message"].startswith("failed to validate webhook url: Cannot connect")
    assert settings(client) == []


def test_there_is_one_setting_for_an_event_and_a_channel(client: Client) -> None:
    create(client, MAIL)
    other = create(client, {**MAIL, "event_type": "ip_delisted"})
    taken = "alert for event 'ip_listed' and channel 'email' already exists"
    refused(client.post(EVENTS, json=MAIL), 409, taken)
    refused(client.put(f"{EVENTS}/{other['id']}", json=MAIL), 409, taken)
    refused(client.put(f"{EVENTS}/{NOBODY}", json=MAIL), 404, "alert setting not found")
    refused(client.delete(f"{EVENTS}/{NOBODY}"), 404, "alert setting not found")
    stranger = ("api", client.post("/_emulator/accounts").json()["api_key"])
    refused(client.delete(f"{EVENTS}/{other['id']}", auth=stranger), 404, "alert setting not found")


def test_the_signing_key_is_another_from_now_on(client: Client, receiver: Receiver) -> None:
    before = client.get(SETTINGS).json()["webhooks"]["signing_key"]
    key = client.put(f"{SETTINGS}/webhooks/signing_key").json()["signing_key"]
    assert key != before
    assert client.get(SETTINGS).json()["webhooks"] == {"signing_key": key}
    refused(client.put(f"{SETTINGS}/webhooks/signing_key", auth=("api", "")), 401, "Invalid private key")
    client.post("/v1/alerts/webhooks/test", json={"event_type": "ip_listed", "url": receiver.url("/t")})
    (post,) = receiver.requests("/t")
    assert post.headers["x-sign"] == hmac.digest(key.encode(), post.body, "sha256").hex()


def test_a_webhook_is_tested_by_posting_to_it(client: Client, receiver: Receiver) -> None:
    asked = {"event_type": "domain_listed", "url": receiver.url("/t")}
    assert client.post("/v1/alerts/webhooks/test", json=asked).json() == {"message": "test webhook sent"}
    (post,) = receiver.requests("/t")
    told = post.json()
    assert re.fullmatch(r"[0-9a-f]{50}", told["signature"]["token"])
    assert isinstance(told["signature"]["timestamp"], int)
    event = told["event_data"]
    assert list(event) == ["id", "timestamp", "log_level", "event", "domain", "blocklist", "message"]
    assert (event["event"], event["log_level"]) == ("domain_listed", "warn")
    receiver.answer("/t", 500)
    test = "/v1/alerts/webhooks/test"
    refused(client.post(test, json=asked), 400, "failed to send test: status code 500")
    refused(client.post(test, json={"url": asked["url"]}), 400, "Missing mandatory parameter: event_type")
    refused(client.post(test, json={"event_type": "ip_listed"}), 400, "Missing mandatory parameter: url")


def test_a_letter_is_tested_by_writing_it(client: Client) -> None:
    asked = {"event_type": "ip_listed", "emails": ["ann@example.com", "bob@example.com"]}
    assert client.post("/v1/alerts/email/test", json=asked).json() == {"message": "test email sent"}
    subject = "[Mailgun alert] Test of ip_listed alerts"
    assert letters(client) == [("ann@example.com", subject), ("bob@example.com", subject)]
    wrong = {**asked, "emails": ["ann@example.com", "nobody"]}
    refused(client.post("/v1/alerts/email/test", json=wrong), 400, "email 'nobody' is not valid")
    assert len(letters(client)) == 2


def test_slack_is_connected_listed_and_disconnected(client: Client) -> None:
    refused(client.get(CHANNELS), 400, "slack is not connected")
    refused(client.get(f"{CHANNELS}/C1"), 400, "slack is not connected")
    refused(client.delete("/v1/alerts/slack/oauth"), 400, "slack is not connected")
    refused(client.put(SLACK, json={"team_id": "T1"}), 400, "Missing mandatory parameter: token")
    refused(client.put(SLACK, json={"token": " "}), 400, "Missing mandatory parameter: token")
    refused(client.put(SLACK, json={"token": "ftp://x"}), 400, "token 'ftp://x' is not valid")
    team = {"token": "xoxb-1", "team_id": "T1", "team_name": "Us", "scope": "chat:write"}
    assert client.put(SLACK, json=team).json() == {"message": "slack settings updated"}
    assert client.put(SLACK, json={"token": ""}).status_code == 200
    assert client.get(SETTINGS).json()["slack"] == team
    create(client, to_slack("C1", "C2"))
    found = client.get(CHANNELS).json()
    assert [each["name"] for each in found["items"]] == ["general", "c1", "c2"]
    assert client.get(f"{CHANNELS}/C1").json() == {"id": "C1", "name": "c1", "is_archived": False}
    refused(client.get(f"{CHANNELS}/C3"), 404, "slack channel not found")
    page = client.get(CHANNELS, params={"limit": 2}).json()
    assert [len(client.get(page["paging"][name]).json()["items"]) for name in ("first", "next", "last")] == [
        2,
        1,
        1,
    ]
    assert client.delete("/v1/alerts/slack/oauth").json() == {"message": "slack access token revoked"}
    assert client.get(SETTINGS).json()["slack"] == {**team, "token": ""}
    refused(client.get(CHANNELS), 400, "slack is not connected")
    assert client.delete(SLACK).json() == {"message": "slack settings deleted"}
    nothing = {"token": "", "team_id": None, "team_name": None, "scope": None}
    assert client.get(SETTINGS).json()["slack"] == nothing


def test_slack_is_posted_to_as_an_incoming_webhook(
    client: Client, account: Account, receiver: Receiver
) -> None:
    client.put(SLACK, json={"token": receiver.url("/services/T1/B1/X")})
    create(client, to_slack("C1", "C2"))
    test = {"event_type": "ip_listed", "channel_ids": ["C1"]}
    assert client.post("/v1/alerts/slack/test", json=test).json() == {"message": "test message sent"}
    (post,) = receiver.requests("/services/T1/B1/X")
    told = post.json()
    assert (told["channel"], told["text"]) == ("C1", "Test of ip_listed alerts")
    assert told["blocks"][0] == {"type": "section", "text": {"type": "mrkdwn", "text": told["text"]}}
    assert "*blocklist*: bl.example.net" in told["blocks"][1]["text"]["text"]
    assert "authorization" not in post.headers
    receiver.clear()
    cross(client, account.domain, "slack")
    posts = receiver.requests("/services/T1/B1/X")
    assert sorted(each.json()["channel"] for each in posts) == ["C1", "C2"]
    receiver.answer("/services/T1/B1/X", 404)
    slack_test = "/v1/alerts/slack/test"
    refused(client.post(slack_test, json=test), 400, "failed to send test: status code 404")
    refused(client.post(slack_test, json={}), 400, "Missing mandatory parameter: event_type")


@pytest.mark.parametrize("path", ["/v1/alerts/slack/oauth", SLACK])
def test_nothing_is_posted_to_a_workspace_that_was_given_up(
    client: Client, account: Account, receiver: Receiver, path: str
) -> None:
    client.put(SLACK, json={"token": receiver.url("/slack")})
    create(client, to_slack("C1"))
    assert client.delete(path).status_code == 200
    cross(client, account.domain, "slack", "email")
    assert receiver.requests() == []
    assert len(letters(client)) == 1


def test_a_token_posts_to_slack_itself_wherever_that_is_sent(receiver: Receiver) -> None:
    with (
        Emulator(webhook_rewrite=f"slack.com={receiver.url('').rstrip('/')}") as emulator,
        Client(base_url=emulator.url, auth=("api", "key-emulator")) as client,
    ):
        client.put(SLACK, json={"token": "xoxb-1"})
        test = {"event_type": "ip_listed", "channel_ids": ["C1"]}
        assert client.post("/v1/alerts/slack/test", json=test).status_code == 200
        (post,) = receiver.requests("/api/chat.postMessage")
        assert (post.headers["authorization"], post.json()["channel"]) == ("Bearer xoxb-1", "C1")


def test_nothing_is_posted_to_slack_itself_and_that_is_said(client: Client, account: Account) -> None:
    test = {"event_type": "ip_listed", "channel_ids": ["C1"]}
    made = client.put(SLACK, json={"token": "xoxb-1"}), client.post(EVENTS, json=to_slack("C1"))
    answers = (
        *made,
        client.put(f"{EVENTS}/{made[1].json()['id']}", json=to_slack("C1")),
        client.post("/v1/alerts/slack/test", json=test),
        client.post(
            "/v1/thresholds/alerts/send", json={**BOUNCES, "name": "other", "alert_channels": ["slack"]}
        ),
    )
    for answer in answers:
        assert (answer.status_code, answer.headers["X-Mailgun-Emulator-Hint"]) == (200, KEPT)
    cross(client, account.domain, "slack")
    assert client.get("/v1/thresholds/hits").json()["total"] == 2
    client.post("/_emulator/clock", json={"advance": "8h"})
    assert settings(client) == [made[1].json()]
    itself = client.put(SLACK, json={"token": "https://slack.com./services/X"})
    assert itself.headers["X-Mailgun-Emulator-Hint"] == KEPT
    incoming = client.put(SLACK, json={"token": "https://hooks.slack.com/services/X"})
    assert "X-Mailgun-Emulator-Hint" not in incoming.headers


def test_the_log_says_of_an_alert_that_it_was_not_posted_to_slack(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        Emulator() as emulator,
        Client(base_url=emulator.url, auth=("api", "key-emulator")) as other,
    ):
        other.put(SLACK, json={"token": "xoxb-1"})
        create(other, to_slack("C1"))
        cross(other, "mg.example.com", "slack")
    assert f"Alert for C1: {KEPT}" in caplog.messages


def test_channels_that_were_disabled_stay_so_if_that_is_said_again(client: Client) -> None:
    client.put(SLACK, json={"token": "xoxb-1"})
    why = {"disabled_at": "2026-05-29T04:00:00Z", "reason": "status code 404"}
    asked = to_slack("C1", "C2")
    asked["settings"]["disabled_channel_ids"] = {"C1": {**why, "more": 1}, "C2": 5, "C3": why}
    told = create(client, asked)["settings"]
    assert told == {"channel_ids": ["C1", "C2"], "disabled_channel_ids": {"C1": why}}


def test_who_can_not_be_reached_for_eight_hours_is_disabled(
    client: Client, account: Account, receiver: Receiver
) -> None:
    client.put(SLACK, json={"token": receiver.url("/slack")})
    made = [create(client, hook(receiver.url("/hook"))), create(client, to_slack("C1", "C2"))]
    receiver.clear()
    receiver.answer("/hook", 500)
    receiver.answer("/slack", 404)
    client.post("/_emulator/clock", json={"freeze": 1_780_000_200})
    cross(client, account.domain, "webhook", "slack")
    assert settings(client) == made
    client.post("/_emulator/clock", json={"advance": "8h"})
    posts = receiver.requests("/hook")
    assert len(posts) == 7
    assert len({each.json()["event_data"]["id"] for each in posts}) == 1
    assert len({each.json()["signature"]["token"] for each in posts}) == 7
    told = settings(client)
    at = "2026-05-29T04:00:00Z"
    assert told[0] == {**made[0], "disabled_at": at}
    assert told[1]["settings"] == {
        "channel_ids": ["C1", "C2"],
        "disabled_channel_ids": {
            each: {"disabled_at": at, "reason": "status code 404"} for each in ("C1", "C2")
        },
    }
    receiver.clear()
    client.delete("/v1/thresholds/alerts/send/bounces")
    message = {"from": f"a@{account.domain}", "to": "b@example.com", "subject": "Hi", "text": "Hi"}
    client.post(f"/v3/{account.domain}/messages", data=message)
    lively = {**BOUNCES, "metric": "delivered_rate", "alert_channels": ["webhook", "slack"]}
    client.post("/v1/thresholds/alerts/send", json=lively)
    client.drain()
    assert client.get("/v1/thresholds/hits").json()["total"] == 1
    assert receiver.requests() == []
    receiver.answer("/hook", 200)
    again = client.put(f"{EVENTS}/{made[0]['id']}", json=hook(receiver.url("/hook"))).json()
    assert again["disabled_at"] is None


def test_what_was_deleted_is_not_told_what_still_was_to_be(
    client: Client, account: Account, receiver: Receiver
) -> None:
    made = create(client, hook(receiver.url("/hook")))
    receiver.answer("/hook", 500)
    receiver.clear()
    cross(client, account.domain, "webhook")
    assert len(receiver.requests("/hook")) == 1
    client.delete(f"{EVENTS}/{made['id']}")
    client.post("/_emulator/clock", json={"advance": "8h"})
    assert len(receiver.requests("/hook")) == 1


def test_faults_stand_in_for_a_receiver(client: Client, account: Account, receiver: Receiver) -> None:
    create(client, hook(receiver.url("/hook")))
    receiver.clear()
    fault = {"match": {"webhook": receiver.url("/hook")}, "do": {"status": 503}}
    assert client.post("/_emulator/faults", json=fault).is_success
    cross(client, account.domain, "webhook")
    test = {"event_type": "ip_listed", "url": receiver.url("/hook")}
    refused(client.post("/v1/alerts/webhooks/test", json=test), 400, "failed to send test: status code 503")
    assert receiver.requests("/hook") == []
    client.delete("/_emulator/faults")
    client.post("/_emulator/clock", json={"advance": "10m"})
    assert len(receiver.requests("/hook")) == 1


def test_letters_go_to_whom_the_settings_name_and_else_to_the_master_user(
    client: Client, account: Account
) -> None:
    create(client, MAIL)
    create(
        client, {**MAIL, "event_type": "ip_delisted", "settings": {"emails": ["ann@example.com", "b@x.com"]}}
    )
    cross(client, account.domain, "email")
    assert [to for to, _ in letters(client)] == ["ann@example.com", "b@x.com"]
    for each in settings(client):
        client.delete(f"{EVENTS}/{each['id']}")
    client.put(
        "/v1/thresholds/alerts/send/bounces", json={**BOUNCES, "limit": "0.1", "alert_channels": ["email"]}
    )
    client.drain()
    (master,) = client.get("/v5/users").json()["users"]
    assert master["email"] in [to for to, _ in letters(client)]
