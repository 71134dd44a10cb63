import re
from typing import Any

import pytest
from tests.api.answers import refused
from tests.api.watched import send
from tests.conftest import Account, Client

DOMAINS = "/v1/inboxready/domains"
IPS = "/v1/inboxready/ip_addresses"
CBL = "cbl.abuseat.org"


def watch(client: Client, name: str) -> dict[str, Any]:
    added = client.post(DOMAINS, params={"domain": name})
    assert added.status_code == 200, added.text
    domain: dict[str, Any] = added.json()["domain"]
    return domain


def usage(client: Client) -> tuple[int, int]:
    """How many domains and IPs came to be watched."""
    names = ["domain_blocklist_monitoring_count", "ip_blocklist_monitoring_count"]
    asked = {"metrics": names, "dimensions": ["time"], "include_aggregates": True}
    told = client.post("/v1/analytics/usage/metrics", json=asked).json()["aggregates"]["metrics"]
    return told[names[0]], told[names[1]]


def events(client: Client, path: str) -> list[str]:
    told = client.get(path).json()
    return [each["event"] for each in told.get("items", told.get("events"))]


def test_a_domain_is_added_listed_verified_and_removed(client: Client) -> None:
    added = client.post(DOMAINS, data={"domain": "Shop.Example.org"}).json()
    domain = added["domain"]
    assert re.fullmatch(r"[0-9a-f]{24}", domain["acid"])
    assert re.fullmatch(r"[0-9a-f]{40}", domain["txt_record"])
    assert added == {
        "domain": {
            "acid": domain["acid"],
            "ID": domain["acid"],
            "created_at": domain["created_at"],
            "name": "shop.example.org",
            "services": {"spam_trap_monitoring": True, "domain_blocklist_monitoring": True},
            "txt_record": domain["txt_record"],
            "verified": {"status": "inbox_ready", "verified_at": 0},
        },
        "message": "The domain has been added",
    }
    verified = client.put(f"{DOMAINS}/verify", params={"domain": "shop.example.org"})
    assert verified.json() == {"message": "Domain pending verification"}
    (told,) = client.get(DOMAINS).json()["items"]
    assert told["verified"]["status"] == "inbox_ready"
    assert told["verified"]["verified_at"] >= domain["created_at"]
    gone = client.delete(DOMAINS, params={"domain": "shop.example.org"})
    assert gone.json() == {"message": "shop.example.org has been removed from InboxReady"}
    assert client.get(DOMAINS).json()["items"] == []


def test_pages_of_domains_lead_to_each_other(client: Client) -> None:
    for number in range(5):
        watch(client, f"d{number}.example.org")
    first = client.get(DOMAINS, params={"limit": 2})
    assert "x-mailgun-emulator-hint" not in first.headers
    page = first.json()
    names = [each["name"] for each in page["items"]]
    while page["items"]:
        page = client.get(page["paging"]["next"]).json()
        names += [each["name"] for each in page["items"]]
    assert names == [f"d{number}.example.org" for number in range(5)]
    last = client.get(client.get(DOMAINS, params={"limit": 2}).json()["paging"]["last"]).json()
    assert [each["name"] for each in last["items"]] == ["d4.example.org"]
    (one,) = client.get(DOMAINS, params={"domain": "d3.example.org"}).json()["items"]
    assert one["name"] == "d3.example.org"


def test_an_own_domain_is_watched_once_its_records_are_found(client: Client) -> None:
    name = "new.example.com"
    client.post("/v4/domains", data={"name": name})
    assert watch(client, name)["verified"]["status"] == "pending"
    assert client.get("/v1/monitoring/domains").json() == {"domains": []}
    refused(client.get(f"/v1/monitoring/domains/{name}/blocklists"), 404, "domain not found")
    client.put(f"{DOMAINS}/verify", data={"domain": name})
    assert client.get(DOMAINS).json()["items"][0]["services"]["spam_trap_monitoring"] is False
    client.put(f"/v4/domains/{name}/verify")
    assert usage(client) == (0, 0)
    client.put(f"{DOMAINS}/verify", data={"domain": name})
    assert usage(client) == (1, 0)
    client.put(f"{DOMAINS}/verify", data={"domain": name})
    (told,) = client.get(DOMAINS).json()["items"]
    assert told["verified"]["status"] == "sending"
    assert usage(client) == (1, 0)
    assert [each["domain"] for each in client.get("/v1/monitoring/domains").json()["domains"]] == [name]


