import re
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client
from tests.receiver import Receiver

PATH = "/_emulator/blocklists"
SBL = "sbl.spamhaus.org"


def enlist(client: Client, **asked: Any) -> dict[str, Any]:
    made = client.post(PATH, json=asked)
    assert made.status_code == 200, made.text
    told: dict[str, Any] = made.json()
    return told


def sent(client: Client, domain: str, to: str = "bob@gmail.com") -> dict[str, Any]:
    """The event that tells what became of it."""
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hello"}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200
    client.drain()
    event: dict[str, Any] = client.get(f"/v3/{domain}/events", params={"limit": 1}).json()["items"][0]
    return event


def test_something_is_listed_told_and_delisted(client: Client) -> None:
    made = enlist(client, ip="203.0.113.9", blocklist="spamhaus sbl", comments=["why"])
    assert re.fullmatch(r"[0-9a-f]{24}", made["id"])
    assert made == {
        "id": made["id"],
        "ip": "203.0.113.9",
        "blocklist": SBL,
        "name": "Spamhaus SBL",
        "comments": ["why"],
        "rejects": True,
        "first_seen": made["first_seen"],
    }
    other = enlist(client, domain="Shop.example.org", blocklist="dbl.spamhaus.org")
    assert other["domain"] == "shop.example.org"
    assert client.get(PATH).json() == {"items": [made, other]}
    gone = client.delete(PATH, params={"ip": "203.0.113.9", "blocklist": "Spamhaus SBL"})
    assert gone.json() == {"message": "1 delisted"}
    first, second = client.get(PATH).json()["items"]
    assert first["delisted_at"] >= first["first_seen"]
    assert "delisted_at" not in second
    assert client.delete(PATH).json() == {"message": "1 delisted"}
    assert client.delete(PATH).json() == {"message": "0 delisted"}
    again = enlist(client, ip="203.0.113.9", blocklist=SBL)
    assert again["id"] != made["id"]


def test_mail_by_a_listed_ip_is_refused_until_it_is_delisted(client: Client, account: Account) -> None:
    ip = sent(client, account.domain)["envelope"]["sending-ip"]
    enlist(client, ip=ip, blocklist=SBL)
    event = sent(client, account.domain, "ann@gmail.com")
    status = event["delivery-status"]
    assert (event["event"], event["severity"], event["reason"]) == ("failed", "permanent", "bounce")
    assert (status["code"], status["enhanced-code"], status["bounce-type"]) == (554, "5.7.1", "soft")
    assert status["message"] == f"5.7.1 Service unavailable; client host [{ip}] blocked using {SBL}"
    assert client.get(f"/v3/{account.domain}/bounces").json()["items"] == []
    classified = client.post("/v2/bounce-classification/metrics", json={"dimensions": ["entity-name"]}).json()
    assert [item["entity-name"] for item in classified["items"]] == ["Spamhaus"]
    assert sent(client, account.domain, "bounce@example.com")["delivery-status"]["enhanced-code"] == "5.1.1"
    client.delete(PATH)
    assert sent(client, account.domain, "ann@gmail.com")["event"] == "delivered"


def test_mail_from_a_listed_domain_is_refused_unless_it_is_only_looked_at(
    client: Client, account: Account
) -> None:
    enlist(client, domain=account.domain, blocklist="SURBL", rejects=False)
    assert sent(client, account.domain)["event"] == "delivered"
    enlist(client, domain=account.domain, blocklist="URIBL")
    status = sent(client, account.domain)["delivery-status"]
    assert status["message"].endswith(f"domain {account.domain} blocked using multi.uribl.com")


def test_what_is_tried_again_is_refused_as_well(client: Client, account: Account) -> None:
    sent(client, account.domain, "deferred@example.com")
    enlist(client, domain=account.domain, blocklist="SURBL")
    client.post("/_emulator/clock", json={"advance": "1h"})
    (event,) = client.get(f"/v3/{account.domain}/events", params={"limit": 1}).json()["items"]
    assert (event["severity"], event["delivery-status"]["attempt-no"]) == ("permanent", 2)
    assert "multi.surbl.org" in event["delivery-status"]["message"]


def test_a_rule_goes_before_a_blocklist(client: Client, account: Account) -> None:
    enlist(client, domain=account.domain, blocklist="URIBL")
    client.post("/_emulator/outcomes", json={"match": {"recipient": "vip@*"}, "code": 250})
    assert sent(client, account.domain, "vip@example.org")["event"] == "delivered"
    assert sent(client, account.domain, "other@example.org")["event"] == "failed"


