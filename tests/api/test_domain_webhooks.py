from typing import Any

import pytest
from tests.api.answers import refused
from tests.conftest import Account, Client
from tests.receiver import Receiver

A, B, C, D = (f"https://example.com/{name}" for name in "abcd")
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


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/domains/{account.domain}/webhooks"


@pytest.fixture
def by_url(account: Account) -> str:
    return f"/v4/domains/{account.domain}/webhooks"


def test_a_webhook_is_created_read_changed_and_deleted(client: Client, path: str) -> None:
    assert client.get(path).json() == {"webhooks": {}}
    created = client.post(path, data={"id": "clicked", "url": [A, B]})
    assert created.content == (
        b'{"message":"Webhook has been created","webhook":{"urls":["%s","%s"]}}\n' % (A.encode(), B.encode())
    )
    assert client.get(f"{path}/clicked").json() == {"webhook": {"urls": [A, B]}}
    assert client.post(path, files={"id": (None, "accepted"), "url": (None, C)}).status_code == 200
    listed = client.get(path).json()
    assert list(listed["webhooks"]) == ["accepted", "clicked"]
    assert listed == {"webhooks": {"accepted": {"urls": [C]}, "clicked": {"urls": [A, B]}}}
    assert client.put(f"{path}/clicked", data={"id": "clicked", "url": D}).json() == {
        "message": "Webhook has been updated",
        "webhook": {"urls": [D]},
    }
    assert client.delete(f"{path}/clicked").json() == {
        "message": "Webhook has been deleted",
        "webhook": {"urls": [D]},
    }
    assert client.get(path).json() == {"webhooks": {"accepted": {"urls": [C]}}}


def test_every_kind_of_event_that_mailgun_posts_can_have_a_webhook(client: Client, path: str) -> None:
    for event in reversed(EVENTS):
        assert client.post(path, data={"id": event, "url": A}).status_code == 200
    assert tuple(client.get(path).json()["webhooks"]) == EVENTS


def test_the_javascript_clients_name_of_unsubscribed_is_understood(
    client: Client, path: str, by_url: str
) -> None:
    assert client.post(path, data={"id": "unsubscribe", "url": A}).status_code == 200
    assert client.get(path).json() == {"webhooks": {"unsubscribed": {"urls": [A]}}}
    assert client.get(f"{path}/unsubscribe").json() == {"webhook": {"urls": [A]}}
    assert client.delete(f"{path}/unsubscribe").status_code == 200
    added = client.post(by_url, data={"url": A, "event_types": "unsubscribe"})
    assert added.json() == {"webhooks": {"unsubscribed": {"urls": [A]}}}


def test_a_url_that_is_named_twice_counts_once(client: Client, path: str) -> None:
    created = client.post(path, data={"id": "opened", "url": [A, B, A, B]})
    assert created.json()["webhook"] == {"urls": [A, B]}


def test_an_event_that_has_a_webhook_gets_no_second_one(client: Client, path: str) -> None:
    client.post(path, data={"id": "opened", "url": A})
    refused(client.post(path, data={"id": "opened", "url": B}), 400, {"message": "Webhook already exists"})
    assert client.get(f"{path}/opened").json() == {"webhook": {"urls": [A]}}


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"url": A}, {"message": "Missing parameter 'id'"}),
        ({"id": "", "url": A}, {"message": "Missing parameter 'id'"}),
        ({"id": "opened"}, {"message": "Missing parameter 'url'"}),
        ({"id": "opened", "url": ""}, {"message": "Missing parameter 'url'"}),
        ({"id": "bounce", "url": A}, {"message": "event_type 'bounce' is invalid"}),
        ({"id": "stored", "url": A}, {"message": "event_type 'stored' is invalid"}),
        (
            {"id": "opened", "url": [A, B, C, D]},
            {"Reason": "unable to add more than 3 urls for event type opened"},
        ),
        (
            {"id": "opened", "url": [A, "ftp://example.com"]},
            {"Reason": "ftp://example.com is not a valid url: invalid URL scheme"},
        ),
        (
            {"id": "opened", "url": "example.com/hook"},
            {"Reason": "example.com/hook is not a valid url: invalid URL scheme"},
        ),
        ({"id": "opened", "url": "https:///x"}, {"Reason": "https:///x is not a valid url: host not found"}),
        (
            {"id": "opened", "url": "http://a.com:99999/"},
            {"Reason": "http://a.com:99999/ is not a valid url: host not found"},
        ),
    ],
)
def test_a_wrong_webhook_is_refused_and_changes_nothing(
    client: Client, path: str, fields: dict[str, Any], body: object
) -> None:
    refused(client.post(path, data=fields), 400, body)
    assert client.get(path).json() == {"webhooks": {}}


