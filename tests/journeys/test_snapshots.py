"""Back to a snapshot in the midst of work: all is as it was, what was pending goes on, and nobody else notices."""

import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests import plain
from tests.conftest import Account, Client, serving
from tests.receiver import Receiver

from mailgun_emulator.core.clock import real

PATH = "/_emulator/snapshots"
LIST = "team"
SEPARATE_READS = ("events", "bounces", "unsubscribes", "complaints", "tags")


def send(client: Client, domain: str, to: str = "bob@x.com", **fields: Any) -> None:
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hello", **fields}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200


def take(client: Client, name: str = "x") -> None:
    assert client.post(PATH, json={"name": name}).status_code == 200


def restore(client: Client, name: str = "x") -> None:
    assert client.post(f"{PATH}/{name}/restore").status_code == 200


def all_events(client: Client, domain: str) -> list[dict[str, Any]]:
    url, found = f"/v3/{domain}/events?limit=300&ascending=yes", []
    while items := (page := client.get(url).json())["items"]:
        found += items
        url = page["paging"]["next"]
    return found


def delivered(client: Client, domain: str) -> list[str]:
    return sorted(event["recipient"] for event in all_events(client, domain) if event["event"] == "delivered")


def everything_told(client: Client, domain: str) -> dict[str, Any]:
    """What the account's owner can see."""
    at = f"{LIST}@{domain}"
    told = {kind: client.get(f"/v3/{domain}/{kind}").json()["items"] for kind in SEPARATE_READS}
    stats = {"event": ["accepted", "delivered", "failed", "opened", "stored"], "duration": "1d"}
    told["stats"] = client.get(f"/v3/{domain}/stats/total", params=stats).json()["stats"]
    told["metrics"] = client.post(
        "/v1/analytics/metrics",
        json={"dimensions": ["tag"], "metrics": ["accepted_count", "delivered_count"]},
    ).json()["items"]
    told["list"] = client.get(f"/v3/lists/{at}").json()
    told["members"] = client.get(f"/v3/lists/{at}/members/pages").json()["items"]
    told["templates"] = client.get(f"/v3/{domain}/templates").json()["items"]
    told["routes"] = client.get("/v3/routes").json()
    told["keys"] = client.get("/v1/keys").json()
    told["domain"] = client.get(f"/v4/domains/{domain}").json()
    told["webhooks"] = client.get(f"/v3/domains/{domain}/webhooks").json()
    told["posts"] = client.get("/_emulator/webhooks/deliveries").json()
    told["outcomes"] = client.get("/_emulator/outcomes").json()
    return told


def fill(client: Client, domain: str, receiver: Receiver) -> None:
    """Of everything something; a message is planned for later, one to a list for later still."""
    at = f"{LIST}@{domain}"
    client.post(f"/v3/domains/{domain}/webhooks", data={"id": "delivered", "url": receiver.url("/hook")})
    client.post("/v3/lists", data={"address": at})
    for number in range(3):
        client.post(f"/v3/lists/{at}/members", data={"address": f"member{number}@x.com"})
    client.post(f"/v3/{domain}/templates", data={"name": "t", "template": "Hi", "tag": "v1"})
    client.post("/v3/routes", data={"expression": "match_recipient('in@.*')", "action": "store()"})
    client.post("/_emulator/outcomes", json={"match": {"recipient": "later@*"}, "code": 451, "attempts": 1})
    client.post(f"/v3/{domain}/bounces", data={"address": "gone@x.com"})
    client.post(f"/v3/{domain}/unsubscribes", data={"address": "no@x.com", "tag": "*"})
    client.post(f"/v3/{domain}/complaints", data={"address": "spam@x.com"})
    for to in ("one@x.com", "gone@x.com", "later@x.com", "opened@opened.test"):
        send(client, domain, to, **{"o:tag": "news"})
    client.drain()
    send(client, domain, "planned@x.com", **{"o:deliverytime": str(int(real()) + 3600)})
    send(client, domain, at, **{"o:deliverytime": str(int(real()) + 7200)})
    client.drain()


@contextmanager
def account_at(url: str, **asked: str) -> Iterator[tuple[Client, Account]]:
    account = Account(**plain.post(f"{url}/_emulator/accounts", json=asked).json())
    with Client(base_url=url, auth=("api", account.api_key)) as client:
        yield client, account


