"""Domains in dynamic IP pools: enrolling, listing, and how they are moved, over parent account and subaccounts."""

import re
from email.utils import formatdate
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.api.answers import advance, done, refused
from tests.api.pooled import (
    GOOD,
    NEW,
    POOR,
    SUCCESS,
    enroll,
    history,
    make_pools,
    order,
    pool_of,
    send,
    sent_by,
)
from tests.conftest import Account, Client


@pytest.fixture(autouse=True)
def pools(client: Client) -> dict[str, str]:
    """An IP in each of the pools."""
    return make_pools(client)


@pytest.fixture
def child(client: Client, account: Account, server_url: str) -> Account:
    """A subaccount with a domain."""
    asked = {"parent": account.id, "name": "Child"}
    told = plain.post(f"{server_url}/_emulator/accounts", json=asked).json()
    return Account(**{name: told[name] for name in Account._fields})


def add(client: Client, domain: str) -> str:
    done(client.post("/v4/domains", data={"name": domain}))
    done(client.put(f"/v4/domains/{domain}/verify"))
    return domain


def names(answer: Any) -> list[str]:
    return [each["name"] for each in done(answer)["items"]]


def test_a_domain_is_enrolled_once(client: Client, account: Account) -> None:
    enroll(client, account.domain)
    again = client.post(f"/v3/domains/{account.domain}/dynamic_pools")
    refused(again, 400, {"message": "domain is already enrolled in dynamic IP pools"})
    refused(
        client.post(f"/v3/domains/{account.domain}/ips", data={"ip": order(client)[0]}),
        400,
        {"message": "Domain IPs can't be changed while an IP pool is linked to the domain"},
    )


def test_sandbox_domains_and_foreign_replacements_are_refused(client: Client, account: Account) -> None:
    listed = done(client.get("/v4/domains"))["items"]
    sandbox = next(each["name"] for each in listed if each["type"] == "sandbox")
    answer = client.post(f"/v3/domains/{sandbox}/dynamic_pools")
    refused(answer, 400, {"message": "sandbox domains can't be enrolled in dynamic IP pools"})
    answer = client.post(f"/v3/domains/{account.domain}/dynamic_pools?replacement_ip=192.0.2.1")
    refused(answer, 400, {"message": "IP 192.0.2.1 is not assigned to the account"})
    assert done(client.get("/v1/dynamic_pools/domains"))["items"] == []


