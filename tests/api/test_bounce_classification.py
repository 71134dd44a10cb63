from typing import Any

import pytest
from tests import plain
from tests.api.reported import all_of, asked_for, happen, send
from tests.conftest import Account, Client

from mailgun_emulator.mail.ip_ranges import shared_ip

PATH = "/v2/bounce-classification/metrics"
V1 = "/v1/bounce-classification"
NO_BOUNCE = {
    "critical_bounce_count": 0, "non_critical_bounce_count": 0, "critical_delay_count": 0,
    "non_critical_delay_count": 0, "classified_failures_count": 0,
}  # fmt: skip


def classified(client: Client, **asked: Any) -> dict[str, Any]:
    answer = client.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def by(client: Client, *dimensions: str, **asked: Any) -> dict[Any, int]:
    """Failures by the dimensions' values."""
    told = classified(client, dimensions=list(dimensions), pagination={"limit": 50}, **asked)
    return {
        tuple(item[name] for name in dimensions) if len(dimensions) > 1 else item[dimensions[0]]: item[
            "metrics"
        ]["classified_failures_count"]
        for item in told["items"]
    }


OUTCOMES: dict[str, dict[str, Any]] = {
    "x@gmail.com": {"code": 550, "enhanced_code": "5.1.1", "text": "5.1.1 No such user"},
    "y@yahoo.com": {"code": 554, "enhanced_code": "5.7.1", "text": "5.7.1 Listed by Spamhaus"},
    "z@yahoo.com": {"code": 451, "enhanced_code": "4.7.1", "text": "4.7.1 Greylisted", "attempts": 2},
}


def fail(client: Client, account: Account) -> None:
    """Nobody at Gmail, a block by Spamhaus and a greylisting at Yahoo, a full mailbox elsewhere; two deliveries."""
    for to, outcome in OUTCOMES.items():
        assert (
            client.post("/_emulator/outcomes", json={"match": {"recipient": to}, **outcome}).status_code
            == 200
        )
    for to in (*OUTCOMES, "fine@yahoo.com", "bounce+552@example.com"):
        send(client, account.domain, to, **{"o:tag": ["b", "A"] if "yahoo" in to else "b"})
    client.drain()
    suppressed = send(client, account.domain, "x@gmail.com")
    happen(client, send(client, account.domain, "late@gmail.com"), "failed", code=550, text="5.1.1 Gone")
    assert suppressed


def test_failures_are_counted_by_who_refused(client: Client, account: Account) -> None:
    fail(client, account)
    told = classified(client, dimensions=["entity-name", "domain.name"], duration="24h0m0s")
    assert list(told) == ["start", "end", "resolution", "duration", "dimensions", "pagination", "items"]
    assert (told["resolution"], told["duration"]) == ("day", "24h0m0s")
    assert told["pagination"] == {"sort": "", "skip": 0, "limit": 10, "total": 4}
    assert told["start"].endswith(" +0000")
    items = {item.pop("entity-name"): item for item in told["items"]}
    assert items == {
        "Gmail": {
            "domain.name": account.domain,
            "metrics": {
                **NO_BOUNCE, "non_critical_bounce_count": 2, "classified_failures_count": 2, "delivered_smtp_count": 1,
                "critical_bounce_rate": 0, "non_critical_bounce_rate": 67, "critical_delay_rate": 0,
                "non_critical_delay_rate": 0,
            },
        },
        "Other": {
            "domain.name": account.domain,
            "metrics": {
                **NO_BOUNCE, "non_critical_bounce_count": 1, "classified_failures_count": 1, "delivered_smtp_count": 0,
                "critical_bounce_rate": 0, "non_critical_bounce_rate": 100, "critical_delay_rate": 0,
                "non_critical_delay_rate": 0,
            },
        },
        "Spamhaus": {
            "domain.name": account.domain,
            "metrics": {
                **NO_BOUNCE, "critical_bounce_count": 1, "classified_failures_count": 1, "delivered_smtp_count": None,
                "critical_bounce_rate": None, "non_critical_bounce_rate": None, "critical_delay_rate": None,
                "non_critical_delay_rate": None,
            },
        },
        "Yahoo": {
            "domain.name": account.domain,
            "metrics": {
                **NO_BOUNCE, "non_critical_delay_count": 1, "classified_failures_count": 1, "delivered_smtp_count": 1,
                "critical_bounce_rate": 0, "non_critical_bounce_rate": 0, "critical_delay_rate": 0,
                "non_critical_delay_rate": 100,
            },
        },
    }  # fmt: skip


