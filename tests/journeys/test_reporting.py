"""Mail of all kinds comes and goes; whoever asks what became of it is told the same by all who report on it."""

import re
from collections import Counter
from email import message_from_string
from html import unescape
from typing import Any

from tests import plain
from tests.conftest import Account, Client
from tests.receiver import Receiver

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"
STATS = {
    "accepted.incoming": "accepted_incoming", "accepted.outgoing": "accepted_outgoing",
    "delivered.smtp": "delivered_smtp",
    "delivered.http": "delivered_http", "failed.temporary.total": "temporary_failed", "opened.unique": "unique_opened",
    "failed.permanent.total": "permanent_failed", "failed.permanent.suppress-bounce": "suppressed_bounces",
    "opened.total": "opened", "clicked.total": "clicked", "clicked.unique": "unique_clicked", "stored.total": "stored",
    "unsubscribed.total": "unsubscribed", "complained.total": "complained",
}  # fmt: skip
"""Numbers of Stats, and the metrics that tell the same."""


def send(client: Client, account: Account, to: str, *tags: str) -> None:
    message = {
        "from": f"ann@{account.domain}",
        "to": to,
        "html": "<html><body><a href='https://x.com/'>x</a></body></html>",
        "o:tag": list(tags),
        "o:tracking": "yes",
    }
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200


def links_in_mail(client: Client, account: Account) -> list[str]:
    """Of what Bob got: the pixel and the link to x.com."""
    asked = {"event": "delivered", "recipient": "bob@gmail.com"}
    (event,) = client.get(f"/v3/{account.domain}/events", params=asked).json()["items"]
    stored = client.get(
        f"/v3/domains/{account.domain}/messages/{event['storage']['key']}",
        params={"recipient": "bob@gmail.com"},
        headers={"Accept": "message/rfc2822"},
    ).json()["body-mime"]
    payloads = [
        part.get_payload(decode=True)
        for part in message_from_string(stored).walk()
        if part.get_content_type() == "text/html"
    ]
    assert isinstance(payloads[0], bytes)
    links = re.findall(r"(?:href|src)=[\"']([^\"']+)", payloads[0].decode())
    assert len(links) == 2
    return [unescape(link) for link in links]


def visit(link: str) -> None:
    assert plain.get(link, headers={"User-Agent": PHONE}).status_code in {200, 302}


def make_traffic(client: Client, account: Account, receiver: Receiver) -> None:
    domain = account.domain
    actions = [f'forward("{receiver.url("/in")}")', 'forward("carl@gmail.com")', "store()"]
    client.post("/v3/routes", data={"expression": f'match_recipient("in@{domain}")', "action": actions})
    client.post("/v3/lists", data={"address": f"list@{domain}"})
    for member in ("dora@yahoo.com", "bounce@example.com"):
        client.post(f"/v3/lists/list@{domain}/members", data={"address": member})
    send(client, account, "bob@gmail.com", "News", "sale")
    send(client, account, "deferred+2@example.com, timeout@example.com", "news")
    for reaction in ("opened", "clicked", "complaint", "unsubscribe"):
        send(client, account, f"{reaction}@example.com", "Sale")
    send(client, account, f"list@{domain}", "list")
    client.post("/_emulator/inbound", data={"to": f"in@{domain}", "from": "eve@y.com", "text": "Hi"})
    client.post("/_emulator/clock", json={"advance": "12h"})
    send(client, account, "bounce@example.com", "again")
    client.drain()
    for link in links_in_mail(client, account) * 2:
        visit(link)


def metrics(client: Client, names: list[str], **asked: Any) -> dict[str, int]:
    told = client.post(
        "/v1/analytics/metrics",
        json={"metrics": [f"{name}_count" for name in names], "include_aggregates": True, **asked},
    ).json()
    return {name.removesuffix("_count"): n for name, n in told["aggregates"]["metrics"].items()}


def stats(client: Client, path: str, **asked: Any) -> Counter[str]:
    """Sums over all days."""
    asked["event"] = [
        "accepted", "delivered", "failed", "stored", "opened", "clicked", "unsubscribed", "complained",
    ]  # fmt: skip
    found: Counter[str] = Counter()

    def add(told: dict[str, Any], name: str = "") -> None:
        for key, value in told.items():
            if isinstance(value, dict):
                add(value, f"{name}{key}.")
            elif key != "time":
                found[f"{name}{key}"] += value

    for day in client.get(path, params=asked).json()["stats"]:
        add(day)
    return found


