import re
from collections import Counter
from typing import Any

import pytest
from tests.api.reported import all_of, asked_for, happen, send, send_of_every_fate
from tests.conftest import Account, Client

PATH = "/v1/analytics/logs"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def logs(client: Client, **asked: Any) -> dict[str, Any]:
    answer = client.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def seen(told: dict[str, Any]) -> list[str]:
    return [f"{item['event']} {item.get('recipient', '')}".strip() for item in told["items"]]


def found(client: Client, *predicates: dict[str, Any], **asked: Any) -> list[str]:
    """Oldest first."""
    page = {"sort": "timestamp:asc"}
    return seen(logs(client, filter=all_of(*predicates), pagination=page, **asked))


def test_a_log_is_told_otherwise_than_an_event(client: Client, account: Account) -> None:
    send(client, account.domain, **{"v:order": "17", "o:tag": "News"})
    told = logs(client, events=["delivered"])
    assert list(told) == ["start", "end", "items", "pagination", "aggregates"]
    assert (told["pagination"], told["aggregates"]) == ({}, {})
    assert told["start"].endswith(" -0000")
    assert told["end"].endswith(" -0000")
    (log,) = told["items"]
    (event,) = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert list(log)[:3] == ["id", "event", "@timestamp"]
    assert (log["id"], log["event"]) == (event["id"], "delivered")
    assert STAMP.fullmatch(log["@timestamp"])
    assert "timestamp" not in log
    assert log["user-variables"] == '{"order":"17"}'
    assert log["storage"] == {**event["storage"], "url": [event["storage"]["url"]]}
    assert log["account"] == {"id": account.id}
    for flag in (
        "is-authenticated",
        "is-system-test",
        "is-routed",
        "is-test-mode",
        "is-delayed-bounce",
        "is-callback",
    ):
        assert log["flags"][flag] is (flag == "is-authenticated")
    assert log["delivery-status"] == event["delivery-status"]


def test_an_empty_request_tells_a_day_newest_first(client: Client, account: Account) -> None:
    send(client, account.domain)
    client.drain()
    assert [item["event"] for item in client.post(PATH).json()["items"]] == ["delivered", "accepted"]
    assert [item["event"] for item in logs(client, pagination={"sort": "timestamp:asc"})["items"]] == [
        "accepted",
        "delivered",
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("Mon, 08 Jul 2024 00:00:00 -0000", "Fri, 12 Jul 2024 00:00:00 +0000"),
        ("Mon, 08 Jul 2024 02:00:00 +0200", "Fri, 12 Jul 2024 00:00:00 GMT"),
        ("1720396800", "1720742400"),
    ],
)
def test_dates_are_echoed_as_recorded(client: Client, start: str, end: str) -> None:
    told = logs(client, start=start, end=end)
    assert (told["start"], told["end"]) == (
        "Mon, 08 Jul 2024 00:00:00 -0000",
        "Fri, 12 Jul 2024 00:00:00 -0000",
    )


def test_a_duration_wins_over_the_start(client: Client) -> None:
    told = logs(
        client, start="Mon, 01 Jan 2024 00:00:00 GMT", end="Fri, 12 Jul 2024 00:00:00 GMT", duration="36h"
    )
    assert told["start"] == "Wed, 10 Jul 2024 12:00:00 -0000"


