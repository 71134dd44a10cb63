"""Events are really posted to webhooks: signed, retried, in order, and nobody waits for anybody else."""

import hashlib
import hmac
import time
from itertools import pairwise
from typing import Any

import pytest
from mailgun.security import SecurityGuard
from tests import plain
from tests.conftest import Account, Client, serving
from tests.receiver import Received, Receiver, dead_url

from mailgun_emulator.mail.signing import sign

RETRIES = (300, 600, 900, 3600, 7200, 14400)


def hook(client: Client, account: Account, event: str, *urls: str) -> None:
    made = client.post(f"/v3/domains/{account.domain}/webhooks", data={"id": event, "url": list(urls)})
    assert made.status_code == 200, made.text


def send(client: Client, account: Account, to: str = "bob@example.org", **options: str | list[str]) -> str:
    fields = {"from": f"ann@{account.domain}", "to": to, "subject": "Hi", "text": "hello", **options}
    sent = client.post(f"/v3/{account.domain}/messages", data=fields)
    assert sent.status_code == 200, sent.text
    message_id: str = sent.json()["id"].strip("<>")
    return message_id


def deliveries(client: Client, **wanted: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/_emulator/webhooks/deliveries", params=wanted).json()["items"]
    return items


def signed_by(received: Received, key: str) -> bool:
    """As Mailgun's pages tell receivers to check it."""
    signature = received.json()["signature"]
    said = f"{signature['timestamp']}{signature['token']}".encode()
    expected = hmac.new(key.encode(), said, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature["signature"])


def test_a_webhook_is_told_of_an_event_as_the_events_tell_it(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hook(client, account, "delivered", receiver.url("/hook?of=mine"))
    options: dict[str, Any] = {"o:tag": ["one", "two"], "v:order": "42"}
    message_id = send(client, account, **options)
    client.drain()
    (posted,) = receiver.requests()
    assert (posted.method, posted.path) == ("POST", "/hook?of=mine")
    headers = posted.headers
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "mailgun/treq-16.12.0"
    assert (headers["accept"], headers["accept-encoding"]) == ("*/*", "gzip")
    events = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    told = posted.json()
    assert list(told) == ["signature", "event-data"]
    assert told["event-data"] == events[0]
    assert told["event-data"]["message"]["headers"]["message-id"] == message_id
    assert told["event-data"]["user-variables"] == {"order": "42"}


def test_a_post_is_signed_with_the_accounts_signing_key(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hook(client, account, "accepted", receiver.url())
    send(client, account)
    client.drain()
    (posted,) = receiver.requests()
    signature = posted.json()["signature"]
    assert list(signature) == ["timestamp", "token", "signature"]
    assert isinstance(signature["timestamp"], str)
    assert len(signature["token"]) == 50
    assert signed_by(posted, account.signing_key)
    assert not signed_by(posted, "another key")
    assert SecurityGuard.verify_webhook(account.signing_key, **signature)


def test_only_the_events_that_mailgun_posts_are_posted(
    client: Client, account: Account, receiver: Receiver
) -> None:
    for event in ("accepted", "delivered", "permanent_fail", "temporary_fail"):
        hook(client, account, event, receiver.url(f"/{event}"))
    send(client, account)
    send(client, account, "bounce@example.com")
    send(client, account, "softbounce@example.com")
    client.drain()
    told = [(each.path, each.json()["event-data"]["event"]) for each in receiver.requests()]
    assert sorted(told) == [
        ("/accepted", "accepted"),
        ("/accepted", "accepted"),
        ("/accepted", "accepted"),
        ("/delivered", "delivered"),
        ("/permanent_fail", "failed"),
        ("/temporary_fail", "failed"),
    ]
    (failed,) = receiver.requests("/temporary_fail")
    assert failed.json()["event-data"]["severity"] == "temporary"


def test_a_url_of_the_domain_and_of_the_account_is_told_once(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hook(client, account, "delivered", receiver.url("/both"), receiver.url("/domain"))
    for path in ("/both", "/account"):
        fields = {"url": receiver.url(path), "event_types": ["delivered", "opened"]}
        assert client.post("/v1/webhooks", data=fields).status_code == 200
    send(client, account)
    client.drain()
    assert sorted(each.path for each in receiver.requests()) == ["/account", "/both", "/domain"]
    bodies = {each.path: each.json()["event-data"] for each in receiver.requests()}
    assert bodies["/account"] == bodies["/both"] == bodies["/domain"]


def test_an_account_webhook_is_told_of_all_domains_and_of_no_other_account(
    client: Client, account: Account, receiver: Receiver
) -> None:
    client.post("/v1/webhooks", data={"url": receiver.url(), "event_types": "accepted"})
    other = client.post("/_emulator/accounts").json()
    second = f"second.{account.domain}"
    client.post("/v4/domains", data={"name": second})
    send(client, account)
    send(client, account._replace(domain=second))
    fields = {"from": "a@x.com", "to": "b@x.com", "text": "hi"}
    client.post(f"/v3/{other['domain']}/messages", data=fields, auth=("api", other["api_key"]))
    client.drain()
    domains = [each.json()["event-data"]["domain"]["name"] for each in receiver.requests()]
    assert sorted(domains) == sorted([account.domain, second])


def test_who_does_not_take_an_event_is_asked_again_for_eight_hours(
    client: Client, account: Account, receiver: Receiver
) -> None:
    receiver.answer("/down", 500)
    hook(client, account, "accepted", receiver.url("/down"))
    send(client, account)
    client.drain()
    (delivery,) = deliveries(client)
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("pending", 500, 1)
    begun = time.perf_counter()
    assert client.post("/_emulator/clock", json={"advance": "8h"}).status_code == 200
    assert time.perf_counter() - begun < 5
    posted = receiver.requests("/down")
    assert len(posted) == 1 + len(RETRIES)
    (delivery,) = deliveries(client)
    assert (delivery["state"], delivery["next_try"]) == ("given-up", None)
    details = client.get(f"/_emulator/webhooks/deliveries/{delivery['id']}").json()
    times = [attempt["at"] for attempt in details["attempts"]]
    waits = [round(later - earlier) for earlier, later in pairwise(times)]
    assert waits == list(RETRIES)


def test_each_attempt_is_signed_anew(client: Client, account: Account, receiver: Receiver) -> None:
    receiver.answer("/down", 500, 0, 200)
    hook(client, account, "accepted", receiver.url("/down"))
    send(client, account)
    client.drain()
    client.post("/_emulator/clock", json={"advance": "8h"})
    posted = receiver.requests("/down")
    assert len({each.json()["signature"]["token"] for each in posted}) == 3
    assert len({each.json()["signature"]["timestamp"] for each in posted}) == 3
    assert all(signed_by(each, account.signing_key) for each in posted)
    assert len({each.json()["event-data"]["id"] for each in posted}) == 1
    (delivery,) = deliveries(client)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("done", 3, 200)


@pytest.mark.parametrize(("status", "state"), [(200, "done"), (406, "stopped")])
def test_200_and_406_are_the_end(
    client: Client, account: Account, receiver: Receiver, status: int, state: str
) -> None:
    receiver.answer("/end", status)
    hook(client, account, "accepted", receiver.url("/end"))
    send(client, account)
    client.drain()
    client.post("/_emulator/clock", json={"advance": "1d"})
    assert len(receiver.requests("/end")) == 1
    assert deliveries(client)[0]["state"] == state


@pytest.mark.parametrize("status", [201, 204, 301, 404, 503])
def test_all_else_is_tried_again(client: Client, account: Account, receiver: Receiver, status: int) -> None:
    receiver.answer("/else", status, 200)
    hook(client, account, "accepted", receiver.url("/else"))
    send(client, account)
    client.drain()
    client.post("/_emulator/clock", json={"advance": "5m"})
    assert len(receiver.requests("/else")) == 2
    assert deliveries(client)[0]["state"] == "done"


def test_who_is_slow_or_dead_delays_nobody_else(client: Client, account: Account, receiver: Receiver) -> None:
    with dead_url() as dead, receiver.holding("/slow"):
        hook(client, account, "accepted", receiver.url("/slow"), dead, receiver.url("/quick"))
        for number in range(20):
            send(client, account, f"r{number}@example.org")
        quick = receiver.wait_for(20, "/quick")
        assert len(quick) == 20
        assert len(receiver.requests("/slow")) == 1
    receiver.wait_for(20, "/slow")
    states = [each["state"] for each in deliveries(client, url=dead, state="pending")]
    assert len(states) == 20


def test_posts_to_one_url_keep_the_order_of_their_events(
    client: Client, account: Account, receiver: Receiver
) -> None:
    for event in ("accepted", "delivered"):
        hook(client, account, event, receiver.url("/all"))
    sent = [send(client, account, f"r{number}@example.org") for number in range(30)]
    client.drain()
    told = [each.json()["event-data"] for each in receiver.requests("/all")]
    assert [event["message"]["headers"]["message-id"] for event in told[::2]] == sent
    assert [event["event"] for event in told] == ["accepted", "delivered"] * 30


def test_a_webhook_that_is_deleted_is_still_told_of_what_had_happened(
    client: Client, account: Account, receiver: Receiver
) -> None:
    receiver.answer("/hook", 500, 200)
    hook(client, account, "accepted", receiver.url("/hook"))
    send(client, account)
    client.drain()
    client.delete(f"/v3/domains/{account.domain}/webhooks/accepted")
    send(client, account)
    client.post("/_emulator/clock", json={"advance": "1h"})
    assert len(receiver.requests("/hook")) == 2


def test_nothing_is_posted_for_a_domain_that_is_deleted(
    client: Client, account: Account, receiver: Receiver
) -> None:
    receiver.answer("/hook", 500)
    hook(client, account, "accepted", receiver.url("/hook"))
    send(client, account)
    client.drain()
    client.delete(f"/v3/domains/{account.domain}")
    client.post("/_emulator/clock", json={"advance": "1d"})
    assert len(receiver.requests("/hook")) == 1
    assert deliveries(client) == []


def test_nothing_is_posted_for_an_account_that_is_reset(
    client: Client, account: Account, receiver: Receiver
) -> None:
    receiver.answer("/hook", 500)
    hook(client, account, "accepted", receiver.url("/hook"))
    send(client, account)
    client.drain()
    client.post(f"/_emulator/accounts/{account.id}/reset")
    client.post("/_emulator/clock", json={"advance": "1d"})
    assert len(receiver.requests("/hook")) == 1
    assert deliveries(client) == []
    assert client.get(f"/v3/domains/{account.domain}/webhooks").json() == {"webhooks": {}}


def test_hosts_are_rewritten_as_the_settings_say(receiver: Receiver) -> None:
    port = receiver.server_port
    rules = ("--webhook-rewrite", f"app.example.com=http://127.0.0.1:{port},localhost=127.0.0.1")
    with serving(*rules) as server, Client(base_url=server.url, auth=("api", "key-emulator")) as client:
        for url in ("https://app.example.com/hook?a=1", f"http://localhost:{port}/other"):
            fields = {"url": url, "event_types": "accepted"}
            assert client.post("/v1/webhooks", data=fields).status_code == 200
        fields = {"from": "a@mg.example.com", "to": "b@x.com", "text": "hi"}
        client.post("/v3/mg.example.com/messages", data=fields)
        client.drain()
        told = {each["url"]: each["state"] for each in deliveries(client)}
    assert told == {"https://app.example.com/hook?a=1": "done", f"http://localhost:{port}/other": "done"}
    assert sorted(each.path for each in receiver.requests()) == ["/hook?a=1", "/other"]


def test_what_a_subaccount_is_told_is_signed_by_its_parent_as_well(
    server_url: str, account: Account, receiver: Receiver
) -> None:
    made = plain.post(f"{server_url}/_emulator/accounts", json={"parent": account.id}).json()
    assert made.pop("parent") == account.id
    child = Account(**made)
    with Client(base_url=server_url, auth=("api", child.api_key)) as client:
        asked = {"id": "delivered", "url": receiver.url("/hook")}
        assert client.post(f"/v3/domains/{child.domain}/webhooks", data=asked).status_code == 200
        fields = {"from": f"a@{child.domain}", "to": "bob@x.com", "text": "hi"}
        assert client.post(f"/v3/{child.domain}/messages", data=fields).status_code == 200
        client.drain()
    (post,) = receiver.requests("/hook")
    signature = post.json()["signature"]
    told = signature["timestamp"], signature["token"]
    assert signature["signature"] == sign(child.signing_key, *told)
    assert signature["parent-signature"] == sign(account.signing_key, *told)
