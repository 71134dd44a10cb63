from collections import Counter
from typing import Any

import orjson
import pytest
from tests.api.reported import send_of_every_fate
from tests.conftest import Account, Client

from mailgun_emulator.mail.ip_ranges import shared_ip

EVENTS = ("accepted", "delivered", "failed", "opened", "clicked", "unsubscribed", "complained", "stored")


def send(client: Client, domain: str, **fields: Any) -> None:
    about = {"from": f"ann@{domain}", "to": "bob@gmail.com", "subject": "Hi", "text": "Hello", **fields}
    assert client.post(f"/v3/{domain}/messages", data=about).status_code == 200


def send_some(client: Client, domain: str) -> None:
    """Four deliveries, one bounce, and one that is suppressed because of it."""
    send(client, domain, **{"o:tag": ["News", "sale"]})
    send(client, domain, to="bounce@example.com", **{"o:tag": "news"})
    send(client, domain, to=["Carl@YAHOO.com", "dora@example.com"])
    client.drain()
    send(client, domain, to=["bounce@example.com", "eve@gmail.com"])
    client.drain()


def summed(stats: list[dict[str, Any]]) -> dict[str, Any]:
    """All buckets in one."""
    found: Counter[str] = Counter()

    def add(prefix: str, value: dict[str, Any]) -> None:
        for name, each in value.items():
            if isinstance(each, dict):
                add(f"{prefix}{name}.", each)
            elif isinstance(each, int):
                found[prefix + name] += each

    for bucket in stats:
        add("", bucket)
    return {name: number for name, number in found.items() if number}


SENT = {
    "accepted.outgoing": 6,
    "accepted.total": 6,
    "delivered.smtp": 4,
    "delivered.total": 4,
    "failed.permanent.suppress-bounce": 1,
    "failed.permanent.bounce": 1,
    "failed.permanent.total": 2,
}
"""What `send_some` leaves behind."""


def test_a_domain_tells_its_days_as_recorded(client: Client, account: Account) -> None:
    told = client.get(
        f"/v3/{account.domain}/stats/total",
        params={
            "event": "accepted",
            "resolution": "day",
            "start": "Tue, 23 Jan 2024 11:23:45 EST",
            "end": "Thu, 25 Jan 2024 13:43:14 GMT",
        },
    )
    zeros = '"accepted":{"incoming":0,"outgoing":0,"total":0}'
    assert told.text == (
        '{"start":"Tue, 23 Jan 2024 00:00:00 UTC","end":"Thu, 25 Jan 2024 00:00:00 UTC","resolution":"day",'
        f'"stats":[{{"time":"Tue, 23 Jan 2024 00:00:00 UTC",{zeros}}},'
        f'{{"time":"Wed, 24 Jan 2024 00:00:00 UTC",{zeros}}},'
        f'{{"time":"Thu, 25 Jan 2024 00:00:00 UTC",{zeros}}}]}}\n'
    )


def test_every_event_has_its_own_form(client: Client, account: Account) -> None:
    told = client.get(
        f"/v3/{account.domain}/stats/total",
        params={"event": ["stored", *EVENTS], "start": "1706000000", "end": "1706000000"},
    )
    permanent = dict.fromkeys(
        (
            "suppress-bounce", "suppress-unsubscribe", "suppress-complaint", "bounce", "delayed-bounce",
            "webhook", "optimized", "total",
        ),
        0,
    )  # fmt: skip
    expected = {
        "time": "Tue, 23 Jan 2024 00:00:00 UTC",
        "accepted": {"incoming": 0, "outgoing": 0, "total": 0},
        "delivered": {"smtp": 0, "http": 0, "optimized": 0, "total": 0},
        "failed": {"temporary": {"espblock": 0, "total": 0}, "permanent": permanent},
        "stored": {"total": 0},
        "opened": {"total": 0, "unique": 0},
        "clicked": {"total": 0, "unique": 0},
        "unsubscribed": {"total": 0},
        "complained": {"total": 0},
    }
    assert orjson.dumps(told.json()["stats"]) == orjson.dumps([expected])


