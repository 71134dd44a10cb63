"""What was answered survives a kill, and so does the work that was still to be done."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
from tests.conftest import serving

KEY = ("api", "key-emulator")


def test_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    answered: set[str] = set()
    with serving("--database", path) as server:

        def send(number: int) -> None:
            fields = {"from": "a@mg.example.com", "to": f"r{number}@x.com", "text": "hi"}
            try:
                answer = httpx2.post(f"{server.url}/v3/mg.example.com/messages", data=fields, auth=KEY)
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
        assert httpx2.post(f"{server.url}/_emulator/drain").status_code == 200
        url = f"{server.url}/v3/mg.example.com/events"
        delivered: set[str] = set()
        while items := (page := httpx2.get(url, params={"limit": "300"}, auth=KEY).json())["items"]:
            delivered |= {
                event["message"]["headers"]["message-id"] for event in items if event["event"] == "delivered"
            }
            url = page["paging"]["next"]
    assert answered <= delivered


def test_the_same_seed_gives_the_same_ids() -> None:
    seen = []
    for _ in range(2):
        with serving("--seed", "7") as server:
            fields = {"from": "a@mg.example.com", "to": "r@x.com", "text": "hi"}
            sent = httpx2.post(f"{server.url}/v3/mg.example.com/messages", data=fields, auth=KEY).json()
            account = httpx2.post(f"{server.url}/_emulator/accounts").json()
            seen.append((sent["id"].partition(".")[2], account))
    assert seen[0] == seen[1]
