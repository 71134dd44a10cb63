from typing import Any

from tests.api.answers import refused
from tests.api.watched import now, send, watch
from tests.conftest import Account, Client

from mailgun_emulator.mail import dates

V1, V2 = "/v1/spamtraps", "/v2/spamtraps"
NONE = {"pristine": 0, "recycled": 0, "typo": 0, "harvested": 0}
TRAPS = ("spamtrap@example.net", "honeypot+recycled@example.net", "bob@gmial.com", "eve@gmial.com")


def today(client: Client) -> str:
    return dates.plain_iso(now(client))[:10]


def items(client: Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["items"]
    return told


def test_traps_that_were_written_to_are_counted_by_day_and_kind(client: Client, account: Account) -> None:
    send(client, account.domain, *TRAPS, "bob@gmail.com")
    day = today(client)
    assert items(client, V1, start=day, end=day) == [], "only those of watched domains are told"
    watch(client, account.domain)
    told = {"date": day, "pristine": 1, "recycled": 1, "typo": 2, "harvested": 0, "total": 4}
    assert items(client, V1, start=day, end=day) == [told]
    assert items(client, V2) == [told]
    client.post("/_emulator/clock", json={"advance": "2d"})
    send(client, account.domain, "spamtrap@example.net")
    days = items(client, V1, start=day, end="2099-01-01")
    assert [each["total"] for each in days] == [4, 0, 1]
    assert [each["total"] for each in items(client, V1, start=day, end="2099-01-01", sortby="totals")] == [
        4,
        1,
        0,
    ]


def test_they_are_grouped_filtered_and_sorted(client: Client, account: Account) -> None:
    watch(client, account.domain)
    send(client, account.domain, "spamtrap@example.net", subject="One", **{"o:tag": "a"})
    send(client, account.domain, *TRAPS[2:], subject="Two", **{"o:tag": "b"})
    day = today(client)
    asked = {"start": day, "end": day}
    by_subject = items(client, V1, **asked, groupby="subject")
    assert [list(each) for each in by_subject] == [["One"], ["Two"]]
    assert by_subject[1]["Two"] == [{"date": day, **NONE, "typo": 2, "total": 2}]
    assert list(items(client, V1, **asked, groupby="subject", sortby="totals")[0]) == ["Two"]
    assert items(client, V1, **asked, subject="One")[0]["total"] == 1
    assert items(client, V1, **asked, domain="other.example.com") == []
    by_tag = items(client, V2, dimension="tags", sort="total:desc")
    assert [(each["tags"], each["total"]) for each in by_tag] == [("b", 2), ("a", 1)]
    assert [each["domain_name"] for each in items(client, V2, dimension="domain_name")] == [account.domain]
    assert items(client, V2, sender=f"ann@{account.domain}")[0]["total"] == 3
    assert items(client, V2, **{"from": "nobody@"}) == []
    page = client.get(V2, params={"dimension": "tags", "limit": 1}).json()
    assert [each["tags"] for each in page["items"]] == ["a"]
    assert [each["tags"] for each in client.get(page["paging"]["next"]).json()["items"]] == ["b"]


def test_those_of_subaccounts_are_told_if_that_is_asked_for(
    client: Client, account: Account, server_url: str
) -> None:
    made = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    with Client(base_url=server_url, auth=("api", made["api_key"])) as sub:
        watch(sub, made["domain"])
        send(sub, made["domain"], "spamtrap@example.net")
        assert items(sub, V2)[0]["total"] == 1
    assert items(client, V2) == []
    (told,) = items(client, V2, include_subaccounts="true", dimension="subaccount")
    assert (told["subaccount"], told["total"]) == (made["id"], 1)


def test_an_own_domain_that_sent_nothing_hit_nothing(client: Client, account: Account) -> None:
    watch(client, account.domain)
    assert items(client, V2) == []
    assert items(client, V1, start="1900-01-01", end="2099-01-01") == []


def test_a_domain_that_the_account_does_not_send_by_has_figures_that_stay(client: Client) -> None:
    watch(client, "elsewhere.example.org")
    told = items(client, V2)
    assert told == items(client, V2)
    assert sum(each["total"] for each in told) > 0
    assert {each["ip"] for each in items(client, V2, dimension="ip")} != {""}


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    day = {"start": "2024-01-01", "end": "2024-01-02"}
    for path, asked, message in (
        (V1, {"end": "2024-01-01"}, "start is required"),
        (V1, {"start": "2024-01-01"}, "end is required"),
        (V1, {**day, "end": "2024-13-01"}, "end must be a date in format YYYY-MM-DD"),
        (V1, {**day, "start": "1704067200"}, "start must be a date in format YYYY-MM-DD"),
        (V1, {**day, "groupby": "x"}, "groupby must be one of domain, subject, ip, from"),
        (V1, {**day, "sortby": "x"}, "sortby must be one of date, totals, domain, subject, ip, from"),
        (V1, {"start": "2024-02-01", "end": "2024-01-01"}, "start must be before end"),
        (V2, {"start": "soon"}, "start must be a timestamp in RFC3339 format"),
        (V2, {"dimension": "x"}, "dimension must be one of timestamp, domain_name, ip, sender, from, tags, subaccount"),
        (V2, {"sort": "date:up"}, "sort must be one of asc, desc"),
        (V2, {"limit": "0"}, "Invalid parameter: limit is invalid"),
    ):  # fmt: skip
        refused(client.get(path, params=asked), 400, {"message": message})