def test_a_removed_domain_sends_by_its_replacement(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    url = f"/v3/domains/{account.domain}/dynamic_pools"
    one, two, three = order(client, 3)
    pool = done(client.post("/v3/ip_pools", data={"name": "p", "description": "d", "ip": three}))["pool_id"]
    both = {"message": "Either replacement_ip or replacement_pool_id must be specified, but not both"}
    several = {"message": "replacement_ip can be specified multiple times only if all IPs are dedicated"}
    enroll(client, account.domain)
    refused(client.delete(url), 400, both)
    refused(client.delete(url, params={"replacement_ip": one, "replacement_pool_id": pool}), 400, both)
    shared_ip = done(client.get("/v3/ips"))["items"][0]
    for shared in ("shared", shared_ip):
        refused(client.delete(url, params={"replacement_ip": [one, shared]}), 400, several)
    dynamic = {"message": f"IP {pools[GOOD]} belongs to a dynamic IP pool"}
    refused(client.delete(url, params={"replacement_ip": pools[GOOD]}), 400, dynamic)
    pooled = {"message": f"IP {three} belongs to an IP pool"}
    refused(client.delete(url, params={"replacement_ip": three}), 400, pooled)
    assert client.delete(url, params={"replacement_pool_id": "0" * 24}).status_code >= 400
    assert pool_of(client, account.domain) == NEW

    assert done(client.delete(url, params={"replacement_ip": [one, two]})) == SUCCESS
    assert done(client.get(f"/v3/domains/{account.domain}/ips"))["items"] == [one, two]
    assert pool_of(client, account.domain) is None
    for _ in range(2):
        send(client, account.domain)
    assert sent_by(client, account.domain) == {one: 1, two: 1}
    enroll(client, account.domain)
    assert done(client.delete(url, params={"replacement_pool_id": pool})) == SUCCESS
    assert done(client.get(f"/v3/ip_pools/{pool}"))["details"]["linked_domains"] == [account.domain]
    moves = [(each["prev_band"], each["new_band"]) for each in history(client)]
    assert moves == [(NEW, ""), ("", NEW), (NEW, ""), ("", NEW)]
    assert history(client)[0]["reason"] == "Domain removed from dynamic IP pools"


def test_the_path_that_the_python_package_spells_does_the_same(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    url = f"/v3/domains/{account.domain}/dynamic/pools"
    assert done(client.post(url)) == SUCCESS
    refused(client.post(url), 400, {"message": "domain is already enrolled in dynamic IP pools"})
    send(client, account.domain)
    assert sent_by(client, account.domain) == {pools[NEW]: 1}
    assert done(client.delete(url, params={"replacement_ip": "shared"})) == SUCCESS
    assert pool_of(client, account.domain) is None
    again = client.delete(url, params={"replacement_ip": "shared"})
    refused(again, 400, {"message": "domain is not enrolled in dynamic IP pools"})


def test_a_removed_domain_is_moved_no_more(client: Client, account: Account) -> None:
    enroll(client, account.domain)
    done(client.delete(f"/v3/domains/{account.domain}/dynamic_pools?replacement_ip=shared"))
    send(client, account.domain, 100)
    advance(client, "2d")
    assert len(history(client)) == 2


def test_what_is_not_enrolled_is_assignable(client: Client, account: Account) -> None:
    add(client, f"b.{account.domain}")
    enroll(client, account.domain)
    found = done(client.get("/v3/domains/dynamic_pools/assignable"))["items"]
    assert [{**each, "id": ""} for each in found] == [
        {"account_id": account.id, "id": "", "name": f"b.{account.domain}"}
    ]
    url = "/v3/domains/dynamic_pools/assignable"
    assert names(client.get(url, params={"domain": "^a"})) == []
    assert names(client.get(url, params={"domain": r"^b\."})) == [f"b.{account.domain}"]
    for wrong in ("(", "a{99999999999}"):
        answer = client.get(url, params={"domain": wrong})
        refused(answer, 400, {"message": "Invalid parameter: domain is invalid"})
    refused(client.get(url, params={"subaccount_id": "0" * 24}), 404, {"message": "account not found"})


def test_all_domains_are_enrolled_at_once(client: Client, account: Account, child: Account) -> None:
    own = [account.domain, *(add(client, f"d{number}.{account.domain}") for number in range(11))]
    url = "/v3/domains/all/dynamic_pools/enroll"
    assert done(client.post(url, params={"include_subaccounts": "false"})) == {"message": "started"}
    client.drain()
    assert names(client.get("/v1/dynamic_pools/domains")) == sorted(own)
    assignable = client.get(f"/v3/domains/dynamic_pools/assignable?subaccount_id={child.id}")
    assert names(assignable) == [child.domain]
    assert done(client.post(url, data={"include_subaccounts": "true"})) == {"message": "started"}
    client.drain()
    assert names(client.get("/v1/dynamic_pools/domains")) == sorted([*own, child.domain])


def test_domains_of_subaccounts_are_moved_by_their_parents_pools(
    client: Client, account: Account, child: Account, pools: dict[str, str], server_url: str
) -> None:
    enroll(client, child.domain)
    with Client(base_url=server_url, auth=("api", child.api_key)) as own:
        send(own, child.domain, 100)
        advance(own, "1d")
        assert done(own.get(f"/v3/domains/{child.domain}/ips"))["items"] == [pools[GOOD]]
        assert [each["new_band"] for each in history(own)] == [GOOD, NEW]
        done(own.put(f"/v1/dynamic_pools/domains/{child.domain}/override", data={"pool": NEW}))
        for method, url in (
            ("DELETE", "/v3/dynamic_pools/all"),
            ("POST", f"/v3/dynamic_pools/{NEW}/{pools[NEW]}"),
            ("POST", "/v3/domains/all/dynamic_pools/enroll"),
        ):
            refused(own.request(method, url), 403, {"message": "Forbidden"})
    assert history(client) == []
    moves = history(client, include_subaccounts="true")
    assert [(each["owning_account_id"], each["account_id"], each["account_name"]) for each in moves] == [
        (account.id, child.id, "Child")
    ] * 3
    told = done(client.get(f"/v1/dynamic_pools/domains/{child.domain}/history"))
    assert told == moves[0]
    mine = client.get("/v1/dynamic_pools/domains", params={"account": account.id})
    assert names(mine) == []
    theirs = client.get("/v1/dynamic_pools/domains", params={"account": [account.id, child.id]})
    assert names(theirs) == [child.domain]


def test_all_domains_of_an_account_are_checked_together(
    client: Client, account: Account, child: Account, server_url: str
) -> None:
    sending = [add(client, f"{name}.{account.domain}") for name in "abc"]
    for domain in sending:
        enroll(client, domain)
        advance(client, "1h")
    enroll(client, child.domain)
    enroll(client, account.domain)
    done(client.put(f"/v1/dynamic_pools/domains/{sending[2]}/override", data={"pool": NEW}))
    for domain in (*sending, account.domain):
        send(client, domain, 100)
    advance(client, "21h")
    assert [pool_of(client, domain) for domain in (*sending, account.domain)] == [GOOD, GOOD, NEW, GOOD]
    assert len({each["timestamp"] for each in history(client, moved_to=GOOD)}) == 1
    with Client(base_url=server_url, auth=("api", child.api_key)) as own:
        send(own, child.domain, 100)
        assert pool_of(own, child.domain) == NEW
        advance(own, "1d")
        assert pool_of(own, child.domain) == GOOD


def test_enrolled_domains_are_sorted_filtered_and_paged(client: Client, account: Account) -> None:
    a, b, c = (add(client, f"{name}.{account.domain}") for name in "abc")
    done(client.post("/_emulator/outcomes", json={"match": {"recipient": "p1*"}, "code": 550}))
    send(client, b, 100)
    for domain in (a, b, c):
        enroll(client, domain)
    url = "/v1/dynamic_pools/domains"
    assert names(client.get(url)) == [a, b, c]
    assert names(client.get(url, params={"sort_order": "descending"})) == [c, b, a]
    assert names(client.get(url, params={"sort_by": "bounce_rate"})) == [a, c, b]
    assert names(client.get(url, params={"pool": NEW})) == [a, c]
    assert names(client.get(url, params={"pool": [NEW, POOR]})) == [a, b, c]
    page = done(client.get(url, params={"limit": "2", "sort_order": "descending"}))
    assert ([each["name"] for each in page["items"]], page["total_items"]) == ([c, b], 3)
    assert names(client.get(page["paging"]["Next"])) == [a]
    assert names(client.get(page["paging"]["Last"])) == [a]
    assert names(client.get(page["paging"]["First"])) == [c, b]
    beyond = done(client.get(done(client.get(page["paging"]["Next"]))["paging"]["Next"]))
    assert beyond["items"] == []
    assert names(client.get(beyond["paging"]["Previous"])) == [a]
    told = done(client.get(url, params={"pool": POOR}))["items"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told.pop("registered_at"))
    assert re.fullmatch("[0-9a-f]{24}", told.pop("id"))
    assert told == {
        "account_id": account.id,
        "account_name": account.name,
        "name": b,
        "pool": POOR,
        "override": False,
        "bounce_rate": 0.11,
        "complaint_rate": 0.0,
        "processed_count": 100,
    }


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("domains", "limit", "101"),
        ("domains", "limit", "0"),
        ("domains", "pool", "dynamic_bad"),
        ("domains", "sort_by", "age"),
        ("domains", "sort_order", "up"),
        ("history", "Limit", "101"),
        ("history", "before", "yesterday"),
        ("history", "moved_to", "dynamic_bad"),
    ],
)
def test_a_wrong_parameter_is_refused(client: Client, path: str, name: str, value: str) -> None:
    answer = client.get(f"/v1/dynamic_pools/{path}", params={name: value})
    refused(answer, 400, {"message": f"Invalid parameter: {name} is invalid"})