def test_it_ends_by_itself_at_its_instant(client: Client, account: Account) -> None:
    made = enlist(client, domain=account.domain, blocklist="SURBL", lasts="3d")
    assert made["until"] == pytest.approx(made["first_seen"] + 3 * 86400, abs=0.01)
    client.post("/_emulator/clock", json={"advance": "2d"})
    assert "delisted_at" not in client.get(PATH).json()["items"][0]
    client.post("/_emulator/clock", json={"advance": "2d"})
    (told,) = client.get(PATH).json()["items"]
    assert told["delisted_at"] == pytest.approx(made["until"], abs=1)
    assert sent(client, account.domain)["event"] == "delivered"


@pytest.mark.parametrize(
    ("kind", "subject", "blocklist", "name"),
    [("ip", "203.0.113.9", SBL, "Spamhaus SBL"), ("domain", "shop.example.org", "multi.uribl.com", "URIBL")],
)
def test_who_watches_something_is_told_by_alerts(
    client: Client, receiver: Receiver, kind: str, subject: str, blocklist: str, name: str
) -> None:
    for event in (f"{kind}_listed", f"{kind}_delisted"):
        settings = {"url": receiver.url("/alert")}
        hook = {"event_type": event, "channel": "webhook", "settings": settings}
        assert client.post("/v1/alerts/settings/events", json=hook).status_code == 200
    about = {kind: subject, "blocklist": blocklist}
    enlist(client, **about)
    client.delete(PATH, params=about)
    client.drain()
    assert posted(receiver) == [], "nobody watches it yet"
    watch = {"ip": "ip_addresses", "domain": "domains"}[kind]
    assert client.post(f"/v1/inboxready/{watch}", json={kind: subject}).status_code < 300
    enlist(client, **about, lasts="2d")
    client.drain()
    client.post("/_emulator/clock", json={"advance": "3d"})
    told = posted(receiver)
    assert [each["event"] for each in told] == [f"{kind}_listed", f"{kind}_delisted"]
    assert [each["message"] for each in told] == [
        f"{subject} has been added to {name}",
        f"{subject} has been removed from {name}",
    ]
    assert {(each[kind], each["blocklist"]) for each in told} == {(subject, blocklist)}


def posted(receiver: Receiver) -> list[dict[str, Any]]:
    """What alerts told; before they are kept their URL is asked for by GET."""
    return [each.json()["event_data"] for each in receiver.requests("/alert") if each.method == "POST"]


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"blocklist": SBL}, 400, "body: name ip or domain"),
        ({"ip": "1.2.3.4", "domain": "a.com", "blocklist": SBL}, 400, "body: name ip or domain"),
        ({"ip": "::1", "blocklist": SBL}, 400, "body: ip is no IPv4 address"),
        ({"domain": "x", "blocklist": SBL}, 400, "body: domain is no domain name"),
        (
            {"domain": "a.com", "blocklist": SBL},
            400,
            f"{SBL} is no blocklist of domains; possible are dbl.spamhaus.org, multi.surbl.org, multi.uribl.com",
        ),
        ({"ip": "203.0.113.9", "blocklist": SBL}, 409, f"203.0.113.9 is listed on {SBL} already"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: Client, asked: dict[str, Any], status: int, message: str
) -> None:
    enlist(client, ip="203.0.113.9", blocklist=SBL)
    answer = client.post(PATH, json=asked)
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert len(client.get(PATH).json()["items"]) == 1


def test_what_is_not_listed_is_not_delisted(client: Client) -> None:
    answer = client.delete(PATH, params={"ip": "203.0.113.1"})
    message = "Nothing of that kind is listed; GET /_emulator/blocklists tells what is."
    assert (answer.status_code, answer.json()) == (404, {"message": message})


def test_only_one_thing_is_named_to_delist(client: Client) -> None:
    enlist(client, ip="203.0.113.9", blocklist=SBL)
    answer = client.delete(PATH, params={"ip": "203.0.113.9", "domain": "x.example.com"})
    assert (answer.status_code, answer.json()) == (400, {"message": "name ip or domain, not both"})
    assert "delisted_at" not in client.get(PATH).json()["items"][0]


def test_another_account_notices_nothing(client: Client, account: Account, server_url: str) -> None:
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    plain.post(
        f"{server_url}{PATH}?account={other['id']}", json={"domain": account.domain, "blocklist": "URIBL"}
    )
    assert client.get(PATH).json() == {"items": []}
    assert sent(client, account.domain)["event"] == "delivered"