@pytest.mark.parametrize(
    ("duration", "resolution", "start", "buckets"),
    [
        ("24h", "hour", "Wed, 24 Jan 2024 13:00:00 UTC", 25),
        ("1d", "day", "Wed, 24 Jan 2024 00:00:00 UTC", 2),
        ("2m", "month", "Wed, 01 Nov 2023 00:00:00 UTC", 3),
    ],
)
def test_a_duration_wins_over_start_and_resolution(
    client: Client, duration: str, resolution: str, start: str, buckets: int
) -> None:
    asked = {
        "event": "opened",
        "duration": duration,
        "start": "1",
        "resolution": "day",
        "end": "Thu, 25 Jan 2024 13:43:14 +0000",
    }
    told = client.get("/v3/stats/total", params=asked).json()
    assert (told["start"], told["resolution"], len(told["stats"])) == (start, resolution, buckets)
    assert told["stats"][-1]["time"] == told["end"]


def test_seven_days_are_told_unless_asked_otherwise(client: Client) -> None:
    told = client.get("/v3/stats/total", params={"event": "opened", "start": "", "duration": ""}).json()
    assert (told["resolution"], len(told["stats"])) == ("day", 8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Missing mandatory parameter: event"),
        ({"event": "xyz"}, "event 'xyz' is not valid"),
        ({"event": ["opened", "new description 2"]}, "event 'new description 2' is not valid"),
        ({"event": "opened", "resolution": "year"}, "resolution 'year' is not valid"),
        ({"event": "opened", "start": "yesterday"}, "start 'yesterday' is not valid"),
        ({"event": "opened", "start": "nan"}, "start 'nan' is not valid"),
        ({"event": "opened", "end": "-5"}, "end '-5' is not valid"),
        ({"event": "opened", "start": "9", "end": "8"}, "start '9' is not valid"),
        ({"event": "opened", "start": "1", "resolution": "hour"}, "start '1' is not valid"),
        ({"event": "opened", "duration": "7w"}, "duration '7w' is not valid"),
        ({"event": "opened", "duration": "999999999h"}, "duration '999999999h' is not valid"),
    ],
)
def test_what_can_not_be_counted_is_refused(
    client: Client, account: Account, parameters: dict[str, Any], message: str
) -> None:
    for path in (f"/v3/{account.domain}/stats/total", "/v3/stats/total", "/v3/stats/filter"):
        refused = client.get(path, params=parameters)
        assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_an_unknown_domain_tells_nothing(client: Client) -> None:
    for path in ("stats/total?event=opened", "aggregates/providers", "aggregates/devices"):
        unknown = client.get(f"/v3/unknown.example.org/{path}")
        assert (unknown.status_code, unknown.json()) == (404, {"message": "domain not found"})