def test_the_history_is_filtered_and_paged(client: Client, account: Account) -> None:
    other = add(client, f"b.{account.domain}")
    enroll(client, account.domain)
    advance(client, "1h")
    enroll(client, other)
    done(client.put(f"/v1/dynamic_pools/domains/{other}/override", data={"pool": POOR}))
    everything = history(client)
    assert [each["domain_name"] for each in everything] == [other, other, account.domain]
    assert history(client, domain=other.upper()) == everything[:2]
    assert history(client, moved_to=POOR) == everything[:1]
    assert history(client, moved_from=NEW) == everything[:1]
    between = formatdate(done(client.get("/_emulator/clock"))["now"] - 1800, usegmt=True)
    assert history(client, after=between) == everything[:2]
    assert history(client, before=between) == everything[2:]
    page = done(client.get("/v1/dynamic_pools/history", params={"Limit": "2", "moved_to": NEW}))
    assert (len(page["items"]), page["total_items"]) == (2, 2)
    page = done(client.get("/v1/dynamic_pools/history", params={"Limit": "2"}))
    assert page["total_items"] == 3
    assert done(client.get(page["paging"]["Next"]))["items"] == everything[2:]
    unlimited = done(client.get("/v1/dynamic_pools/history", params={"domain": other}))
    assert {httpx2.URL(each).params["Limit"] for each in unlimited["paging"].values()} == {"100"}
    told = everything[0]
    assert set(told) == {
        *("id", "owning_account_id", "account_id", "account_name", "domain_id", "domain_name", "new_band"),
        *("prev_band", "reason", "bounce_rate", "complaint_rate", "processed_count", "initiated_by"),
        "timestamp",
    }


def test_a_user_who_has_the_key_is_told_to_have_moved_the_domain(
    client: Client, account: Account, server_url: str
) -> None:
    made = client.post("/v1/keys", data={"role": "admin", "email": "ann@example.com"})
    secret = made.json()["key"]["secret"]
    with Client(base_url=server_url, auth=("api", secret)) as hers:
        enroll(hers, account.domain)
    assert history(client)[0]["initiated_by"] == "ann@example.com"
