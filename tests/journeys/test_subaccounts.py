"""Stories of an account with subaccounts, as a platform has that sends for its customers."""

from typing import Any, NamedTuple

import pytest
from tests.conftest import Account, Client
from tests.receiver import Receiver

from mailgun_emulator.mail.signing import sign

LAST_DAY = {"duration": "1d", "resolution": "day"}


class Platform(NamedTuple):
    """Its own domain had one message, the customer's two, one of which bounced; all are tagged."""

    client: Client
    account: Account
    customer: Account

    @property
    def header(self) -> dict[str, str]:
        return {"X-Mailgun-On-Behalf-Of": self.customer.id}

    def send(self, to: str, *, customer: bool = True, tag: str = "News") -> None:
        domain = self.customer.domain if customer else self.account.domain
        message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hi", "o:tag": tag}
        headers = self.header if customer else {}
        sent = self.client.post(f"/v3/{domain}/messages", data=message, headers=headers)
        assert sent.status_code == 200
        for owner in (self.account, self.customer):
            asked = {"account": owner.id}
            assert self.client.post("/_emulator/drain", params=asked).status_code == 200

    def post(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.client.post(path, json=asked)
        assert answer.status_code == 200
        return list(answer.json()["items"])


@pytest.fixture
def platform(client: Client, account: Account) -> Platform:
    made = client.post("/_emulator/accounts", json={"name": "Customer", "parent": account.id}).json()
    platform = Platform(client, account, Account(*(made[name] for name in Account._fields)))
    platform.send("bob@gmail.com", customer=False)
    platform.send("bob@gmail.com")
    platform.send("bounce@example.com", tag="news")
    return platform


def test_its_webhooks_are_told_of_all_and_signed_for_both(platform: Platform, receiver: Receiver) -> None:
    """Each URL once, and downwards only: what a subaccount has set is not told of its parent."""
    client, customer = platform.client, platform.customer
    for path in ("/all", "/both"):
        hook = {"url": receiver.url(path), "event_types": "delivered"}
        assert client.post("/v1/webhooks", data=hook).status_code == 200
    for path in ("/own", "/both"):
        hook = {"url": receiver.url(path), "event_types": "delivered"}
        assert client.post("/v1/webhooks", data=hook, headers=platform.header).status_code == 200
    platform.send("ann@x.com")
    platform.send("cy@x.com", customer=False)
    told = {path: receiver.requests(path) for path in ("/all", "/both", "/own")}
    recipients = {
        path: [each.json()["event-data"]["recipient"] for each in posts] for path, posts in told.items()
    }
    assert recipients == {
        "/all": ["ann@x.com", "cy@x.com"],
        "/both": ["ann@x.com", "cy@x.com"],
        "/own": ["ann@x.com"],
    }
    first, second = (each.json() for each in told["/all"])
    assert first["event-data"]["account"] == {"id": customer.id, "parent-id": platform.account.id}
    about = first["signature"]["timestamp"], first["signature"]["token"]
    assert first["signature"]["signature"] == sign(customer.signing_key, *about)
    assert first["signature"]["parent-signature"] == sign(platform.account.signing_key, *about)
    assert second["event-data"]["account"] == {"id": platform.account.id}
    assert "parent-signature" not in second["signature"]


def test_whoever_renews_a_signing_key_it_signs_from_then_on(platform: Platform, receiver: Receiver) -> None:
    client = platform.client
    hook = {"url": receiver.url("/hook"), "event_types": "accepted"}
    assert client.post("/v1/webhooks", data=hook).status_code == 200
    keys = [
        client.post("/v5/accounts/http_signing_key", headers=headers).json()["http_signing_key"]
        for headers in (platform.header, {})
    ]
    assert set(keys).isdisjoint({platform.customer.signing_key, platform.account.signing_key})
    platform.send("ann@x.com")
    signature = receiver.requests("/hook")[0].json()["signature"]
    about = signature["timestamp"], signature["token"]
    told = [signature["signature"], signature["parent-signature"]]
    assert told == [sign(key, *about) for key in keys]


def test_domains_are_listed_with_whose_they_are(platform: Platform) -> None:
    own = platform.client.get("/v4/domains").json()
    assert {each["name"] for each in own["items"]}.isdisjoint({platform.customer.domain})
    both = platform.client.get("/v4/domains", params={"include_subaccounts": "true"}).json()
    assert both["total_count"] == own["total_count"] + 2
    whose = {each["name"]: each.get("subaccount_id") for each in both["items"]}
    assert whose[platform.customer.domain] == platform.customer.id
    assert whose[platform.account.domain] is None
    assert list(both["items"][0])[8:11] == ["subaccount_id", "state", "type"]
    wrong = platform.client.get("/v4/domains", params={"include_subaccounts": "perhaps"})
    assert wrong.json() == {"message": "Invalid parameter: include_subaccounts is invalid"}


def test_statistics_tell_subaccounts_apart(platform: Platform) -> None:
    client, account, customer = platform
    asked = {"event": "accepted", **LAST_DAY}

    def counted(**more: str) -> dict[str, int]:
        found = client.get("/v3/stats/filter", params={**asked, **more}).json()["stats"]
        return {each.get("subaccount", ""): each["accepted"]["total"] for each in found}

    assert counted(group="total") == {"": 1}
    assert counted(group="total", filter=f"subaccount:{customer.id}") == {"": 2}
    assert counted(group="subaccount") == {account.id: 1, customer.id: 2}
    stranger = client.post("/_emulator/accounts").json()
    assert counted(group="total", filter=f"subaccount:{stranger['id']}") == {"": 0}


def test_metrics_and_logs_are_asked_for_by_subaccount(platform: Platform) -> None:
    """Who filters by one need not say that subaccounts are to be included."""
    one = {"attribute": "subaccount", "comparator": "=", "values": [{"value": platform.customer.id}]}
    asked = {
        "dimensions": ["subaccount"],
        "metrics": ["accepted_count"],
        "filter": {"AND": [one]},
        **LAST_DAY,
    }
    (item,) = platform.post("/v1/analytics/metrics", asked)
    told = {"dimension": "subaccount", "value": platform.customer.id, "display_value": "Customer"}
    assert item == {"dimensions": [told], "metrics": {"accepted_count": 2}}
    logs = platform.post(
        "/v1/analytics/logs", {"events": ["accepted"], "filter": {"AND": [one]}, "duration": "1d"}
    )
    whose = {"id": platform.customer.id, "parent-id": platform.account.id}
    assert [each["account"] for each in logs] == [whose, whose]


def test_usage_of_subaccounts_is_included_where_that_is_asked_for(platform: Platform) -> None:
    client, account, customer = platform
    for headers in ({}, platform.header, platform.header):
        asked = client.post("/v4/address/validate", data={"address": "ann@x.com"}, headers=headers)
        assert asked.status_code == 200
        preview = {"subject": "Hi", "html": "<p>Hi</p>"}
        assert client.post("/v1/preview/tests", json=preview, headers=headers).status_code == 200
    platform.send("cy@x.com")
    names = ["email_validation_count", "email_preview_count", "processed_count"]

    def used(**more: Any) -> dict[str, list[int]]:
        asked = {"metrics": names, "dimensions": ["subaccount"], "duration": "1d", **more}
        found = platform.post("/v1/analytics/usage/metrics", asked)
        return {each["dimensions"][0]["value"]: [each["metrics"][name] for name in names] for each in found}

    assert used() == {account.id: [1, 1, 1]}
    assert used(include_subaccounts=True) == {account.id: [1, 1, 1], customer.id: [2, 2, 3]}


def test_traps_of_subaccounts_are_told_where_that_is_asked_for(platform: Platform) -> None:
    client = platform.client
    watched = client.post("/v1/inboxready/domains", data={"domain": platform.customer.domain})
    assert watched.status_code == 200
    platform.send("spamtrap@example.net")
    for included, totals in (("false", []), ("true", [1])):
        asked = {"include_subaccounts": included, "dimension": "domain_name"}
        found = client.get("/v2/spamtraps", params=asked).json()["items"]
        assert [each["total"] for each in found] == totals


def test_tags_are_each_accounts_own(platform: Platform) -> None:
    asked = {"pagination": {"sort": "tag:asc"}, "include_metrics": True}
    (own,) = platform.post("/v1/analytics/tags", asked)
    assert (own["account_id"], own["metrics"]["accepted_count"]) == (platform.account.id, 1)
    found = platform.post("/v1/analytics/tags", {**asked, "include_subaccounts": True})
    told = {
        each["account_name"]: (each["parent_account_id"], each["metrics"]["accepted_count"]) for each in found
    }
    assert told == {platform.account.name: (platform.account.id, 1), "Customer": (platform.account.id, 2)}
    below = platform.client.post("/v1/analytics/tags", json=asked, headers=platform.header).json()["items"]
    assert below == [each for each in found if each["account_name"] == "Customer"]


def test_bounces_of_subaccounts_are_classified(platform: Platform) -> None:
    asked = {"dimensions": ["account.name", "domain.name"], "duration": "24h"}
    assert platform.post("/v2/bounce-classification/metrics", asked) == []
    (item,) = platform.post("/v2/bounce-classification/metrics", {**asked, "include_subaccounts": True})
    assert (item["account.name"], item["domain.name"]) == ("Customer", platform.customer.domain)
    assert item["metrics"]["classified_failures_count"] == 1
    path, included = "/v1/bounce-classification", {"include_subaccounts": "true"}
    domain = f"{path}/domains/{platform.customer.domain}/entities"
    for asked_for in ("stats", "domains"):
        assert platform.client.get(f"{path}/{asked_for}").json()["items"] == []
    assert platform.client.get(domain).status_code == 403
    (rule,) = platform.client.get(f"{path}/stats", params=included).json()["items"]
    assert rule["subaccount"] == {"id": platform.customer.id}
    (found,) = platform.client.get(f"{path}/domains", params=included).json()["items"]
    assert found == {"domain": {"name": platform.customer.domain}, "bounced": {"total": 1}}
    (entity,) = platform.client.get(domain, params=included).json()["items"]
    rules = platform.client.get(f"{domain}/{entity['entity-id']}/rules", params=included).json()["items"]
    assert [each["rule-id"] for each in rules] == [rule["rule-id"]]