def test_all_reports_agree(client: Client, account: Account, receiver: Receiver) -> None:
    make_traffic(client, account, receiver)
    events = client.get(f"/v3/{account.domain}/events", params={"limit": 300}).json()["items"]
    kinds = Counter(event["event"] for event in events)
    assert set(kinds) == {
        "accepted", "delivered", "failed", "opened", "clicked", "complained", "unsubscribed", "stored",
    }  # fmt: skip

    counted = metrics(client, list(STATS.values()))
    told = stats(client, "/v3/stats/total")
    assert told == stats(client, f"/v3/{account.domain}/stats/total")
    assert {STATS[name]: told[name] for name in STATS} == counted
    assert metrics(client, list(kinds)) == dict(kinds)
    assert counted["accepted_incoming"] == 3  # what came in, and what the route forwards of it
    assert (counted["unique_clicked"], counted["suppressed_bounces"]) == (2, 1)
    assert all(counted.values())

    asked = {"metric_events": [*counted, *kinds], "include_totals": True, "duration": "7d"}
    logged = client.post("/v1/analytics/logs", json=asked).json()["aggregates"]
    assert logged == {"all": len(events), "metrics": {**counted, **kinds}}


def test_all_reports_agree_on_a_tag(client: Client, account: Account, receiver: Receiver) -> None:
    make_traffic(client, account, receiver)
    asked = {"include_metrics": True, "pagination": {"sort": "tag:asc"}}
    tags = client.post("/v1/analytics/tags", json=asked).json()["items"]
    assert [tag["tag"] for tag in tags] == ["again", "list", "News", "sale"]
    for tag in tags:
        about = {"attribute": "tag", "comparator": "=", "values": [{"value": tag["tag"]}]}
        counted = metrics(client, list(STATS.values()), filter={"AND": [about]})
        assert {name: tag["metrics"][f"{name}_count"] for name in counted} == counted
        told = stats(client, f"/v3/{account.domain}/tag/stats", tag=tag["tag"])
        assert {STATS[name]: told[name] for name in STATS} == counted


def test_classified_bounces_are_the_failures_that_logs_tell(
    client: Client, account: Account, receiver: Receiver
) -> None:
    make_traffic(client, account, receiver)
    rules = client.get("/v1/bounce-classification/stats").json()["items"]
    assert rules
    for rule in rules:
        predicates = [
            {"attribute": name, "comparator": "=", "values": [{"value": value}]}
            for name, value in (("i_classification_rule_id", rule["rule-id"]), ("severity", "permanent"))
        ]
        logs = client.post(
            "/v1/analytics/logs",
            json={"filter": {"AND": predicates}, "include_totals": True, "duration": "7d"},
        ).json()
        assert logs["aggregates"]["all"] == rule["bounced"]["total"]


def test_who_opens_and_clicks_again_after_a_week_is_unique_again(client: Client, account: Account) -> None:
    send(client, account, "bob@gmail.com")
    client.drain()
    links = links_in_mail(client, account)
    for later in ("1h", "6d", "8d"):
        client.post("/_emulator/clock", json={"advance": later})
        for link in links:
            visit(link)
    expected = {"opened": 3, "clicked": 3, "unique_opened": 2, "unique_clicked": 2}
    assert metrics(client, list(expected), duration="30d") == expected
    asked = {"metric_events": list(expected), "include_totals": True, "duration": "30d"}
    logged = client.post("/v1/analytics/logs", json=asked).json()["aggregates"]["metrics"]
    assert logged == expected


def test_subaccounts_are_included_where_that_is_asked_for(
    server_url: str, account: Account, client: Client
) -> None:
    child = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    with Client(base_url=server_url, auth=("api", child["api_key"])) as own:
        message = {"from": f"a@{child['domain']}", "to": "bob@x.com", "text": "hi"}
        assert own.post(f"/v3/{child['domain']}/messages", data=message).status_code == 200
    for included, events in ((False, []), (True, ["delivered"])):
        asked = {"include_subaccounts": included, "events": ["delivered"], "duration": "1d"}
        logs = client.post("/v1/analytics/logs", json=asked).json()["items"]
        assert [each["event"] for each in logs] == events
        asked = {
            "include_subaccounts": included,
            "metrics": ["delivered_count"],
            "dimensions": ["subaccount"],
            "duration": "1d",
        }
        items = client.post("/v1/analytics/metrics", json=asked).json()["items"]
        assert [each["dimensions"][0]["value"] for each in items] == [child["id"]] * len(events)
