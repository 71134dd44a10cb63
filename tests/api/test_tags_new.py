import json
import re
from typing import Any

import pytest
from tests import plain
from tests.api.reported import happen, send
from tests.conftest import Account, Client

PATH = "/v1/analytics/tags"
SEEN = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000")


def tags(client: Client, **asked: Any) -> dict[str, Any]:
    answer = client.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def names(client: Client, **asked: Any) -> list[str]:
    return [item["tag"] for item in tags(client, **asked)["items"]]


def other_domain(client: Client, account: Account) -> str:
    name = f"other.{account.domain}"
    assert client.post("/v4/domains", data={"name": name}).status_code == 200
    assert client.put(f"/v4/domains/{name}/verify").status_code == 200
    return name


def send_at(client: Client, account: Account, now: str, *written: str) -> None:
    assert (
        client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": now}).status_code
        == 200
    )
    send(client, account.domain, **{"o:tag": list(written)})


def test_tags_are_told_as_recorded(client: Client, account: Account) -> None:
    send(client, account.domain, **{"o:tag": "News"})
    told = tags(client, pagination={"sort": "lastseen:desc", "limit": 10, "include_total": True})
    (tag,) = told["items"]
    assert list(tag) == [
        "account_id", "parent_account_id", "tag", "description", "first_seen", "last_seen", "metrics", "account_name",
    ]  # fmt: skip
    assert (tag["account_id"], tag["account_name"]) == (account.id, account.name)
    assert (tag["tag"], tag["description"], tag["metrics"]) == ("News", "", {})
    assert SEEN.fullmatch(tag["first_seen"])
    assert SEEN.fullmatch(tag["last_seen"])
    assert told["pagination"] == {"sort": "lastseen:desc", "limit": 10, "total": 1}
    assert tags(client)["pagination"] == {"sort": "lastseen:desc", "limit": 10}


def test_a_tag_of_several_domains_is_one(client: Client, account: Account) -> None:
    for domain in (account.domain, other_domain(client, account)):
        send(client, domain, **{"o:tag": "News"})
    assert names(client) == ["News"]
    assert client.get(f"{PATH}/limits").json() == {"limit": 100000, "count": 1, "limit_reached": False}


def test_the_last_used_comes_first_unless_asked_otherwise(client: Client, account: Account) -> None:
    send_at(client, account, "2026-01-01T00:00:00Z", "beta")
    send_at(client, account, "2026-01-02T00:00:00Z", "Alpha")
    send_at(client, account, "2026-01-03T00:00:00Z", "beta", "gamma")
    assert names(client, pagination={"sort": "firstseen:asc"}) == ["beta", "Alpha", "gamma"]
    assert names(client) == ["beta", "gamma", "Alpha"]
    assert names(client, pagination={"sort": "tag:asc"}) == ["Alpha", "beta", "gamma"]
    assert names(client, pagination={"sort": "tag:desc", "limit": 1, "skip": 1}) == ["beta"]
    assert names(client, tag="AL") == ["Alpha"]
    assert names(client, tag="z") == []


def test_metrics_are_those_of_the_tag(client: Client, account: Account) -> None:
    message = send(client, account.domain, **{"o:tag": ["News", "sale"]})
    send(client, account.domain, "bounce@example.com", **{"o:tag": "news"})
    client.drain()
    happen(client, message, "opened")
    told = {item["tag"]: item["metrics"] for item in tags(client, include_metrics=True)["items"]}
    assert [told["News"][name] for name in ("accepted_count", "delivered_count", "bounced_count", "opened_rate")] == [
        2, 1, 1, "1.0000",
    ]  # fmt: skip
    assert [told["sale"][name] for name in ("accepted_count", "delivered_count", "bounced_count")] == [
        1,
        1,
        0,
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"pagination%5Bsort%5D=tag%3Aasc&pagination%5Blimit%5D=1", b"rubbish", b'{"pagination": null}'],
)
def test_a_body_that_can_not_be_read_is_none_as_recorded(
    client: Client, account: Account, body: bytes
) -> None:
    send(client, account.domain, **{"o:tag": ["a", "b"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    told = client.post(PATH, content=body, headers=headers)
    assert told.status_code == 200
    assert len(told.json()["items"]) == 2
    assert told.json()["pagination"] == {"sort": "lastseen:desc", "limit": 10}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pagination": {"limit": 1001}}, "pagination limit can't be larger than 1000"),
        ({"pagination": {"limit": 21}, "include_metrics": True}, "pagination limit can't be larger than 20"),
        ({"pagination": {"sort": "colour:asc"}}, "sort 'colour:asc' is not valid"),
        ({"pagination": {"skip": -1}}, "Invalid parameter: pagination is invalid"),
    ],
)
def test_what_can_not_be_listed_is_refused(client: Client, asked: dict[str, Any], message: str) -> None:
    refused = client.post(PATH, json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_a_tag_is_described_at_all_domains(client: Client, account: Account) -> None:
    other = other_domain(client, account)
    for domain in (account.domain, other):
        send(client, domain, **{"o:tag": "News"})
    described = client.put(PATH, json={"tag": "news", "description": "One"})
    assert (described.status_code, described.json()) == (200, {"message": "Tag updated"})
    assert tags(client)["items"][0]["description"] == "One"
    for domain in (account.domain, other):
        assert client.get(f"/v3/{domain}/tags/News").json()["description"] == "One"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_tag_is_deleted_from_all_domains(client: Client, account: Account, kind: str) -> None:
    other = other_domain(client, account)
    for domain in (account.domain, other):
        send(client, domain, **{"o:tag": ["News", "sale"]})
    body = json.dumps({"tag": "NEWS"}).encode()
    deleted = client.request("DELETE", PATH, content=body, headers={"Content-Type": kind})
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Tag deleted"})
    assert names(client) == ["sale"]
    assert client.get(f"/v3/{other}/tags/news").status_code == 404
    counted = client.post(
        "/v1/analytics/metrics", json={"dimensions": ["tag"], "metrics": ["accepted_count"]}
    ).json()
    assert [(each["dimensions"][0]["value"], each["metrics"]) for each in counted["items"]] == [
        ("sale", {"accepted_count": 2})
    ]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_unknown_tag_and_none_are_refused(client: Client, method: str) -> None:
    refused = client.request(method, PATH, json={"tag": "none"})
    assert (refused.status_code, refused.json()) == (404, {"message": "tag not found"})
    refused = client.request(method, PATH, json={})
    assert (refused.status_code, refused.json()) == (400, {"message": "Missing mandatory parameter: tag"})


@pytest.mark.parametrize("path", [PATH, f"{PATH}/limits"])
def test_nobody_without_a_key_knows_of_tags(server_url: str, path: str) -> None:
    refused = plain.request("GET" if path.endswith("limits") else "POST", f"{server_url}{path}")
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})


def test_tags_are_not_gotten(client: Client) -> None:
    refused = client.get(PATH)
    assert (refused.status_code, refused.json()) == (404, {"error": "Not Found"})
