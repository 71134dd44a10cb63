import re
from typing import Any

import pytest
from tests.api.answers import refused
from tests.conftest import Account, Client

FOREIGN = "192.0.2.1"
NOT_FOUND = {"message": "not found"}
DONE = {"message": "success"}


def order(client: Client, number: int = 1) -> list[str]:
    """So many dedicated IPs more."""
    before = ips(client)
    for _ in range(number):
        ordered = client.post("/v3/ips/request/new")
        assert (ordered.status_code, ordered.json()) == (200, DONE)
    return [ip for ip in ips(client) if ip not in before]


def ips(client: Client, **wanted: str) -> list[str]:
    told: list[str] = client.get("/v3/ips", params=wanted).json()["items"]
    return told


def shared(client: Client) -> str:
    return ips(client)[0]


def of_domain(client: Client, domain: str) -> list[str]:
    told = client.get(f"/v3/domains/{domain}/ips").json()
    assert told["total_count"] == len(told["items"])
    return list(told["items"])


def assign(client: Client, domain: str, *those: str) -> None:
    for ip in those:
        done = client.post(f"/v3/domains/{domain}/ips", data={"ip": ip})
        assert (done.status_code, done.json()) == (200, DONE)


def send(client: Client, domain: str, **fields: Any) -> None:
    message = {"from": f"a@{domain}", "to": "b@example.net", "subject": "s", "text": "t", **fields}
    sent = client.post(f"/v3/{domain}/messages", data=message)
    assert sent.status_code == 200, sent.text


def sent_by(client: Client, domain: str) -> list[str]:
    """The IPs of what was delivered, oldest first."""
    client.drain()
    asked = {"event": "delivered", "ascending": "yes"}
    found = client.get(f"/v3/{domain}/events", params=asked).json()["items"]
    return [each["envelope"]["sending-ip"] for each in found]


def started(response: Any) -> None:
    told = response.json()
    assert (response.status_code, told["message"]) == (200, "started")
    assert re.fullmatch(r"[0-9a-f]{24}", told["reference_id"])