def test_only_the_time_that_is_asked_for_is_told(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": "2026-01-05T10:00:00Z"})
    send(client, account.domain)
    assert len(logs(client)["items"]) == 2
    client.post("/_emulator/clock", params={"account": account.id}, json={"advance": "25h"})
    assert logs(client)["items"] == []
    assert len(logs(client, duration="2d")["items"]) == 2
    assert logs(client, duration="2d", end="Mon, 05 Jan 2026 09:59:59 GMT")["items"] == []


def walk(client: Client, asked: dict[str, Any], first: dict[str, Any], way: str) -> list[dict[str, Any]]:
    pages = [first]
    while way in pages[-1]["pagination"]:
        token = pages[-1]["pagination"][way]
        pages.append(logs(client, **{**asked, "pagination": {"token": token}}))
    return pages


def test_pages_are_walked_both_ways(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    everything = [item["id"] for item in logs(client)["items"]]
    first = logs(client, pagination={"limit": 4}, include_totals=True)
    assert first["pagination"]["total"] == len(everything)
    assert first["aggregates"] == {"all": len(everything), "metrics": {}}
    assert "previous" not in first["pagination"]
    pages = walk(client, {}, first, "next")
    assert [item["id"] for page in pages for item in page["items"]] == everything
    assert all(page["start"] == first["start"] for page in pages)
    back = walk(client, {}, pages[-1], "previous")
    assert [item["id"] for page in reversed(back) for item in page["items"]] == everything
    last = logs(client, pagination={"token": first["pagination"]["last"]})
    assert [item["id"] for item in last["items"]] == everything[-4:]
    assert "next" not in last["pagination"]
    again = logs(client, pagination={"token": last["pagination"]["first"], "limit": 2})
    assert [item["id"] for item in again["items"]] == everything[:2]


def test_a_token_repeats_what_was_asked_for(client: Client, account: Account) -> None:
    for _ in range(3):
        send(client, account.domain)
    asked = {"events": ["accepted"], "pagination": {"limit": 2, "sort": "timestamp:asc"}}
    first = logs(client, **asked)
    send(client, account.domain)
    token = {"pagination": {"token": first["pagination"]["next"]}}
    assert [item["event"] for item in logs(client, **token)["items"]] == ["accepted"]


def test_what_comes_later_does_not_move_the_pages(client: Client, account: Account) -> None:
    for _ in range(2):
        send(client, account.domain)
    first = logs(client, pagination={"limit": 2})
    send(client, account.domain)
    second = logs(client, pagination={"limit": 2, "token": first["pagination"]["next"]})
    assert len({item["id"] for item in (*first["items"], *second["items"])}) == 4
    assert "next" not in second["pagination"]


def test_several_domains_are_told_in_the_order_of_time(client: Client, account: Account) -> None:
    other = f"other.{account.domain}"
    assert client.post("/v4/domains", data={"name": other}).status_code == 200
    assert client.put(f"/v4/domains/{other}/verify").status_code == 200
    for domain in (account.domain, other, account.domain, other):
        send(client, domain)
    told = logs(client, pagination={"sort": "timestamp:asc", "limit": 3})
    pages = walk(client, {}, told, "next")
    names = [
        item["domain"]["name"] for page in pages for item in page["items"] if item["event"] == "accepted"
    ]
    assert names == [account.domain, other, account.domain, other]
    assert (
        found(client, asked_for("domain", "=", other.upper()), events=["accepted"])
        == ["accepted bob@gmail.com"] * 2
    )
    assert (
        found(client, asked_for("domain", "!=", other), events=["accepted"]) == ["accepted bob@gmail.com"] * 2
    )
    assert len(found(client, asked_for("domain", "contains", account.domain), events=["accepted"])) == 4


@pytest.mark.parametrize(
    ("predicate", "events"),
    [
        (asked_for("event", "=", "clicked", "complained"), "clicked complained"),
        (asked_for("recipient", "=", "DORA@example.net"), "accepted delivered"),
        (asked_for("recipient", "contains", "dora"), "accepted delivered"),
        (asked_for("recipient_domain", "=", "example.net"), "accepted delivered"),
        (asked_for("recipient_provider", "=", "yahoo"), "delivered opened complained"),
        (asked_for("country", "=", "de"), "opened opened"),
        (asked_for("device", "=", "mobile"), "opened opened"),
        (asked_for("severity", "=", "temporary"), "failed failed"),
        (asked_for("delivery_status_code", "=", "451", "605"), "failed failed"),
        (asked_for("delivery_status_code", ">", "600"), "failed failed"),
        (asked_for("delivery_status_message", "contains", "spamhaus"), "failed"),
        (asked_for("i_classification_group_id", "=", "blocklist"), "failed"),
        (asked_for("i_classification_rule_id", "=", "a201"), "failed"),
    ],
    ids=lambda value: value["attribute"] if isinstance(value, dict) else "",
)
def test_logs_are_filtered(client: Client, account: Account, predicate: dict[str, Any], events: str) -> None:
    send_of_every_fate(client, account)
    assert [each.split()[0] for each in found(client, predicate)] == events.split()


def test_tags_and_variables_are_looked_for(client: Client, account: Account) -> None:
    send(client, account.domain, **{"o:tag": ["News", "sale"], "v:order": "17"})
    send(client, account.domain, "eve@x.com", **{"o:tag": "new"})
    for predicate, expected in (
        (asked_for("tag", "=", "NEWS"), ["bob@gmail.com"]),
        (asked_for("tag", "=", "sale", "new"), ["bob@gmail.com", "eve@x.com"]),
        (asked_for("tag", "contains", "new"), ["bob@gmail.com", "eve@x.com"]),
        (asked_for("user_variables", "=", "17"), ["bob@gmail.com"]),
        (asked_for("user_variables", "=", "order"), ["bob@gmail.com"]),
        (asked_for("user_variables", "contains", "order"), ["bob@gmail.com"]),
        (asked_for("user_variables", "=", "1"), []),
    ):
        assert found(client, predicate, events=["delivered"]) == [f"delivered {to}" for to in expected], (
            predicate
        )


def test_what_is_negated_holds_for_what_an_event_does_not_tell(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    everything = Counter(seen(logs(client)))
    for predicate in (
        asked_for("severity", "=", "temporary"),
        asked_for("tag", "=", "news", "sale"),
        asked_for("tag", "contains", "ew"),
        asked_for("country", "=", "DE"),
        asked_for("subject", "contains", "hi"),
        asked_for("size", "=", "1"),
        asked_for("delivery_status_code", "=", "250"),
        asked_for("user_variables", "=", "17"),
        asked_for("recipient", "=", "bob@gmail.com"),
        asked_for("message_id", "contains", "2"),
    ):
        comparator = {"=": "!=", "contains": "not contains"}[predicate["comparator"]]
        positive = Counter(found(client, predicate))
        negative = Counter(found(client, {**predicate, "comparator": comparator}))
        assert positive + negative == everything, predicate


def test_a_message_is_followed_by_its_id(client: Client, account: Account) -> None:
    send(client, account.domain)
    message = send(client, account.domain, "eve@x.com")
    happen(client, message, "opened")
    for written in (message, message.strip("<>")):
        assert found(client, asked_for("message_id", "=", written)) == [
            "accepted eve@x.com", "delivered eve@x.com", "opened eve@x.com",
        ]  # fmt: skip
    log = logs(client, filter=all_of(asked_for("message_id", "=", message)))["items"][0]
    assert found(client, asked_for("id", "=", log["id"])) == ["opened eve@x.com"]


def test_headers_and_attachments_are_looked_for(client: Client, account: Account) -> None:
    about = {
        "from": f"Ann <ann@{account.domain}>",
        "to": "Bob <bob@x.com>",
        "subject": "Big news",
        "text": "x",
    }
    files = {"attachment": ("notes.txt", b"some notes")}
    assert client.post(f"/v3/{account.domain}/messages", data=about, files=files).status_code == 200
    send(client, account.domain, "eve@x.com")
    for predicate in (
        asked_for("from", "=", f"ann@{account.domain}"),
        asked_for("to", "=", "bob@x.com"),
        asked_for("to", "contains", "bob"),
        asked_for("subject", "=", "big NEWS"),
        asked_for("attachment_filename", "=", "Notes.txt"),
        asked_for("attachment_filename", "contains", "note"),
    ):
        told = found(client, predicate, events=["delivered"])
        assert "delivered bob@x.com" in told, predicate
        assert len(told) == (2 if predicate["attribute"] == "from" else 1), predicate
    size = logs(client, filter=all_of(asked_for("recipient", "=", "bob@x.com")))["items"][0]["message"][
        "size"
    ]
    assert found(client, asked_for("size", "<", str(size)), events=["delivered"]) == ["delivered eve@x.com"]
    assert found(client, asked_for("size", ">", "1"), asked_for("size", "<", "10")) == []
    assert len(found(client, asked_for("is_routed", "=", "false"), events=["delivered"])) == 2
    assert found(client, asked_for("is_routed", "=", "true")) == []


def test_deliveries_are_found_by_their_time(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": "2026-01-05T10:00:00Z"})
    message = send(client, account.domain)
    client.post("/_emulator/clock", params={"account": account.id}, json={"advance": "1h"})
    happen(client, message, "opened")
    noon = "Mon, 05 Jan 2026 10:30:00 +0000"
    assert found(client, asked_for("delivered_at", "<", noon)) == [
        "delivered bob@gmail.com",
        "opened bob@gmail.com",
    ]
    assert found(client, asked_for("delivered_at", ">", noon)) == []
    assert logs(client, events=["opened"])["items"][0]["delivered-at"] == "2026-01-05T10:00:00.000Z"


def test_the_first_of_each_recipient_is_unique(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    assert len(logs(client, events=["opened"])["items"]) == 4
    unique = logs(client, events=["unique_opened"], metric_events=["unique_clicked"])
    assert sorted(seen(unique)) == ["clicked bob@gmail.com", "opened bob@gmail.com", "opened carl@yahoo.com"]


def test_totals_are_told_for_each_metric_event(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    told = logs(client, metric_events=["opened", "unique_opened"], include_totals=True)
    assert told["aggregates"] == {"all": 4, "metrics": {"opened": 4, "unique_opened": 2}}
    assert told["pagination"] == {"total": 4}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"start": "yesterday"}, "start 'yesterday' is not valid"),
        ({"end": "Mon, 40 Foo"}, "end 'Mon, 40 Foo' is not valid"),
        ({"duration": "7w"}, "duration '7w' is not valid"),
        ({"start": "9", "end": "8"}, "start '9' is not valid"),
        ({"events": ["sent"]}, "event 'sent' is not valid"),
        ({"metric_events": ["sunk"]}, "metric event 'sunk' is not valid"),
        ({"pagination": {"limit": 101}}, "pagination limit can't be larger than 100"),
        ({"pagination": {"sort": "size:asc"}}, "sort 'size:asc' is not valid"),
        ({"pagination": {"sort": "timestamp:up"}}, "sort 'timestamp:up' is not valid"),
        ({"pagination": {"token": "forged"}}, "pagination token is not valid"),
        ({"pagination": 7}, "Invalid parameter: pagination is invalid"),
        ({"filter": {"AND": 7}}, "Invalid parameter: filter is invalid"),
        ({"filter": all_of(asked_for("colour", "=", "red"))}, "filter attribute 'colour' is not valid"),
        ({"filter": all_of(asked_for("domain", "~", "x"))}, "filter comparator '~' is not valid"),
        ({"filter": all_of(asked_for("size", "contains", "1"))}, "filter comparator 'contains' is not valid"),
        ({"filter": all_of(asked_for("size", ">", "big"))}, "filter value 'big' is not valid for size"),
        ({"filter": all_of(asked_for("is_routed", "=", "so"))}, "filter value 'so' is not valid for is_routed"),
        ({"filter": all_of(asked_for("domain", "="))}, "filter values of domain '' is not valid"),
    ],
)  # fmt: skip
def test_what_can_not_be_looked_for_is_refused(client: Client, asked: dict[str, Any], message: str) -> None:
    refused = client.post(PATH, json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_nulls_are_nothing(client: Client) -> None:
    nothing = dict.fromkeys(
        ("start", "end", "duration", "events", "metric_events", "filter", "include_totals", "pagination")
    )
    assert client.post(PATH, json=nothing).status_code == 200
    assert client.post(PATH, json={"filter": {"AND": None}}).status_code == 200


def test_other_accounts_are_not_told(client: Client, account: Account, server_url: str) -> None:
    send(client, account.domain)
    other = client.post("/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        assert logs(stranger)["items"] == []
        assert found(stranger, asked_for("domain", "=", account.domain)) == []
        assert found(stranger, asked_for("subaccount", "=", account.id)) == []
    assert len(found(client, asked_for("subaccount", "=", account.id))) == 2


def test_an_unknown_path_of_analytics_is_refused_in_json(client: Client) -> None:
    for method, path in (("GET", PATH), ("POST", "/v1/analytics/nothing")):
        unknown = client.request(method, path)
        assert (unknown.status_code, unknown.json()) == (404, {"error": "Not Found"})
