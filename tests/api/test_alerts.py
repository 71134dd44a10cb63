import hmac
import re
from typing import Any

import pytest
from tests.api.answers import advance, refused
from tests.conftest import Account, Client
from tests.receiver import Receiver

ALERTS = "/v1/thresholds/alerts/send"
HITS = "/v1/thresholds/hits"
NOON = 1_780_000_200.0
"""Half an hour after a full one."""
BOUNCES = {
    "name": "hard bounces",
    "metric": "hard_bounce_rate",
    "comparator": ">",
    "limit": ".25",
    "dimension": "domain",
    "period": "1h",
}


def create(client: Client, **asked: Any) -> dict[str, Any]:
    made = client.post(ALERTS, json={**BOUNCES, **asked})
    assert made.status_code == 200, made.text
    return dict(made.json())


def freeze(client: Client, at: float = NOON) -> None:
    """Addresses at bad.example.net bounce."""
    rule = {"match": {"recipient": "*@bad.example.net"}, "code": 550}
    assert client.post("/_emulator/outcomes", json=rule).status_code < 300
    assert client.post("/_emulator/clock", json={"freeze": at}).status_code == 200


def send(client: Client, domain: str, *to: str) -> None:
    for each in to:
        message = {"from": f"a@{domain}", "to": each, "subject": "Hi", "text": "Hi"}
        sent = client.post(f"/v3/{domain}/messages", data=message)
        assert sent.status_code == 200, sent.text
    client.drain()


def hits(client: Client) -> list[tuple[str, bool, str]]:
    items = client.get(HITS).json()["items"]
    return [(each["dimension_value"], each["triggered"], each["latest_value"]) for each in items]


def letters(client: Client) -> list[dict[str, Any]]:
    found = client.get("/_emulator/messages", params={"limit": 100}).json()["items"]
    return [each for each in found if "Mailgun" in each["from"]]


