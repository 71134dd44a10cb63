import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import orjson
from tests.conftest import Account, Client, serving
from tests.receiver import Receiver

PATH = "/_emulator/events/stream"
Told = tuple[str, int, dict[str, Any]]


@contextmanager
def listening(url: str, key: str | None = None, **asked: str) -> Iterator[Iterator[Told]]:
    """What is told from now on: kind, number, data."""
    auth = ("api", key) if key else None
    with (
        httpx2.Client(verify=False, base_url=url, auth=auth) as client,
        client.stream("GET", PATH, params=asked, timeout=10) as response,
    ):
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        lines = response.iter_lines()
        stream = events_in(lines)
        assert next(stream) == ("listening", 0, {})
        yield stream


def events_in(lines: Iterator[str]) -> Iterator[Told]:
    told: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            told[name] = value
        elif "data" in told:
            yield told["event"], int(told.get("id", 0)), orjson.loads(told["data"])
            told = {}


def send(client: Client, account: Account, to: str = "ann@example.com", **fields: Any) -> str:
    message = {"from": f"a@{account.domain}", "to": to, "subject": "Hi", "text": "hi", **fields}
    return str(client.post(f"/v3/{account.domain}/messages", data=message).json()["id"])


def take(stream: Iterator[Told], count: int) -> list[Told]:
    return [next(stream) for _ in range(count)]


def test_all_that_happens_is_told_in_its_order(
    server_url: str, client: Client, account: Account, receiver: Receiver
) -> None:
    hook = {"id": "delivered", "url": receiver.url()}
    client.post(f"/v3/domains/{account.domain}/webhooks", data=hook)
    with listening(server_url, account.api_key) as stream:
        message_id = send(client, account).strip("<>")
        told = take(stream, 5)
    assert [number for _, number, _ in told] == [1, 2, 3, 4, 5]
    data: dict[str, list[dict[str, Any]]] = {}
    for kind, _, each in told:
        data.setdefault(kind, []).append(each)
    assert [each["event"] for each in data["event"]] == ["accepted", "delivered"]
    assert data["event"] == client.get("/_emulator/events").json()["items"][::-1]
    assert data["webhook"] == client.get("/_emulator/webhooks/deliveries").json()["items"]
    assert data["message"] == client.get("/_emulator/messages").json()["items"]
    assert data["message"][0]["message_id"] == message_id
    requests = client.get("/_emulator/requests", params={"operation": "send_message"}).json()["items"]
    assert data["request"] == requests


def test_only_what_was_asked_for_is_told(server_url: str, client: Client, account: Account) -> None:
    with listening(server_url, account.api_key, kinds="message") as stream:
        for to in ("ann@example.com", "bob@example.com"):
            send(client, account, to)
        told = take(stream, 2)
    assert [(kind, data["recipients"]) for kind, _, data in told] == [
        ("message", ["ann@example.com"]),
        ("message", ["bob@example.com"]),
    ]


def test_an_account_s_stream_tells_nothing_of_others(
    server_url: str, client: Client, account: Account
) -> None:
    other = Account(**client.post("/_emulator/accounts").json())
    with (
        listening(server_url, account.api_key, kinds="event") as own,
        listening(server_url, account=other.id, kinds="event") as of_other,
    ):
        send(client, account)
        with Client(base_url=server_url, auth=("api", other.api_key)) as second:
            send(second, other)
        assert {data["account"]["id"] for _, _, data in take(own, 2)} == {account.id}
        assert {data["account"]["id"] for _, _, data in take(of_other, 2)} == {other.id}


def test_without_an_account_all_is_told(server_url: str, client: Client, account: Account) -> None:
    other = Account(**client.post("/_emulator/accounts").json())
    wanted = {account.id, other.id}
    with listening(server_url, kinds="event") as stream:
        send(client, account)
        with Client(base_url=server_url, auth=("api", other.api_key)) as second:
            send(second, other)
        while wanted:
            wanted.discard(next(stream)[2]["account"]["id"])


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    answer = client.get(PATH, params={"kinds": "message,mail"})
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "kinds can't be 'mail'; possible are message, event, webhook, request, parted by commas"
    }
    assert client.get(PATH, params={"account": "absent"}).status_code == 404


def test_a_large_batch_is_told_whole(server_url: str, client: Client, account: Account) -> None:
    recipients = [f"r{number}@example.com" for number in range(1000)]
    variables = orjson.dumps({each: {"n": 1} for each in recipients}).decode()
    with listening(server_url, account.api_key, kinds="message,event") as stream:
        send(client, account, ",".join(recipients), **{"recipient-variables": variables})
        told = take(stream, 3000)
    assert [number for _, number, _ in told] == list(range(1, 3001))


def test_the_server_stops_at_once_and_the_stream_ends_well() -> None:
    with serving() as server, listening(server.url) as stream:
        host, _, port = server.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert b"listening" in receive_until(idle, b"event: listening")
            begun = time.monotonic()
            server.process.terminate()
            assert list(stream) == []
            assert receive_until(idle, b"").endswith(b"0\r\n\r\n")
        assert server.process.wait(10) == 0
        assert time.monotonic() - begun < 2


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    """All up to there; to the end of the connection if that is empty."""
    received = b""
    while not (end and end in received):
        more = connection.recv(65536)
        if not more:
            break
        received += more
    return received
