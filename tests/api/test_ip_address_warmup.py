from typing import Any

import pytest
from tests import plain
from tests.api.answers import advance, done, refused
from tests.api.pooled import GOOD, make_pools, order, send, sent_by
from tests.conftest import Account, Client


def start(client: Client, domain: str, *, alone: bool = True) -> tuple[str, str]:
    """An IP on warm-up that the domain sends by, and another, which it sends by too unless the first is alone."""
    new, old = order(client, 2)
    for ip in (new,) if alone else (old, new):
        done(client.post(f"/v3/domains/{domain}/ips", data={"ip": ip}))
    assert done(client.post(f"/v3/ip_warmups/{new}")) == {"message": "success"}
    return new, old


def details(client: Client, ip: str) -> dict[str, Any]:
    return dict(done(client.get(f"/v3/ip_warmups/{ip}"))["details"])


def on_warmup(client: Client) -> list[str]:
    found = done(client.get("/v3/ips"))["details"]
    return [each["ip"] for each in found if each.get("is_on_warmup")]


def test_a_plan_begins_with_the_first_of_fifteen_stages(client: Client) -> None:
    (ip,) = order(client)
    client.post("/_emulator/clock", json={"freeze": "2026-01-02T03:04:05.5Z"})
    assert done(client.post(f"/v3/ip_warmups/{ip}")) == {"message": "success"}
    now = "2026-01-02T03:04:05.5Z"
    assert details(client, ip) == {
        "sent_within_stage": "0%",
        "throttle": 25,
        "start_volume": 0,
        "stage": 0,
        "stage_limit": 1000,
        "hourly_limit": 25,
        "stage_started_at": now,
        "hour_started_at": now,
        "plan_started_at": now,
        "plan_last_updated_at": now,
        "total_stages": 15,
        "stage_history": [],
    }
    assert on_warmup(client) == [ip]


def test_plans_are_listed_page_by_page(client: Client) -> None:
    empty = done(client.get("/v3/ip_warmups"))
    assert empty["items"] == []
    assert empty["paging"]["next"] == empty["paging"]["first"] == f"{client.base_url}/v3/ip_warmups?limit=10"
    ips = sorted(order(client, 3))
    for ip in ips:
        done(client.post(f"/v3/ip_warmups/{ip}"))
    page = done(client.get("/v3/ip_warmups", params={"limit": "2"}))
    assert [each["ip"] for each in page["items"]] == ips[:2]
    assert page["items"][0] == {
        "ip": ips[0],
        "sent_within_stage": "0%",
        "throttle": 25,
        "stage_number": 1,
        "stage_start_volume": 0,
        "stage_start_time": page["items"][0]["stage_start_time"],
        "stage_volume_limit": 1000,
    }
    last = done(client.get(page["paging"]["next"]))
    assert [each["ip"] for each in last["items"]] == ips[2:]
    assert done(client.get(last["paging"]["next"]))["items"] == []


def test_what_an_ip_may_not_send_is_sent_by_the_domains_other_ips(client: Client, account: Account) -> None:
    new, old = start(client, account.domain, alone=False)
    send(client, account.domain, 30)
    assert sent_by(client, account.domain) == {new: 25, old: 5}
    told = details(client, new)
    assert (told["throttle"], told["sent_within_stage"]) == (0, "2%")


def test_without_another_ip_the_shared_one_sends_the_rest(client: Client, account: Account) -> None:
    new, _ = start(client, account.domain)
    (shared,) = set(done(client.get("/v3/ips"))["items"]) - set(
        done(client.get("/v3/ips?dedicated=true"))["items"]
    )
    send(client, account.domain, 27)
    assert sent_by(client, account.domain) == {new: 25, shared: 2}


def test_the_recipients_of_one_message_are_counted_one_by_one(client: Client, account: Account) -> None:
    new, old = start(client, account.domain, alone=False)
    people = [f"p{number}@example.net" for number in range(27)]
    message = {"from": f"a@{account.domain}", "to": people, "subject": "Hi", "text": "x"}
    done(client.post(f"/v3/{account.domain}/messages", data=message))
    client.drain()
    assert sent_by(client, account.domain) == {new: 25, old: 2}


def test_each_hour_an_ip_may_send_some_more(client: Client, account: Account) -> None:
    new, old = start(client, account.domain, alone=False)
    send(client, account.domain, 30)
    advance(client, "1h")
    assert details(client, new)["throttle"] == 25
    send(client, account.domain, 30, "q{}@example.net")
    assert sent_by(client, account.domain) == {new: 50, old: 10}


def test_the_ip_that_is_asked_for_is_used_while_it_may(client: Client, account: Account) -> None:
    new, old = start(client, account.domain, alone=False)
    send(client, account.domain, 3, **{"o:sending-ip": old})
    send(client, account.domain, 2, "q{}@example.net", **{"o:sending-ip": new})
    assert sent_by(client, account.domain) == {old: 3, new: 2}