def test_a_change_that_is_refused_changes_nothing(client: Client, path: str) -> None:
    client.post(path, data={"id": "opened", "url": A})
    refused(client.put(f"{path}/opened"), 400, {"message": "Missing parameter 'url'"})
    refused(
        client.put(f"{path}/opened", data={"url": [A, B, C, D]}),
        400,
        {"Reason": "unable to add more than 3 urls for event type opened"},
    )
    refused(
        client.put(f"{path}/opened", data={"url": "mailto:a@x.com"}),
        400,
        {"Reason": "mailto:a@x.com is not a valid url: invalid URL scheme"},
    )
    assert client.get(f"{path}/opened").json() == {"webhook": {"urls": [A]}}


@pytest.mark.parametrize("name", ["opened", "bounce"])
def test_what_is_not_there_is_not_found(client: Client, path: str, name: str) -> None:
    for response in (
        client.get(f"{path}/{name}"),
        client.put(f"{path}/{name}", data={"url": A}),
        client.delete(f"{path}/{name}"),
    ):
        refused(response, 404, {"message": "Webhook not found"})


def test_webhooks_of_a_domain_that_is_not_there_are_not_found(client: Client) -> None:
    for response in (
        client.get("/v3/domains/none.example.net/webhooks"),
        client.post("/v3/domains/none.example.net/webhooks", data={"id": "opened", "url": A}),
        client.get("/v3/domains/none.example.net/webhooks/opened"),
        client.put("/v3/domains/none.example.net/webhooks/opened", data={"url": A}),
        client.delete("/v3/domains/none.example.net/webhooks/opened"),
        client.put("/v3/domains/none.example.net/webhooks/opened/test", data={"url": A}),
        client.post("/v4/domains/none.example.net/webhooks", data={"url": A, "event_types": "opened"}),
        client.put("/v4/domains/none.example.net/webhooks", data={"url": A, "event_types": "opened"}),
        client.delete("/v4/domains/none.example.net/webhooks", params={"url": A}),
    ):
        refused(response, 404, {"message": "Domain not found"})


def test_one_url_is_told_of_several_events(client: Client, by_url: str, path: str) -> None:
    client.post(path, data={"id": "clicked", "url": B})
    added = client.post(by_url, data={"url": A, "event_types": ["opened", "accepted", "clicked"]})
    assert added.json() == {
        "webhooks": {"accepted": {"urls": [A]}, "opened": {"urls": [A]}, "clicked": {"urls": [B, A]}}
    }
    moved = client.put(by_url, data={"url": A, "event_types": ["opened", "delivered"]})
    assert moved.json() == {
        "webhooks": {"delivered": {"urls": [A]}, "opened": {"urls": [A]}, "clicked": {"urls": [B]}}
    }
    left = client.delete(by_url, params={"url": A})
    assert left.json() == {"webhooks": {"clicked": {"urls": [B]}}} == client.get(path).json()


def test_several_urls_are_deleted_at_once(client: Client, by_url: str) -> None:
    odd = "https://example.com/x?ids=1,2"
    for url, event in ((A, "clicked"), (B, "clicked"), (C, "clicked"), (odd, "opened")):
        client.post(by_url, data={"url": url, "event_types": event})
    assert list(client.delete(by_url, params={"url": odd}).json()["webhooks"]) == ["clicked"]
    left = client.delete(by_url, params={"url": f"{A},{B}"})
    assert left.json() == {"webhooks": {"clicked": {"urls": [C]}}}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"event_types": "opened"}, "invalid parameters: missing or invalid url parameter"),
        ({"url": A}, "invalid parameters: missing or invalid event_types parameter"),
        ({"url": A, "event_types": "bounce"}, "invalid parameters: event_type 'bounce' is invalid"),
        (
            {"url": A, "event_types": ["opened", "opened"]},
            "invalid parameters: duplicate event types: 'opened'",
        ),
        (
            {"url": "ftp://invalid", "event_types": "opened"},
            "invalid parameters: ftp://invalid is not a valid url: invalid URL scheme",
        ),
    ],
)
def test_wrong_webhooks_by_url_are_refused(
    client: Client, by_url: str, path: str, fields: dict[str, Any], reason: str
) -> None:
    refused(client.post(by_url, data=fields), 400, {"Reason": reason})
    refused(client.put(by_url, data=fields), 400, {"Reason": reason})
    assert client.get(path).json() == {"webhooks": {}}


