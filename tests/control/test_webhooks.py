from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client
from tests.receiver import Receiver

PATH = "/_emulator/webhooks/deliveries"


@pytest.fixture
def hooked(client: Client, account: Account, receiver: Receiver) -> Receiver:
    """Told of what is accepted and what is delivered, and of what fails elsewhere."""
    for event, path in (("accepted", "/a"), ("delivered", "/a"), ("permanent_fail", "/b")):
        fields = {"id": event, "url": receiver.url(path)}
        client.post(f"/v3/domains/{account.domain}/webhooks", data=fields)
    return receiver


def send(client: Client, account: Account, to: str) -> str:
    fields = {"from": "a@x.com", "to": to, "text": "hi"}
    message_id: str = client.post(f"/v3/{account.domain}/messages", data=fields).json()["id"]
    client.drain()
    return message_id


def listed(client: Client, **wanted: Any) -> list[tuple[str, str]]:
    items = client.get(PATH, params=wanted).json()["items"]
    return [(item["webhook"], item["recipient"]) for item in items]


def test_deliveries_are_listed_the_newest_first(client: Client, account: Account, hooked: Receiver) -> None:
    message_id = send(client, account, "bounce@example.com")
    page = client.get(PATH).json()
    assert page["next"] is None
    failed, accepted = page["items"]
    assert failed["id"] > accepted["id"]
    event = client.get(f"/v3/{account.domain}/events", params={"event": "failed"}).json()["items"][0]
    assert failed == {
        "id": failed["id"],
        "state": "done",
        "webhook": "permanent_fail",
        "event": "failed",
        "event_id": event["id"],
        "url": hooked.url("/b"),
        "domain": account.domain,
        "recipient": "bounce@example.com",
        "message_id": message_id.strip("<>"),
        "created_at": event["timestamp"],
        "attempts": 1,
        "status": 200,
        "next_try": None,
    }


def test_deliveries_are_chosen_by_what_they_tell(client: Client, account: Account, hooked: Receiver) -> None:
    hooked.answer("/b", 500)
    good = send(client, account, "Good@example.org")
    send(client, account, "bounce@example.com")
    fine = [("delivered", "good@example.org"), ("accepted", "good@example.org")]
    bad = [("permanent_fail", "bounce@example.com"), ("accepted", "bounce@example.com")]
    assert listed(client) == bad + fine
    assert listed(client, recipient="good@Example.org") == fine
    assert listed(client, **{"message-id": good}) == fine
    assert listed(client, event="accepted") == [bad[1], fine[1]]
    assert listed(client, event="failed") == listed(client, event="permanent_fail") == bad[:1]
    assert listed(client, url=hooked.url("/b")) == bad[:1]
    assert listed(client, state="pending") == bad[:1]
    assert listed(client, state="done", event="delivered") == fine[:1]
    assert listed(client, domain=account.domain.upper()) == bad + fine
    assert listed(client, domain="other.example.com") == []


def test_deliveries_come_in_pages(client: Client, account: Account, hooked: Receiver) -> None:
    for number in range(3):
        send(client, account, f"r{number}@example.org")
    url, seen = f"{PATH}?limit=2&event=accepted", []
    while url:
        page = client.get(url).json()
        seen.append([item["recipient"] for item in page["items"]])
        url = page["next"]
    assert seen == [["r2@example.org", "r1@example.org"], ["r0@example.org"]]


def test_a_delivery_is_told_with_every_request_and_answer(
    client: Client, account: Account, hooked: Receiver
) -> None:
    hooked.answer("/b", 503, 200)
    send(client, account, "bounce@example.com")
    client.post("/_emulator/clock", json={"advance": "5m"})
    delivery = client.get(PATH, params={"url": hooked.url("/b")}).json()["items"][0]
    told = client.get(f"{PATH}/{delivery['id']}").json()
    assert told["delivery"] == delivery
    assert [attempt["response"]["status"] for attempt in told["attempts"]] == [503, 200]
    for attempt, received in zip(told["attempts"], hooked.requests("/b"), strict=True):
        assert attempt["request"]["body"] == received.json()
        for name, value in attempt["request"]["headers"].items():
            assert received.headers[name.lower()] == value
        assert attempt["response"]["body"] == f"answered {attempt['response']['status']}"
        assert attempt["response"]["headers"]["Content-Type"] == "text/plain"
        assert attempt["response"]["error"] == ""


def test_who_does_not_answer_is_told_with_the_reason(client: Client, account: Account) -> None:
    url = "http://127.0.0.1:1/"
    client.post("/v1/webhooks", data={"url": url, "event_types": "accepted"})
    send(client, account, "r@example.org")
    delivery = client.get(PATH).json()["items"][0]
    assert (delivery["state"], delivery["status"]) == ("pending", 0)
    assert delivery["next_try"] - delivery["created_at"] >= 300
    (attempt,) = client.get(f"{PATH}/{delivery['id']}").json()["attempts"]
    assert (attempt["response"]["status"], attempt["response"]["body"]) == (0, "")
    assert "127.0.0.1:1" in attempt["response"]["error"]


