"""Every `X-Mailgun-…` header field does by SMTP what its parameter does by HTTP."""

import re
from typing import Any, NamedTuple

import orjson
import pytest
from tests.conftest import Account, Client
from tests.sink import connected

HTML = '<html><body><p>Hi</p><a href="http://x.com/">x</a></body></html>'
PIXEL = '<img width="1px"'
FROZEN, TEN, NEXT_TEN = "2026-01-01T10:30:00Z", 1767261600, 1767348000
HALF_PAST_TWO = TEN + 4 * 3600 + 1800


class Sent(NamedTuple):
    """The message as its recipient gets it, and its events, the oldest first."""

    mime: str
    events: list[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.last["delivery-status"]
        return status


def send(
    client: Client,
    account: Account,
    url: str,
    *fields: str,
    to: tuple[str, ...] = ("bob@x.com",),
    kind: str = "html",
) -> Sent:
    head = [f"From: a@{account.domain}", f"To: {to[0]}", "Subject: Hi", "Mime-Version: 1.0"]
    content = "\r\n".join([*head, f"Content-Type: text/{kind}", *fields, "", HTML, ""])
    with connected(url, f"a@{account.domain}", account.api_key) as sender:
        sender.sendmail(f"a@{account.domain}", to, content)
    client.drain()
    asked = {"ascending": "yes", "begin": "1", "limit": "300"}
    events = client.get(f"/v3/{account.domain}/events", params=asked).json()["items"]
    message_id = [each for each in events if each["event"] == "accepted"][-1]["message"]["headers"][
        "message-id"
    ]
    own = [each for each in events if each["message"]["headers"]["message-id"] == message_id]
    read = client.get(own[0]["storage"]["url"], headers={"Accept": "message/rfc2822"})
    return Sent(read.json()["body-mime"], own)


def wait(client: Client, account: Account, time: str) -> None:
    client.post("/_emulator/clock", json={"advance": time}, params={"account": account.id})


@pytest.mark.parametrize(
    ("field", "shown", "hidden"),
    [
        ("Track: yes", (PIXEL, "/c/"), ("http://x.com/",)),
        ("Track: htmlonly", (PIXEL, "/c/"), ("http://x.com/",)),
        ("Track-Clicks: yes", ("/c/",), ("http://x.com/", PIXEL)),
        ("Track-Opens: yes", ("http://x.com/", PIXEL), ("/c/",)),
        ("Dkim: yes", ("DKIM-Signature:",), ()),
        ("DKIM: no", ("http://x.com/",), ("DKIM-Signature:", PIXEL)),
        ("Tag: one", ("X-Mailgun-Tag: one",), ()),
        ("Suppress-Headers: X-Mailgun-Sid", (), ("X-Mailgun-Sid:",)),
    ],
)
def test_the_recipient_sees_it(
    client: Client,
    account: Account,
    server_url: str,
    field: str,
    shown: tuple[str, ...],
    hidden: tuple[str, ...],
) -> None:
    mime = send(client, account, server_url, f"X-Mailgun-{field}").mime
    assert [each for each in shown if each not in mime] == []
    assert [each for each in hidden if each in mime] == []


def test_it_goes_out_by_the_ip_or_the_pool_asked_for(
    client: Client, account: Account, server_url: str
) -> None:
    for _ in range(2):
        client.post("/v3/ips/request/new")
    one, two = client.get("/v3/ips", params={"dedicated": "true"}).json()["items"]
    pool_id = client.post("/v3/ip_pools", data={"name": "News", "ip": two}).json()["pool_id"]
    by_ip = send(client, account, server_url, f"X-Mailgun-Sending-Ip: {one}")
    assert f"X-Mailgun-Sending-Ip: {one}\r\n" in by_ip.mime
    assert by_ip.last["envelope"]["sending-ip"] == one
    by_pool = send(client, account, server_url, f"X-Mailgun-Sending-Ip-Pool: {pool_id}")
    told = f"X-Mailgun-Sending-Ip-Pool: {pool_id}\r\nX-Mailgun-Sending-Ip: {two}\r\n"
    assert f"X-Mailgun-Sending-Ip-Pool-Name: News\r\n{told}" in by_pool.mime
    assert by_pool.last["envelope"]["i-ip-pool-id"] == pool_id


def test_the_pixel_stands_where_it_is_asked_for(client: Client, account: Account, server_url: str) -> None:
    opens, top = "X-Mailgun-Track-Opens: yes", "X-Mailgun-Track-Pixel-Location-Top: yes"
    for fields, is_first in (((opens,), False), ((opens, top), True)):
        mime = send(client, account, server_url, *fields).mime
        assert (mime.index(PIXEL) < mime.index("<p>Hi</p>")) is is_first


def test_no_beats_what_the_domain_says(client: Client, account: Account, server_url: str) -> None:
    for kind in ("open", "click"):
        client.put(f"/v3/domains/{account.domain}/tracking/{kind}", data={"active": "yes"})
    mime = send(client, account, server_url).mime
    assert (PIXEL in mime, "http://x.com/" in mime) == (True, False)
    mime = send(client, account, server_url, "X-Mailgun-Track: no").mime
    assert (PIXEL in mime, "http://x.com/" in mime) == (False, True)


@pytest.mark.parametrize(
    ("field", "to", "code"),
    [
        ("Require-TLS: yes", "notls@example.com", 454),
        ("Require-TLS: no", "notls@example.com", 250),
        ("Require-TLS: yes", "badcert@example.com", 454),
        ("Require-TLS: yes\r\nX-Mailgun-Skip-Verification: yes", "badcert@example.com", 250),
        ("Drop-Message: yes", "bounce@example.com", 650),
        ("Drop-Message: no", "bounce@example.com", 550),
    ],
)
def test_delivery_ends_as_it_says(
    client: Client, account: Account, server_url: str, field: str, to: str, code: int
) -> None:
    sent = send(client, account, server_url, f"X-Mailgun-{field}", to=(to,))
    assert sent.status["code"] == code


def test_delivery_is_given_up_when_it_says(client: Client, account: Account, server_url: str) -> None:
    send(client, account, server_url, "X-Mailgun-Deliver-Within: 15m", to=("deferred+9@example.com",))
    wait(client, account, "1h")
    told = client.get(f"/v3/{account.domain}/events", params={"event": "failed"}).json()["items"]
    assert [(each["reason"], each["severity"]) for each in told] == [
        ("old", "permanent"),
        ("generic", "temporary"),
    ]


def test_delivery_comes_when_it_says(client: Client, account: Account, server_url: str) -> None:
    """By `Deliver-By`, at that time of the day, or in the hour in which the recipient reads."""
    client.post("/_emulator/clock", json={"freeze": FROZEN}, params={"account": account.id})
    reader = ("opened@example.com",)
    assert (
        send(client, account, server_url, "X-Mailgun-Track-Opens: yes", to=reader).last["event"] == "opened"
    )
    wait(client, account, "2h")
    for field, at in (
        ("Deliver-By: Thu, 01 Jan 2026 20:00:00 GMT", TEN + 10 * 3600),
        ("Time-Zone-Localize: 14:30", HALF_PAST_TWO),
        ("Time-Zone-Localize: 02:30pm", HALF_PAST_TWO),
        ("Delivery-Time-Optimize-Period: 24h", NEXT_TEN),
    ):
        (accepted,) = send(client, account, server_url, f"X-Mailgun-{field}", to=reader).events
        assert (accepted["event"], accepted["message"]["scheduled-for"]) == ("accepted", at)


def test_another_key_may_sign_besides(client: Client, account: Account, server_url: str) -> None:
    made = {"signing_domain": account.domain, "selector": "second"}
    assert client.post("/v1/dkim/keys", data=made).status_code == 200
    field = f"X-Mailgun-Secondary-DKIM: {account.domain}/second"
    for fields, signed_by in (
        ((field,), (account.domain, "second")),
        ((field, "X-Mailgun-Secondary-DKIM-Public: else.net/alias"), ("else.net", "alias")),
    ):
        unfolded = send(client, account, server_url, *fields).mime.replace("\r\n ", " ")
        found = re.findall(r"^DKIM-Signature:.*? d=([^;]+);.*? s=([^;]+);", unfolded, re.MULTILINE)
        assert len(found) == 2
        assert signed_by in found


def test_a_template_is_chosen_by_name_and_version(client: Client, account: Account, server_url: str) -> None:
    path = f"/v3/{account.domain}/templates"
    client.post(path, data={"name": "hello", "template": "<p>one {{name}}</p>", "tag": "v1"})
    client.post(f"{path}/hello/versions", data={"template": "<p>two {{name}}</p>", "tag": "v2"})
    named = ("X-Mailgun-Template-Name: hello", 'X-Mailgun-Template-Variables: {"name": "Bob"}')
    assert "<p>one Bob</p>" in send(client, account, server_url, *named).mime
    both = (*named, "X-Mailgun-Template-Version: v2")
    assert "<p>two Bob</p>" in send(client, account, server_url, *both).mime


def test_variables_are_told(client: Client, account: Account, server_url: str) -> None:
    fields = ('X-Mailgun-Variables: {"a": "1"}', "X-Mailgun-Tag: one", "X-Mailgun-Tag: two")
    last = send(client, account, server_url, *fields).last
    assert (last["user-variables"], last["tags"]) == ({"a": "1"}, ["one", "two"])


def test_each_recipient_has_a_copy(client: Client, account: Account, server_url: str) -> None:
    values = orjson.dumps({"bob@x.com": {"n": "1"}, "cy@x.com": {"n": "2"}}).decode()
    sent = send(
        client, account, server_url, f"X-Mailgun-Recipient-Variables: {values}", to=("bob@x.com", "cy@x.com")
    )
    assert "Recipient-Variables" not in sent.mime
    assert len({each["storage"]["key"] for each in sent.events}) == 2
