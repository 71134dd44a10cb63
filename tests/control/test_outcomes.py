import re
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client

PATH = "/_emulator/outcomes"


def send(client: Client, domain: str, to: str = "bob@gmail.com", **fields: Any) -> None:
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hello", **fields}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200


def events(client: Client, domain: str) -> list[dict[str, Any]]:
    client.drain()
    found = client.get(f"/v3/{domain}/events", params={"ascending": "yes"}).json()["items"]
    return [event for event in found if event["event"] != "accepted"]


def test_a_rule_is_made_told_changed_and_deleted(client: Client, account: Account) -> None:
    asked = {
        "match": {"recipient": "*@gmail.com", "tag": "news", "every": 2},
        "code": 452,
        "enhanced_code": "4.2.2",
        "text": "4.2.2 Full",
        "reason": "greylisted",
        "mx_host": "mx.gmail.com",
        "delay": "1m30s",
        "attempts": 2,
        "then": [
            {"event": "opened", "after": "1h", "user_agent": "curl/8", "geolocation": {"country": "FR"}},
            {"event": "failed", "after": 7200, "code": 550},
        ],
        "times": 5,
    }
    made = client.post(PATH, json=asked).json()
    assert re.fullmatch(r"[0-9a-f]{24}", made["id"])
    place = {"city": "Unknown", "region": "Unknown", "country": "FR"}
    assert made == {
        **asked,
        "delay": 90.0,
        "then": [
            {"event": "opened", "after": 3600.0, "user_agent": "curl/8", "geolocation": place},
            {"event": "failed", "after": 7200.0, "code": 550},
        ],
        "id": made["id"],
        "seen": 0,
        "hits": 0,
    }
    assert client.get(PATH).json() == {"items": [made]}
    path = f"{PATH}/{made['id']}"
    assert client.get(path).json() == made
    changed = client.put(path, json={"code": 550}).json()
    assert changed == {"match": {}, "code": 550, "then": [], "id": made["id"], "seen": 0, "hits": 0}
    send(client, account.domain)
    assert (client.get(path).json()["seen"], client.get(path).json()["hits"]) == (1, 1)
    assert client.delete(path).json() == {"message": "Outcome rule deleted"}
    for gone in (client.get(path), client.put(path, json={}), client.delete(path)):
        assert gone.status_code == 404
        assert gone.json() == {
            "message": f"There is no outcome rule {made['id']}; GET /_emulator/outcomes lists those there are."
        }


def test_all_rules_can_be_put_and_deleted_at_once(client: Client, account: Account) -> None:
    client.post(PATH, json={"code": 551})
    put = client.put(PATH, json={"items": [{"match": {"nth": 2}}, {"code": 554}]}).json()["items"]
    assert [each["code"] for each in put] == [250, 554]
    for _ in range(2):
        send(client, account.domain)
    assert [event["event"] for event in events(client, account.domain)] == ["failed", "delivered"]
    assert [(each["seen"], each["hits"]) for each in client.get(PATH).json()["items"]] == [(2, 1), (1, 1)]
    assert client.delete(PATH).json() == {"message": "Outcome rules deleted"}
    assert client.get(PATH).json() == {"items": []}
    send(client, account.domain)
    assert events(client, account.domain)[-1]["event"] == "delivered"


def test_rules_are_the_accounts_own_and_go_with_a_reset(
    server_url: str, client: Client, account: Account
) -> None:
    made = client.post(PATH, json={"match": {"recipient": "*@nowhere.test"}}).json()
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    assert plain.get(f"{server_url}{PATH}", params={"account": other["id"]}).json() == {"items": []}
    path = f"{server_url}{PATH}/{made['id']}"
    assert plain.get(path, params={"account": other["id"]}).status_code == 404
    assert plain.get(path, params={"account": account.id}).json() == made
    client.post(f"/_emulator/accounts/{account.id}/reset")
    assert client.get(PATH).json() == {"items": []}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"matching": {}},
            "body: matching is not known here; possible are match, code, enhanced_code, text, reason, mx_host, "
            "delay, attempts, then, times",
        ),
        (
            {"match": {"to": "x"}},
            "body.match: to is not known here; possible are recipient, recipient_domain, domain, sender, tag, "
            "subject, nth, every, probability",
        ),
        ({"match": {"nth": 1, "every": 2}}, "body.match: name nth or every, not both"),
        ({"match": {"nth": 0}}, "body.match.nth: Input should be greater than or equal to 1"),
        ({"times": 10**30}, "body.times: Input should be less than or equal to 1000000000"),
        ({"match": {"probability": 1.5}}, "body.match.probability: Input should be less than or equal to 1"),
        ({"code": 600}, "body.code: Input should be less than or equal to 599"),
        ({"code": 354}, "body: code is 2xx, 4xx or 5xx: 3xx ends no delivery"),
        (
            {"code": 550, "enhanced_code": "4.1.1"},
            "body: enhanced_code 4.1.1 does not go with code 550: both begin alike",
        ),
        (
            {"code": 550, "attempts": 2},
            "body: attempts goes with a code of 4xx: after any other there is one attempt",
        ),
        (
            {"code": 450, "then": [{"event": "opened"}]},
            "body: then follows a delivery: leave out the code, or say with attempts how many fail",
        ),
        ({"reason": "espblock"}, "body: reason is that of a failure: it goes with a code of 4xx or 5xx"),
        (
            {"delay": "soon"},
            "body.delay: this is no duration; write it as 90s, 15m, 8h, 3d, 1h30m or as seconds",
        ),
        ({"delay": "2d"}, "body.delay: Input should be less than or equal to 86400"),
        (
            {"then": [{"event": "opened", "url": "https://x.com"}]},
            "body.then.0: opened has no url; possible are after, event, geolocation, ip, user_agent",
        ),
        (
            {"then": [{"event": "clicked", "url": "javascript:x"}]},
            r"body.then.0.url: String should match pattern '^https?://\S+$'",
        ),
        ({"then": [{"event": "opened", "ip": "here"}]}, "body.then.0.ip: this is no IP address"),
        (
            {"then": [{"event": "failed", "code": 450}]},
            "body.then.0.code: Input should be greater than or equal to 500",
        ),
        (
            {"then": [{"event": "read"}]},
            "body.then.0.event: Input should be 'opened', 'clicked', 'unsubscribed', 'complained' or 'failed'",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_what_is_wrong(
    client: Client, asked: dict[str, Any], message: str
) -> None:
    refused = client.post(PATH, json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert client.get(PATH).json() == {"items": []}
