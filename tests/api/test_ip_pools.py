import re
from typing import Any

import pytest
from tests.api.answers import refused
from tests.api.test_ips import (
    DONE,
    FOREIGN,
    assign,
    of_domain,
    order,
    send,
    sent_by,
    shared,
    started,
)
from tests.conftest import Account, Client

NOWHERE = "0" * 24


def make(client: Client, *ips: str, name: str = "Pool") -> str:
    made = client.post("/v3/ip_pools", data={"name": name, "description": "For news", "ip": list(ips)})
    assert made.status_code == 200, made.text
    told = made.json()
    assert (list(told), told["message"]) == (["message", "pool_id"], "success")
    assert re.fullmatch(r"[0-9a-f]{24}", told["pool_id"])
    return str(told["pool_id"])


def link(client: Client, domain: str, pool_id: str) -> None:
    linked = client.post(f"/v3/domains/{domain}/ips", data={"pool_id": pool_id})
    assert (linked.status_code, linked.json()) == (200, DONE)


def details(client: Client, pool_id: str) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/v3/ip_pools/{pool_id}").json()["details"]
    return told


def domain_id(client: Client, name: str) -> str:
    return str(client.get(f"/v4/domains/{name}").json()["domain"]["id"])


def test_a_pool_is_made_of_dedicated_ips(client: Client) -> None:
    assert client.get("/v3/ip_pools").json() == {"ip_pools": [], "message": "success"}
    one, two, three = order(client, 3)
    pool_id = make(client, one, two)
    assert client.get(f"/v3/ip_pools/{pool_id}").json() == {
        "details": {
            "description": "For news",
            "ips": [one, two],
            "is_linked": False,
            "linked_domains": [],
            "name": "Pool",
            "pool_id": pool_id,
        },
        "ips": [one, two],
        "message": "success",
    }
    (told,) = client.get("/v1/ip_pools").json()["ip_pools"]
    since = told.pop("metadata")["assignments"]
    assert list(since) == [one, two]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", since[one]["linked_at"])
    assert told == {
        "description": "For news",
        "ips": [one, two],
        "is_inherited": False,
        "is_linked": False,
        "name": "Pool",
        "pool_id": pool_id,
    }
    assert client.get("/v3/ips").json()["assignable_to_pools"] == [three]
    by_comma = client.post("/v1/ip_pools", json={"name": "Other", "ips": f"{three}"})
    assert details(client, by_comma.json()["pool_id"])["ips"] == [three]


def test_only_dedicated_ips_that_are_free_go_into_a_pool(client: Client) -> None:
    one, two = order(client, 2)
    pool_id = make(client, one)
    client.post(f"/v3/ip_warmups/{two}")
    refusals = {
        FOREIGN: f"IP {FOREIGN} is not a dedicated IP of the account",
        shared(client): f"IP {shared(client)} is not a dedicated IP of the account",
        one: f"IP {one} belongs to an IP pool",
        two: f"IP {two} is on warmup",
    }
    for ip, message in refusals.items():
        refused(client.post("/v3/ip_pools", data={"name": "Other", "ip": ip}), 400, message)
    refused(client.put(f"/v3/ip_pools/{pool_id}/ips/{two}"), 400, refusals[two])
    refused(client.post(f"/v3/ip_pools/{pool_id}/ips.json", json={"ips": [FOREIGN]}), 400, refusals[FOREIGN])
    refused(client.patch(f"/v3/ip_pools/{pool_id}", data={"add_ip": two}), 400, refusals[two])
    refused(client.post("/v3/ip_pools"), 400, "Missing mandatory parameter: name")
    assert len(client.get("/v3/ip_pools").json()["ip_pools"]) == 1