def test_a_fresh_account_sends_by_one_shared_ip(client: Client, account: Account) -> None:
    own = shared(client)
    assert re.fullmatch(r"198\.51\.100\.\d+", own)
    assert client.get("/v3/ips").json() == {
        "assignable_to_pools": [],
        "details": [{"ip": own}],
        "items": [own],
        "total_count": 1,
    }
    assert of_domain(client, account.domain) == [own]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [own]
    (event,) = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    stored = client.get(event["storage"]["url"], headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    assert f"X-Mailgun-Sending-Ip: {own}\r\n" in stored
    assert "X-Mailgun-Sending-Ip-Pool" not in stored


def test_dedicated_ips_are_ordered_until_the_plan_has_no_more(client: Client) -> None:
    assert client.get("/v3/ips/request/new").json() == {"allowed": {"dedicated": 10, "shared": 0}}
    one, two = order(client, 2)
    assert client.get("/v3/ips/request/new").json() == {"allowed": {"dedicated": 8, "shared": 0}}
    assert client.get("/v3/ips").json() == {
        "assignable_to_pools": [one, two],
        "details": [{"ip": shared(client)}, {"ip": one}, {"ip": two}],
        "items": [shared(client), one, two],
        "total_count": 3,
    }
    assert ips(client, dedicated="true") == [one, two]
    order(client, 8)
    message = "The account's plan does not allow more dedicated IPs"
    refused(client.post("/v3/ips/request/new"), 400, message)
    assert len(ips(client)) == 11
    bad = client.get("/v3/ips", params={"dedicated": "perhaps"})
    refused(bad, 400, "Invalid parameter: dedicated is invalid")


def test_no_two_accounts_have_a_dedicated_ip_in_common(client: Client, server_url: str) -> None:
    (one,) = order(client)
    other = client.post("/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as others:
        assert order(others) != [one]
        refused(others.get(f"/v3/ips/{one}"), 404, "not found")


def test_an_ip_is_told_about(client: Client) -> None:
    (one,) = order(client)
    name = f"ip{one.replace('.', '-')}.mailgun.net"
    assert client.get(f"/v3/ips/{one}").json() == {"dedicated": True, "ip": one, "rdns": name}
    assert client.get(f"/v3/ips/{shared(client)}").json()["dedicated"] is False
    refused(client.get(f"/v3/ips/{FOREIGN}"), 404, "not found")


def test_an_ip_is_placed_into_a_band(client: Client) -> None:
    (one,) = order(client)
    done = client.post(f"/v3/ips/{one}/ip_band", files={"ip_band": (None, "gold")})
    assert (done.status_code, done.json()) == (200, DONE)
    told = client.get("/v3/ips/details/all").json()
    assert told["total_count"] == 2
    assert told["items"][1] == {
        "dedicated": True,
        "ip": one,
        "rdns": f"ip{one.replace('.', '-')}.mailgun.net",
        "enabled": True,
        "ip_band": "gold",
        "is_on_warmup": False,
    }
    refused(client.post(f"/v3/ips/{one}/ip_band"), 400, "Missing mandatory parameter: ip_band")
    refused(client.post(f"/v3/ips/{shared(client)}/ip_band", data={"ip_band": "gold"}), 404, "not found")


def test_an_ip_on_warmup_is_told_as_such(client: Client) -> None:
    one, two = order(client, 2)
    assert client.post(f"/v3/ip_warmups/{one}").json() == DONE
    told = client.get("/v3/ips", params={"dedicated": "yes"}).json()
    assert told["details"] == [{"ip": one, "is_on_warmup": True}, {"ip": two}]
    assert told["assignable_to_pools"] == [two]


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_a_domain_sends_by_the_ips_that_it_is_given(client: Client, account: Account, version: str) -> None:
    one, two = order(client, 2)
    url = f"/{version}/domains/{account.domain}/ips"
    assert client.post(url, data={"ip": one}).json() == DONE
    assert client.post(url, json={"ip": two}).json() == DONE
    assert client.get(url).json() == {"items": [one, two], "total_count": 2}
    for _ in range(4):
        send(client, account.domain)
    in_turn = sent_by(client, account.domain)
    assert {tuple(in_turn[:2]), tuple(in_turn[2:])} <= {(one, two), (two, one)}
    assert client.delete(f"{url}/{one}").json() == DONE
    assert of_domain(client, account.domain) == [two]
    assert client.delete(f"{url}/{two}").json() == DONE
    assert of_domain(client, account.domain) == [shared(client)]
    refused(client.delete(f"{url}/{two}"), 404, "not found")


def test_a_domain_is_given_only_ips_of_the_account(client: Client, account: Account) -> None:
    url = f"/v3/domains/{account.domain}/ips"
    refused(client.post(url, data={"ip": FOREIGN}), 400, f"IP {FOREIGN} is not assigned to the account")
    refused(client.post(url, data={"pool_id": "0" * 24}), 400, "IP pool does not belong to the account")
    either = "Either ip or pool_id must be specified, but not both"
    refused(client.post(url), 400, either)
    refused(client.post(url, data={"ip": shared(client), "pool_id": "0" * 24}), 400, either)
    for version in ("v3", "v4"):
        nowhere = f"/{version}/domains/nowhere.example.net/ips"
        refused(client.get(nowhere), 404, "Domain not found")
        refused(client.post(nowhere, data={"ip": shared(client)}), 404, "Domain not found")
        refused(client.delete(f"{nowhere}/{FOREIGN}"), 404, "Domain not found")
    assert of_domain(client, account.domain) == [shared(client)]


def test_an_ip_makes_room_for_another(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    assign(client, account.domain, one)
    url = f"/v3/domains/{account.domain}/pool/{one}"
    refused(client.delete(url, params={"ip": FOREIGN}), 400, f"IP {FOREIGN} is not assigned to the account")
    assert client.delete(url, params={"ip": two}).json() == DONE
    assert of_domain(client, account.domain) == [two]
    assign(client, account.domain, one)
    assert client.delete(url, params={"ip": "shared"}).json() == DONE
    assert of_domain(client, account.domain) == [two, shared(client)]


def test_a_domain_without_ips_sends_no_more_until_it_is_given_one(client: Client, account: Account) -> None:
    (one,) = order(client)
    assert client.delete(f"/v3/domains/{account.domain}/ips/all").json() == DONE
    refused(client.get(f"/v3/domains/{account.domain}/ips"), 404, "Domain not found")
    message = {"from": "a@x.com", "to": "b@example.net", "text": "t"}
    started(client.post(f"/v3/ips/{one}/domains"))
    client.drain()
    unsent = client.post(f"/v3/{account.domain}/messages", data=message)
    refused(unsent, 404, f"Domain not found: {account.domain}")
    assign(client, account.domain, one)
    send(client, account.domain)
    assert sent_by(client, account.domain) == [one]


def test_all_domains_are_given_an_ip_or_lose_it(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    second = f"a-second.{account.domain}"
    assert client.post("/v4/domains", data={"name": second, "ips": two}).status_code == 200
    started(client.post(f"/v3/ips/{one}/domains"))
    client.drain()
    assert of_domain(client, account.domain) == [one]
    assert of_domain(client, second) == [two, one]
    told = client.get(f"/v3/ips/{one}/domains").json()
    assert told["total_count"] == 3
    assert {"ips": [two, one], "domain": second} in told["items"]
    assert client.get(f"/v3/ips/domains/{one}").json() == told
    for search in ("nothing, SECOND", "no-second_thing"):
        asked = {"search": search, "limit": "1", "skip": "0"}
        (found,) = client.get(f"/v3/ips/{one}/domains", params=asked).json()["items"]
        assert found["domain"] == second
    page = client.get(f"/v3/ips/{one}/domains", params={"limit": "1", "skip": "2"}).json()
    assert page == {"items": told["items"][2:], "total_count": 3}
    started(client.delete(f"/v3/ips/{one}/domains", params={"alternative": two}))
    client.drain()
    assert of_domain(client, account.domain) == [two]
    assert of_domain(client, second) == [two]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [two]
    started(client.delete(f"/v3/ips/{two}/domains"))
    client.drain()
    assert of_domain(client, second) == [shared(client)]
    send(client, account.domain)
    assert sent_by(client, account.domain) == [two, shared(client)]


def test_only_an_ip_of_the_account_is_given_to_all_domains(client: Client) -> None:
    url = f"/v3/ips/{FOREIGN}/domains"
    spelled_otherwise = client.get(f"/v3/ips/domains/{FOREIGN}")
    for response in (client.get(url), spelled_otherwise, client.post(url), client.delete(url)):
        assert (response.status_code, response.json()) == (404, NOT_FOUND)
    other = client.delete(f"/v3/ips/{shared(client)}/domains", params={"alternative": FOREIGN})
    refused(other, 400, f"IP {FOREIGN} is not assigned to the account")
    bad = client.get(f"/v3/ips/{shared(client)}/domains", params={"limit": "-1"})
    refused(bad, 400, "Invalid parameter: limit is invalid")


def test_a_new_domain_sends_by_all_dedicated_ips_or_by_those_named(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    name = f"new.{account.domain}"
    assert client.post("/v4/domains", data={"name": name}).status_code == 200
    assert of_domain(client, name) == [one, two]
    assert client.post("/v4/domains", data={"name": f"one.{name}", "ips": one}).status_code == 200
    assert of_domain(client, f"one.{name}") == [one]
    send(client, f"unknown-{account.id}.example.com")
    assert of_domain(client, f"unknown-{account.id}.example.com") == [one, two]
    bad = client.post("/v4/domains", data={"name": f"bad.{name}", "ips": f"{one},{FOREIGN}"})
    refused(bad, 400, f"IP {FOREIGN} is not assigned to the account")
    assert client.get(f"/v4/domains/bad.{name}").status_code == 404


def test_a_message_asks_for_an_ip_of_the_account(client: Client, account: Account) -> None:
    one, two = order(client, 2)
    assign(client, account.domain, one)
    send(client, account.domain, **{"o:sending-ip": two})
    send(client, account.domain, **{"h:X-Mailgun-Sending-Ip": two})
    assert sent_by(client, account.domain) == [two, two]
    message = {"from": "a@x.com", "to": "b@example.net", "text": "t"}
    for name in ("o:sending-ip", "h:X-Mailgun-Sending-Ip"):
        foreign = client.post(f"/v3/{account.domain}/messages", data={**message, name: FOREIGN})
        refused(foreign, 403, f"Rejected: IP {FOREIGN} can't be used to send the message")


def test_statistics_are_told_apart_by_ip(client: Client, account: Account) -> None:
    (one,) = order(client)
    send(client, account.domain)
    assign(client, account.domain, one)
    send(client, account.domain)
    client.drain()
    asked = {"dimensions": ["ip"], "metrics": ["delivered_count"], "duration": "1d"}
    found = client.post("/v1/analytics/metrics", json=asked).json()["items"]
    counted = {each["dimensions"][0]["value"]: each["metrics"]["delivered_count"] for each in found}
    assert counted == {shared(client): 1, one: 1}