def test_every_dimension_tells_failures_apart(client: Client, account: Account) -> None:
    fail(client, account)
    (everything,) = classified(client)["items"]
    assert everything["metrics"]["classified_failures_count"] == 5
    assert by(client, "group-id") == {
        "blocklist": 1, "full-mailbox": 1, "greylisting": 1, "unknown-recipient": 2,
    }  # fmt: skip
    assert by(client, "criticality") == {"CRITICAL": 1, "NON-CRITICAL": 4}
    assert by(client, "severity", "category") == {
        ("PERMANENT", "BOUNCE"): 2, ("PERMANENT", "ESPBLOCK"): 1, ("PERMANENT", "GENERIC"): 1,
        ("TEMPORARY", "GREYLISTED"): 1,
    }  # fmt: skip
    assert by(client, "tag") == {"a": 2, "b": 4, None: 1}
    assert by(client, "tags") == {"a, b": 2, "b": 2, None: 1}
    assert by(client, "recipient-domain") == {"example.com": 1, "gmail.com": 2, "yahoo.com": 2}
    assert by(client, "account.name") == {account.name: 5}
    assert by(client, "envelope.i-ip-pool-name") == {None: 5}
    assert by(client, "envelope.sending-ip")[shared_ip(account.id)] == 4
    assert sum(by(client, "timestamp", resolution="hour").values()) == 5


@pytest.mark.parametrize(
    ("predicate", "failures"),
    [
        (asked_for("entity-name", "=", "spamhaus", "Yahoo"), 2),
        (asked_for("entity-name", "!=", "Gmail"), 3),
        (asked_for("domain.name", "=", "unknown.example.org"), 0),
        (asked_for("tag", "=", "A"), 2),
        (asked_for("tags", "=", "a, b"), 2),
        (asked_for("tags", "contains", "b"), 4),
        (asked_for("recipient-domain", "contains", "oo"), 2),
        (asked_for("severity", "=", "temporary"), 1),
        (asked_for("criticality", "=", "CRITICAL"), 1),
        (asked_for("category", "not contains", "esp"), 4),
        (asked_for("group-id", "=", "greylisting"), 1),
        (asked_for("envelope.sending-ip", "contains", "198.51.100."), 4),
    ],
    ids=lambda value: value["attribute"] if isinstance(value, dict) else "",
)
def test_failures_are_filtered(
    client: Client, account: Account, predicate: dict[str, Any], failures: int
) -> None:
    fail(client, account)
    assert sum(by(client, "domain.name", filter=all_of(predicate)).values()) == failures


