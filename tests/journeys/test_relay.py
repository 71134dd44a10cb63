"""What is delivered is passed on to a real SMTP server."""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes

import pytest
from tests import plain
from tests.conftest import Client, Server, serving
from tests.sink import Sink, free_port, sinking

DOMAIN = "mg.example.com"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with sinking() as sink:
        yield sink


@pytest.fixture
def server(sink: Sink) -> Iterator[Server]:
    with serving("--relay", sink.url) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, auth=("api", "key-emulator")) as client:
        yield client


def send(api: Client, *to: str, **options: str) -> None:
    fields = {"from": f"Ann <ann@{DOMAIN}>", "to": list(to), "subject": "Größe", "text": "Schön", **options}
    assert api.post(f"/v3/{DOMAIN}/messages", data=fields).status_code == 200
    api.drain()


def test_each_recipient_that_is_delivered_to_gets_a_signed_copy(api: Client, sink: Sink) -> None:
    send(api, "bob@x.com", "bounce@example.com", "zoë@x.com")
    assert [(each.sender, each.recipients) for each in sink.letters] == [
        (f"ann@{DOMAIN}", ["bob@x.com"]),
        (f"ann@{DOMAIN}", ["zoë@x.com"]),
    ]
    for each in sink.letters:
        message = message_from_bytes(each.content)
        assert f"d={DOMAIN}" in message["DKIM-Signature"]
        assert message["From"] == f"Ann <ann@{DOMAIN}>"


def test_what_is_not_delivered_is_not_passed_on(api: Client, sink: Sink) -> None:
    send(api, "bob@x.com", **{"o:testmode": "yes"})
    send(api, "bounce@example.com")
    assert sink.letters == []


def test_what_mailgun_writes_itself_is_passed_on_as_it_is(api: Client, sink: Sink) -> None:
    invited = api.post("/v5/sandbox/auth_recipients", params={"email": "bob@x.com"})
    assert invited.status_code == 200
    api.drain()
    (letter,) = sink.letters
    assert (letter.sender, letter.recipients) == ("noreply@mailgun.test", ["bob@x.com"])
    message = message_from_bytes(letter.content)
    assert (message["From"], message["DKIM-Signature"]) == ("Mailgun <noreply@mailgun.test>", None)
    assert b"/confirm/" in letter.content


def test_a_server_that_cannot_take_it_now_is_asked_again_later(api: Client, sink: Sink) -> None:
    sink.refusal = "451 later"
    send(api, "bob@x.com")
    sink.refusal = ""
    assert sink.letters == []
    assert api.get("/_emulator/health").json()["pending_jobs"] == 1
    api.post("/_emulator/clock", json={"advance": "5m"})
    assert [each.recipients for each in sink.letters] == [["bob@x.com"]]
    assert api.get("/_emulator/health").json()["pending_jobs"] == 0


def test_a_server_that_is_down_is_asked_until_it_is_enough() -> None:
    """After 5, 10, 15 minutes, 1, 2 and 4 hours."""
    with (
        serving("--relay", f"smtp://127.0.0.1:{free_port()}") as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as api,
    ):
        send(api, "bob@x.com")
        api.post("/_emulator/clock", json={"advance": "7h29m"})
        assert api.get("/_emulator/health").json()["pending_jobs"] == 1
        api.post("/_emulator/clock", json={"advance": "1m"})
        assert api.get("/_emulator/health").json()["pending_jobs"] == 0


def test_a_server_that_comes_back_gets_what_it_missed() -> None:
    port = free_port()
    with (
        serving("--relay", f"smtp://127.0.0.1:{port}") as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as api,
    ):
        with sinking(port) as first:
            send(api, "ann@x.com")
        assert [each.recipients for each in first.letters] == [["ann@x.com"]]
        for name in ("bob", "cy"):
            send(api, f"{name}@x.com")
        delivered = api.get(f"/v3/{DOMAIN}/events", params={"event": "delivered"}).json()["items"]
        assert len(delivered) == 3
        with sinking(port) as second:
            send(api, "dan@x.com")
            assert [each.recipients for each in second.letters] == [["dan@x.com"]]
            api.post("/_emulator/clock", json={"advance": "5m"})
            assert [each.recipients for each in second.letters[1:]] == [["bob@x.com"], ["cy@x.com"]]
        assert api.get("/_emulator/health").json()["pending_jobs"] == 0


def test_a_server_that_will_never_take_it_is_asked_once(api: Client, sink: Sink) -> None:
    sink.refusal = "550 no such user"
    send(api, "bob@x.com")
    assert api.get("/_emulator/health").json()["pending_jobs"] == 0
    delivered = api.get(f"/v3/{DOMAIN}/events", params={"event": "delivered"}).json()["items"]
    assert len(delivered) == 1


def test_the_relay_may_ask_for_a_login(sink: Sink) -> None:
    url = sink.url.replace("//", "//me:it%27s%40secret@")
    with (
        serving("--relay", url) as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as api,
    ):
        send(api, "bob@x.com")
    assert [each.login for each in sink.letters] == ["me"]


def test_what_came_by_smtp_goes_on_by_smtp(api: Client, server: Server, sink: Sink) -> None:
    port = plain.get(f"{server.url}/_emulator/health").json()["smtp_port"]
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.login(f"postmaster@{DOMAIN}", "any")
        client.sendmail("a@x.com", ["b@x.com"], b"From: a@x.com\r\nSubject: Hi\r\n\r\n..dot\r\n.dot\r\n")
    api.drain()
    (letter,) = sink.letters
    assert letter.content.endswith(b"\r\n\r\n..dot\r\n.dot\r\n")
