from typing import Any

import orjson
import pytest
from tests.api.reported import all_of, asked_for, send, send_of_every_fate
from tests.conftest import Account, Client

from mailgun_emulator.mail.ip_ranges import shared_ip

PATH = "/v1/analytics/metrics"
USAGE = "/v1/analytics/usage/metrics"
COUNTS = (
    "accepted_incoming", "accepted_outgoing", "accepted", "delivered_smtp", "delivered_http", "delivered_optimized",
    "delivered", "stored", "processed", "sent", "opened", "clicked", "unique_opened", "unique_clicked", "unsubscribed",
    "complained", "failed", "temporary_failed", "permanent_failed", "temporary_failed_esp_block",
    "permanent_failed_esp_block", "permanent_failed_optimized", "permanent_failed_old", "bounced", "hard_bounces",
    "soft_bounces", "delayed_bounce", "suppressed_bounces", "suppressed_unsubscribed", "suppressed_complaints",
    "delivered_first_attempt", "delayed_first_attempt", "delivered_subsequent", "delivered_two_plus_attempts",
)  # fmt: skip
"""Counts that Logs have a metric event for, of the same name."""
NOW = "Sun, 15 Feb 2026 13:45:10 GMT"


def metrics(client: Client, path: str = PATH, /, **asked: Any) -> dict[str, Any]:
    answer = client.post(path, json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def by(client: Client, *dimensions: str, metric: str = "accepted_count", **asked: Any) -> dict[Any, Any]:
    """The metric by the dimensions' values."""
    told = metrics(client, dimensions=list(dimensions), metrics=[metric], pagination={"limit": 100}, **asked)
    keys = [tuple(each["value"] for each in item["dimensions"]) for item in told["items"]]
    values = [item["metrics"][metric] for item in told["items"]]
    return dict(zip([key[0] if len(key) == 1 else key for key in keys], values, strict=True))


def at(client: Client, account: Account, now: str) -> None:
    frozen = client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": now})
    assert frozen.status_code == 200, frozen.text


def test_an_answer_looks_as_recorded(client: Client, account: Account) -> None:
    at(client, account, "2024-11-27T12:20:00Z")
    send(client, account.domain)
    client.drain()
    told = client.post(
        PATH,
        json={
            "end": "Tue, 30 Nov 2024 19:30:00 -0530",
            "resolution": "hour",
            "duration": "1m",
            "dimensions": ["time"],
            "metrics": ["opened_rate", "delivered_count", "accepted_count"],
            "include_aggregates": True,
        },
    )
    metrics = '{"accepted_count":1,"delivered_count":1,"opened_rate":"0.0000"}'
    assert told.text == (
        '{"start":"Thu, 31 Oct 2024 01:00:00 +0000","end":"Sun, 01 Dec 2024 01:00:00 +0000","resolution":"hour",'
        '"duration":"1m","dimensions":["time"],"pagination":{"sort":"","skip":0,"limit":1500,"total":1},'
        '"items":[{"dimensions":[{"dimension":"time","value":"Wed, 27 Nov 2024 12:00:00 +0000",'
        f'"display_value":"Wed, 27 Nov 2024 12:00:00 +0000"}}],"metrics":{metrics}}}],'
        f'"aggregates":{{"metrics":{metrics}}}}}\n'
    ).replace("Thu, 31 Oct 2024 01", "Fri, 01 Nov 2024 01")


def test_each_count_is_that_of_the_logs(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    names = [f"{name}_count" for name in COUNTS]
    counted = metrics(client, metrics=names, include_aggregates=True)["aggregates"]["metrics"]
    logged = client.post(
        "/v1/analytics/logs", json={"metric_events": list(COUNTS), "include_totals": True}
    ).json()
    assert list(counted) == names
    assert {name.removesuffix("_count"): number for name, number in counted.items()} == logged["aggregates"][
        "metrics"
    ]
    assert counted["opened_count"] == 4
    assert counted["unique_opened_count"] == 2
    assert counted["delayed_first_attempt_count"] == 1
    assert counted["delayed_bounce_count"] == 1
    assert counted["suppressed_bounces_count"] == 1
    assert counted["suppressed_unsubscribed_count"] == 1
    assert counted["bounced_count"] == counted["hard_bounces_count"] + counted["soft_bounces_count"]
    assert counted["delivered_count"] == 4


def test_rates_are_text(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    asked = [
        "opened_rate",
        "clicked_rate",
        "unique_opened_rate",
        "complained_rate",
        "delayed_rate",
        "delivered_rate",
    ]
    told = metrics(client, metrics=asked, include_aggregates=True)["aggregates"]["metrics"]
    assert told == {
        "delivered_rate": "0.6667",
        "opened_rate": "1.0000",
        "clicked_rate": "0.2500",
        "unique_opened_rate": "0.5000",
        "complained_rate": "0.2500",
        "delayed_rate": "0.2500",
    }


def test_every_dimension_tells_counts_apart(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    assert by(client, "domain") == {account.domain: 7}
    assert by(client, "subaccount") == {account.id: 7}
    assert by(client, "tag") == {"News": 2, "sale": 2}
    assert by(client, "recipient_domain") == {
        "gmail.com": 2,
        "yahoo.com": 1,
        "example.net": 1,
        "example.com": 3,
    }
    assert by(client, "recipient_provider") == {"Gmail": 2, "Yahoo": 1, "Other": 4}
    assert by(client, "country", metric="opened_count") == {"DE": 2, "US": 2}
    assert by(client, "device", metric="opened_count") == {"mobile": 2, "desktop": 2}
    assert by(client, "country", "device", metric="unique_opened_count") == {
        ("DE", "mobile"): 1,
        ("US", "desktop"): 1,
    }
    assert by(client, "ip", metric="delivered_count") == {shared_ip(account.id): 4}
    assert by(client, "tag", "recipient_domain") == {
        ("News", "gmail.com"): 1, ("News", "yahoo.com"): 1, ("sale", "example.com"): 1, ("sale", "gmail.com"): 1,
    }  # fmt: skip
    assert by(client, "ip_pool") == {}
    assert sum(by(client, "time", resolution="hour").values()) == 7
    (item,) = metrics(client, dimensions=["subaccount"])["items"]
    assert item == {
        "dimensions": [{"dimension": "subaccount", "value": account.id, "display_value": account.name}],
        "metrics": {},
    }


def test_messages_sent_at_the_best_time_are_told_apart(client: Client, account: Account) -> None:
    send(client, account.domain, **{"o:deliverytime-optimize-period": "24h"})
    send(client, account.domain)
    client.drain()
    assert by(client, "domain", metric="delivered_optimized_count") == {account.domain: 1}
    asked = {"metric_events": ["delivered_optimized"], "include_totals": True}
    assert client.post("/v1/analytics/logs", json=asked).json()["aggregates"]["all"] == 1
    stats = client.get("/v3/stats/total", params={"event": "delivered", "duration": "0m"}).json()["stats"]
    assert stats[-1]["delivered"] == {"smtp": 2, "http": 0, "optimized": 1, "total": 2}


def test_programs_that_open_mail_are_told_apart(client: Client, account: Account) -> None:
    message = send(client, account.domain)
    path = f"/_emulator/messages/{message}/events"
    proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    for agent in (proxy, "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"):
        assert client.post(path, json={"event": "opened", "user_agent": agent}).status_code == 200
    bots = by(client, "bot", metric="opened_count")
    logged = client.post("/v1/analytics/logs", json={"events": ["opened"]}).json()["items"]
    assert bots == {log["client-info"]["bot"]: 1 for log in logged if log["client-info"]["bot"]}


@pytest.mark.parametrize(
    ("predicates", "accepted"),
    [
        ([asked_for("tag", "=", "NEWS")], 2),
        ([asked_for("tag", "=", "news", "sale")], 3),
        ([asked_for("tag", "=", "news"), asked_for("tag", "=", "sale")], 1),
        ([asked_for("tag", "!=", "news")], 5),
        ([asked_for("tag", "!=", "news", "sale")], 4),
        ([asked_for("tag", "contains", "s")], 3),
        ([asked_for("tag", "not contains", "al")], 5),
        ([asked_for("recipient_domain", "=", "GMAIL.com", "yahoo.com")], 3),
        ([asked_for("recipient_domain", "contains", "example.")], 4),
        ([asked_for("recipient_provider", "!=", "Gmail")], 5),
        ([asked_for("recipient_provider", "=", "gmail"), asked_for("tag", "=", "sale")], 1),
        ([asked_for("country", "=", "US")], 0),
        ([asked_for("domain", "contains", "example.com")], 7),
        ([asked_for("domain", "=", "unknown.example.org")], 0),
        ([asked_for("ip_pool", "=", "5f0000000000000000000000")], 0),
        ([asked_for("ip", "not contains", "198.51.100.")], 7),
    ],
)
def test_counts_are_filtered(
    client: Client, account: Account, predicates: list[dict[str, Any]], accepted: int
) -> None:
    send_of_every_fate(client, account)
    asked = {"metrics": ["accepted_count"], "filter": all_of(*predicates), "include_aggregates": True}
    assert metrics(client, **asked)["aggregates"] == {"metrics": {"accepted_count": accepted}}
    assert sum(by(client, "domain", filter=all_of(*predicates)).values()) == accepted


def test_a_filtered_tag_is_the_only_one_told(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    assert by(client, "tag", filter=all_of(asked_for("tag", "=", "sale"))) == {"sale": 2}
    assert by(client, "tag", filter=all_of(asked_for("tag", "!=", "sale"))) == {"News": 1}


def test_items_are_sorted_and_paged(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)

    def domains(**page: Any) -> list[str]:
        told = metrics(client, dimensions=["recipient_domain"], metrics=["accepted_count"], pagination=page)
        assert told["pagination"] == {
            "sort": page.get("sort", ""), "skip": page.get("skip", 0), "limit": page.get("limit", 10), "total": 4,
        }  # fmt: skip
        return [item["dimensions"][0]["value"] for item in told["items"]]

    names = ["example.com", "example.net", "gmail.com", "yahoo.com"]
    assert domains() == names
    assert domains(sort="recipient_domain:desc") == names[::-1]
    assert domains(sort="accepted_count:desc")[:2] == ["example.com", "gmail.com"]
    assert domains(sort="delivered_rate:asc")[0] == "example.com"
    assert domains(skip=1, limit=2) == names[1:3]
    assert domains(skip=9) == []


def test_times_are_sparse_and_in_order(client: Client, account: Account) -> None:
    for when in ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-03T10:00:00Z"):
        at(client, account, when)
        send(client, account.domain)
        client.drain()
    asked = {"start": "Thu, 01 Jan 2026 00:00:00 GMT", "end": NOW}
    assert by(client, "time", **asked) == {
        "Sat, 31 Jan 2026 00:00:00 +0000": 1,
        "Sun, 01 Feb 2026 00:00:00 +0000": 1,
        "Tue, 03 Feb 2026 00:00:00 +0000": 1,
    }
    assert by(client, "time", **asked, resolution="month") == {
        "Thu, 01 Jan 2026 00:00:00 +0000": 1,
        "Sun, 01 Feb 2026 00:00:00 +0000": 2,
    }
    hours = list(by(client, "time", **asked, resolution="hour"))
    assert hours[0] == "Sat, 31 Jan 2026 23:00:00 +0000"
    told = metrics(client, dimensions=["time"], pagination={"sort": "timestamp:desc", "limit": 1}, **asked)
    assert told["items"][0]["dimensions"][0]["value"] == "Tue, 03 Feb 2026 00:00:00 +0000"
    assert by(client, "time", end="Sat, 31 Jan 2026 23:00:00 GMT", duration="1h", resolution="hour") == {
        hours[0]: 1
    }


def test_an_empty_request_tells_seven_days_and_no_items(client: Client, account: Account) -> None:
    at(client, account, "2026-02-15T13:45:10Z")
    told = client.post(PATH).json()
    assert told == {
        "start": "Sun, 08 Feb 2026 00:00:00 +0000",
        "end": "Sun, 15 Feb 2026 00:00:00 +0000",
        "resolution": "day",
        "dimensions": [],
        "pagination": {"sort": "", "skip": 0, "limit": 10, "total": 0},
        "items": [],
        "aggregates": {"metrics": {}},
    }


def test_dates_are_read_as_clients_write_them(client: Client) -> None:
    for start in ("2026-02-01T00:00:00.123456789Z", "Mon, 01 Feb 2026 00:00:00 +0000", "1769904000"):
        assert metrics(client, start=start, end=NOW)["start"] == "Sun, 01 Feb 2026 00:00:00 +0000"


@pytest.mark.parametrize("path", [PATH, USAGE])
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dimensions": ["colour"]}, "dimension 'colour' is not valid"),
        ({"metrics": ["sunk_count"]}, "metric 'sunk_count' is not valid"),
        ({"resolution": "year"}, "resolution 'year' is not valid"),
        ({"start": "yesterday"}, "start 'yesterday' is not valid"),
        ({"end": "-5"}, "end '-5' is not valid"),
        ({"start": "9", "end": "8"}, "start '9' is not valid"),
        ({"duration": "7w"}, "duration '7w' is not valid"),
        ({"pagination": {"limit": 1001}}, "pagination limit can't be larger than 1000"),
        (
            {"dimensions": ["time"], "pagination": {"limit": 1501}},
            "pagination limit can't be larger than 1500",
        ),
        ({"pagination": {"sort": "colour:asc"}}, "sort 'colour:asc' is not valid"),
        ({"pagination": {"skip": -1}}, "Invalid parameter: pagination is invalid"),
        ({"filter": all_of(asked_for("time", "=", "1"))}, "filter attribute 'time' is not valid"),
        ({"filter": all_of(asked_for("domain", ">", "1"))}, "filter comparator '>' is not valid"),
    ],
)
def test_what_can_not_be_counted_is_refused(
    client: Client, path: str, asked: dict[str, Any], message: str
) -> None:
    refused = client.post(path, json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_usage_is_what_was_processed(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    told = metrics(
        client, USAGE, dimensions=["subaccount"], metrics=["email_validation_count", "processed_count"],
        include_aggregates=True,
    )  # fmt: skip
    (item,) = told["items"]
    assert orjson.dumps(item["metrics"]) == orjson.dumps({"processed_count": 8, "email_validation_count": 0})
    assert told["aggregates"] == {"metrics": item["metrics"]}
    (hour,) = metrics(client, USAGE, dimensions=["time"], metrics=["processed_count"], resolution="month")[
        "items"
    ]
    assert hour["metrics"] == {"processed_count": 8}
    refused = client.post(USAGE, json={"dimensions": ["domain"]})
    assert (refused.status_code, refused.json()) == (400, {"message": "dimension 'domain' is not valid"})


def test_other_accounts_are_not_counted(client: Client, account: Account, server_url: str) -> None:
    send(client, account.domain)
    other = client.post("/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        assert by(stranger, "domain") == {}
        assert by(stranger, "domain", filter=all_of(asked_for("subaccount", "=", account.id))) == {}
        assert by(stranger, "domain", include_subaccounts=True) == {}