def test_the_old_statistics_are_gone(client: Client, account: Account) -> None:
    gone = client.get(f"/v3/{account.domain}/stats", params={"event": "sent"})
    assert (gone.status_code, gone.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("duration", ["1h", "1d", "1m"])
def test_what_happened_to_messages_is_counted(client: Client, account: Account, duration: str) -> None:
    send_some(client, account.domain)
    asked = {"event": EVENTS, "duration": duration}
    for path in (f"/v3/{account.domain}/stats/total", "/v3/stats/total"):
        assert summed(client.get(path, params=asked).json()["stats"]) == SENT
    (*_, last) = client.get("/v3/stats/total", params={**asked, "event": "delivered"}).json()["stats"]
    assert list(last) == ["time", "delivered"]


def test_counts_are_those_of_the_events(client: Client, account: Account) -> None:
    send_some(client, account.domain)
    items = client.get(f"/v3/{account.domain}/events", params={"limit": 300}).json()["items"]
    by_events = Counter(item["event"] for item in items)
    stats = client.get("/v3/stats/total", params={"event": EVENTS, "duration": "1d"}).json()["stats"]
    counted = summed(stats)
    assert by_events == {
        "accepted": counted["accepted.total"],
        "delivered": counted["delivered.total"],
        "failed": counted["failed.permanent.total"],
    }
    tagged = [item["event"] for item in items if "news" in {tag.lower() for tag in item["tags"] or ()}]
    asked = {"event": ["accepted", "delivered", "failed"], "duration": "1d", "tag": "NEWS"}
    counted = summed(client.get(f"/v3/{account.domain}/tag/stats", params=asked).json()["stats"])
    assert Counter(tagged) == {
        "accepted": counted["accepted.total"],
        "delivered": counted["delivered.total"],
        "failed": counted["failed.permanent.total"],
    }


def test_domains_are_told_one_by_one(client: Client, account: Account) -> None:
    send_some(client, account.domain)
    end = client.get("/v3/stats/total", params={"event": "failed", "duration": "0m"}).json()["end"]
    asked = {"event": "accepted", "timestamp": end, "resolution": "month"}
    told = client.get("/v3/stats/total/domains", params=asked).json()
    assert (told["start"], told["end"], told["resolution"]) == (end, end, "month")
    names = [item["domain"] for item in told["stats"]]
    assert account.domain in names
    assert names == sorted(names)
    accepted = {item["domain"]: item["accepted"]["outgoing"] for item in told["stats"]}
    assert accepted == {name: 6 if name == account.domain else 0 for name in names}
    second = client.get("/v3/stats/total/domains", params={**asked, "skip": 1, "limit": 1}).json()
    assert second["stats"] == told["stats"][1:2]


def test_the_domains_of_no_time_are_refused(client: Client) -> None:
    refused = client.get("/v3/stats/total/domains", params={"event": "accepted"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Missing mandatory parameter: timestamp"},
    )
    refused = client.get("/v3/stats/total/domains", params={"event": "accepted", "timestamp": "now"})
    assert (refused.status_code, refused.json()) == (400, {"message": "timestamp 'now' is not valid"})


def grouped(client: Client, group: str, **parameters: Any) -> list[dict[str, Any]]:
    asked = {"event": ["accepted", "delivered"], "duration": "1d", "group": group, **parameters}
    stats: list[dict[str, Any]] = client.get("/v3/stats/filter", params=asked).json()["stats"]
    return stats


def test_counts_are_grouped(client: Client, account: Account) -> None:
    send_some(client, account.domain)
    expected = {
        "domain": {account.domain: (6, 4)},
        "provider": {"gmail.com": (2, 2), "other": (3, 1), "yahoo.com": (1, 1)},
        "tag": {"News": (2, 1), "sale": (1, 1)},
        "ip": {shared_ip(account.id): (0, 4)},
        "subaccount": {account.id: (6, 4)},
        "country": {"unknown": (6, 4)},
        "ip_pool": {},
    }
    for group, members in expected.items():
        found = {
            item[group]: (item["accepted"]["total"], item["delivered"]["total"])
            for item in grouped(client, group)
        }
        assert found == members
    (total,) = grouped(client, "total")
    assert (total["accepted"]["total"], total["delivered"]["total"]) == (6, 4)
    for group in ("time", "day", "month", ""):
        assert summed(grouped(client, group)) == {name: SENT[name] for name in SENT if "failed" not in name}


def test_counts_are_filtered(client: Client, account: Account) -> None:
    send_some(client, account.domain)
    for wanted, accepted in (
        (f"domain:{account.domain.upper()}", 6),
        ("domain:unknown.example.org", 0),
        (f"subaccount:{account.id}", 6),
        ("subaccount:5f0000000000000000000000", 0),
        ("ip_pool:5f0000000000000000000000", 0),
        ("provider:gmail.com", 2),
        ("tag:NEWS", 2),
        (["tag:news", "provider:gmail.com", f"domain:{account.domain}"], 1),
    ):
        (total,) = grouped(client, "total", filter=wanted)
        assert total["accepted"]["total"] == accepted, wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [("filter", "colour:red"), ("filter", "domain"), ("filter", "domain:"), ("group", "colour")],
)
def test_an_unknown_filter_or_group_is_refused(client: Client, name: str, value: str) -> None:
    refused = client.get("/v3/stats/filter", params={"event": "accepted", name: value})
    assert (refused.status_code, refused.json()) == (400, {"message": f"{name} '{value}' is not valid"})


def test_another_account_is_not_counted(client: Client, account: Account, server_url: str) -> None:
    send_some(client, account.domain)
    other = client.post("/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        assert summed(stranger.get("/v3/stats/total", params={"event": EVENTS}).json()["stats"]) == {}
        assert grouped(stranger, "total", filter=f"domain:{account.domain}")[0]["accepted"]["total"] == 0
        assert stranger.get(f"/v3/{account.domain}/stats/total?event=accepted").status_code == 404


REACTIONS = ("clicked", "complained", "opened", "unique_clicked", "unique_opened", "unsubscribed")


def test_providers_are_told(client: Client, account: Account) -> None:
    send_some(client, account.domain)
    providers = client.get(f"/v3/{account.domain}/aggregates/providers").json()["providers"]
    zeros = dict.fromkeys(sorted([*REACTIONS, "accepted", "delivered"]), 0)
    assert orjson.dumps(providers["gmail.com"]) == orjson.dumps({**zeros, "accepted": 2, "delivered": 2})
    assert providers["yahoo.com"] == {**zeros, "accepted": 1, "delivered": 1}
    assert providers["qq.com"] == zeros
    assert len(providers) == 26


def test_devices_and_countries_are_told(client: Client, account: Account) -> None:
    zeros = dict.fromkeys(REACTIONS, 0)
    devices = client.get(f"/v3/{account.domain}/aggregates/devices").json()
    assert devices == {"devices": dict.fromkeys(("desktop", "mobile", "tablet", "unknown"), zeros)}
    countries = client.get(f"/v3/{account.domain}/aggregates/countries").json()["countries"]
    assert (countries["us"], countries["unknown"]) == (zeros, zeros)
    assert list(countries) == sorted(countries)


def test_what_recipients_did_is_counted(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    assert summed(
        client.get("/v3/stats/total", params={"event": EVENTS, "duration": "1d"}).json()["stats"]
    ) == {
        "accepted.outgoing": 7,
        "accepted.total": 7,
        "delivered.smtp": 4,
        "delivered.total": 4,
        "failed.temporary.total": 2,
        "failed.permanent.bounce": 1,
        "failed.permanent.delayed-bounce": 1,
        "failed.permanent.suppress-bounce": 1,
        "failed.permanent.suppress-unsubscribe": 1,
        "failed.permanent.total": 4,
        "opened.total": 4,
        "opened.unique": 2,
        "clicked.total": 1,
        "clicked.unique": 1,
        "unsubscribed.total": 1,
        "complained.total": 1,
    }


def test_reactions_are_told_by_provider_device_and_country(client: Client, account: Account) -> None:
    send_of_every_fate(client, account)
    told = client.get(f"/v3/{account.domain}/aggregates/providers").json()["providers"]
    assert told["gmail.com"] == {
        "accepted": 2, "clicked": 1, "complained": 0, "delivered": 1, "opened": 3, "unique_clicked": 1,
        "unique_opened": 1, "unsubscribed": 1,
    }  # fmt: skip
    assert told["yahoo.com"]["complained"] == 1
    devices = client.get(f"/v3/{account.domain}/aggregates/devices").json()["devices"]
    assert {name: each["opened"] for name, each in devices.items()} == {
        "desktop": 2, "mobile": 2, "tablet": 0, "unknown": 0,
    }  # fmt: skip
    countries = client.get(f"/v3/{account.domain}/aggregates/countries").json()["countries"]
    assert {name: each["opened"] for name, each in countries.items() if each["opened"]} == {"de": 2, "us": 2}
    assert {name: each["clicked"] for name, each in countries.items() if each["clicked"]} == {"us": 1}
    found = client.get(
        "/v3/stats/filter", params={"event": "opened", "duration": "1d", "group": "country"}
    ).json()
    assert {item["country"]: item["opened"]["unique"] for item in found["stats"]} == {"de": 1, "us": 1}
