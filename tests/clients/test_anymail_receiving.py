"""Webhooks and forwards that the emulator posts to anymail's views in a Django site."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from tests import plain
from tests.clients import django_site
from tests.clients.django_site import Site
from tests.conftest import Account, Client, serving

PNG = b"\x89PNG\r\n\x1a\n"
TRACKED = (
    "delivered",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "temporary_fail",
    "permanent_fail",
)


class Desk(NamedTuple):
    client: Client
    account: Account
    site: Site

    def send(self, to: str, **more: Any) -> str:
        """Send a message; its id in brackets."""
        data = {
            "from": f"ann@{self.account.domain}",
            "to": to,
            "subject": "Hi",
            "html": '<a href="https://example.com/offer">Go</a>',
            "o:tag": ["one", "two"],
            "o:tracking": "yes",
            "v:order": "7",
            **more,
        }
        sent = self.client.post(f"/v3/{self.account.domain}/messages", data=data).json()
        self.client.drain()
        return str(sent["id"])

    def make(self, message_id: str, event: str, **more: Any) -> None:
        path = f"/_emulator/messages/{message_id[1:-1]}/events"
        answer = self.client.post(path, json={"event": event, **more})
        assert answer.status_code == 200, answer.text
        self.client.drain()

    def states(self) -> set[str]:
        """What became of all webhooks."""
        items = self.client.get("/_emulator/webhooks/deliveries").json()["items"]
        return {item["state"] for item in items}


@contextmanager
def working(url: str, account: Account, client: Client) -> Iterator[Desk]:
    """At a desk whose account posts to a Django site."""
    with django_site.settings_for(url, account), django_site.serving() as site:
        hook = {"url": site.url("tracking"), "event_types": TRACKED}
        assert client.post("/v1/webhooks", data=hook).status_code == 200
        yield Desk(client, account, site)
        client.drain()  # what is still being posted is no event of the next test, which has the same signals


@pytest.fixture
def desk(server_url: str, account: Account, client: Client) -> Iterator[Desk]:
    with working(server_url, account, client) as desk:
        yield desk


def kinds(desk: Desk) -> list[str]:
    return [event.event_type for event in desk.site.tracked]


def test_a_message_is_tracked_from_sending_to_complaint(desk: Desk) -> None:
    sent = desk.send("bob@x.com")
    for event, more in (
        ("opened", {"user_agent": "Mozilla/5.0"}),
        ("clicked", {"url": "https://example.com/offer"}),
        ("unsubscribed", {}),
        ("complained", {}),
    ):
        desk.make(sent, event, **more)
    assert kinds(desk) == ["delivered", "opened", "clicked", "unsubscribed", "complained"]
    for event in desk.site.tracked:
        assert (event.recipient, event.message_id) == ("bob@x.com", sent)
        whole = (
            event.event_type == "unsubscribed"
        )  # from all mail of the domain, and Mailgun tells this as a tag
        assert (event.tags, event.metadata) == (["*"] if whole else ["one", "two"], {"order": "7"})
        assert event.timestamp.utcoffset().total_seconds() == 0
    assert len({event.event_id for event in desk.site.tracked}) == 5
    delivered, opened, clicked, *_ = desk.site.tracked
    assert delivered.mta_response == "OK"
    assert (opened.user_agent, clicked.click_url) == ("Mozilla/5.0", "https://example.com/offer")
    assert desk.states() == {"done"}


def test_bounces_deferrals_and_suppressions_are_told(desk: Desk) -> None:
    desk.send("bounce@example.com")
    desk.send("bounce@example.com")
    desk.send("softbounce@example.com")
    bounced, suppressed, deferred = desk.site.tracked
    assert kinds(desk) == ["bounced", "bounced", "deferred"]
    assert (bounced.reject_reason, suppressed.reject_reason) == ("bounced", "bounced")
    assert bounced.mta_response
    assert (suppressed.mta_response, suppressed.description) == (
        "",
        "Not delivering to previously bounced address",
    )
    assert deferred.reject_reason == "other"


def test_a_real_click_is_told(desk: Desk) -> None:
    sent = desk.send("bob@x.com")
    event = desk.client.get(f"/v3/{desk.account.domain}/events", params={"event": "delivered"}).json()[
        "items"
    ][0]
    html = desk.client.get(event["storage"]["url"]).json()["body-html"]
    followed = plain.get(html.partition('href="')[2].partition('"')[0])
    assert followed.headers["Location"] == "https://example.com/offer"
    desk.client.drain()
    clicked = desk.site.tracked[-1]
    assert (clicked.event_type, clicked.message_id, clicked.recipient) == ("clicked", sent, "bob@x.com")
    assert clicked.click_url == "https://example.com/offer"


def post_signed(desk: Desk, event: dict[str, Any], key: str, login: str | None = None) -> int:
    """Post an event as Mailgun does, signed with a key."""
    token, at = "t" * 50, "1600000000"
    signature = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    body = {"signature": {"token": token, "timestamp": at, "signature": signature}, "event-data": event}
    url = desk.site.url("tracking") if login is None else desk.site.url("tracking", login)
    return plain.post(url, json=body).status_code


def test_webhooks_are_let_in_by_signature_and_login(desk: Desk) -> None:
    desk.send("bob@x.com")
    event = desk.client.get(f"/v3/{desk.account.domain}/events").json()["items"][0]
    assert post_signed(desk, event, desk.account.signing_key) == 200
    assert post_signed(desk, event, "key-of-another") == 400
    assert post_signed(desk, event, desk.account.signing_key, login="") == 400


def test_a_rejection_is_understood_and_no_webhook_tells_it() -> None:
    """Mailgun has webhooks for all events that anymail knows but this; who asks for it reads the events."""
    with serving("--strict") as server, Client(base_url=server.url) as client:
        account = Account(**client.post("/_emulator/accounts").json())
        client.auth = ("api", account.api_key)
        domains = client.get("/v4/domains").json()["items"]
        sandbox = next(item["name"] for item in domains if item["type"] == "sandbox")
        with working(server.url, account._replace(domain=sandbox), client) as desk:
            about = {"from": f"ann@{sandbox}", "to": "bob@x.com", "subject": "Hi", "text": "x"}
            assert client.post(f"/v3/{sandbox}/messages", data=about).status_code == 403
            client.drain()
            assert desk.site.tracked == []
            [event] = client.get(f"/v3/{sandbox}/events").json()["items"]
            assert post_signed(desk, event, account.signing_key) == 200
            [rejected] = desk.site.tracked
    assert (rejected.event_type, rejected.reject_reason) == ("rejected", "other")
    assert (rejected.recipient, rejected.description) == ("bob@x.com", event["reject"]["reason"])


def test_webhooks_signed_by_another_account_are_refused_and_tried_again(desk: Desk, server_url: str) -> None:
    wrong = desk.account._replace(signing_key="key-of-another")
    with django_site.settings_for(server_url, wrong):
        desk.send("bob@x.com")
        assert desk.site.tracked == []
        assert desk.states() == {"pending"}
    desk.client.post("/_emulator/clock", json={"advance": "10m"})
    desk.client.drain()
    assert kinds(desk) == ["delivered"]
    assert desk.states() == {"done"}


INBOUND = {
    "from": "Bob <bob@x.com>",
    "subject": "Grüße",
    "text": "Thanks\n\nOn Monday Ann wrote:\n> Hi",
    "html": '<p>Thanks</p><img src="cid:logo.png">',
    "h:X-Kind": "inbound",
}
FILES = [
    ("attachment", ("Übersicht.csv", "a,ü".encode(), "text/csv")),
    ("attachment", ("bytes.bin", bytes(range(256)), "application/octet-stream")),
    ("inline", ("logo.png", PNG, "image/png")),
]


@pytest.mark.parametrize("view", ["inbound", "inbound_mime"])
def test_a_forwarded_mail_is_received(desk: Desk, view: str) -> None:
    to = f"help@{desk.account.domain}"
    forward = f'forward("{desk.site.url(view)}")'
    desk.client.post("/v3/routes", data={"expression": f'match_recipient("{to}")', "action": forward})
    took = desk.client.post("/_emulator/inbound", data={**INBOUND, "to": f"Help <{to}>"}, files=FILES)
    assert took.status_code == 200, took.text
    desk.client.drain()
    [event] = desk.site.received
    mail = event.message
    assert (event.event_type, event.esp_event.method) == ("inbound", "POST")
    assert (mail.envelope_sender, mail.envelope_recipient) == ("bob@x.com", to)
    assert (mail.from_email.addr_spec, mail.from_email.display_name) == ("bob@x.com", "Bob")
    assert ([each.addr_spec for each in mail.to], mail.subject) == ([to], "Grüße")
    assert (mail["X-Kind"], mail.spam_detected) == ("inbound", False)
    assert mail.text.replace("\r\n", "\n").strip() == INBOUND["text"]
    assert mail.html.strip() == INBOUND["html"]
    if view == "inbound":
        assert mail.stripped_text.strip() == "Thanks"
    attached = {each.get_filename(): each.get_content_bytes() for each in mail.attachments}
    assert attached == {"Übersicht.csv": "a,ü".encode(), "bytes.bin": bytes(range(256))}
    assert {cid: each.get_content_bytes() for cid, each in mail.content_id_map.items()} == {"logo.png": PNG}
    assert desk.site.tracked == []


def test_a_forward_to_the_wrong_view_is_an_error(desk: Desk) -> None:
    to = f"help@{desk.account.domain}"
    forward = f'forward("{desk.site.url("tracking")}")'
    desk.client.post("/v3/routes", data={"expression": f'match_recipient("{to}")', "action": forward})
    desk.client.post("/_emulator/inbound", data={**INBOUND, "to": to})
    desk.client.drain()
    assert (desk.site.received, kinds(desk)) == ([], ["deferred"])  # that it failed is told, too
