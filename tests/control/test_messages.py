from typing import Any

import pytest
from tests.conftest import Account, Client


def send(client: Client, domain: str, to: str = "bob@gmail.com", **fields: Any) -> str:
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "See https://x.com/a.", **fields}
    answer = client.post(f"/v3/{domain}/messages", data=message)
    assert answer.status_code == 200
    return str(answer.json()["id"])


def happen(client: Client, message: str, event: str, **fields: Any) -> Any:
    return client.post(f"/_emulator/messages/{message}/events", json={"event": event, **fields})


def seen(client: Client, domain: str) -> list[str]:
    client.drain()
    found = client.get(f"/v3/{domain}/events", params={"ascending": "yes"}).json()["items"]
    return [each["event"] for each in found if each["event"] != "accepted"]


def last(client: Client, domain: str) -> dict[str, Any]:
    event: dict[str, Any] = client.get(f"/v3/{domain}/events").json()["items"][0]
    return event


def test_all_that_can_follow_a_delivery_happens_now(client: Client, account: Account) -> None:
    message = send(client, account.domain)
    client_of = {"ip": "198.51.100.1", "user_agent": "curl/8", "geolocation": {"country": "DE"}}
    opened = happen(client, message, "opened", **client_of).json()
    assert (opened["event"], opened["ip"], opened["geolocation"]["country"]) == (
        "opened",
        "198.51.100.1",
        "DE",
    )
    assert opened == last(client, account.domain)
    assert happen(client, message.strip("<>"), "clicked").json()["url"] == "https://x.com/a"
    key = last(client, account.domain)["message"]["headers"]["message-id"]
    assert happen(client, key, "clicked", url="https://y.com/").json()["url"] == "https://y.com/"
    unsubscribed = happen(client, message, "unsubscribed", tags=["news"]).json()
    assert unsubscribed["tags"] == ["news"]
    assert client.get(f"/v3/{account.domain}/unsubscribes/bob@gmail.com").json()["tags"] == ["news"]
    assert happen(client, message, "complained").json()["event"] == "complained"
    assert client.get(f"/v3/{account.domain}/complaints/bob@gmail.com").status_code == 200
    bounced = happen(client, message, "failed", code=550, text="5.1.1 Gone").json()
    assert bounced["flags"] == {"is-delayed-bounce": True}
    assert client.get(f"/v3/{account.domain}/bounces/bob@gmail.com").json()["error"] == "5.1.1 Gone"
    assert seen(client, account.domain) == [
        "delivered", "opened", "clicked", "clicked", "unsubscribed", "complained", "failed",
    ]  # fmt: skip


def test_what_is_asked_for_takes_the_place_of_the_next_attempt(client: Client, account: Account) -> None:
    message = send(client, account.domain, to="timeout@example.com")
    failed = happen(client, message, "failed", severity="temporary", text="4.2.1 Try later").json()
    assert (failed["severity"], failed["delivery-status"]["attempt-no"]) == ("temporary", 2)
    assert failed["delivery-status"]["message"] == "4.2.1 Try later"
    delivered = happen(client, message, "delivered", mx_host="mx1.example.com").json()
    assert delivered["delivery-status"]["attempt-no"] == 3
    assert delivered["delivery-status"]["mx-host"] == "mx1.example.com"
    assert client.post("/_emulator/clock", json={"advance": "9h"}).status_code == 200
    assert seen(client, account.domain) == ["failed", "failed", "delivered"]


def test_a_scheduled_message_can_bounce_before_its_time(client: Client, account: Account) -> None:
    message = send(client, account.domain, **{"o:deliverytime": "2553069600"})
    bounced = happen(client, message, "failed", code=553, reason="hardfail").json()
    assert (bounced["severity"], bounced["reason"]) == ("permanent", "hardfail")
    assert bounced["delivery-status"]["bounce-type"] == "hard"
    assert client.get(f"/v3/{account.domain}/bounces/bob@gmail.com").json()["code"] == "553"


def test_a_message_is_also_named_by_its_storage_key(client: Client, account: Account) -> None:
    send(client, account.domain)
    client.drain()
    key = last(client, account.domain)["storage"]["key"]
    assert happen(client, key, "opened").json()["event"] == "opened"


