"""What goes wrong with a client's requests, its messages and its webhooks, as the client sees it."""

import http.client
import json
import smtplib
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from mailgun.client import Client as Mailgun
from tests import plain
from tests.conftest import Account, Client, serving
from tests.receiver import Receiver
from tests.sink import connected

PATH = "/_emulator/faults"


def add(client: Client, **asked: Any) -> str:
    made = client.post(PATH, json=asked)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def fault(client: Client, fault_id: str) -> dict[str, Any]:
    return dict(client.get(f"{PATH}/{fault_id}").json())


def message(domain: str, *to: str, **fields: str) -> dict[str, Any]:
    return {
        "from": f"ann@{domain}",
        "to": list(to) or ["bob@x.com"],
        "subject": "Hi",
        "text": "hello",
        **fields,
    }


def send(client: Client, domain: str, *to: str, **fields: str) -> httpx2.Response:
    return client.post(f"/v3/{domain}/messages", data=message(domain, *to, **fields))


def accepted(client: Client, domain: str) -> int:
    found = client.get(f"/v3/{domain}/events", params={"event": "accepted", "limit": 300}).json()
    return len(found["items"])


class Spoken:
    """What a client sends and hears on a connection of its own, in bytes."""

    def __init__(self, server_url: str, account: Account) -> None:
        self._account = account
        self._host = urlsplit(server_url).netloc
        host, port = self._host.split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=20)

    def send(self) -> None:
        body = urlencode(message(self._account.domain), doseq=True)
        key = b64encode(f"api:{self._account.api_key}".encode()).decode()
        self._socket.sendall(
            f"POST /v3/{self._account.domain}/messages HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Authorization: Basic {key}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def pieces(self) -> Iterator[bytes]:
        """Until the other side hangs up, or all of an answer has come."""
        heard = b""
        while piece := self._socket.recv(65536):
            yield piece
            heard += piece
            head, _, body = heard.partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length and len(body) >= int(length[0].partition(b":")[2]):
                return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def spoken(server_url: str, account: Account) -> Iterator[Spoken]:
    connection = Spoken(server_url, account)
    yield connection
    connection.close()


def test_a_connection_is_cut_without_an_answer(client: Client, account: Account, spoken: Spoken) -> None:
    add(client, do={"cut": True}, times=1)
    spoken.send()
    assert list(spoken.pieces()) == []
    assert accepted(client, account.domain) == 0
    assert send(client, account.domain).status_code == 200


def test_what_was_asked_for_is_done_and_the_answer_lost(
    client: Client, account: Account, spoken: Spoken
) -> None:
    add(client, do={"cut": True, "after": True}, times=1)
    spoken.send()
    assert list(spoken.pieces()) == []
    assert send(client, account.domain).status_code == 200
    assert accepted(client, account.domain) == 2


def test_a_connection_is_cut_in_the_middle_of_the_answer(
    client: Client, account: Account, spoken: Spoken
) -> None:
    add(client, do={"cut": "half"}, times=1)
    spoken.send()
    head, _, body = b"".join(spoken.pieces()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body.startswith(b'{"id":"<')
    assert b"Queued" not in body
    assert accepted(client, account.domain) == 1


def test_an_answer_is_garbled_and_the_connection_goes_on(
    server_url: str, client: Client, account: Account
) -> None:
    add(client, do={"malformed": True}, times=1)
    with httpx2.Client(verify=False, base_url=server_url, auth=("api", account.api_key)) as careless:
        sent = careless.post(f"/v3/{account.domain}/messages", data=message(account.domain))
        assert sent.status_code == 200
        assert sent.headers["content-type"] == "application/json; charset=utf-8"
        with pytest.raises(json.JSONDecodeError):
            sent.json()
        assert careless.get("/v4/domains").json()["total_count"] >= 1
    assert accepted(client, account.domain) == 1


def test_a_refusal_is_garbled_too_and_changes_nothing(
    server_url: str, client: Client, account: Account
) -> None:
    add(client, do={"status": 502, "malformed": True})
    url = f"{server_url}/v3/{account.domain}/messages"
    sent = plain.post(url, data=message(account.domain), auth=("api", account.api_key))
    assert (sent.status_code, sent.text) == (502, '{"message":"B')
    client.delete(PATH)
    assert accepted(client, account.domain) == 0


def test_a_slow_answer_comes_in_pieces(client: Client, account: Account, spoken: Spoken) -> None:
    add(client, do={"slow": 0.4}, times=1)
    begun = time.monotonic()
    spoken.send()
    pieces = list(spoken.pieces())
    assert 0.35 <= time.monotonic() - begun < 10
    assert len(pieces) > 2
    answer = b"".join(pieces).partition(b"\r\n\r\n")[2]
    assert json.loads(answer)["message"] == "Queued. Thank you."


def test_a_late_answer_is_too_late_for_some_and_the_message_is_sent_twice(
    server_url: str, client: Client, account: Account
) -> None:
    add(client, do={"delay": 2}, times=1)
    url = f"{server_url}/v3/{account.domain}/messages"
    about: dict[str, Any] = {"data": message(account.domain), "auth": ("api", account.api_key)}
    with pytest.raises(httpx2.ReadTimeout):
        plain.post(url, timeout=0.3, **about)
    assert accepted(client, account.domain) == 1
    assert plain.post(url, timeout=10, **about).status_code == 200
    assert accepted(client, account.domain) == 2


def test_a_late_refusal_changes_nothing(client: Client, account: Account) -> None:
    add(client, do={"status": 500, "delay": 0.2}, times=1)
    begun = time.monotonic()
    assert send(client, account.domain).status_code == 500
    assert time.monotonic() - begun >= 0.2
    assert accepted(client, account.domain) == 0


def test_what_is_slow_does_not_keep_the_server_from_stopping_and_nothing_is_logged_as_broken(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving() as server, Client(base_url=server.url, auth=("api", "key-emulator")) as client:
        address = urlsplit(server.url)
        add(client, do={"cut": True}, times=1)
        add(client, do={"cut": True, "after": True}, times=1)
        add(client, do={"cut": "half"}, times=1)
        add(client, do={"delay": 60})
        for _ in range(3):
            with pytest.raises(httpx2.RemoteProtocolError):
                client.get("/v4/domains")
        waiting = http.client.HTTPConnection(address.hostname or "", address.port)
        key = b64encode(b"api:key-emulator").decode()
        waiting.request("GET", "/v4/domains", headers={"Authorization": f"Basic {key}"})
        while not fault_seen(client):
            pass
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(timeout=10)
        assert time.monotonic() - begun < 5
        waiting.close()
    logged = capfd.readouterr().err
    assert "Traceback" not in logged
    assert "Exception" not in logged


def fault_seen(client: Client) -> bool:
    return bool(client.get(PATH).json()["items"][-1]["hits"])


def test_mailguns_own_client_waits_and_tries_again(server_url: str, client: Client, account: Account) -> None:
    limited = add(client, do={"status": 429, "retry_after": 1}, times=1)
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        begun = time.monotonic()
        sent = mailgun.messages.create(data=message(account.domain), domain=account.domain)
        assert sent.status_code == 200
        assert time.monotonic() - begun >= 1
        assert (fault(client, limited)["seen"], fault(client, limited)["hits"]) == (2, 1)
        for status in (401, 402, 403, 404):
            add(client, do={"status": status}, times=1)
            assert mailgun.domainlist.get().status_code == status
    assert accepted(client, account.domain) == 1


def test_a_quota_of_recipients_refuses_what_does_not_fit_as_a_whole(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "Mon, 20 Dec 2021 20:33:00 UTC"})
    quota = add(client, do={"quota": {"messages": 5, "per": "hour"}})
    domain = account.domain
    first = send(client, domain, "a@x.com", "b@x.com", "c@x.com")
    told = {name: value for name, value in first.headers.items() if name.startswith("x-r")}
    assert told == {
        "x-ratelimit-limit": "5",
        "x-ratelimit-remaining": "2",
        "x-ratelimit-reset": "1640035980000",
        "x-recipient-limit": "5",
        "x-recipient-remaining": "2",
        "x-recipient-reset": "1640035980000",
    }
    variables = json.dumps({f"{name}@x.com": {} for name in "abc"})
    batch = {"recipient-variables": variables}
    client.post("/_emulator/clock", json={"advance": "10m"})
    refused = send(client, domain, "a@x.com", "b@x.com", "c@x.com", **batch)
    assert refused.status_code == 429
    assert refused.json() == {
        "message": f"Domain {domain} is not allowed to send: recipient limit exceeded, "
        "try again after Mon, 20 Dec 2021 21:33:00 UTC"
    }
    assert refused.headers["retry-after"] == "3000"
    assert refused.headers["x-ratelimit-remaining"] == "2"
    assert refused.headers["x-ratelimit-reset"] == "1640035980"
    assert accepted(client, domain) == 3
    assert send(client, domain, "a@x.com", "b@x.com").status_code == 200
    assert send(client, domain).status_code == 429
    counted = fault(client, quota)
    assert [counted[name] for name in ("seen", "hits", "remaining", "until")] == [4, 2, 0, 1640035980]
    client.post("/_emulator/clock", json={"advance": "50m"})
    assert send(client, domain, *(f"{name}@x.com" for name in "abcde"), **batch).status_code == 200


def test_everybody_in_cc_counts_once_for_each_copy_of_a_batch(client: Client, account: Account) -> None:
    quota = add(client, do={"quota": {"messages": 100, "per": "day"}})
    variables = json.dumps({"a@x.com": {}, "b@x.com": {}})
    send(client, account.domain, "a@x.com", "b@x.com", cc="c@x.com", **{"recipient-variables": variables})
    assert fault(client, quota)["remaining"] == 96
    assert accepted(client, account.domain) == 4


def test_a_quota_is_used_by_http_and_smtp_alike(server_url: str, client: Client, account: Account) -> None:
    add(client, do={"quota": {"messages": 2, "per": "day"}})
    assert send(client, account.domain).status_code == 200
    letter = f"From: ann@{account.domain}\r\nTo: bob@x.com\r\nSubject: Hi\r\n\r\nhello\r\n"
    with connected(server_url, f"postmaster@{account.domain}", account.api_key) as smtp:
        smtp.sendmail(f"ann@{account.domain}", ["bob@x.com"], letter)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.sendmail(f"ann@{account.domain}", ["bob@x.com"], letter)
    assert refused.value.smtp_code == 421
    said = bytes(refused.value.smtp_error).decode()  # type: ignore[arg-type]  # it is bytes in fact
    assert said.startswith(
        f"Domain {account.domain} is not allowed to send: recipient limit exceeded, try ag"
    )
    assert send(client, account.domain).status_code == 429
    assert accepted(client, account.domain) == 2


def test_a_quota_is_for_the_domains_it_names(client: Client, account: Account) -> None:
    add(client, match={"domain": "bulk.*"}, do={"quota": {"messages": 0, "per": "day"}})
    assert send(client, account.domain).status_code == 200
    client.post("/v4/domains", data={"name": f"bulk.{account.domain}"})
    assert send(client, f"bulk.{account.domain}").status_code == 429


def test_a_refused_message_leaves_no_quota_used_and_a_bad_one_none_either(
    client: Client, account: Account
) -> None:
    day = add(client, do={"quota": {"messages": 10, "per": "day"}})
    minute = add(client, do={"quota": {"messages": 1, "per": "minute"}})
    assert send(client, account.domain, "a@x.com", "b@x.com").status_code == 429
    assert send(client, account.domain, "nobody").status_code == 400
    assert (fault(client, day)["remaining"], fault(client, minute)["remaining"]) == (10, 1)


def test_a_quota_of_requests_opens_again_with_time(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "now"})
    quota = add(client, match={"path": "/v4/domains*"}, do={"quota": {"requests": 2, "per": "minute"}})
    left = [client.get("/v4/domains").headers["x-ratelimit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = client.get("/v4/domains")
    assert (refused.status_code, refused.json()) == (429, {"retry-seconds": 60})
    assert refused.headers["retry-after"] == "60"
    assert "x-ratelimit-limit" not in client.get("/v3/routes").headers
    client.post("/_emulator/clock", json={"advance": "59s"})
    assert client.get("/v4/domains").headers["retry-after"] == "1"
    client.post("/_emulator/clock", json={"advance": 1})
    assert client.get("/v4/domains").headers["x-ratelimit-remaining"] == "1"
    told = fault(client, quota)
    assert (told["seen"], told["hits"], told["remaining"]) == (5, 2, 1)


def test_requests_to_send_are_refused_in_the_words_for_messages(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "Mon, 20 Dec 2021 20:32:21 UTC"})
    add(client, do={"quota": {"requests": 1, "per": "minute"}})
    assert send(client, account.domain).status_code == 200
    refused = send(client, account.domain)
    assert refused.status_code == 429
    assert refused.json()["message"] == (
        f"Domain {account.domain} is not allowed to send: request limit exceeded, "
        "try again after Mon, 20 Dec 2021 20:33:21 UTC"
    )
    assert parsedate_to_datetime("Mon, 20 Dec 2021 20:33:21 UTC").timestamp() == 1640032401
    assert refused.headers["x-ratelimit-reset"] == "1640032401"


def test_faults_and_quotas_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    with (
        serving("--database", path) as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as client,
    ):
        add(client, match={"operation": "list_domains", "nth": 2}, do={"status": 500})
        add(client, do={"quota": {"messages": 2, "per": "day"}})
        assert client.get("/v4/domains").status_code == 200
        assert send(client, "mg.example.com").status_code == 200
    with (
        serving("--database", path) as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as client,
    ):
        assert client.get("/v4/domains").status_code == 500
        assert send(client, "mg.example.com").headers["x-recipient-remaining"] == "0"
        assert send(client, "mg.example.com").status_code == 429
        assert client.post("/_emulator/reset").status_code == 200
        assert client.get(PATH).json() == {"items": []}
        assert send(client, "mg.example.com").status_code == 200


def hooked(client: Client, account: Account, receiver: Receiver) -> str:
    url = receiver.url("/hook")
    made = client.post(f"/v3/domains/{account.domain}/webhooks", data={"id": "accepted", "url": url})
    assert made.status_code == 200, made.text
    return url


def attempts(client: Client) -> list[dict[str, Any]]:
    client.drain()
    (delivery,) = client.get("/_emulator/webhooks/deliveries").json()["items"]
    told = client.get(f"/_emulator/webhooks/deliveries/{delivery['id']}").json()
    return [attempt["response"] for attempt in told["attempts"]]


def test_a_webhook_is_answered_in_the_receivers_place_and_posted_again_later(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hooked(client, account, receiver)
    failing = add(
        client, match={"webhook": "http://127.0.0.1*/HOOK"}, do={"status": 503, "message": "Off"}, times=2
    )
    send(client, account.domain)
    (first,) = attempts(client)
    assert (first["status"], first["body"]) == (503, "Off")
    assert failing in first["headers"]["X-Mailgun-Emulator-Hint"]
    assert receiver.requests() == []
    client.post("/_emulator/clock", json={"advance": 300})
    assert receiver.requests() == []
    client.post("/_emulator/clock", json={"advance": 600})
    assert len(receiver.requests()) == 1
    assert [each["status"] for each in attempts(client)] == [503, 503, 200]
    assert client.get("/v4/domains").status_code == 200


def test_a_webhook_that_is_cut_off_is_posted_again_be_it_that_it_came(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hooked(client, account, receiver)
    add(client, match={"webhook": "*", "domain": account.domain}, do={"cut": True}, times=1)
    add(client, match={"webhook": "*"}, do={"cut": True, "after": True}, times=1)
    send(client, account.domain)
    (first,) = attempts(client)
    assert first["status"] == 0
    assert first["error"].startswith("Cut off by a fault")
    assert receiver.requests() == []
    client.post("/_emulator/clock", json={"advance": 300})
    assert len(receiver.requests()) == 1
    client.post("/_emulator/clock", json={"advance": 600})
    assert len(receiver.requests()) == 2
    assert [each["status"] for each in attempts(client)] == [0, 0, 200]


def test_a_webhook_is_posted_late(client: Client, account: Account, receiver: Receiver) -> None:
    hooked(client, account, receiver)
    add(client, match={"webhook": "*", "nth": 1}, do={"delay": 0.2})
    add(client, match={"webhook": "https://elsewhere/*"}, do={"status": 500})
    send(client, account.domain)
    (only,) = attempts(client)
    assert only["status"] == 200
    assert only["seconds"] >= 0.2
    assert len(receiver.requests()) == 1


def test_webhooks_of_other_accounts_are_posted(
    server_url: str, client: Client, account: Account, receiver: Receiver
) -> None:
    add(client, match={"webhook": "*"}, do={"status": 500})
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as neighbour:
        hooked(neighbour, other, receiver)
        send(neighbour, other.domain)
        neighbour.drain()
    assert len(receiver.requests()) == 1


def test_a_forwarded_mail_meets_faults_too(client: Client, account: Account, receiver: Receiver) -> None:
    url = receiver.url("/in")
    client.post("/v3/routes", data={"expression": "catch_all()", "action": f'forward("{url}")'})
    add(client, match={"webhook": url}, do={"status": 500}, times=1)
    received = {"from": "eve@x.com", "to": f"in@{account.domain}", "subject": "Hi", "text": "hello"}
    assert client.post("/_emulator/inbound", json=received).status_code == 200
    client.drain()
    failed = client.get(f"/v3/{account.domain}/events", params={"event": "failed"}).json()["items"]
    assert [event["delivery-status"]["code"] for event in failed] == [500]
    assert receiver.requests() == []
    client.post("/_emulator/clock", json={"advance": 600})
    assert len(receiver.requests()) == 1


def test_the_journal_tells_what_was_answered(client: Client, account: Account) -> None:
    add(client, do={"status": 503}, times=1)
    add(client, do={"cut": True}, times=1)
    send(client, account.domain)
    with pytest.raises(httpx2.RemoteProtocolError):
        send(client, account.domain)
    told = client.get("/_emulator/requests").json()["items"]
    assert [each["status"] for each in told] == [0, 503]
    assert [each["operation"] for each in told] == ["send_message", "send_message"]
    assert [each["hints"][0].partition(":")[0] for each in told] == [
        "Cut off by a fault",
        "Refused by a fault",
    ]
    refused = client.get(f"/_emulator/requests/{told[1]['id']}").json()
    assert refused["response"]["body"] == '{"message":"Service Unavailable"}\n'
    assert refused["request"]["fields"]["subject"] == ["Hi"]


def last_request(client: Client) -> dict[str, Any]:
    newest = client.get("/_emulator/requests").json()["items"][0]
    return dict(client.get(f"/_emulator/requests/{newest['id']}").json())


def test_the_journal_tells_what_went_over_the_wire(server_url: str, client: Client, account: Account) -> None:
    url = f"{server_url}/v3/{account.domain}/messages"

    def told(**done: Any) -> tuple[int, str, str | None]:
        add(client, do=done, times=1)
        try:
            heard = plain.post(url, data=message(account.domain), auth=("api", account.api_key)).text
        except httpx2.RemoteProtocolError:
            heard = ""
        entry = last_request(client)
        response = entry["response"]
        assert entry["request"]["fields"]["subject"] == ["Hi"]
        assert response["size"] == len(response["body"])
        if heard:
            assert response["body"] == heard
        return entry["status"], response["body"], response["headers"].get("content-length")

    assert told(cut=True, after=True) == (0, "", None)
    status, body, length = told(cut="half")
    assert status == 200
    assert body.startswith('{"id":"<')
    assert "Queued" not in body
    assert int(length or 0) > len(body)
    status, body, length = told(malformed=True)
    assert (status, length) == (200, str(len(body)))
    assert "Queued" not in body
    status, body, _ = told(slow=0.1, status=503)
    assert (status, body) == (503, '{"message":"Service Unavailable"}\n')


def test_who_does_not_wait_for_a_late_answer_is_journalled_as_not_answered(
    server_url: str, client: Client, account: Account
) -> None:
    add(client, do={"delay": 60})
    add(client, do={"slow": 60})
    for _ in range(2):
        with pytest.raises(httpx2.ReadTimeout):
            plain.get(f"{server_url}/v4/domains", timeout=0.2, auth=("api", account.api_key))
    while not (told := client.get("/_emulator/requests").json()["items"]):
        pass
    assert told[0]["status"] == 0
    assert 150 < told[0]["duration_ms"] < 30_000


def test_the_journal_has_the_headers_of_a_quota(client: Client, account: Account) -> None:
    add(client, do={"quota": {"messages": 5, "per": "hour"}})
    answer = send(client, account.domain)
    headers = last_request(client)["response"]["headers"]
    assert headers["x-recipient-remaining"] == answer.headers["x-recipient-remaining"] == "4"
    assert set(headers) == {name.lower() for name in answer.headers} - {"date", "server"}


def test_a_message_over_a_quota_makes_no_domain(client: Client, account: Account) -> None:
    quota = add(client, match={"domain": "new.*"}, do={"quota": {"messages": 1, "per": "day"}})
    name = f"new.{account.domain}"
    assert send(client, name, "a@x.com", "b@x.com").status_code == 429
    assert client.get(f"/v4/domains/{name}").status_code == 404
    assert fault(client, quota)["hits"] == 1
    assert send(client, name).status_code == 200
    assert client.get(f"/v4/domains/{name}").status_code == 200


def test_a_reason_refuses_what_is_sent_by_smtp_and_a_status_requests_alone(
    server_url: str, client: Client, account: Account
) -> None:
    letter = f"From: ann@{account.domain}\r\nTo: bob@x.com\r\nSubject: Hi\r\n\r\nhello\r\n"

    def submit() -> tuple[int, str]:
        with connected(server_url, f"postmaster@{account.domain}", account.api_key) as smtp:
            try:
                smtp.sendmail(f"ann@{account.domain}", ["bob@x.com"], letter)
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, bytes(refused.smtp_error).decode()  # type: ignore[arg-type]  # it is bytes in fact
        return 250, ""

    add(client, do={"status": 503})
    add(client, match={"operation": "send_message"}, do={"reason": "account-disabled"})
    add(client, match={"domain": "elsewhere.*"}, do={"reason": "account-disabled"})
    assert submit() == (250, "")
    client.delete(PATH)
    refusing = add(client, match={"domain": account.domain}, do={"reason": "probation"}, times=1)
    code, said = submit()
    assert code == 421
    assert said.startswith(f"Domain {account.domain} is not allowed to send: You are sending too fast.")
    assert fault(client, refusing)["hits"] == 1
    add(client, do={"reason": "large-batches", "message": "No, {domain}"})
    assert submit() == (550, "No, {domain}")
    client.delete(PATH)
    assert submit() == (250, "")
    assert accepted(client, account.domain) == 2