def test_an_alert_is_created_read_replaced_and_deleted(client: Client, account: Account) -> None:
    assert client.get(ALERTS).json() == {"items": [], "total": 0}
    filters = [{"dimension": "ip", "comparator": "not contains", "values": ["10."]}]
    made = create(client, alert_channels=["email", "webhook"], filters=filters, description="Watch it")
    at = made["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at)
    assert list(made.items()) == [
        ("id", made["id"]),
        ("parent_account_id", account.id),
        ("name", "hard bounces"),
        ("created_at", at),
        ("updated_at", at),
        ("last_checked", at),
        ("description", "Watch it"),
        ("alert_channels", ["email", "webhook"]),
        ("filters", filters),
        ("metric", "hard_bounce_rate"),
        ("comparator", ">"),
        ("limit", ".25"),
        ("dimension", "domain"),
        ("period", "1h"),
    ]
    client.drain()
    advance(client, "1m")
    other = {**BOUNCES, "name": "deliveries", "metric": "delivered_rate", "comparator": "<", "limit": "0.5"}
    changed = client.put(f"{ALERTS}/hard%20bounces", json=other)
    assert (changed.status_code, changed.json()) == (200, {"message": "success"})
    client.drain()
    told = client.get(f"{ALERTS}/deliveries").json()
    assert (told["id"], told["metric"], told["alert_channels"]) == (made["id"], "delivered_rate", [])
    assert "filters" not in told
    assert told["updated_at"] > at
    assert client.get(ALERTS).json() == {"items": [told], "total": 1}
    assert client.delete(f"{ALERTS}/deliveries").json() == {"message": "success"}
    assert client.get(ALERTS).json() == {"items": [], "total": 0}


def test_forms_are_read_as_well_and_a_number_is_as_good_as_a_text(client: Client) -> None:
    asked = {**BOUNCES, "filters": '[{"dimension": "domain", "comparator": "=", "values": ["x.com"]}]'}
    del asked["period"]
    made = client.post(ALERTS, data={**asked, "alert_channels": ["email", "slack"]}).json()
    assert (made["period"], made["filters"][0]["values"]) == ("1h", ["x.com"])
    assert made["alert_channels"] == ["email", "slack"]
    assert create(client, name="number", limit=0.5)["limit"] == "0.5"
    assert create(client, name="small", limit=0.00001)["limit"] == "1e-05"
    assert create(client, name="silent", alert_channels=None)["alert_channels"] == []


WRONG = [
    ({"name": ""}, "Missing mandatory parameter: name"),
    ({"name": " "}, "Missing mandatory parameter: name"),
    ({"limit": None}, "Missing mandatory parameter: limit"),
    ({"metric": "opened_rate"}, "metric 'opened_rate' is not valid"),
    ({"comparator": "=>"}, "comparator '=>' is not valid"),
    ({"limit": "many"}, "limit 'many' is not valid"),
    ({"limit": "nan"}, "limit 'nan' is not valid"),
    ({"limit": "1_0"}, "limit '1_0' is not valid"),
    ({"limit": "1e999"}, "limit '1e999' is not valid"),
    ({"dimension": "tag"}, "dimension 'tag' is not valid"),
    ({"period": "1M"}, "period '1M' is not valid"),
    ({"period": "0h"}, "period '0h' is not valid"),
    ({"alert_channels": ["fax"]}, "alert channel 'fax' is not valid"),
    ({"filters": "x"}, "Invalid parameter: filters is invalid"),
    ({"filters": ["x"]}, "Invalid parameter: filters is invalid"),
    ({"filters": [{"dimension": "tag"}]}, "filter dimension 'tag' is not valid"),
    (
        {"filters": [{"dimension": "ip", "comparator": "like", "values": ["1"]}]},
        "filter comparator 'like' is not valid",
    ),
    (
        {"filters": [{"dimension": "ip", "comparator": "=", "values": []}]},
        "filter values of ip '' is not valid",
    ),
    (
        {"filters": [{"dimension": "ip", "comparator": "=", "values": ["1", None]}]},
        "filter values of ip '' is not valid",
    ),
    (
        {"filters": [{"dimension": "ip", "comparator": "=", "values": ["1"]}] * 11},
        "no more than 10 filters are allowed",
    ),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_a_wrong_alert_is_refused_and_changes_nothing(
    client: Client, asked: dict[str, Any], message: str
) -> None:
    create(client)
    before = client.get(f"{ALERTS}/hard bounces").json()
    refused(client.post(ALERTS, json={**BOUNCES, "name": "other", **asked}), 400, message)
    refused(client.put(f"{ALERTS}/hard bounces", json={**BOUNCES, **asked}), 400, message)
    assert client.get(f"{ALERTS}/hard bounces").json() | {"last_checked": ""} == before | {"last_checked": ""}
    assert client.get(ALERTS).json()["total"] == 1


def test_a_name_is_an_alerts_own(client: Client) -> None:
    create(client)
    create(client, name="other")
    taken = "threshold with name 'hard bounces' already exists"
    refused(client.post(ALERTS, json=BOUNCES), 409, taken)
    refused(client.put(f"{ALERTS}/other", json=BOUNCES), 409, taken)
    for asked in (client.get, client.delete):
        refused(asked(f"{ALERTS}/nobody"), 404, "threshold 'nobody' not found")
    refused(client.put(f"{ALERTS}/nobody", json=BOUNCES), 404, "threshold 'nobody' not found")
    for path in (ALERTS, HITS):
        refused(client.get(path, auth=("api", "")), 401, "Invalid private key")
    other = ("api", client.post("/_emulator/accounts").json()["api_key"])
    refused(client.get(f"{ALERTS}/other", auth=other), 404, "threshold 'other' not found")
    assert client.get(ALERTS, auth=other).json() == {"items": [], "total": 0}


def test_who_passes_the_threshold_is_hit_until_the_rate_falls_back(client: Client, account: Account) -> None:
    freeze(client)
    create(client)
    domain = account.domain
    send(client, domain, "a@example.net", "b@example.net", "c@example.net", "a@bad.example.net")
    assert hits(client) == []
    send(client, domain, "b@bad.example.net")
    (hit,) = client.get(HITS).json()["items"]
    at = "2026-05-28T20:30:00Z"
    assert list(hit.items()) == [
        ("id", hit["id"]),
        ("name", "hard bounces"),
        ("created_at", at),
        ("updated_at", at),
        ("triggered", True),
        ("expires_at", "0001-01-01T00:00:00Z"),
        ("latest_value", "0.4000"),
        ("metric", "hard_bounce_rate"),
        ("comparator", ">"),
        ("limit", ".25"),
        ("parent_account_id", account.id),
        ("dimension", "domain"),
        ("dimension_value", domain),
    ]
    send(client, domain, *(f"{number}@example.net" for number in range(3)))
    (hit,) = client.get(HITS).json()["items"]
    assert (hit["triggered"], hit["latest_value"]) == (False, "0.2500")
    assert hit["expires_at"] == "2026-05-28T21:30:00Z"
    advance(client, "1h")
    assert client.get(HITS).json() == {"items": [], "total": 0}


def test_the_rates_are_those_of_metrics(client: Client, account: Account) -> None:
    freeze(client)
    metrics = ("delivered_rate", "temporary_fail_rate", "complained_rate")
    for metric in (*metrics, "hard_bounce_rate"):
        create(client, name=metric, metric=metric, comparator=">=", limit="0")
    to = ("a@example.net", "b@example.net", "bounce@example.com", "complaint@example.com")
    send(client, account.domain, *to, "deferred+1@example.com")
    advance(client, "20m")
    counted = client.post(
        "/v1/analytics/metrics",
        json={"metrics": [*metrics, "hard_bounces_count", "sent_count"], "include_aggregates": True},
    ).json()["aggregates"]["metrics"]
    told = {each["metric"]: each["latest_value"] for each in client.get(HITS).json()["items"]}
    hard = counted["hard_bounces_count"] / counted["sent_count"]
    assert told == {metric: counted[metric] for metric in metrics} | {"hard_bounce_rate": f"{hard:.4f}"}
    assert "0.0000" not in told.values()


def test_an_hour_that_leaves_the_period_takes_its_figures_along(client: Client, account: Account) -> None:
    freeze(client)
    create(client)
    send(client, account.domain, "bounce@example.com")
    advance(client, "1h")
    assert hits(client) == [(account.domain, True, "1.0000")]
    advance(client, "31m")
    assert hits(client) == [(account.domain, False, "1.0000")]
    assert client.get("/_emulator/health").status_code == 200
    advance(client, "30d")
    assert hits(client) == []


@pytest.mark.parametrize(
    ("dimension", "comparator", "values", "hit"),
    [
        ("domain", "=", ["OTHER.{domain}"], ["other.{domain}"]),
        ("domain", "!=", ["other.{domain}"], ["{domain}"]),
        ("domain", "contains", ["nowhere", "other"], ["other.{domain}"]),
        ("domain", "not contains", ["other"], ["{domain}"]),
        ("domain", ">", ["n"], ["other.{domain}"]),
        ("domain", "<=", ["n"], ["{domain}"]),
        ("recipient_provider", "=", ["gmail"], []),
    ],
)
def test_filters_choose_whose_figures_count(
    client: Client, account: Account, dimension: str, comparator: str, values: list[str], hit: list[str]
) -> None:
    freeze(client)
    other = f"other.{account.domain}"
    client.post("/v4/domains", data={"name": other})
    client.put(f"/v4/domains/{other}/verify")
    wanted = [each.format(domain=account.domain) for each in values]
    create(client, filters=[{"dimension": dimension, "comparator": comparator, "values": wanted}])
    for domain in (account.domain, other):
        send(client, domain, "bounce@example.com")
    assert [value for value, _, _ in hits(client)] == [each.format(domain=account.domain) for each in hit]


def test_addresses_and_providers_are_watched_each_for_itself(client: Client, account: Account) -> None:
    freeze(client)
    for dimension in ("ip", "recipient_provider"):
        create(
            client, name=dimension, dimension=dimension, metric="delivered_rate", comparator="=", limit="1"
        )
    send(client, account.domain, "ann@gmail.com", "bob@yahoo.com", "bounce@example.com")
    values = {value for value, _, _ in hits(client)}
    assert values >= {"Gmail", "Yahoo"}
    assert "Other" not in values


def test_a_parents_alert_is_about_its_subaccounts_as_well(client: Client, account: Account) -> None:
    sub = client.post("/_emulator/accounts", json={"name": "Sub", "parent": account.id}).json()
    create(client, dimension="subaccount", filters=[
        {"dimension": "subaccount", "comparator": "=", "values": ["Sub"]}
    ])  # fmt: skip
    key = ("api", sub["api_key"])
    message = {"from": f"a@{sub['domain']}", "to": "bounce@example.com", "subject": "Hi", "text": "Hi"}
    assert client.post(f"/v3/{sub['domain']}/messages", data=message, auth=key).status_code == 200
    client.drain()
    assert hits(client) == [("Sub", True, "1.0000")]
    own = client.post(ALERTS, json=BOUNCES, auth=key).json()
    assert (own["parent_account_id"], own["subaccount_id"]) == (account.id, sub["id"])


def test_an_alert_that_comes_late_sees_what_was_before(client: Client, account: Account) -> None:
    send(client, account.domain, "bounce@example.com")
    create(client, limit=".5")
    client.drain()
    assert hits(client) == [(account.domain, True, "1.0000")]
    client.put(f"{ALERTS}/hard bounces", json={**BOUNCES, "limit": "1"})
    client.drain()
    assert hits(client) == []
    client.delete(f"{ALERTS}/hard bounces")
    send(client, account.domain, "bounce@example.com")
    assert hits(client) == []


def test_a_channel_that_leads_nowhere_is_hinted_at(client: Client) -> None:
    made = client.post(ALERTS, json={**BOUNCES, "alert_channels": ["email", "webhook"]})
    said = "Nothing is told by `webhook` until POST /v1/alerts/settings/events says where to"
    assert made.headers["X-Mailgun-Emulator-Hint"] == said
    changed = client.put(f"{ALERTS}/hard bounces", json={**BOUNCES, "alert_channels": ["email", ""]})
    assert "X-Mailgun-Emulator-Hint" not in changed.headers


def test_a_crossing_is_posted_once_and_signed(client: Client, account: Account, receiver: Receiver) -> None:
    freeze(client)
    setting = {"event_type": "ip_listed", "channel": "webhook", "settings": {"url": receiver.url("/alerts")}}
    assert client.post("/v1/alerts/settings/events", json=setting).status_code == 200
    create(client, alert_channels=["webhook", "email"])
    receiver.clear()
    send(client, account.domain, "a@bad.example.net")
    send(client, account.domain, "b@bad.example.net")
    (post,) = receiver.requests("/alerts")
    key = client.get("/v1/alerts/settings").json()["webhooks"]["signing_key"]
    assert post.headers["x-sign"] == hmac.digest(key.encode(), post.body, "sha256").hex()
    event = post.json()["event_data"]
    (hit,) = client.get(HITS).json()["items"]
    message = f"hard bounces: hard_bounce_rate 1.0000 > .25 for domain {account.domain} within 1h"
    assert event == {
        "id": event["id"],
        "timestamp": "2026-05-28T20:30:00.000Z",
        "log_level": "warn",
        "event": "threshold_hit",
        "name": "hard bounces",
        "metric": "hard_bounce_rate",
        "comparator": ">",
        "limit": ".25",
        "latest_value": "1.0000",
        "dimension": "domain",
        "dimension_value": account.domain,
        "period": "1h",
        "hit_id": hit["id"],
        "message": message,
    }
    (letter,) = letters(client)
    assert letter["subject"] == f"[Mailgun alert] {message}"
    send(client, account.domain, *(f"{number}@example.net" for number in range(6)))
    assert hits(client) == [(account.domain, False, "0.2500")]
    send(client, account.domain, "c@bad.example.net")
    assert len(receiver.requests("/alerts")) == 2