def test_reports_tell_no_more_of_a_domain_that_was_removed(client: Client, account: Account) -> None:
    watch(client, account.domain)
    send(client, account.domain, "spamtrap@example.net")
    assert client.post(
        "/_emulator/blocklists", json={"domain": account.domain, "blocklist": "SURBL"}
    ).is_success
    paths = {"/v1/monitoring/domains": "domains", "/v2/spamtraps": "items", "/v1/dmarc/domains": "domains"}
    for path, below in paths.items():
        assert len(client.get(path).json()[below]) == 1
    assert events(client, "/v1/monitoring/domains/events") == ["domain_listed"]
    assert client.delete(DOMAINS, params={"domain": account.domain}).status_code == 200
    for path, below in paths.items():
        assert client.get(path).json()[below] == []
    assert events(client, "/v1/monitoring/domains/events") == []


def test_wrong_domains_are_refused(client: Client) -> None:
    watch(client, "a.example.org")
    refused(client.post(DOMAINS, data={"domain": "A.example.org"}), 409, "domain already exists")
    for name in ("no domain", " b.example.org"):
        refused(client.post(DOMAINS, data={"domain": name}), 400, "invalid domain name")
    refused(client.post(DOMAINS), 400, "Missing mandatory parameter: domain")
    refused(client.get(DOMAINS, params={"limit": "x"}), 400, "Invalid parameter: limit is invalid")
    for answer in (
        client.get(DOMAINS, params={"domain": "b.example.org"}),
        client.delete(DOMAINS, params={"domain": "b.example.org"}),
        client.put(f"{DOMAINS}/verify", params={"domain": "b.example.org"}),
    ):
        refused(answer, 404, "domain not found")
    assert len(client.get(DOMAINS).json()["items"]) == 1


@pytest.mark.parametrize("path", [IPS, "/v1/inboxready/ip/addresses"])
def test_an_ip_is_registered_told_changed_and_removed(client: Client, path: str) -> None:
    made = client.post(path, json={"ip": "203.0.113.7", "description": "ours"})
    told = {"ip": "203.0.113.7", "ip_pool": "", "description": "ours", "state": "healthy", "listed": []}
    assert (made.status_code, made.json()) == (201, told)
    assert usage(client) == (0, 1)
    changed = client.put(f"{path}/203.0.113.7", json={"ip_pool": "swimming"}).json()
    assert changed == {**told, "ip_pool": "swimming"}
    assert client.get(f"{path}/203.0.113.7").json() == changed
    assert client.get(path).json() == {"items": [changed]}
    client.post("/_emulator/blocklists", json={"ip": "203.0.113.7", "blocklist": CBL})
    (event,) = client.get("/v1/blocklist-monitoring/events").json()["items"]
    assert (event["event"], event["ip_pool"]) == ("ip_listed", "swimming")
    gone = client.delete(f"{path}/203.0.113.7")
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get(path).json() == {"items": []}
    assert events(client, "/v1/blocklist-monitoring/events") == []


@pytest.mark.parametrize("path", [IPS, "/v1/inboxready/ip/addresses"])
def test_wrong_ips_are_refused(client: Client, path: str) -> None:
    client.post(path, json={"ip": "203.0.113.7"})
    refused(client.post(path, json={"ip": "203.0.113.7"}), 409, "IP address already exists")
    refused(client.post(path, json={"ip": "2001:db8::1"}), 400, "invalid IP address")
    refused(client.post(path, json={}), 400, "Missing mandatory parameter: ip")
    for answer in (
        client.get(f"{path}/203.0.113.8"),
        client.put(f"{path}/203.0.113.8", json={"description": "x"}),
        client.delete(f"{path}/203.0.113.8"),
    ):
        refused(answer, 404, "IP address not found")


def test_an_ip_tells_on_which_blocklists_it_stands(client: Client, account: Account) -> None:
    client.post(IPS, json={"ip": "203.0.113.7"})
    asked = {"ip": "203.0.113.7", "blocklist": CBL, "comments": ["https://check.example.org"]}
    assert client.post("/_emulator/blocklists", json=asked).status_code == 200
    told = client.get(f"{IPS}/203.0.113.7").json()
    (entry,) = told["listed"]
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(instant, entry.pop("first_seen"))
    assert re.fullmatch(instant, entry.pop("last_seen"))
    assert told["state"] == "listed"
    assert entry == {
        "list": CBL,
        "name": "CBL",
        "delist_requested_at": "0001-01-01T00:00:00Z",
        "comments": ["https://check.example.org"],
    }
    client.delete("/_emulator/blocklists", params={"ip": "203.0.113.7"})
    assert client.get(f"{IPS}/203.0.113.7").json()["state"] == "healthy"
