import re
from typing import Any

import pytest
from tests.api.answers import refused
from tests.conftest import Account, Client
from tests.receiver import Receiver

A, B, C, D = (f"https://example.com/{name}" for name in "abcd")
NOBODY = "0" * 24


def create(client: Client, url: str, *events: str, **fields: str) -> str:
    made = client.post("/v1/webhooks", data={"url": url, "event_types": list(events), **fields})
    assert made.status_code == 200, made.text
    webhook_id: str = made.json()["webhook_id"]
    return webhook_id


def ids(client: Client) -> list[str]:
    return [each["webhook_id"] for each in client.get("/v1/webhooks").json()["webhooks"]]


def test_a_webhook_is_created_read_replaced_and_deleted(client: Client) -> None:
    assert client.get("/v1/webhooks").json() == {"webhooks": []}
    webhook_id = create(client, A, "delivered", "accepted", description="Production")
    assert re.fullmatch(r"[0-9a-f]{24}", webhook_id)
    told = client.get(f"/v1/webhooks/{webhook_id}").json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("created_at"))
    assert told == {
        "webhook_id": webhook_id,
        "description": "Production",
        "url": A,
        "event_types": ["delivered", "accepted"],
    }
    changed = client.put(
        f"/v1/webhooks/{webhook_id}",
        files=[("url", (None, B)), ("event_types", (None, "opened")), ("event_types", (None, "clicked"))],
    )
    assert (changed.status_code, changed.content) == (204, b"")
    (told,) = client.get("/v1/webhooks").json()["webhooks"]
    assert (told["url"], told["event_types"], told["description"]) == (B, ["opened", "clicked"], "")
    deleted = client.delete(f"/v1/webhooks/{webhook_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert ids(client) == []


def test_what_is_posted_where_follows_the_webhooks(
    client: Client, account: Account, receiver: Receiver
) -> None:
    def told() -> list[tuple[str, str]]:
        """Of one more message."""
        receiver.clear()
        message = {"from": f"a@{account.domain}", "to": "ann@example.net", "text": "hi"}
        assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
        client.drain()
        return sorted((each.path, each.json()["event-data"]["event"]) for each in receiver.requests())

    one, two = (create(client, receiver.url(path), "accepted") for path in ("/one", "/two"))
    create(client, receiver.url("/three"), "accepted", "delivered")
    third = [("/three", "accepted"), ("/three", "delivered")]
    assert told() == [("/one", "accepted"), *third, ("/two", "accepted")]
    changed = {"url": receiver.url("/elsewhere"), "event_types": "delivered"}
    assert client.put(f"/v1/webhooks/{one}", data=changed).status_code == 204
    assert told() == [("/elsewhere", "delivered"), *third, ("/two", "accepted")]
    assert client.delete(f"/v1/webhooks/{two}").status_code == 204
    assert told() == [("/elsewhere", "delivered"), *third]
    assert client.delete("/v1/webhooks", params={"webhook_ids": one}).status_code == 204
    assert told() == third
    assert client.delete("/v1/webhooks", params={"all": "yes"}).status_code == 204
    assert told() == []


def test_some_are_listed_and_deleted_by_their_ids(client: Client) -> None:
    one, two, three = (create(client, url, "opened") for url in (A, B, C))
    some = client.get("/v1/webhooks", params={"webhook_ids": f"{three},{one},{NOBODY}"}).json()["webhooks"]
    assert {each["webhook_id"] for each in some} == {one, three}
    assert client.delete("/v1/webhooks", params={"webhook_ids": f"{one},{two}"}).status_code == 204
    assert ids(client) == [three]
    assert client.delete("/v1/webhooks", params={"all": "true"}).status_code == 204
    assert ids(client) == []


def test_ids_count_before_all(client: Client) -> None:
    one, two = create(client, A, "opened"), create(client, B, "opened")
    client.delete("/v1/webhooks", params={"all": "true", "webhook_ids": one})
    assert ids(client) == [two]


def test_the_javascript_clients_name_of_unsubscribed_is_understood(client: Client) -> None:
    webhook_id = create(client, A, "unsubscribe")
    assert client.get(f"/v1/webhooks/{webhook_id}").json()["event_types"] == ["unsubscribed"]


WRONG: list[tuple[dict[str, Any], int, object]] = [
    ({"event_types": "opened"}, 400, {"Field": "url", "Value": "missing or invalid url parameter"}),
    (
        {"url": "ftp://x.com", "event_types": "opened"},
        400,
        {"Field": "url", "Value": "missing or invalid url parameter"},
    ),
    ({"url": A}, 400, {"Field": "event_types", "Value": "missing or invalid event_types parameter"}),
    (
        {"url": A, "event_types": ["accepted", "opened", "accepted"]},
        400,
        {"Field": "event_types", "Value": "duplicate event types: 'accepted'"},
    ),
    (
        {"url": A, "event_types": ["invalid_type"]},
        404,
        {"Description": "event_type 'invalid_type' is invalid"},
    ),
]


@pytest.mark.parametrize(("fields", "status", "body"), WRONG)
def test_a_wrong_webhook_is_refused_and_changes_nothing(
    client: Client, fields: dict[str, Any], status: int, body: object
) -> None:
    webhook_id = create(client, D, "clicked")
    before = client.get("/v1/webhooks").json()
    refused(client.post("/v1/webhooks", data=fields), status, body)
    refused(client.put(f"/v1/webhooks/{webhook_id}", data=fields), status, body)
    assert client.get("/v1/webhooks").json() == before


def test_an_event_has_no_url_twice_and_no_more_than_three(client: Client) -> None:
    last = [create(client, url, "delivered") for url in (A, B, C)][-1]
    twice = {"Description": f"url {A} already exists for event type delivered"}
    refused(client.post("/v1/webhooks", data={"url": A, "event_types": ["opened", "delivered"]}), 409, twice)
    refused(client.put(f"/v1/webhooks/{last}", data={"url": A, "event_types": "delivered"}), 409, twice)
    refused(
        client.post("/v1/webhooks", data={"url": D, "event_types": ["opened", "delivered"]}),
        409,
        {"Description": "unable to add more than 3 urls for event type delivered"},
    )
    create(client, A, "opened")
    replaced = client.put(f"/v1/webhooks/{last}", data={"url": D, "event_types": ["delivered", "opened"]})
    assert replaced.status_code == 204


def test_what_is_not_there_is_not_found(client: Client) -> None:
    unknown = {"Description": f"webhook_id not found: {NOBODY}"}
    refused(client.get(f"/v1/webhooks/{NOBODY}"), 404, {"Description": "webhook not found"})
    refused(client.put(f"/v1/webhooks/{NOBODY}", data={"url": A, "event_types": "opened"}), 404, unknown)
    refused(client.delete(f"/v1/webhooks/{NOBODY}"), 404, unknown)
    refused(client.delete("/v1/webhooks/one"), 400, {"Field": "webhook_id", "Value": "is not valid"})
    refused(
        client.delete("/v1/webhooks", params={"all": "true"}),
        404,
        {"Description": "no webhooks found for account"},
    )
    kept = create(client, A, "opened")
    refused(client.delete("/v1/webhooks", params={"webhook_ids": f"{kept},{NOBODY}"}), 404, unknown)
    assert ids(client) == [kept]


def test_ids_are_named_without_gaps(client: Client) -> None:
    kept = create(client, A, "opened")
    malformed = "Invalid parameter: webhook_ids malformed webhook_ids parameter: empty values not allowed"
    refused(client.get("/v1/webhooks", params={"webhook_ids": f"{kept},"}), 400, {"message": malformed})
    refused(client.delete("/v1/webhooks", params={"webhook_ids": f",{kept}"}), 400, {"message": malformed})
    refused(
        client.delete("/v1/webhooks"),
        400,
        {"message": "Invalid parameter: either webhook_ids or all=true is required"},
    )
    assert ids(client) == [kept]


def test_a_key_that_only_reads_may_not_change_webhooks(client: Client) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "kind": "user"}).json()["key"]
    auth = ("api", made["secret"])
    assert client.get("/v1/webhooks", auth=auth).status_code == 200
    denied = client.post("/v1/webhooks", data={"url": A, "event_types": "opened"}, auth=auth)
    refused(denied, 403, {"message": "Forbidden"})


def test_accounts_do_not_see_each_others_webhooks(client: Client) -> None:
    mine = create(client, A, "opened")
    auth = ("api", client.post("/_emulator/accounts").json()["api_key"])
    assert client.get("/v1/webhooks", auth=auth).json() == {"webhooks": []}
    refused(client.get(f"/v1/webhooks/{mine}", auth=auth), 404, {"Description": "webhook not found"})
    assert client.delete(f"/v1/webhooks/{mine}", auth=auth).status_code == 404
    assert ids(client) == [mine]
