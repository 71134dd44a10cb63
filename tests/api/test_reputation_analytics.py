from typing import Any

import pytest
from tests.api.answers import refused
from tests.api.watched import complain, now, send, watch
from tests.conftest import Account, Client

GPT, SNDS = "/v1/reputationanalytics/gpt", "/v1/reputationanalytics/snds"
PATHS = (
    f"{GPT}/domains", f"{GPT}/domains_list", f"{GPT}/domainsfbl", f"{GPT}/addresses", f"{GPT}/addresses_list",
    f"{GPT}/summary", f"{GPT}/summary/domains", f"{GPT}/summary/errors", f"{GPT}/summary/addresses", SNDS,
)  # fmt: skip


def told(client: Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def ip(client: Client, account: Account) -> str:
    """That the domain sends by; it sent to Gmail and elsewhere, and not everybody liked it."""
    watch(client, account.domain)
    send(client, account.domain, *(f"p{n}@gmail.com" for n in range(4)), **{"o:tag": "news"})
    rule = {"match": {"recipient": "full@gmail.com"}, "code": 552}
    client.post("/_emulator/outcomes", json=rule)
    send(
        client,
        account.domain,
        "full@gmail.com",
        "x@hotmail.com",
        "spamtrap@outlook.com",
        "spamtrap@example.net",
    )
    complain(client, account.domain, "p0@gmail.com")
    (event,) = client.get(f"/v3/{account.domain}/events?event=delivered&limit=1").json()["items"]
    return str(event["envelope"]["sending-ip"])


def test_gmail_tells_of_domains_day_by_day(client: Client, account: Account, ip: str) -> None:
    found = told(client, f"{GPT}/domains/{account.domain}")
    (day,) = found["data"]
    assert (found["domain"], found["total"]) == (account.domain, 1)
    assert day == {
        "account_id": account.id,
        "name": account.domain,
        "user_reported_spam_ratio": 0.25,
        "spf_success_ratio": 1.0,
        "dkim_success_ratio": 1.0,
        "dmarc_success_ratio": 1.0,
        "inbound_encryption_ratio": 1.0,
        "delivery_error_ratio": 0.2,
        "delivery_errors": [
            {"error_class": "PERMANENT_ERROR", "error_type": "SUSPECTED_SPAM", "error_ratio": 0.2}
        ],
        "reputation": 1,
        "date": day["date"],
        "ip_counts": [{"reputation": 1, "total": 1}],
        "feedback_loops": [{"id": "news", "spam_ratio": 0.25}],
    }
    assert day["date"].endswith("T00:00:00Z")
    assert told(client, f"{GPT}/domains") == {"domain": "", "data": [day], "total": 1}
    for path in ("domains_list", "domains/list"):
        names = told(client, f"{GPT}/{path}")
        assert names == {"data": [{"name": account.domain, "date": day["date"]}], "total": 1}
    loop = {"name": account.domain, "id": "news", "ratio": 0.25, "date": day["date"]}
    for path in ("domainsfbl", f"domainsfbl/{account.domain}"):
        assert told(client, f"{GPT}/{path}") == {"data": [loop], "total": 1}


def test_gmail_tells_of_ips_day_by_day(client: Client, account: Account, ip: str) -> None:
    found = told(client, f"{GPT}/addresses/{ip}")
    (day,) = found["data"]
    assert day == {"address": ip, "domain_name": account.domain, "reputation": 1, "date": day["date"]}
    assert found == {"address": ip, "data": [day], "total": 1}
    for path in ("addresses", f"domains/{account.domain}/addresses"):
        assert told(client, f"{GPT}/{path}") == {"address": "", "data": [day], "total": 1}
    for path in ("addresses_list", "addresses/list"):
        names = told(client, f"{GPT}/{path}")
        assert names == {"data": [{"address": ip, "date": day["date"]}], "total": 1}


def test_gmail_is_summed_up(client: Client, account: Account, ip: str) -> None:
    (both,) = told(client, f"{GPT}/summary")["summary"]
    (ratios,) = told(client, f"{GPT}/summary/domains")["summary"]
    (errors,) = told(client, f"{GPT}/summary/errors")["summary"]
    assert both == {**ratios, **errors}
    assert (ratios["name"], ratios["user_reported_spam_ratio"], ratios["reputation"]) == (
        account.domain,
        0.25,
        1.0,
    )
    assert errors["errors"][0]["error_ratio"] == 0.2
    assert told(client, f"{GPT}/summary/addresses") == {
        "summary": [{"domain_name": account.domain, "address": ip, "reputation": 1.0}],
        "ip_counts": {"1": 1, "2": 0, "3": 0, "4": 0},
        "total": 1,
    }


def test_microsoft_tells_of_ips(client: Client, account: Account, ip: str) -> None:
    (day,) = told(client, SNDS)["summary"]
    assert day == {
        "block_text": "",
        "complaint_rate": "< 0.1%",
        "date": day["date"],
        "filter_result": "GREEN",
        "is_blocked": False,
        "ip_address": ip,
        "recipients": 2,
        "trap_hits": 1,
        "trap_message_period": day["trap_message_period"],
        "trap_percentage": 50.0,
    }
    client.post("/_emulator/blocklists", json={"ip": ip, "blocklist": "SpamCop"})
    (blocked,) = told(client, f"{SNDS}/{ip}")["summary"]
    assert (blocked["is_blocked"], blocked["filter_result"]) == (True, "RED")
    assert blocked["block_text"] == "Blocked due to listing on bl.spamcop.net"
    assert told(client, f"{GPT}/domains")["data"][0]["delivery_errors"][0]["error_type"] == "IP_IN_RBL"


def test_own_domains_that_sent_nothing_have_none(client: Client, account: Account) -> None:
    watch(client, account.domain)
    for path in PATHS:
        assert told(client, path)["total"] == 0


def test_domains_that_the_account_does_not_send_by_have_figures_that_stay(client: Client) -> None:
    watch(client, "a.example.org", "b.example.org")
    first = told(client, f"{GPT}/domains", limit=5)
    assert (len(first["data"]), first["total"]) == (5, 60)
    assert told(client, f"{GPT}/domains", limit=5) == first
    start = int(now(client)) - 86400
    two = told(client, f"{GPT}/domains", timeRangeStart=start, timeRangeEnd=start + 86400)
    assert [each["name"] for each in two["data"]] == ["a.example.org", "b.example.org"] * 2
    last = told(client, f"{GPT}/domains", offset=59)["data"]
    assert last == two["data"][-1:]
    down = told(client, f"{GPT}/summary/domains", sortBy="name", orderBy="desc")["summary"]
    assert [each["name"] for each in down] == ["b.example.org", "a.example.org"]
    some = told(client, f"{GPT}/summary", searchField="b.ex")
    assert [each["name"] for each in some["summary"]] == ["b.example.org"]
    assert len(told(client, SNDS, skip=0, search="198.51")["summary"]) == 1
    assert told(client, SNDS, search="10.0")["total"] == 0


def test_nothing_is_told_of_what_is_not_watched(client: Client, account: Account) -> None:
    send(client, account.domain, "a@gmail.com")
    for path in PATHS:
        body = told(client, path)
        assert (body.get("data", body.get("summary")), body["total"]) == ([], 0)
    for path in (
        f"{GPT}/domains/{account.domain}",
        f"{GPT}/domains/{account.domain}/addresses",
        f"{GPT}/domainsfbl/{account.domain}",
        f"{GPT}/addresses/1.2.3.4",
        f"{SNDS}/1.2.3.4",
    ):
        refused(client.get(path), 404, {"Description": "not found"})


@pytest.mark.parametrize("path", PATHS)
def test_what_makes_no_sense_is_refused(client: Client, path: str) -> None:
    watch(client, "a.example.org")
    for asked, why in (
        ({"offset": "-1"}, "offset is invalid"),
        ({"limit": "0"}, "limit is invalid"),
        ({"offset": "9" * 5000}, "offset is invalid"),
        ({"timeRangeStart": "yesterday"}, "timeRangeStart is invalid"),
        ({"timeRangeStart": "9", "timeRangeEnd": "5"}, "timeRangeStart must be before timeRangeEnd"),
    ):
        refused(client.get(path, params=asked), 400, {"Reason": why})
    if "summary" in path or path == SNDS:
        refused(
            client.get(path, params={"orderBy": "up"}), 400, {"Reason": "orderBy must be one of asc, desc"}
        )
        for field in ("x", "errors", "model_fields"):
            refused(client.get(path, params={"sortBy": field}), 400, {"Reason": "sortBy is invalid"})
            refused(
                client.get(path, params={"sortBy": field, "searchField": "none"}),
                400,
                {"Reason": "sortBy is invalid"},
            )