def test_items_are_sorted_and_paged(client: Client, account: Account) -> None:
    fail(client, account)

    def entities(**page: Any) -> list[str]:
        told = classified(client, dimensions=["entity-name"], pagination=page)
        return [item["entity-name"] for item in told["items"]]

    assert entities(sort="entity-name:asc") == ["Gmail", "Other", "Spamhaus", "Yahoo"]
    assert entities(sort="entity-name:desc", limit=2, skip=1) == ["Spamhaus", "Other"]
    assert entities(sort="classified_failures_count:desc")[0] == "Gmail"
    assert entities(sort="non_critical_bounce_rate:desc")[0] == "Other"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dimensions": ["colour"]}, "dimension 'colour' is not valid"),
        ({"metrics": ["colour"]}, "metric 'colour' is not valid"),
        ({"dimensions": ["tag", "tags"]}, "dimensions 'tag' and 'tags' are not compatible"),
        ({"resolution": "month"}, "resolution 'month' is not valid"),
        ({"duration": "soon"}, "duration 'soon' is not valid"),
        ({"start": "9", "end": "8"}, "start '9' is not valid"),
        ({"pagination": {"limit": 51}}, "pagination limit can't be larger than 50"),
        ({"pagination": {"sort": "colour:asc"}}, "sort 'colour:asc' is not valid"),
        ({"filter": all_of(asked_for("timestamp", "=", "1"))}, "filter attribute 'timestamp' is not valid"),
    ],
)
def test_what_can_not_be_counted_is_refused(client: Client, asked: dict[str, Any], message: str) -> None:
    refused = client.post(PATH, json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


@pytest.mark.parametrize(
    ("duration", "start"),
    [
        ("48h", "Sat, 31 Dec 2005 22:04:05 +0000"),
        ("90m", "Mon, 02 Jan 2006 20:34:05 +0000"),
        ("24h0m0s", "Sun, 01 Jan 2006 22:04:05 +0000"),
        ("30s", "Mon, 02 Jan 2006 22:03:35 +0000"),
    ],
)
def test_durations_are_those_of_go(client: Client, duration: str, start: str) -> None:
    told = classified(
        client, end="Mon, 02 Jan 2006 22:04:05 UTC", duration=duration, dimensions=["entity-name"]
    )
    assert (told["start"], told["end"]) == (start, "Mon, 02 Jan 2006 22:04:05 +0000")
    assert told["items"] == []


def test_statistics_are_told_by_domain_entity_and_rule(client: Client, account: Account) -> None:
    fail(client, account)
    stats = client.get(f"{V1}/stats").json()
    assert list(stats) == ["items", "_duration"]
    assert stats["items"][0] == {
        "subaccount": {"id": account.id},
        "domain": {"name": account.domain},
        "rule-id": "a206",
        "entity-id": "gmail",
        "short-explanation": "Unknown recipient",
        "bounced": {"total": 2},
    }
    assert len(stats["items"]) == 3
    grouped = client.get(f"{V1}/stats", params={"group": "entity-id", "limit": 2}).json()["items"]
    assert grouped == [
        {"entity-id": "gmail", "bounced": {"total": 2}},
        {"entity-id": "other", "bounced": {"total": 1}},
    ]
    refused = client.get(f"{V1}/stats", params={"group": "colour"})
    assert (refused.status_code, refused.json()) == (400, {"message": "group 'colour' is not valid"})


def test_domains_entities_and_their_rules_are_told(client: Client, account: Account) -> None:
    fail(client, account)
    path = f"{V1}/domains/{account.domain}"
    domains = {"items": [{"domain": {"name": account.domain}, "bounced": {"total": 4}}], "total": 1}
    assert client.get(f"{V1}/domains").json() == domains
    assert client.get(f"{V1}/domains", params={"query": f"domain.name:{account.domain}"}).json() == domains
    assert client.get(f"{V1}/domains", params={"query": "domain.name:x.org"}).json() == {
        "items": [],
        "total": 0,
    }
    assert client.get(f"{V1}/domains", params={"skip": 1, "limit": 5}).json() == {"items": [], "total": 1}
    refused = client.get(f"{V1}/domains", params={"query": "colour:red"})
    assert (refused.status_code, refused.json()) == (400, {"message": "query 'colour:red' is not valid"})
    assert client.get(f"{path}/entities").json()["items"] == [
        {"entity-id": "gmail", "entity-name": "Gmail", "bounced": {"total": 2}},
        {"entity-id": "other", "entity-name": "Other", "bounced": {"total": 1}},
        {"entity-id": "spamhaus", "entity-name": "Spamhaus", "bounced": {"total": 1}},
    ]
    (rule,) = client.get(f"{path}/entities/spamhaus/rules").json()["items"]
    assert (rule["category"], rule["severity"], rule["bounced"]) == ("ESPBLOCK", "PERMANENT", {"total": 1})
    assert client.get(f"{path}/entities/yahoo/rules").json() == {"items": []}


def test_the_domains_of_others_are_forbidden(client: Client) -> None:
    for path in ("entities", "entities/gmail/rules", "events"):
        refused = client.get(f"{V1}/domains/unknown.example.org/{path}")
        assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})


def test_the_bounce_logs_are_gone_and_logs_have_them(client: Client, account: Account) -> None:
    fail(client, account)
    gone = client.get(f"{V1}/domains/{account.domain}/events", params={"rule-id": "a206"})
    assert gone.status_code == 410
    assert "POST /v1/analytics/logs" in gone.json()["message"]
    asked = {"filter": all_of(asked_for("i_classification_rule_id", "=", "a206"))}
    logs = client.post("/v1/analytics/logs", json=asked).json()["items"]
    assert [log["recipient"] for log in logs] == ["late@gmail.com", "x@gmail.com"]


def test_entities_and_rules_are_listed(client: Client) -> None:
    entities = client.get(f"{V1}/config/entities").json()
    assert entities["gmail"] == {"name": "Gmail"}
    rules = client.get(f"{V1}/config/rules").json()
    assert list(rules["b101"]) == ["entity_id", "class", "sample-text", "explanation", "short-explanation"]
    assert rules["b101"]["entity_id"] == "spamhaus"
    assert "entity_id" not in rules["a206"]
    assert {rule["entity_id"] for rule in rules.values() if "entity_id" in rule} <= set(entities)


@pytest.mark.parametrize("path", ["config/entities", "config/rules", "stats", "domains"])
def test_nobody_without_a_key_knows_of_bounces(server_url: str, path: str) -> None:
    refused = plain.get(f"{server_url}{V1}/{path}")
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})