def test_one_of_several_recipients_is_named(client: Client, account: Account) -> None:
    message = send(client, account.domain, to="ann@x.com, bob@x.com", **{"recipient-variables": "{}"})
    unnamed = happen(client, message, "opened")
    assert unnamed.status_code == 400
    assert unnamed.json() == {"message": "Say with recipient which one: ann@x.com, bob@x.com"}
    foreign = happen(client, message, "opened", recipient="eve@x.com")
    assert foreign.status_code == 400
    assert foreign.json() == {"message": "eve@x.com is no recipient of the message: ann@x.com, bob@x.com"}
    client.drain()
    assert happen(client, message, "opened", recipient="BOB@x.com").json()["recipient"] == "bob@x.com"


def conflict(answer: Any) -> str:
    assert answer.status_code == 409, answer.text
    return str(answer.json()["message"])


def test_what_can_not_happen_is_refused_with_why(client: Client, account: Account) -> None:
    waiting = send(client, account.domain, to="timeout@example.com")
    assert "not delivered to timeout@example.com yet: attempt 2 is due on" in conflict(
        happen(client, waiting, "opened")
    )
    there = send(client, account.domain)
    client.drain()
    assert "was delivered to bob@gmail.com on" in conflict(happen(client, there, "delivered"))
    assert "or fail for good." in conflict(happen(client, there, "failed", severity="temporary"))
    gone = send(client, account.domain, to="bounce@example.com")
    for event in ("delivered", "failed", "opened", "complained"):
        assert "failed for good to bounce@example.com on" in conflict(happen(client, gone, event))
    happen(client, there, "failed")
    assert "Nothing follows that." in conflict(happen(client, there, "complained"))
    assert seen(client, account.domain) == ["failed", "delivered", "failed", "failed"]


def test_a_delivery_that_was_cancelled_suppressed_or_is_a_test_says_so(
    client: Client, account: Account
) -> None:
    later = {"o:deliverytime": "2553069600"}
    message = send(client, account.domain, **later)
    client.post(f"/v3/{account.domain}/bounces", data={"address": "bob@gmail.com"})
    assert conflict(happen(client, message, "delivered")) == (
        "The delivery to bob@gmail.com is not even tried: Not delivering to previously bounced address."
    )
    test = send(client, account.domain, to="ann@gmail.com", **later, **{"o:testmode": "yes"})
    assert "test mode" in conflict(happen(client, test, "failed"))
    assert happen(client, test, "delivered").json()["delivery-status"]["code"] == 650
    client.delete(f"/v3/{account.domain}/envelopes")
    assert "was cancelled" in conflict(happen(client, message, "delivered"))
    assert seen(client, account.domain) == ["delivered"]


def test_an_unknown_message_and_that_of_another_account_are_not_found(
    client: Client, account: Account
) -> None:
    other = client.post("/_emulator/accounts").json()
    message = send(client, account.domain)
    assert happen(client, "none@x.com", "opened").status_code == 404
    missed = client.post(
        f"/_emulator/messages/{message}/events", params={"account": other["id"]}, json={"event": "opened"}
    )
    assert missed.status_code == 404
    assert missed.json()["message"].startswith(f"The account has no message {message}: name it by the id")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "body.event: Field required"),
        (
            {"event": "failed", "url": "https://x.com"},
            "body: failed has no url; possible are code, enhanced_code, "
            "event, mx_host, reason, recipient, severity, text",
        ),
        ({"event": "delivered", "code": 550}, "body: code of a delivery is 2xx, not 550"),
        ({"event": "failed", "code": 250}, "body: code of a failure is 4xx or 5xx, not 250"),
        (
            {"event": "failed", "code": 550, "severity": "temporary"},
            "body: code 550 is not temporary: 4xx is temporary, 5xx is permanent",
        ),
        (
            {"event": "opened", "when": 1},
            "body: when is not known here; possible are event, url, tags, ip, "
            "user_agent, geolocation, code, enhanced_code, text, recipient, severity, reason, mx_host",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_happens(
    client: Client, account: Account, asked: dict[str, Any], message: str
) -> None:
    sent = send(client, account.domain)
    refused = client.post(f"/_emulator/messages/{sent}/events", json=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert seen(client, account.domain) == ["delivered"]
