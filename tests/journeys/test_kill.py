"""What was answered survives a kill, and so does the work that was still to be done."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
from tests import plain
from tests.conftest import serving
from tests.receiver import Receiver

KEY = ("api", "key-emulator")


def all_events(server_url: str, domain: str) -> Iterator[dict[str, Any]]:
    url = f"{server_url}/v3/{domain}/events?limit=300"
    while items := (page := plain.get(url, auth=KEY).json())["items"]:
        yield from items
        url = page["paging"]["next"]


def test_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    answered: set[str] = set()
    with serving("--database", path) as server:

        def send(number: int) -> None:
            fields = {"from": "a@mg.example.com", "to": f"r{number}@x.com", "text": "hi"}
            try:
                answer = plain.post(f"{server.url}/v3/mg.example.com/messages", data=fields, auth=KEY)
            except httpx2.TransportError:
                return
            if answer.status_code == 200:
                answered.add(answer.json()["id"][1:-1])
            if number == 120:
                server.process.send_signal(signal.SIGKILL)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(160)))
        server.process.wait()
    assert len(answered) >= 100
    with serving("--database", path) as server:
        assert plain.post(f"{server.url}/_emulator/drain").status_code == 200
        delivered = {
            event["message"]["headers"]["message-id"]
            for event in all_events(server.url, "mg.example.com")
            if event["event"] == "delivered"
        }
    assert answered <= delivered


def test_what_was_under_way_goes_on_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    """A thousand deliveries, each told to two webhooks, in the midst of which the process is killed."""
    path, domain = str(tmp_path / "state.db"), "mg.example.com"
    hooks = ("/one", "/two")
    everyone = [f"r{number}@x.com" for number in range(1000)]
    with serving("--database", path) as server:
        asked = {"id": "delivered", "url": [receiver.url(hook) for hook in hooks]}
        assert plain.post(f"{server.url}/v3/domains/{domain}/webhooks", data=asked, auth=KEY).is_success
        for first in range(0, 1000, 100):
            fields = {"from": f"a@{domain}", "to": everyone[first : first + 100], "text": "hi"}
            assert plain.post(f"{server.url}/v3/{domain}/messages", data=fields, auth=KEY).is_success
        before = len(receiver.wait_for(300))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert before < 2000
    with serving("--database", path) as server:
        assert plain.post(f"{server.url}/_emulator/drain").status_code == 200
        ends = [
            (event["event"], event["recipient"])
            for event in all_events(server.url, domain)
            if event["event"] != "accepted"
        ]
    assert sorted(ends) == sorted(("delivered", each) for each in everyone)
    for hook in hooks:
        posts = [each.json()["event-data"] for each in receiver.requests(hook)]
        assert {each["recipient"] for each in posts} == set(everyone)
        assert len(posts) - len({each["id"] for each in posts}) <= 1  # the one in flight at the kill


def test_a_clock_that_was_being_advanced_runs_on_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    """A post is tried again on the way, and not answered: the process is killed while the clock waits for it."""
    path, domain = str(tmp_path / "state.db"), "mg.example.com"
    receiver.answer("/", 500, 200)
    with serving("--database", path) as server, ThreadPoolExecutor(1) as pool:
        asked = {"id": "delivered", "url": receiver.url("/")}
        assert plain.post(f"{server.url}/v3/domains/{domain}/webhooks", data=asked, auth=KEY).is_success
        fields = {"from": f"a@{domain}", "to": "r@x.com", "text": "hi"}
        assert plain.post(f"{server.url}/v3/{domain}/messages", data=fields, auth=KEY).is_success
        assert plain.post(f"{server.url}/_emulator/drain").is_success
        with receiver.holding("/"):
            advanced = pool.submit(httpx2.post, f"{server.url}/_emulator/clock", json={"advance": "1h"})
            receiver.wait_for(2)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
        assert isinstance(advanced.exception(10), httpx2.TransportError)
    with serving("--database", path) as server:
        clock = plain.get(f"{server.url}/_emulator/clock").json()
        assert not clock["frozen"]
        assert 290 <= clock["offset"] <= 310
        receiver.wait_for(3)


def test_a_posting_to_a_list_goes_on_after_a_kill(tmp_path: Path) -> None:
    path, domain = str(tmp_path / "state.db"), "mg.example.com"
    everyone = [f"m{number:03}@x.com" for number in range(1000)]
    address = f"news@{domain}"
    with serving("--database", path) as server:
        assert plain.post(f"{server.url}/v3/lists", data={"address": address}, auth=KEY).is_success
        members = {"members": json.dumps(everyone)}
        assert plain.post(f"{server.url}/v3/lists/{address}/members.json", data=members, auth=KEY).is_success
        plain.post(f"{server.url}/_emulator/drain")
        fields = {"from": f"a@{domain}", "to": address, "text": "Dear %recipient_email%"}
        assert plain.post(f"{server.url}/v3/{domain}/messages", data=fields, auth=KEY).is_success
        sent = {"event": "delivered", "limit": "300"}
        while len(plain.get(f"{server.url}/v3/{domain}/events", params=sent, auth=KEY).json()["items"]) < 100:
            pass
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with serving("--database", path) as server:
        assert plain.post(f"{server.url}/_emulator/drain").status_code == 200
        told = [
            (event["event"], event["recipient"])
            for event in all_events(server.url, domain)
            if "mailing-list" in event and "recipient" in event
        ]
    for kind in ("accepted", "delivered"):
        assert sorted(recipient for event, recipient in told if event == kind) == everyone


def test_the_same_seed_gives_the_same_ids() -> None:
    seen = []
    for _ in range(2):
        with serving("--seed", "7") as server:
            fields = {"from": "a@mg.example.com", "to": "r@x.com", "text": "hi"}
            sent = plain.post(f"{server.url}/v3/mg.example.com/messages", data=fields, auth=KEY).json()
            account = plain.post(f"{server.url}/_emulator/accounts").json()
            seen.append((sent["id"].partition(".")[2], account))
    assert seen[0] == seen[1]
