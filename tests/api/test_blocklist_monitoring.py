from tests.api.answers import refused
from tests.conftest import Account, Client

SBL, DBL = "sbl.spamhaus.org", "dbl.spamhaus.org"
IP_EVENTS = "/v1/blocklist-monitoring/events"


def enlist(client: Client, **asked: str) -> None:
    assert client.post("/_emulator/blocklists", json=asked).status_code == 200


def delist(client: Client, **asked: str) -> None:
    assert client.delete("/_emulator/blocklists", params=asked).status_code == 200


def watch(client: Client, *names: str) -> None:
    for name in names:
        assert client.post("/v1/inboxready/domains", data={"domain": name}).status_code == 200


def test_domains_tell_where_they_stand(client: Client, account: Account) -> None:
    watch(client, account.domain, "fine.example.org")
    enlist(client, domain=account.domain, blocklist=DBL)
    told = {each["domain"]: each for each in client.get("/v1/monitoring/domains").json()["domains"]}
    assert (told["fine.example.org"]["state"], told["fine.example.org"]["listed"]) == ("healthy", None)
    (entry,) = told[account.domain]["listed"]
    assert (told[account.domain]["state"], entry["list"], entry["name"]) == ("listed", DBL, "Spamhaus DBL")
    assert told[account.domain]["updated_at"] == entry["first_seen"]
    path = f"/v1/monitoring/domains/{account.domain}/blocklists"
    assert [each["list"] for each in client.get(path).json()["blocklists"]] == [DBL]
    of_sending = client.get(f"/v3/domains/{account.domain}/blocklists").json()
    assert [each["list"] for each in of_sending["blocklists"]] == [DBL]


def test_what_happened_to_domains_is_listed_the_latest_first(client: Client) -> None:
    watch(client, "a.example.org", "b.example.org")
    enlist(client, domain="a.example.org", blocklist=DBL)
    enlist(client, domain="unwatched.example.org", blocklist=DBL)
    enlist(client, domain="b.example.org", blocklist="SURBL")
    delist(client, domain="a.example.org")
    told = client.get("/v1/monitoring/domains/events").json()
    assert [(each["domain"], each["event"], each["list"]) for each in told["events"]] == [
        ("a.example.org", "domain_delisted", DBL),
        ("b.example.org", "domain_listed", "multi.surbl.org"),
        ("a.example.org", "domain_listed", DBL),
    ]
    assert set(told["paging"]) == {"first", "last", "next", "previous"}
    own = client.get("/v1/monitoring/domains/b.example.org/events").json()["events"]
    assert [each["domain"] for each in own] == ["b.example.org"]
    second = client.get(told["paging"]["first"], params={"limit": 1, "page": 1}).json()["events"]
    assert [each["domain"] for each in second] == ["b.example.org"]


def test_what_happened_to_ips_is_listed_and_filtered(client: Client, account: Account) -> None:
    client.post("/v1/inboxready/ip_addresses", json={"ip": "203.0.113.7", "ip_pool": "swimming"})
    client.post("/v1/inboxready/ip_addresses", json={"ip": "203.0.113.8"})
    enlist(client, ip="203.0.113.7", blocklist=SBL)
    client.post("/_emulator/clock", json={"advance": "2d"})
    enlist(client, ip="203.0.113.8", blocklist="bl.spamcop.net")
    enlist(client, ip="203.0.113.99", blocklist=SBL)
    delist(client, ip="203.0.113.7")
    items = client.get(IP_EVENTS).json()["items"]
    assert [(each["ip"], each["event"]) for each in items] == [
        ("203.0.113.7", "ip_delisted"),
        ("203.0.113.8", "ip_listed"),
        ("203.0.113.7", "ip_listed"),
    ]
    assert items[0] == {
        "ip": "203.0.113.7",
        "ip_pool": "swimming",
        "timestamp": items[0]["timestamp"],
        "event": "ip_delisted",
        "blocklist": SBL,
        "account_id": account.id,
    }

    def found(**asked: str) -> list[str]:
        return [each["event"] for each in client.get(IP_EVENTS, params=asked).json()["items"]]

    assert found(ip="203.0.113.7") == ["ip_delisted", "ip_listed"]
    assert found(event="ip_listed", blocklist=SBL) == ["ip_listed"]
    assert found(timerange_end=items[2]["timestamp"]) == []
    assert found(timerange_start=items[1]["timestamp"]) == ["ip_delisted", "ip_listed"]


def test_the_blocklists_are_listed(client: Client) -> None:
    items = client.get("/v1/blocklist-monitoring/blocklists").json()["items"]
    assert items[0] == {"blocklist": "b.barracudacentral.org", "name": "Barracuda"}
    assert {"blocklist": SBL, "name": "Spamhaus SBL"} in items


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    client.post("/v1/inboxready/ip_addresses", json={"ip": "203.0.113.7"})
    for path in ("blocklists", "events"):
        unknown = client.get(f"/v1/monitoring/domains/x.example.org/{path}")
        refused(unknown, 404, "domain not found")
        assert "x.example.org is not watched" in unknown.headers["X-Mailgun-Emulator-Hint"]
    refused(client.get("/v3/domains/x.example.org/blocklists"), 404, "Domain not found")
    bad = "timerange_start must be a timestamp in ISO 8601 format"
    refused(client.get(IP_EVENTS, params={"timerange_start": "soon"}), 400, bad)
    refused(client.get(IP_EVENTS, params={"event": "x"}), 400, "event must be one of ip_listed, ip_delisted")
    refused(client.get(IP_EVENTS, params={"limit": "51"}), 400, "Limit parameter can't be larger than 50")
    bad = "Invalid parameter: page is invalid"
    refused(client.get("/v1/monitoring/domains/events", params={"page": "-1"}), 400, bad)