def test_after_a_restore_all_is_told_as_before_and_what_was_planned_still_happens(
    client: Client, account: Account, receiver: Receiver
) -> None:
    domain = account.domain
    fill(client, domain, receiver)
    before = everything_told(client, domain)
    take(client)
    for _ in range(2):
        client.delete(f"/v3/lists/{LIST}@{domain}")
        client.delete(f"/v3/{domain}/bounces")
        client.delete("/_emulator/outcomes")
        client.put(f"/v3/domains/{domain}/webhooks/delivered", data={"url": "http://127.0.0.1:1/"})
        send(client, domain, "more@x.com", **{"o:tag": ["news", "other"]})
        client.post("/_emulator/clock", json={"advance": "1d"})
        assert "planned@x.com" in delivered(client, domain)
        restore(client)
        assert everything_told(client, domain) == before
    receiver.clear()
    client.post("/_emulator/clock", json={"advance": "1h1m"})
    assert delivered(client, domain) == ["later@x.com", "one@x.com", "opened@opened.test", "planned@x.com"]
    client.post("/_emulator/clock", json={"advance": "2h"})
    after = ["later@x.com", "member0@x.com", "member1@x.com", "member2@x.com", "planned@x.com"]
    assert [each for each in delivered(client, domain) if each in after] == after
    assert sorted(each.json()["event-data"]["recipient"] for each in receiver.requests("/hook")) == after


def test_an_account_is_restored_fifty_times_while_another_sends(
    client: Client, account: Account, server_url: str, receiver: Receiver
) -> None:
    fill(client, account.domain, receiver)
    before = everything_told(client, account.domain)
    take(client)
    with account_at(server_url) as (other, theirs), ThreadPoolExecutor(1) as pool:
        hook = {"id": "delivered", "url": receiver.url("/theirs")}
        other.post(f"/v3/domains/{theirs.domain}/webhooks", data=hook)
        other.post("/_emulator/clock", json={"advance": "5d"})
        offset = other.get("/_emulator/clock").json()["offset"]

        def send_all() -> None:
            for number in range(100):
                send(other, theirs.domain, f"r{number}@x.com")

        sending = pool.submit(send_all)
        for _ in range(50):
            send(client, account.domain, "more@x.com")
            restore(client)
        sending.result()
        everyone = sorted(f"r{number}@x.com" for number in range(100))
        other.drain()
        assert delivered(other, theirs.domain) == everyone
        posts = [each.json()["event-data"]["recipient"] for each in receiver.requests("/theirs")]
        assert sorted(posts) == everyone, "each once"
        assert abs(other.get("/_emulator/clock").json()["offset"] - offset) < 1
    assert everything_told(client, account.domain) == before
    client.post("/_emulator/clock", json={"advance": "1h1m"})
    assert "planned@x.com" in delivered(client, account.domain)


def test_posts_under_way_are_broken_off_and_made_again_if_they_were_pending(
    client: Client, account: Account, receiver: Receiver
) -> None:
    domain = account.domain
    hook = {"id": "delivered", "url": receiver.url("/hook")}
    client.post(f"/v3/domains/{domain}/webhooks", data=hook)
    with receiver.holding("/hook"):
        send(client, domain, "one@x.com")
        receiver.wait_for(1)
        take(client)
        send(client, domain, "two@x.com")
        restore(client)
        receiver.wait_for(2)
        (told,) = client.get("/_emulator/webhooks/deliveries").json()["items"]
        assert told["state"] == "pending"
        assert told["attempts"] == 0
    client.drain()
    (told,) = client.get("/_emulator/webhooks/deliveries").json()["items"]
    assert told["state"] == "done"
    assert told["attempts"] == 1
    posts = [each.json()["event-data"]["recipient"] for each in receiver.requests()]
    assert posts == ["one@x.com", "one@x.com"]