def test_a_linked_domain_sends_by_the_pool_and_says_so(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    pool_id = make(client, one, two, name="News")
    link(client, account.domain, pool_id)
    assert of_domain(client, account.domain) == [one, two]
    assert details(client, pool_id)["linked_domains"] == [account.domain]
    assert client.get("/v3/ip_pools").json()["ip_pools"][0]["is_linked"] is True
    send(client, account.domain)
    send(client, account.domain)
    assert set(sent_by(client, account.domain)) == {one, two}
    found = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert {each["envelope"]["i-ip-pool-id"] for each in found} == {pool_id}
    headers = {"Accept": "message/rfc2822"}
    stored = client.get(found[0]["storage"]["url"], headers=headers).json()["body-mime"]
    assert f"X-Mailgun-Sending-Ip-Pool-Name: News\r\nX-Mailgun-Sending-Ip-Pool: {pool_id}\r\n" in stored
    log = client.post("/v1/analytics/logs", json={"events": ["delivered"], "duration": "1d"}).json()
    assert {each["envelope"]["i-ip-pool-id"] for each in log["items"]} == {pool_id}


def test_the_ips_of_a_linked_domain_are_those_of_the_pool(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    pool_id = make(client, one)
    link(client, account.domain, pool_id)
    message = "Domain IPs can't be changed while an IP pool is linked to the domain"
    url = f"/v3/domains/{account.domain}/ips"
    refused(client.post(url, data={"ip": two}), 400, message)
    refused(client.delete(f"{url}/{one}"), 400, message)
    refused(client.delete(f"{url}/all"), 400, message)
    started(client.post(f"/v3/ips/{two}/domains"))
    client.drain()
    assert of_domain(client, account.domain) == [one]


def test_no_domain_is_linked_to_a_pool_without_ips(client: Client, account: Account) -> None:
    pool_id = make(client)
    no_ips = "IP pool has no IPs"
    refused(client.post(f"/v3/domains/{account.domain}/ips", data={"pool_id": pool_id}), 400, no_ips)
    own = domain_id(client, account.domain)
    refused(client.patch(f"/v3/ip_pools/{pool_id}", data={"link_domain": own}), 400, no_ips)
    asked = {"name": f"new.{account.domain}", "pool_id": pool_id}
    refused(client.post("/v4/domains", data=asked), 400, no_ips)
    assert details(client, pool_id)["is_linked"] is False


def test_a_domain_in_a_dynamic_pool_is_neither_linked_nor_unlinked(client: Client, account: Account) -> None:
    good, poor, new, one = order(client, 4)
    pools = {"good_reputation": good, "poor_reputation": poor, "new_senders": new}
    assert client.post("/v3/dynamic_pools/all", data=pools).status_code == 200
    assert client.post(f"/v3/domains/{account.domain}/dynamic_pools").json() == DONE
    pool_id = make(client, one)
    url = f"/v3/domains/{account.domain}/ips"
    linked = "Domain IPs can't be changed while an IP pool is linked to the domain"
    refused(client.post(url, data={"pool_id": pool_id}), 400, linked)
    own = domain_id(client, account.domain)
    refused(client.patch(f"/v3/ip_pools/{pool_id}", data={"link_domain": own}), 400, linked)
    unlinked = client.delete(f"{url}/ip_pool", params={"ip": "shared"})
    refused(unlinked, 400, "No IP pool is linked to the domain")
    assert of_domain(client, account.domain) == [new]


def test_domains_follow_when_the_ips_of_their_pool_change(client: Client, account: Account) -> None:
    one, two, three = order(client, 3)
    pool_id = make(client, one)
    link(client, account.domain, pool_id)
    started(client.put(f"/v3/ip_pools/{pool_id}/ips/{two}"))
    client.drain()
    assert of_domain(client, account.domain) == [one, two]
    started(client.post(f"/v3/ip_pools/{pool_id}/ips.json", json={"ips": [three]}))
    started(client.delete(f"/v3/ip_pools/{pool_id}/ips/{one}"))
    client.drain()
    assert of_domain(client, account.domain) == [two, three]
    started(
        client.patch(f"/v3/ip_pools/{pool_id}", files=[("add_ip", (None, one)), ("remove_ip", (None, two))])
    )
    client.drain()
    assert set(of_domain(client, account.domain)) == {three, one}
    for _ in range(2):
        send(client, account.domain)
    assert set(sent_by(client, account.domain)) == {three, one}
    refused(
        client.delete(f"/v3/ip_pools/{pool_id}/ips/{two}"), 404, f"IP {two} does not belong to the IP pool"
    )
    for ip in (one, three):
        started(client.delete(f"/v3/ip_pools/{pool_id}/ips/{ip}"))
    client.drain()
    assert of_domain(client, account.domain) == [shared(client)]


def test_a_pool_is_renamed_and_domains_are_linked_by_their_ids(client: Client, account: Account) -> None:
    (one,) = order(client)
    pool_id = make(client, one)
    own = domain_id(client, account.domain)
    for version in ("v3", "v1"):
        renamed = client.patch(f"/{version}/ip_pools/{pool_id}", data={"name": version, "description": ""})
        assert renamed.json() == DONE
        assert details(client, pool_id)["name"] == version
    started(client.patch(f"/v3/ip_pools/{pool_id}", data={"link_domain": own}))
    client.drain()
    assert of_domain(client, account.domain) == [one]
    linked = client.get(f"/v3/ip_pools/{pool_id}/domains").json()
    assert linked["domains"] == [{"id": own, "name": account.domain}]
    rest = client.get(linked["paging"]["next"]).json()
    assert rest["domains"] == []
    assert client.get(rest["paging"]["first"]).json() == linked
    send(client, account.domain)
    started(client.patch(f"/v3/ip_pools/{pool_id}", data={"unlink_domain": own}))
    client.drain()
    assert of_domain(client, account.domain) == [shared(client)]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [one, shared(client)]
    nothing = "No changes requested"
    refused(client.patch(f"/v3/ip_pools/{pool_id}"), 400, nothing)
    refused(client.patch(f"/v3/ip_pools/{pool_id}", data={"name": "v1", "add_ip": one}), 400, nothing)
    unknown = client.patch(f"/v3/ip_pools/{pool_id}", data={"link_domain": NOWHERE})
    refused(unknown, 400, f"Domain {NOWHERE} does not belong to the account")


def test_linked_domains_are_told_in_pages(client: Client, account: Account) -> None:
    (one,) = order(client)
    pool_id = make(client, one)
    names = [f"d{number}.{account.domain}" for number in range(12)]
    for name in names:
        asked = {"name": name, "pool_id": pool_id}
        assert client.post("/v4/domains", data=asked).status_code == 200
    url: str = f"/v3/ip_pools/{pool_id}/domains"
    first = client.get(url, params={"limit": "10"}).json()
    second = client.get(first["paging"]["next"]).json()
    assert (len(first["domains"]), len(second["domains"])) == (10, 2)
    assert {each["name"] for page in (first, second) for each in page["domains"]} == set(names)
    refused(client.get(url, params={"limit": "9"}), 400, "Invalid parameter: limit is invalid")
    refused(client.get(url, params={"page": "é"}), 400, "Invalid parameter: page is invalid")


@pytest.mark.parametrize("path", ["/v3/domains/{}/ips/ip_pool", "/v3/domains/{}/pool/ip_pool"])
def test_a_domain_is_unlinked_for_an_ip_or_another_pool(client: Client, account: Account, path: str) -> None:
    one, two, three = order(client, 3)
    first, second = make(client, one), make(client, two)
    url = path.format(account.domain)
    refused(client.delete(url, params={"ip": three}), 400, "No IP pool is linked to the domain")
    link(client, account.domain, first)
    assert client.delete(url, params={"pool_id": second}).json() == DONE
    assert details(client, second)["linked_domains"] == [account.domain]
    either = "Either ip or pool_id must be specified, but not both"
    refused(client.delete(url), 400, either)
    refused(client.delete(url, params={"ip": three, "pool_id": first}), 400, either)
    refused(client.delete(url, params={"ip": one}), 400, f"IP {one} belongs to an IP pool")
    assert client.delete(url, params={"ip": three}).json() == DONE
    assert of_domain(client, account.domain) == [three]
    send(client, account.domain)
    link(client, account.domain, first)
    send(client, account.domain)
    assert client.delete(url, params={"ip": "shared"}).json() == DONE
    assert of_domain(client, account.domain) == [shared(client)]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [three, one, shared(client)]


@pytest.mark.parametrize("version", ["v3", "v1"])
def test_the_domains_of_a_deleted_pool_go_over_to_what_is_named(
    client: Client, account: Account, version: str
) -> None:
    one, two, three = order(client, 3)
    first, second = make(client, one), make(client, two)
    link(client, account.domain, first)
    url = f"/{version}/ip_pools/{first}"
    refused(client.delete(url), 400, "Either ip or pool_id must be specified, but not both")
    refused(client.delete(url, params={"ip": two}), 400, f"IP {two} belongs to an IP pool")
    refused(client.delete(url, params={"pool_id": NOWHERE}), 400, "IP pool does not belong to the account")
    started(client.request("DELETE", url, data={"pool_id": second}))
    client.drain()
    assert details(client, second)["linked_domains"] == [account.domain]
    refused(client.delete(url, params={"ip": "shared"}), 404, "not found")
    started(client.delete(f"/v3/ip_pools/{second}", params={"ip": three}))
    client.drain()
    assert of_domain(client, account.domain) == [three]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [three]
    assert client.get("/v3/ip_pools").json()["ip_pools"] == []
    started(client.delete(f"/v3/ip_pools/{make(client)}"))


def test_an_unknown_pool_is_not_found(client: Client) -> None:
    url = f"/v3/ip_pools/{NOWHERE}"
    for response in (
        client.get(url),
        client.patch(url, data={"name": "x"}),
        client.get(f"{url}/domains"),
        client.put(f"{url}/ips/{FOREIGN}"),
        client.delete(f"{url}/ips/{FOREIGN}"),
        client.post(f"{url}/ips.json", json={"ips": [FOREIGN]}),
        client.put(f"{url}/delegate", data={"subaccount_id": NOWHERE}),
        client.request("DELETE", f"{url}/delegate", data={"subaccount_id": NOWHERE}),
    ):
        refused(response, 404, "not found")
    refused(client.patch(f"/v1/ip_pools/{NOWHERE}", data={"name": "x"}), 404, "not found")
    refused(client.post("/v1/ip_pools"), 400, "Missing mandatory parameter: name")


@pytest.mark.parametrize("path", ["/v3/ip_pools", "/v3/ips/request/new"])
def test_what_can_not_be_read_is_refused(client: Client, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    unread = client.request("GET", path, content=b"{", headers=headers)
    refused(unread, 400, "unable to parse request: invalid JSON")


def test_a_message_asks_for_a_pool(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    pool_id = make(client, two, name="Wanted")
    assign(client, account.domain, one)
    send(client, account.domain, **{"o:sending-ip-pool": pool_id})
    send(client, account.domain, **{"h:X-Mailgun-Sending-Ip-Pool": pool_id})
    assert sent_by(client, account.domain) == [two, two]
    message = {"from": "a@x.com", "to": "b@example.net", "text": "t", "o:sending-ip-pool": NOWHERE}
    foreign = client.post(f"/v3/{account.domain}/messages", data=message)
    refused(foreign, 403, f"Rejected: IP pool {NOWHERE} can't be used to send the message")


def test_statistics_are_told_apart_by_pool(client: Client, account: Account) -> None:
    (one,) = order(client)
    pool_id = make(client, one, name="News")
    send(client, account.domain, to="opened@example.com", html="<p>x</p>")
    client.put(f"/v3/domains/{account.domain}/tracking/open", data={"active": "yes"})
    link(client, account.domain, pool_id)
    send(client, account.domain, to="opened@example.com", html="<p>x</p>")
    send(client, account.domain, to="bounce@example.com")
    client.drain()
    counts = ["accepted_count", "delivered_count", "opened_count"]
    asked: dict[str, Any] = {"dimensions": ["ip_pool"], "metrics": counts, "duration": "1d"}
    found = client.post("/v1/analytics/metrics", json=asked).json()["items"]
    (told,) = [each for each in found if each["dimensions"][0]["value"] == pool_id]
    assert told["dimensions"][0]["display_value"] == "News"
    assert told["metrics"] == {"accepted_count": 2, "delivered_count": 1, "opened_count": 1}
    grouped = client.get("/v3/stats/filter", params={"event": "failed", "group": "ip_pool"}).json()["stats"]
    assert {each["ip_pool"]: each["failed"]["permanent"]["total"] for each in grouped} == {pool_id: 1}
    only = {"event": "accepted", "filter": f"ip_pool:{pool_id}", "group": "total"}
    (total,) = client.get("/v3/stats/filter", params=only).json()["stats"]
    assert total["accepted"]["total"] == 2
    values = [{"label": "News", "value": pool_id}]
    condition = {"AND": [{"attribute": "ip_pool", "comparator": "=", "values": values}]}
    log = client.post("/v1/analytics/logs", json={"duration": "1d", "filter": condition}).json()["items"]
    assert sorted(each["event"] for each in log) == ["accepted", "accepted", "delivered", "failed", "opened"]
    dimension = "envelope.i-ip-pool-name"
    classified = {"dimensions": [dimension], "metrics": ["classified_failures_count"], "duration": "48h"}
    bounced = client.post("/v2/bounce-classification/metrics", json=classified).json()["items"]
    assert [each[dimension] for each in bounced] == ["News"]
