from typing import Any

from tests.api.answers import refused
from tests.api.watched import complain, send, watch
from tests.conftest import Account, Client

TOTAL, GROUPED = "/v1/maverick-score/total", "/v1/maverick-score/grouped"
BEST = {"bounce_rate": 0, "complaint_rate": 0, "trap_rate": 0, "full_mailbox_rate": 0, "bad_failure_rate": 0}


def told(client: Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_what_goes_wrong_takes_points(client: Client, account: Account) -> None:
    assert told(client, TOTAL) == {"score": 100, "rates": BEST, "counters": {"delivered": 0}}
    send(client, account.domain, *(f"p{n}@example.net" for n in range(9)))
    assert told(client, TOTAL) == {"score": 100, "rates": BEST, "counters": {"delivered": 9}}
    send(client, account.domain, "bounce@example.com")
    assert told(client, TOTAL) == {
        "score": 90,
        "rates": {**BEST, "bounce_rate": 10},
        "counters": {"delivered": 9},
    }
    send(client, account.domain, "bounce+552@example.com", "bounce+554@example.com")
    rates = told(client, TOTAL)["rates"]
    assert rates == {**BEST, "bounce_rate": 8, "full_mailbox_rate": 8, "bad_failure_rate": 8}
    complain(client, account.domain, "p0@example.net")
    assert told(client, TOTAL)["rates"]["complaint_rate"] == 100
    assert told(client, TOTAL)["score"] == 0


def test_traps_take_points_from_those_who_watch_for_them(client: Client, account: Account) -> None:
    send(client, account.domain, "spamtrap@example.net", *(f"p{n}@example.net" for n in range(19)))
    assert told(client, TOTAL)["score"] == 100
    watch(client, account.domain)
    assert told(client, TOTAL) == {
        "score": 50,
        "rates": {**BEST, "trap_rate": 50},
        "counters": {"delivered": 20},
    }


def test_scores_are_grouped_filtered_and_sorted(client: Client, account: Account) -> None:
    other = f"other.{account.domain}"
    client.post("/v4/domains", data={"name": other})
    client.put(f"/v4/domains/{other}/verify")
    send(client, account.domain, "a@example.net", "bounce@example.com")
    send(client, other, "a@example.net")
    by_domain = told(client, GROUPED)
    assert by_domain["items"][0] == {
        "group_key": account.domain,
        "account_id": account.id,
        "score": 50,
        "rates": {**BEST, "bounce_rate": 50},
        "counters": {"delivered": 1},
    }
    assert [each["group_key"] for each in by_domain["items"]] == [account.domain, other]

    def keys(**asked: Any) -> list[str]:
        return [each["group_key"] for each in told(client, GROUPED, **asked)["items"]]

    assert keys(sort="score:desc") == [other, account.domain]
    assert keys(sort="bounce_rate") == [other, account.domain]
    assert keys(limit=1, skip=1) == [other]
    assert keys(term=f"domain:{other}") == [other]
    assert keys(query="domain:other.") == [other]
    assert keys(group="subaccount") == [account.id]
    (day,) = keys(group="timestamp")
    assert len(day) == len("2026-01-01")
    assert len(keys(group="ip")) == 1


def test_subaccounts_count_unless_they_are_left_out(
    client: Client, server_url: str, account: Account
) -> None:
    made = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    with Client(base_url=server_url, auth=("api", made["api_key"])) as sub:
        send(sub, made["domain"], "a@example.net")
    assert told(client, TOTAL)["counters"] == {"delivered": 1}
    assert told(client, TOTAL, include_subaccounts="false")["counters"] == {"delivered": 0}
    items = told(client, GROUPED, group="subaccount")["items"]
    assert [each["group_key"] for each in items] == [made["id"]]


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    for asked, why in (
        ({"group": "x"}, "group must be one of domain, ip, subaccount, timestamp"),
        ({"limit": "101"}, "limit is invalid"),
        ({"skip": "-1"}, "skip is invalid"),
        ({"skip": "9" * 5000}, "skip is invalid"),
        ({"sort": "score:up"}, "sort must be one of asc, desc"),
        ({"term": "x"}, "term must be one of domain, ip, subaccount, timestamp, account_id"),
        ({"query": "nothing:x"}, "query must be one of domain, ip, subaccount, timestamp, account_id"),
    ):
        refused(client.get(GROUPED, params=asked), 422, {"Reason": why})
    refused(
        client.get(TOTAL, params={"include_subaccounts": "x"}),
        400,
        {"message": "Invalid parameter: include_subaccounts is invalid"},
    )