def test_a_restore_that_is_refused_lets_posts_under_way_end(
    client: Client, account: Account, server_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    domain, file = account.domain, tmp_path / "x"
    take(client)
    file.write_bytes(client.get(f"{PATH}/x").content)
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE api_key SET secret = ?", (other["api_key"],))
    assert client.put(f"{PATH}/x", content=file.read_bytes()).status_code == 200
    hook = {"id": "delivered", "url": receiver.url("/hook")}
    client.post(f"/v3/domains/{domain}/webhooks", data=hook)
    with receiver.holding("/hook"):
        send(client, domain, "one@x.com")
        receiver.wait_for(1)
        assert client.post(f"{PATH}/x/restore").status_code == 409
    client.drain()
    (told,) = client.get("/_emulator/webhooks/deliveries").json()["items"]
    assert (told["state"], told["attempts"]) == ("done", 1)


def test_snapshots_survive_a_kill_and_a_reset(tmp_path: Path, receiver: Receiver) -> None:
    path = str(tmp_path / "state.db")
    with serving("--database", path) as server, account_at(server.url) as (client, account):
        fill(client, account.domain, receiver)
        before = everything_told(client, account.domain)
        take(client)
        whole = plain.post(f"{server.url}{PATH}", json={"name": "all"})
        assert whole.status_code == 200
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert (tmp_path / "state.db.snapshots").exists()
    with (
        serving("--database", path) as server,
        Client(base_url=server.url, auth=("api", account.api_key)) as client,
        Client(base_url=server.url) as nobody,
    ):
        assert nobody.post("/_emulator/reset").status_code == 200
        assert client.get(f"/v4/domains/{account.domain}").status_code == 404
        kept = nobody.get(PATH).json()["items"]
        assert [(each["name"], each["account"]) for each in kept] == [("x", account.id), ("all", None)]
        for who, name in ((nobody, "x"), (nobody, "all"), (nobody, "x")):
            restore(who, name)
            assert everything_told(client, account.domain) == before
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with (
        serving("--database", path) as server,
        Client(base_url=server.url, auth=("api", account.api_key)) as client,
    ):
        default = plain.get(f"{server.url}/_emulator/accounts").json()["items"][0]
        assert default["id"] != account.id, "the one restored after the reset is not the oldest"
        client.post("/_emulator/clock", json={"advance": "1h1m"})
        assert "planned@x.com" in delivered(client, account.domain)


def test_rows_whose_numbers_others_have_by_now_are_moved_and_all_that_refers_to_them_follows(
    tmp_path: Path, receiver: Receiver
) -> None:
    """After a reset another account does what the first had done before, and so has the numbers it had."""
    with serving("--database", str(tmp_path / "state.db")) as server:
        with account_at(server.url) as (client, account):
            client.post("/_emulator/clock", json={"freeze": "now"})
            fill(client, account.domain, receiver)
            before = everything_told(client, account.domain)
            take(client)
        assert plain.post(f"{server.url}/_emulator/reset").status_code == 200
        with account_at(server.url) as (other, theirs):
            fill(other, theirs.domain, receiver)
            untouched = everything_told(other, theirs.domain)
            with Client(base_url=server.url) as nobody:
                for _ in range(2):
                    restore(nobody)
            assert everything_told(other, theirs.domain) == untouched
            other.post("/_emulator/clock", json={"advance": "1d"})
        with Client(base_url=server.url, auth=("api", account.api_key)) as client:
            after = everything_told(client, account.domain)
            for each in (*before["posts"]["items"], *after["posts"]["items"]):
                assert each.pop("id")
            assert after == before
            assert "planned@x.com" not in delivered(client, account.domain)
            client.post("/_emulator/clock", json={"resume": True})
            client.post("/_emulator/clock", json={"advance": "3h"})
            got = delivered(client, account.domain)
            assert [each for each in got if each.startswith(("planned", "member", "later"))] == [
                "later@x.com",
                *(f"member{number}@x.com" for number in range(3)),
                "planned@x.com",
            ]


def test_a_clock_under_way_has_arrived_before_its_account_is_restored(
    client: Client, account: Account, receiver: Receiver
) -> None:
    domain = account.domain
    take(client)
    hook = {"id": "delivered", "url": receiver.url("/hook")}
    client.post(f"/v3/domains/{domain}/webhooks", data=hook)
    with ThreadPoolExecutor(2) as pool:
        with receiver.holding("/hook"):
            send(client, domain, "one@x.com")
            receiver.wait_for(1)
            advancing = pool.submit(client.post, "/_emulator/clock", json={"advance": "1d"})
            restoring = pool.submit(client.post, f"{PATH}/x/restore")
        assert advancing.result().status_code == 200
        assert restoring.result().status_code == 200
    assert delivered(client, domain) in ([], ["one@x.com"])
    restore(client)
    assert client.get("/_emulator/clock").json()["offset"] == 0
    assert all_events(client, domain) == []
