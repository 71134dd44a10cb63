"""From the first attempt to the complaint, and each moment told to a webhook that checks its signature."""

import hashlib
import hmac
from typing import Any

import pytest
from tests.conftest import Account, Client
from tests.receiver import Receiver

EVENTS = (
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "temporary_fail",
    "permanent_fail",
)
HOURS_OF_RETRIES = (300, 600, 900, 3600, 7200, 14400)


@pytest.fixture
def webhooks(client: Client, account: Account, receiver: Receiver) -> Receiver:
    """One URL for all that webhooks can be told."""
    asked = {"url": receiver.url("/hook"), "event_types": list(EVENTS)}
    assert client.post(f"/v4/domains/{account.domain}/webhooks", data=asked).status_code == 200
    return receiver


def advance(client: Client, by: str | float) -> None:
    assert client.post("/_emulator/clock", json={"advance": by}).status_code == 200


def send(client: Client, account: Account, to: str, **fields: Any) -> str:
    message = {
        "from": f"Ann <ann@{account.domain}>",
        "to": to,
        "subject": "Hello",
        "html": '<p>Read <a href="https://example.org/more?a=1&amp;b=2">more</a></p>',
        **fields,
    }
    sent = client.post(f"/v3/{account.domain}/messages", data=message)
    assert sent.status_code == 200, sent.text
    return str(sent.json()["id"])


def is_signed(signature: dict[str, str], key: str) -> bool:
    told = (signature["timestamp"] + signature["token"]).encode()
    return hmac.compare_digest(
        hmac.new(key.encode(), told, hashlib.sha256).hexdigest(), signature["signature"]
    )


def told(receiver: Receiver, account: Account) -> list[dict[str, Any]]:
    """The events, whose signatures are right."""
    posts = [request.json() for request in receiver.requests("/hook")]
    assert all(is_signed(post["signature"], account.signing_key) for post in posts)
    assert len({post["signature"]["token"] for post in posts}) == len(posts)
    return [post["event-data"] for post in posts]


def test_from_deferral_to_complaint(client: Client, account: Account, webhooks: Receiver) -> None:
    rule = {
        "match": {"recipient": "bob@inbox.org"},
        "code": 450,
        "attempts": 2,
        "then": [
            {"event": "opened", "after": "10m", "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)"},
            {"event": "clicked", "after": "11m"},
            {"event": "complained", "after": "2h"},
        ],
    }
    assert client.post("/_emulator/outcomes", json=rule).status_code == 200
    now = client.post("/_emulator/clock", json={"freeze": "2026-01-01T00:00:00Z"}).json()["now"]
    send(client, account, "Bob <bob@inbox.org>", **{"o:tag": "news", "v:order": "7"})
    advance(client, "1d")
    events = told(webhooks, account)
    seen = [
        (" ".join([each["event"], each.get("severity", "")]).strip(), each["timestamp"] - now)
        for each in events
    ]
    assert seen == [
        ("accepted", 0),
        ("failed temporary", 0),
        ("failed temporary", 600),
        ("delivered", 1200),
        ("opened", 1800),
        ("clicked", 1860),
        ("complained", 8400),
    ]
    assert {each["recipient"] for each in events} == {"bob@inbox.org"}
    assert all(each["tags"] == ["news"] and each["user-variables"] == {"order": "7"} for each in events)
    assert events[5]["url"] == "https://example.org/more?a=1&b=2"
    assert len({each["message"]["headers"]["message-id"] for each in events}) == 1

    send(client, account, "bob@inbox.org")
    advance(client, 1)
    last = told(webhooks, account)[-1]
    assert (last["event"], last["severity"], last["reason"]) == ("failed", "permanent", "suppress-complaint")
    assert last["delivery-status"]["code"] == 607

    listed = client.get(f"/v3/{account.domain}/events?ascending=yes&begin=1").json()["items"]
    assert [each["id"] for each in listed] == [each["id"] for each in told(webhooks, account)]
    assert listed == told(webhooks, account)
    first, second = client.get(
        f"/v3/{account.domain}/stats/total",
        params={
            "event": list({each["event"] for each in listed}),
            "start": str(now),
            "end": str(now + 86400),
        },
    ).json()["stats"]
    assert first["opened"] == {"total": 1, "unique": 1}
    assert first["clicked"] == {"total": 1, "unique": 1}
    assert first["complained"] == {"total": 1}
    assert first["failed"]["temporary"]["total"] == 2
    assert second["failed"]["permanent"]["suppress-complaint"] == 1


def test_three_days_of_schedule_and_eight_hours_of_retries(
    client: Client, account: Account, webhooks: Receiver
) -> None:
    now = client.post("/_emulator/clock", json={"freeze": "2026-01-01T00:00:00Z"}).json()["now"]
    webhooks.answer("/hook", 500)
    send(client, account, "bob@inbox.org", **{"o:deliverytime": str(int(now + 3 * 86400))})
    advance(client, "8h")
    assert [each["event"] for each in told(webhooks, account)] == ["accepted"] * 7
    at = [int(request.json()["signature"]["timestamp"]) - int(now) for request in webhooks.requests("/hook")]
    assert at == [sum(HOURS_OF_RETRIES[:number]) for number in range(7)]
    webhooks.answer("/hook", 200)
    advance(client, "64h")
    events = told(webhooks, account)[7:]
    assert [(each["event"], each["timestamp"] - now) for each in events] == [("delivered", 3 * 86400)]
