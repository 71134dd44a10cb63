import re

import pytest
from tests.api.answers import advance, done, refused
from tests.api.pooled import (
    GOOD,
    NAMES,
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

NOT_ENABLED = {"message": "dynamic IP pools are not enabled for the account"}


@pytest.fixture
def pools(client: Client) -> dict[str, str]:
    """An IP in each of the pools."""
    return make_pools(client)


def let_bounce(client: Client, recipient: str) -> None:
    done(client.post("/_emulator/outcomes", json={"match": {"recipient": recipient}, "code": 550}))


def test_all_three_pools_are_made_and_told(client: Client, account: Account) -> None:
    none: dict[str, list[str]] = {
        "pools": [],
        "good_reputation": [],
        "poor_reputation": [],
        "new_senders": [],
    }
    assert done(client.get("/v3/dynamic_pools")) == none
    a, b, c, d = order(client, 4)
    asked = {"good_reputation": [a, b], "poor_reputation": c, "new_senders": d}
    told = {"good_reputation": [a, b], "poor_reputation": [c], "new_senders": [d]}
    assert done(client.post("/v3/dynamic_pools/all", data=asked)) == told
    found = done(client.get("/v3/dynamic_pools"))
    assert {name: found[name] for name in NAMES} == told
    assert [each["name"] for each in found["pools"]] == [GOOD, POOR, NEW]
    assert re.fullmatch("[0-9a-f]{24}", found["pools"][0].pop("id"))
    assert found["pools"][0] == {"account_id": account.id, "enabled": True, "ips": [a, b], "name": GOOD}


def test_pools_are_not_made_of_what_is_not_fit(client: Client) -> None:
    a, b, warming = order(client, 3)
    done(client.post(f"/v3/ip_warmups/{warming}"))
    shared = done(client.get("/v3/ips"))["items"][0]
    wrong = {
        ("", b, a): "dynamic_good must contain at least 1 IP that is not warming",
        (warming, b, a): "dynamic_good must contain at least 1 IP that is not warming",
        (a, b, f"{a},{b}"): f"IP {a} belongs to a dynamic IP pool",
        (a, b, shared): f"IP {shared} is not a dedicated IP of the account",
        (a, b, "192.0.2.1"): "IP 192.0.2.1 is not a dedicated IP of the account",
    }
    for ips, text in wrong.items():
        answer = client.post("/v3/dynamic_pools/all", data=dict(zip(NAMES, ips, strict=True)))
        refused(answer, 400, {"message": text})
    missing = client.post("/v3/dynamic_pools/all", data={"good_reputation": a, "new_senders": b})
    refused(missing, 400, {"message": "Missing mandatory parameter: poor_reputation"})
    pooled = {"name": "p", "description": "d", "ip": b}
    done(client.post("/v3/ip_pools", data=pooled))
    answer = client.post("/v3/dynamic_pools/all", data=dict(zip(NAMES, (a, b, warming), strict=True)))
    refused(answer, 400, {"message": f"IP {b} belongs to an IP pool"})
    assert done(client.get("/v3/dynamic_pools"))["pools"] == []


def test_a_domain_sends_by_what_its_pool_consists_of(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    enroll(client, account.domain)
    assert done(client.get(f"/v3/domains/{account.domain}/ips"))["items"] == [pools[NEW]]
    more, other = order(client, 2)
    assert done(client.patch(f"/v3/dynamic_pools/{NEW}", data={"add_ip": more, "remove_ip": pools[NEW]})) == (
        SUCCESS
    )
    assert done(client.post(f"/v3/dynamic_pools/{NEW}/{other}")) == SUCCESS
    assert done(client.get("/v3/dynamic_pools"))["new_senders"] == [more, other]
    assert done(client.get(f"/v3/domains/{account.domain}/ips"))["items"] == [more, other]
    send(client, account.domain)
    replaced = dict(zip(NAMES, (pools[GOOD], more, pools[NEW]), strict=True))
    done(client.post("/v3/dynamic_pools/all", data=replaced))
    send(client, account.domain)
    assert sent_by(client, account.domain) in ({more: 1, pools[NEW]: 1}, {other: 1, pools[NEW]: 1})


def test_a_change_that_leaves_a_pool_unfit_is_refused(client: Client, pools: dict[str, str]) -> None:
    (more,) = order(client)
    url = f"/v3/dynamic_pools/{NEW}"
    warm = {"message": f"{NEW} must contain at least 1 IP that is not warming"}
    refused(client.patch(url, data={"remove_ip": pools[NEW]}), 400, warm)
    refused(client.post(f"/v3/ip_warmups/{pools[NEW]}"), 400, warm)
    taken = {"message": f"IP {pools[GOOD]} belongs to a dynamic IP pool"}
    refused(client.patch(url, data={"add_ip": pools[GOOD]}), 400, taken)
    refused(client.post(f"{url}/{pools[GOOD]}"), 400, taken)
    foreign = {"message": "IP 192.0.2.1 is not a dedicated IP of the account"}
    refused(client.post(f"{url}/192.0.2.1"), 400, foreign)
    absent = {"message": f"IP {more} does not belong to the IP pool"}
    refused(client.patch(url, data={"remove_ip": more}), 404, absent)
    nothing = {"message": "Missing mandatory parameter: add_ip or remove_ip"}
    refused(client.patch(url), 400, nothing)
    for answer in (
        client.patch("/v3/dynamic_pools/other", data={"add_ip": more}),
        client.post(f"/v3/dynamic_pools/other/{more}"),
    ):
        refused(answer, 404, {"message": "not found"})
    pooled = {"message": f"IP {pools[GOOD]} belongs to an IP pool"}
    dedicated = {"name": "p", "description": "d", "ip": pools[GOOD]}
    refused(client.post("/v3/ip_pools", data=dedicated), 400, pooled)
    assert done(client.get("/v3/dynamic_pools"))["new_senders"] == [pools[NEW]]
    done(client.patch(url, data={"add_ip": more}))
    done(client.post(f"/v3/ip_warmups/{pools[NEW]}"))


def test_without_pools_there_is_nothing_to_change_or_to_be_enrolled_in(
    client: Client, account: Account
) -> None:
    (ip,) = order(client)
    for method, url in (
        ("POST", f"/v3/dynamic_pools/{GOOD}/{ip}"),
        ("DELETE", "/v3/dynamic_pools/all"),
        ("POST", f"/v3/domains/{account.domain}/dynamic_pools"),
        ("POST", "/v3/domains/all/dynamic_pools/enroll"),
    ):
        refused(client.request(method, url), 400, NOT_ENABLED)
    refused(client.patch(f"/v3/dynamic_pools/{GOOD}", data={"add_ip": ip}), 400, NOT_ENABLED)


def test_pools_are_deleted_once_no_domain_is_in_them(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    enroll(client, account.domain)
    enrolled = {"message": "all domains must be removed from dynamic IP pools first"}
    refused(client.delete("/v3/dynamic_pools/all"), 400, enrolled)
    done(client.delete(f"/v3/domains/{account.domain}/dynamic_pools?replacement_ip=shared"))
    assert done(client.delete("/v3/dynamic_pools/all")) == SUCCESS
    assert done(client.get("/v3/dynamic_pools"))["pools"] == []
    pooled = {"name": "p", "description": "d", "ip": pools[GOOD]}
    done(client.post("/v3/ip_pools", data=pooled))


def test_a_domain_is_moved_when_its_health_changes(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    let_bounce(client, "bad*")
    enroll(client, account.domain)
    send(client, account.domain, 100)
    advance(client, "1d")
    assert pool_of(client, account.domain) == GOOD
    send(client, account.domain, 10, "bad{}@example.net")
    send(client, account.domain, 1, "q@example.net")
    advance(client, "1d")
    send(client, account.domain, 1, "r@example.net")
    assert pool_of(client, account.domain) == POOR
    assert sent_by(client, account.domain) == {pools[NEW]: 100, pools[GOOD]: 1, pools[POOR]: 1}
    moves = [(each["prev_band"], each["new_band"], each["reason"]) for each in history(client)]
    assert moves == [
        (GOOD, POOR, "bounce_rate in poor threshold"),
        (NEW, GOOD, "Multiple metrics in good threshold"),
        ("", NEW, "Domain enrolled in dynamic IP pools"),
    ]
    advance(client, "31d")
    assert history(client)[0]["reason"] == "processed_count in new threshold"
    assert pool_of(client, account.domain) == NEW
    send(client, account.domain, 100, "s{}@example.net")
    advance(client, "1d")
    assert pool_of(client, account.domain) == GOOD


def test_health_is_checked_within_a_day_although_the_clock_was_set_back(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    let_bounce(client, "bad*")
    enroll(client, account.domain)
    send(client, account.domain, 100)
    advance(client, "20d")
    assert pool_of(client, account.domain) == GOOD
    done(client.post("/_emulator/clock", json={"reset": True}))
    send(client, account.domain, 10, "bad{}@example.net")
    advance(client, "1d")
    assert pool_of(client, account.domain) == POOR


def test_complaints_count_as_well(client: Client, account: Account, pools: dict[str, str]) -> None:
    rule = {"match": {"recipient": "p7@*"}, "code": 250, "then": [{"event": "complained"}]}
    done(client.post("/_emulator/outcomes", json=rule))
    send(client, account.domain, 100)
    enroll(client, account.domain)
    told = done(client.get(f"/v1/dynamic_pools/domains/{account.domain}/history"))
    assert (told["new_band"], told["complaint_rate"], told["bounce_rate"]) == (POOR, 0.01, 0.0)


def test_a_preview_tells_the_pool_without_enrolling(client: Client, account: Account) -> None:
    let_bounce(client, "p1*")
    send(client, account.domain, 100)
    assert done(client.get(f"/v1/dynamic_pools/domains/{account.domain}/preview")) == {
        "pool": POOR,
        "results": {
            "bounce_rate": {"value": 0.11, "band": POOR},
            "complaint_rate": {"value": 0.0, "band": GOOD},
            "processed_count": {"value": 100, "band": GOOD},
        },
    }
    assert done(client.get("/v1/dynamic_pools/domains"))["items"] == []


def test_an_override_stays_whatever_the_health_is(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    enroll(client, account.domain)
    url = f"/v1/dynamic_pools/domains/{account.domain}/override"
    assert done(client.put(url, data={"pool": POOR})) == SUCCESS
    send(client, account.domain, 100)
    advance(client, "3d")
    (told,) = done(client.get("/v1/dynamic_pools/domains"))["items"]
    assert (told["pool"], told["override"], told["processed_count"]) == (POOR, True, 100)
    assert sent_by(client, account.domain) == {pools[POOR]: 100}
    assert done(client.delete(url)) == SUCCESS
    (told,) = done(client.get("/v1/dynamic_pools/domains"))["items"]
    assert (told["pool"], told["override"]) == (GOOD, False)
    moves = [(each["new_band"], each["reason"], each["initiated_by"]) for each in history(client)]
    assert moves[:2] == [
        (GOOD, "Multiple metrics in good threshold", "api"),
        (POOR, "Domain assignment overridden", "api"),
    ]


@pytest.mark.parametrize("pool", ["invalid_name", ""])
def test_an_override_with_no_such_pool_is_refused(
    client: Client, account: Account, pools: dict[str, str], pool: str
) -> None:
    enroll(client, account.domain)
    url = f"/v1/dynamic_pools/domains/{account.domain}/override"
    refused(client.put(url, data={"pool": pool}), 400, {"Field": "pool", "Value": pool})
    assert pool_of(client, account.domain) == NEW
    assert done(client.delete(url)) == SUCCESS


def test_what_is_not_enrolled_can_neither_be_moved_nor_removed(
    client: Client, account: Account, pools: dict[str, str]
) -> None:
    none = {"message": "domain is not enrolled in dynamic IP pools"}
    url = f"/v1/dynamic_pools/domains/{account.domain}"
    invalid = {"Field": "domain", "Value": account.domain}
    refused(client.put(f"{url}/override", data={"pool": GOOD}), 400, invalid)
    for answer in (
        client.delete(f"{url}/override"),
        client.delete(f"/v3/domains/{account.domain}/dynamic_pools?replacement_ip=shared"),
    ):
        refused(answer, 400, none)
    refused(client.get(f"{url}/history"), 404, {"message": "no history for domain"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v3/domains/{}/dynamic_pools"),
        ("DELETE", "/v3/domains/{}/dynamic_pools?replacement_ip=shared"),
        ("GET", "/v1/dynamic_pools/domains/{}/preview"),
        ("GET", "/v1/dynamic_pools/domains/{}/history"),
        ("PUT", "/v1/dynamic_pools/domains/{}/override"),
        ("DELETE", "/v1/dynamic_pools/domains/{}/override"),
    ],
)
def test_a_domain_that_is_not_there_is_refused(client: Client, method: str, path: str) -> None:
    refused(client.request(method, path.format("no.example.com")), 404, {"message": "Domain not found"})