def test_an_event_has_no_url_twice_and_no_more_than_three(client: Client, by_url: str, path: str) -> None:
    client.post(path, data={"id": "clicked", "url": [A, B, C]})
    refused(
        client.post(by_url, data={"url": A, "event_types": ["opened", "clicked"]}),
        400,
        {"Reason": f"Webhook for event type 'clicked' with URL '{A}' already exists"},
    )
    too_many = {"Reason": "unable to add more than 3 urls for event type clicked"}
    refused(client.post(by_url, data={"url": D, "event_types": ["opened", "clicked"]}), 400, too_many)
    client.post(by_url, data={"url": D, "event_types": "opened"})
    refused(client.put(by_url, data={"url": D, "event_types": "clicked"}), 400, too_many)
    assert client.get(path).json() == {"webhooks": {"opened": {"urls": [D]}, "clicked": {"urls": [A, B, C]}}}


def test_a_url_that_is_not_there_is_neither_changed_nor_deleted(client: Client, by_url: str) -> None:
    refused(
        client.put(by_url, data={"url": A, "event_types": "opened"}),
        404,
        {"Description": "Webhook not found"},
    )
    refused(client.delete(by_url, params={"url": A}), 404, {"message": "Webhook not found"})
    refused(client.delete(by_url), 400, {"Field": "url"})


def test_a_webhook_is_tried_and_its_answer_told(client: Client, path: str, receiver: Receiver) -> None:
    receiver.answer("/new", 503)
    tried = client.put(f"{path}/permanent_fail/test", data={"url": receiver.url("/new")})
    assert tried.json() == {"code": 503, "message": "answered 503"}
    (posted,) = receiver.requests("/new")
    event = posted.json()["event-data"]
    assert (event["event"], event["severity"]) == ("failed", "permanent")
    assert client.get("/_emulator/webhooks/deliveries").json()["items"] == []


@pytest.mark.parametrize("event", EVENTS)
def test_each_kind_of_webhook_can_be_tried(
    client: Client, account: Account, path: str, receiver: Receiver, event: str
) -> None:
    tried = client.put(f"{path}/{event}/test", files={"url": (None, receiver.url())})
    assert tried.json() == {"code": 200, "message": "answered 200"}
    (posted,) = receiver.requests()
    told = posted.json()["event-data"]
    assert told["event"] == ("failed" if event.endswith("_fail") else event)
    assert (told["domain"], told["account"]) == ({"name": account.domain}, {"id": account.id})


def test_a_trial_of_what_is_not_there_is_told(client: Client, path: str, account: Account) -> None:
    tried = client.put(f"{path}/opened/test", data={"url": "http://127.0.0.1:1/"}).json()
    assert tried["code"] == 0
    assert "127.0.0.1:1" in tried["message"]
    refused(client.put(f"{path}/opened/test"), 400, {"message": "Missing parameter 'url'"})
    refused(
        client.put(f"{path}/opened/test", data={"url": "x"}),
        400,
        {"Reason": "x is not a valid url: invalid URL scheme"},
    )
    refused(client.put(f"{path}/bounce/test", data={"url": A}), 404, {"message": "Webhook not found"})


def test_the_webhooks_of_a_domain_go_with_it(client: Client, account: Account, path: str) -> None:
    client.post(path, data={"id": "opened", "url": A})
    client.delete(f"/v3/domains/{account.domain}")
    client.drain()
    client.post("/v4/domains", data={"name": account.domain})
    assert client.get(path).json() == {"webhooks": {}}


def test_accounts_do_not_see_each_others_webhooks(client: Client, path: str) -> None:
    other = client.post("/_emulator/accounts").json()
    client.post(path, data={"id": "opened", "url": A})
    response = client.get(path, auth=("api", other["api_key"]))
    refused(response, 404, {"message": "Domain not found"})