@pytest.mark.parametrize("status", [200, 406])
def test_what_has_ended_is_posted_again_when_asked(
    client: Client, account: Account, hooked: Receiver, status: int
) -> None:
    hooked.answer("/b", status, 200)
    send(client, account, "bounce@example.com")
    delivery = client.get(PATH, params={"url": hooked.url("/b")}).json()["items"][0]
    again = client.post(f"{PATH}/{delivery['id']}/resend")
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    client.drain()
    first, second = hooked.requests("/b")
    assert first.json()["event-data"] == second.json()["event-data"]
    assert first.json()["signature"]["token"] != second.json()["signature"]["token"]
    told = client.get(f"{PATH}/{delivery['id']}").json()
    assert (told["delivery"]["state"], len(told["attempts"])) == ("done", 2)


def test_what_waits_to_be_tried_again_is_tried_at_once_when_asked(
    client: Client, account: Account, hooked: Receiver
) -> None:
    hooked.answer("/b", 500, 500, 200)
    send(client, account, "bounce@example.com")
    delivery = client.get(PATH, params={"url": hooked.url("/b")}).json()["items"][0]
    client.post(f"{PATH}/{delivery['id']}/resend")
    client.drain()
    assert len(hooked.requests("/b")) == 2
    client.post("/_emulator/clock", json={"advance": "10m"})
    assert len(hooked.requests("/b")) == 3
    client.post("/_emulator/clock", json={"advance": "1d"})
    assert len(hooked.requests("/b")) == 3


def test_what_is_under_way_is_not_tried_twice_as_often_when_asked(
    client: Client, account: Account, hooked: Receiver
) -> None:
    hooked.answer("/b", 500)
    with hooked.holding("/b"):
        client.post(
            f"/v3/{account.domain}/messages",
            data={"from": "a@x.com", "to": "bounce@example.com", "text": "hi"},
        )
        hooked.wait_for(1, "/b")
        delivery = client.get(PATH, params={"url": hooked.url("/b")}).json()["items"][0]
        for _ in range(2):
            assert client.post(f"{PATH}/{delivery['id']}/resend").json()["state"] == "pending"
    client.drain()
    client.post("/_emulator/clock", json={"advance": "1d"})
    assert len(hooked.requests("/b")) == 7


def test_what_is_not_there_is_told_with_where_to_look(client: Client) -> None:
    message = {
        "message": "There is no webhook delivery 999999999; GET /_emulator/webhooks/deliveries lists those there are."
    }
    for response in (client.get(f"{PATH}/999999999"), client.post(f"{PATH}/999999999/resend")):
        assert (response.status_code, response.json()) == (404, message)
    assert client.get(PATH, params={"state": "lost"}).status_code == 400
    assert client.get(PATH, params={"limit": 0}).status_code == 400
    for number in (2**63, -(2**63) - 1):
        for refused in (client.get(f"{PATH}/{number}"), client.get(PATH, params={"before": number})):
            assert refused.status_code == 400


def test_accounts_do_not_see_each_others_deliveries(
    client: Client, account: Account, hooked: Receiver, server_url: str
) -> None:
    send(client, account, "r@example.org")
    delivery = client.get(PATH).json()["items"][0]
    other = client.post("/_emulator/accounts").json()
    auth = ("api", other["api_key"])
    assert client.get(PATH, auth=auth).json()["items"] == []
    assert client.get(f"{PATH}/{delivery['id']}", auth=auth).status_code == 404
    assert client.post(f"{PATH}/{delivery['id']}/resend", auth=auth).status_code == 404
    mine = plain.get(f"{server_url}{PATH}", params={"account": account.id}).json()
    assert len(mine["items"]) == 2


def test_deliveries_are_kept_as_long_as_their_events(
    client: Client, account: Account, hooked: Receiver
) -> None:
    send(client, account, "r@example.org")
    client.post("/_emulator/clock", json={"advance": "29d"})
    assert len(listed(client)) == 2
    client.post("/_emulator/clock", json={"advance": "2d"})
    assert listed(client) == []
    assert client.get(f"/v3/{account.domain}/events").json()["items"] == []


def test_what_nobody_took_is_counted(client: Client, account: Account, hooked: Receiver) -> None:
    hooked.answer("/b", 500)
    send(client, account, "bounce@example.com")
    client.post("/_emulator/clock", json={"advance": "8h"})
    assert client.get(PATH, params={"url": hooked.url("/b")}).json()["items"][0]["state"] == "given-up"
    asked = {"metrics": ["webhook_count"], "dimensions": ["domain"], "duration": "2d"}
    counted = client.post("/v1/analytics/metrics", json=asked).json()["items"]
    assert [item["metrics"]["webhook_count"] for item in counted] == [1]