def test_messages_in_test_mode_and_suppressed_ones_use_nothing_up(client: Client, account: Account) -> None:
    new, _ = start(client, account.domain)
    send(client, account.domain, 1, **{"o:testmode": "yes"})
    client.post(f"/v3/{account.domain}/bounces", data={"address": "p0@example.net"})
    send(client, account.domain)
    assert details(client, new)["throttle"] == 25


def test_a_stage_is_over_once_its_volume_is_sent(client: Client, account: Account) -> None:
    new, _ = start(client, account.domain)
    for hour in range(40):
        send(client, account.domain, 25, f"h{hour}p{{}}@example.net")
        if hour < 39:
            assert details(client, new)["stage"] == 0
            advance(client, "1h")
    told = details(client, new)
    assert (told["stage"], told["stage_limit"], told["hourly_limit"]) == (1, 2000, 50)
    assert (told["start_volume"], told["sent_within_stage"], told["throttle"]) == (1000, "0%", 50)
    (past,) = told["stage_history"]
    assert past["limit"] == 1000
    assert past["completed_at"] == told["stage_started_at"]
    assert past["first_updated_at"] > str(told["plan_started_at"])


def test_a_stage_is_over_after_two_days_in_any_case(client: Client) -> None:
    (ip,) = order(client)
    done(client.post(f"/v3/ip_warmups/{ip}"))
    advance(client, "5d")
    told = details(client, ip)
    assert (told["stage"], told["stage_limit"]) == (2, 4000)
    assert [each["limit"] for each in told["stage_history"]] == [1000, 2000]
    assert told["stage_history"][0]["first_updated_at"] == "0001-01-01T00:00:00Z"


def test_a_month_later_an_ip_is_warm_and_may_send_all(client: Client, account: Account) -> None:
    new, _ = start(client, account.domain)
    advance(client, "29d")
    assert on_warmup(client) == [new]
    advance(client, "1d")
    assert on_warmup(client) == []
    assert done(client.get("/v3/ip_warmups"))["items"] == []
    send(client, account.domain, 30)
    assert sent_by(client, account.domain) == {new: 30}


def test_a_cancelled_plan_limits_nothing(client: Client, account: Account) -> None:
    new, _ = start(client, account.domain)
    assert done(client.delete(f"/v3/ip_warmups/{new}")) == {"message": "success"}
    assert on_warmup(client) == []
    send(client, account.domain, 30)
    assert sent_by(client, account.domain) == {new: 30}
    done(client.post(f"/v3/ip_warmups/{new}"))
    assert details(client, new)["start_volume"] == 30


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_only_dedicated_ips_of_the_account_are_warmed_up(client: Client, method: str) -> None:
    shared = done(client.get("/v3/ips"))["items"][0]
    for ip in (shared, "192.0.2.1", "nonsense"):
        refused(client.request(method, f"/v3/ip_warmups/{ip}"), 404, {"message": "not found"})


def test_what_a_subaccount_sends_by_an_inherited_ip_is_counted_for_its_parents_plan(
    client: Client, account: Account, server_url: str
) -> None:
    (ip,) = order(client)
    pool = done(client.post("/v3/ip_pools", data={"name": "p", "description": "d", "ip": ip}))["pool_id"]
    asked = {"parent": account.id, "name": "Child"}
    child = plain.post(f"{server_url}/_emulator/accounts", json=asked).json()
    done(client.put(f"/v3/ip_pools/{pool}/delegate", data={"subaccount_id": child["id"]}))
    done(client.post(f"/v3/ip_warmups/{ip}"))
    with Client(base_url=server_url, auth=("api", child["api_key"])) as own:
        assert on_warmup(own) == [ip]
        assert done(own.get("/v3/ip_warmups"))["items"] == []
        done(own.post(f"/v3/domains/{child['domain']}/ips", data={"pool_id": pool}))
        send(own, child["domain"], 27)
        assert sent_by(own, child["domain"])[ip] == 25
    assert details(client, ip)["throttle"] == 0


def test_an_ip_of_the_parents_pools_is_not_the_subaccounts_to_warm_up(client: Client) -> None:
    ip = make_pools(client)[GOOD]
    child = done(client.post("/v5/accounts/subaccounts", params={"name": "Child"}))["subaccount"]
    answer = client.post(f"/v3/ip_warmups/{ip}", headers={"X-Mailgun-On-Behalf-Of": child["id"]})
    refused(answer, 404, {"message": "not found"})


def test_a_plan_that_is_in_progress_is_not_begun_again(client: Client) -> None:
    (ip,) = order(client)
    done(client.post(f"/v3/ip_warmups/{ip}"))
    refused(
        client.post(f"/v3/ip_warmups/{ip}"), 400, {"message": "warmup is already in progress for this IP"}
    )


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_ip_without_a_plan_has_none_to_tell_or_to_cancel(client: Client, method: str) -> None:
    (ip,) = order(client)
    none = {"message": "no warmup in progress for this IP"}
    refused(client.request(method, f"/v3/ip_warmups/{ip}"), 404, none)


def test_a_limit_that_is_no_number_is_refused(client: Client) -> None:
    answer = client.get("/v3/ip_warmups", params={"limit": "many"})
    refused(answer, 400, {"message": "Invalid parameter: limit is invalid"})
