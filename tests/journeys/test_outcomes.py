"""A message from its acceptance to its complaint, by rule, by address and on demand, on a clock that is moved on."""

from typing import Any

from tests.conftest import Account, Client


def send(client: Client, domain: str, to: str) -> str:
    html = '<p>Look at <a href="https://shop.example/offer">this</a></p>'
    message = {
        "from": f"Shop <shop@{domain}>",
        "to": to,
        "subject": "An offer",
        "html": html,
        "o:tag": "offer",
    }
    answer = client.post(f"/v3/{domain}/messages", data=message)
    assert answer.status_code == 200
    return str(answer.json()["id"])


def told(client: Client, domain: str) -> list[dict[str, Any]]:
    client.drain()
    found: list[dict[str, Any]] = client.get(f"/v3/{domain}/events", params={"ascending": "yes"}).json()[
        "items"
    ]
    return found


def advance(client: Client, span: str) -> None:
    assert client.post("/_emulator/clock", json={"advance": span}).status_code == 200


def test_from_two_deferrals_to_a_complaint_that_stops_the_next_message(
    client: Client, account: Account
) -> None:
    rule = {
        "match": {"recipient": "*@slow.example", "tag": "offer"},
        "code": 451,
        "text": "4.7.1 Greylisted, come back",
        "attempts": 2,
        "then": [
            {"event": "opened", "after": "1h"},
            {"event": "clicked", "after": "61m"},
            {"event": "complained", "after": "1d"},
        ],
    }
    assert client.post("/_emulator/outcomes", json=rule).status_code == 200
    send(client, account.domain, "Ann <ann@slow.example>")
    begin = told(client, account.domain)[0]["timestamp"]
    advance(client, "2d")

    events = told(client, account.domain)
    assert [(each["event"], round(each["timestamp"] - begin)) for each in events] == [
        ("accepted", 0),
        ("failed", 0),
        ("failed", 600),
        ("delivered", 1200),
        ("opened", 1200 + 3600),
        ("clicked", 1200 + 3660),
        ("complained", 1200 + 86400),
    ]
    assert [each["reason"] for each in events[1:3]] == ["greylisted", "greylisted"]
    assert [each["delivery-status"]["attempt-no"] for each in events[1:4]] == [1, 2, 3]
    assert events[4]["delivered-at"] == int(events[3]["timestamp"])
    assert events[5]["url"] == "https://shop.example/offer"
    assert client.get(f"/v3/{account.domain}/complaints/ann@slow.example").status_code == 200

    send(client, account.domain, "ann@slow.example")
    refused = told(client, account.domain)[-1]
    assert (refused["reason"], refused["delivery-status"]["code"]) == ("suppress-complaint", 607)
    stats = client.get(
        f"/v3/{account.domain}/stats/total",
        params={"event": ["failed", "delivered", "opened", "clicked", "complained"], "duration": "1m"},
    ).json()["stats"]
    totals = {
        "deferred": sum(each["failed"]["temporary"]["total"] for each in stats),
        "refused": sum(each["failed"]["permanent"]["suppress-complaint"] for each in stats),
        "opened": sum(each["opened"]["total"] for each in stats),
        "clicked": sum(each["clicked"]["total"] for each in stats),
        "complained": sum(each["complained"]["total"] for each in stats),
    }
    assert totals == {"deferred": 2, "refused": 1, "opened": 1, "clicked": 1, "complained": 1}


def test_addresses_ask_for_the_same_without_a_rule_by_parts_and_by_mime(
    client: Client, account: Account
) -> None:
    send(client, account.domain, "deferred+2@example.com")
    mime = f"From: shop@{account.domain}\r\nTo: complaint@example.com\r\nSubject: Hi\r\n\r\nhello\r\n"
    answer = client.post(
        f"/v3/{account.domain}/messages.mime",
        data={"to": "complaint@example.com"},
        files={"message": ("message.eml", mime.encode())},
    )
    assert answer.status_code == 200
    advance(client, "20m")
    events = told(client, account.domain)
    by_recipient = {
        name: [each["event"] for each in events if each["recipient"].startswith(name)]
        for name in ("deferred", "complaint")
    }
    assert by_recipient == {
        "deferred": ["accepted", "failed", "failed", "delivered"],
        "complaint": ["accepted", "delivered", "complained"],
    }


def test_retries_that_are_hurried_on_demand_end_as_told(client: Client, account: Account) -> None:
    message = send(client, account.domain, "timeout@simulator.test")
    path = f"/_emulator/messages/{message}/events"
    for event in (
        {"event": "failed", "severity": "temporary"},
        {"event": "delivered"},
        {"event": "opened"},
        {"event": "clicked"},
        {"event": "complained"},
    ):
        assert client.post(path, json=event).status_code == 200
    advance(client, "10h")
    assert [each["event"] for each in told(client, account.domain)] == [
        "accepted", "failed", "failed", "delivered", "opened", "clicked", "complained",
    ]  # fmt: skip
    send(client, account.domain, "timeout@simulator.test")
    assert told(client, account.domain)[-1]["delivery-status"]["code"] == 607
