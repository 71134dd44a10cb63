"""What tests of reports on watched domains do before they read them."""

from typing import Any

from tests.conftest import Client


def watch(client: Client, *names: str) -> None:
    for name in names:
        assert client.post("/v1/inboxready/domains", data={"domain": name}).status_code == 200


def send(client: Client, domain: str, *to: str, **fields: Any) -> None:
    """To each a message of its own."""
    for each in to:
        message = {"from": f"Ann <ann@{domain}>", "to": each, "subject": "Hi", "text": "x", **fields}
        assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200
    client.drain()


def complain(client: Client, domain: str, recipient: str) -> None:
    asked = {"event": "delivered", "recipient": recipient, "limit": "1"}
    (event,) = client.get(f"/v3/{domain}/events", params=asked).json()["items"]
    key = event["storage"]["key"]
    happening = {"event": "complained", "recipient": recipient}
    assert client.post(f"/_emulator/messages/{key}/events", json=happening).status_code == 200
    client.drain()


def now(client: Client) -> float:
    return float(client.get("/_emulator/clock").json()["now"])
