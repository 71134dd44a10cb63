"""Mail comes in, and routes hand it on: to a real HTTP server, to other addresses, to mailing lists, into the store."""

import hashlib
import hmac
import json
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import Any

import pytest
from tests.conftest import Account, Client
from tests.receiver import Received, Receiver, dead_url
from tests.sink import connected

REPLY = "Yes, please.\n\nOn Mon, Ann wrote:\n> Shall we?\n\n-- \nBob"
Filed = tuple[str, str, bytes]


def add_route(client: Client, *actions: str, expression: str = "catch_all()", **given: Any) -> None:
    made = client.post("/v3/routes", data={"expression": expression, "action": actions, **given})
    assert made.status_code == 200, made.text


def mail(to: str, text: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Bob <bob@x.com>"
    message["To"] = to
    message["Subject"] = "Grüße"
    message["Message-Id"] = "<one@x.com>"
    message["X-Twice"] = "1"
    message["X-Twice"] = "2"
    message.set_content(text)
    return message


def come_in(client: Client, message: EmailMessage) -> Any:
    answer = client.post(
        "/_emulator/inbound", content=message.as_bytes(), headers={"Content-Type": "message/rfc822"}
    )
    assert answer.status_code == 200, answer.text
    client.drain()
    return answer.json()["recipients"]


def events(client: Client, account: Account, **filters: str) -> list[Any]:
    asked = {"ascending": "yes", "begin": "1", **filters}
    items: list[Any] = client.get(f"/v3/{account.domain}/events", params=asked).json()["items"]
    return items


def parts_of(posted: Received) -> list[Message]:
    head = f"Content-Type: {posted.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + posted.body).get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def fields_of(posted: Received) -> dict[str, str]:
    """Of a multipart form, but for its files."""
    found = {}
    for part in parts_of(posted):
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename() is None:
            found[str(part.get_param("name", header="Content-Disposition"))] = data.decode()
    return found


def files_of(posted: Received) -> dict[str, Filed]:
    found = {}
    for part in parts_of(posted):
        data = part.get_payload(decode=True)
        name = part.get_filename()
        if name is not None and isinstance(data, bytes):
            field = str(part.get_param("name", header="Content-Disposition"))
            found[field] = (name, part.get_content_type(), data)
    return found


def is_signed(account: Account, form: dict[str, Any]) -> bool:
    timestamp, token, signature = (
        value[0] if isinstance(value, list) else value
        for value in (form["timestamp"], form["token"], form["signature"])
    )
    assert (len(token), timestamp.isdigit()) == (50, True)
    made = hmac.new(account.signing_key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
    return bool(made.hexdigest() == signature)


def test_a_mail_is_taken_apart_and_posted(client: Client, account: Account, receiver: Receiver) -> None:
    add_route(client, f'forward("{receiver.url("/in")}")')
    team = f"team@{account.domain}"
    come_in(client, mail(team, REPLY))
    (posted,) = receiver.requests()
    assert (posted.method, posted.path) == ("POST", "/in")
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    assert posted.headers["user-agent"].startswith("mailgun/treq-")
    form = posted.form()
    assert is_signed(account, form)
    assert (form["recipient"], form["sender"], form["from"]) == ([team], ["bob@x.com"], ["Bob <bob@x.com>"])
    assert form["subject"] == form["Subject"] == ["Grüße"]
    assert (form["To"], form["X-Twice"], form["Message-Id"]) == ([team], ["1", "2"], ["<one@x.com>"])
    assert (form["X-Mailgun-Incoming"], form["X-Envelope-From"]) == (["Yes"], ["<bob@x.com>"])
    assert form["body-plain"][0].splitlines() == REPLY.splitlines()
    assert form["stripped-text"][0].strip() == "Yes, please."
    assert form["stripped-signature"][0].splitlines() == ["-- ", "Bob"]
    headers = json.loads(form["message-headers"][0])
    assert [value for name, value in headers if name == "X-Twice"] == ["1", "2"]
    assert not {"attachment-count", "content-id-map", "body-html", "stripped-html"} & form.keys()
    names = [pair.partition("=")[0] for pair in posted.body.decode().split("&")]
    assert names[:4] == ["recipient", "sender", "subject", "from"]
    assert names[-3:] == ["timestamp", "token", "signature"]


def test_files_are_posted_along(client: Client, account: Account, receiver: Receiver) -> None:
    add_route(client, f'forward("{receiver.url("/in")}")')
    message = mail(f"team@{account.domain}")
    message.add_alternative('<p>Hello <img src="cid:logo"></p>', subtype="html")
    message.add_attachment(b"\x00\x01\r\n--x", "application", "pdf", filename='größe "1".pdf')
    message.add_attachment(b"png", "image", "png", filename="logo.png", cid="<logo>", disposition="inline")
    come_in(client, message)
    (posted,) = receiver.requests()
    assert posted.headers["content-type"].startswith("multipart/form-data; boundary=")
    form = fields_of(posted)
    assert is_signed(account, form)
    assert form["attachment-count"] == "2"
    assert json.loads(form["content-id-map"]) == {"<logo>": "attachment-2"}
    assert "<p>Hello" in form["body-html"]
    assert form["stripped-html"] == form["body-html"]
    files = files_of(posted)
    assert list(files) == ["attachment-1", "attachment-2"]
    assert files["attachment-1"][1:] == ("application/pdf", b"\x00\x01\r\n--x")
    assert 'filename="größe %221%22.pdf"'.encode() in posted.body
    assert files["attachment-2"] == ("logo.png", "image/png", b"png")


def test_a_url_that_ends_in_mime_gets_the_mail_as_it_is(
    client: Client, account: Account, receiver: Receiver
) -> None:
    add_route(client, f'forward("{receiver.url("/rails/mime")}")')
    come_in(client, mail(f"team@{account.domain}"))
    form = receiver.requests("/rails/mime")[0].form()
    assert is_signed(account, form)
    assert (form["sender"], form["Subject"]) == (["bob@x.com"], ["Grüße"])
    received = message_from_bytes(form["body-mime"][0].encode())
    assert (received["X-Mailgun-Incoming"], received.get_all("X-Twice")) == ("Yes", ["1", "2"])
    assert not {"body-plain", "stripped-text", "message-headers"} & form.keys()


def test_a_header_field_can_not_pass_for_one_of_ours(
    client: Client, account: Account, receiver: Receiver
) -> None:
    add_route(client, f'forward("{receiver.url("/in")}")')
    message = mail(f"team@{account.domain}")
    for name in ("signature", "timestamp", "recipient", "body-plain"):
        message[name] = "forged"
    come_in(client, message)
    form = receiver.requests()[0].form()
    assert is_signed(account, form)
    assert "forged" not in [*form["signature"], *form["recipient"], *form["body-plain"], *form["timestamp"]]


def test_what_was_caught_is_used_in_the_url(client: Client, account: Account, receiver: Receiver) -> None:
    add_route(
        client,
        f'forward("{receiver.url("/")}posts/\\g<id>?tag=\\2")',
        expression='match_recipient("reply\\+(?P<id>[0-9]+)(?:-(.*))?@")',
    )
    come_in(client, mail(f"Reply+42-a b@{account.domain}".replace(" ", "=")))
    assert [each.path for each in receiver.requests()] == ["/posts/42?tag=a=b"]


def test_mail_with_a_file_comes_in_by_smtp_and_is_posted(
    client: Client, account: Account, receiver: Receiver, server_url: str
) -> None:
    add_route(
        client,
        f'forward("{receiver.url("/tickets/")}\\1")',
        "stop()",
        expression='match_recipient("ticket\\+(.*)@")',
    )
    message = mail(f"Ticket <ticket+7@{account.domain}>")
    message.add_attachment(b"%PDF", "application", "pdf", filename="bill.pdf")
    with connected(server_url) as bringer:
        bringer.send_message(message, "bounces@x.com", [f"ticket+7@{account.domain}"])
    client.drain()
    (posted,) = receiver.requests("/tickets/7")
    form = fields_of(posted)
    assert is_signed(account, form)
    assert (form["sender"], form["recipient"]) == ("bounces@x.com", f"ticket+7@{account.domain}")
    assert files_of(posted) == {"attachment-1": ("bill.pdf", "application/pdf", b"%PDF")}


def test_what_is_stored_is_told(client: Client, account: Account, receiver: Receiver) -> None:
    add_route(client, f'store(notify="{receiver.url("/stored")}")')
    message = mail(f"team@{account.domain}")
    message.add_attachment(b"text", "text", "plain", filename="a.txt", cid="<a>")
    (taken,) = come_in(client, message)
    form = receiver.requests("/stored")[0].form()
    assert is_signed(account, form)
    url = taken["storage"]["url"]
    assert (form["domain"], form["message-url"]) == ([account.domain], [url])
    assert json.loads(form["attachments"][0]) == [
        {"url": f"{url}/attachments/0", "content-type": "text/plain", "name": "a.txt", "size": 4}
    ]
    assert json.loads(form["content-id-map"][0]) == {"<a>": f"{url}/attachments/0"}
    assert client.get(f"{url}/attachments/0").content == b"text"
    assert form["body-plain"][0].strip() == client.get(url).json()["body-plain"].strip() == "Hello"


def test_events_tell_the_way_of_a_routed_mail(client: Client, account: Account, receiver: Receiver) -> None:
    url = receiver.url("/in")
    add_route(client, f'forward("{url}, ann@y.com")', description="Ours", priority=7)
    team = f"team@{account.domain}"
    come_in(client, mail(team))
    told = events(client, account)
    assert sorted((each["event"], each["recipient"]) for each in told) == [
        ("accepted", "ann@y.com"),
        ("accepted", url),
        ("accepted", team),
        ("delivered", "ann@y.com"),
        ("delivered", url),
    ]
    by = {(each["event"], each["recipient"]): each for each in told}
    route = by["accepted", url]["routes"][0]
    assert route == {
        "id": route["id"],
        "expression": "catch_all()",
        "priority": 7,
        "description": "Ours",
        "match": {"recipient": team},
    }
    assert [by["accepted", each]["flags"]["is-routed"] for each in (team, url, "ann@y.com")] == [
        False,
        True,
        True,
    ]
    posted, sent = by["delivered", url], by["delivered", "ann@y.com"]
    assert posted["envelope"] == {"sender": "bob@x.com", "transport": "http", "targets": url}
    assert (posted["delivery-status"]["code"], posted["delivery-status"]["message"]) == (200, "OK")
    assert posted["recipient-domain"] == "127.0.0.1"
    assert (sent["envelope"]["transport"], sent["envelope"]["sender"]) == ("smtp", "bob@x.com")
    assert (sent["flags"]["is-routed"], sent["flags"]["is-authenticated"]) == (True, False)
    path = f"/v3/{account.domain}/stats/total?event=accepted&event=delivered&duration=1d"
    today = client.get(path).json()["stats"][-1]
    assert today["accepted"] == {"incoming": 3, "outgoing": 0, "total": 3}
    assert (today["delivered"]["http"], today["delivered"]["smtp"]) == (1, 1)


def test_a_url_that_fails_is_posted_to_again(client: Client, account: Account, receiver: Receiver) -> None:
    receiver.answer("/in", 503, 500, 200)
    client.post("/_emulator/clock", json={"freeze": "2026-01-01T00:00:00Z"})
    add_route(client, f'forward("{receiver.url("/in")}")')
    come_in(client, mail(f"team@{account.domain}"))
    client.post("/_emulator/clock", json={"advance": "9h"})
    tokens = {each.form()["token"][0] for each in receiver.requests()}
    assert len(tokens) == len(receiver.requests()) == 3
    assert [each.form()["timestamp"][0] for each in receiver.requests()] == [
        str(1767225600 + after) for after in (0, 600, 1500)
    ]
    told = events(client, account, event="failed OR delivered")
    assert [(each["event"], each["delivery-status"]["code"]) for each in told] == [
        ("failed", 503),
        ("failed", 500),
        ("delivered", 200),
    ]
    assert [each["severity"] for each in told[:2]] == ["temporary", "temporary"]
    assert [each["delivery-status"]["retry-seconds"] for each in told[:2]] == [600, 900]
    assert told[0]["delivery-status"]["message"] == "Service Unavailable"


def test_after_eight_hours_posting_is_given_up(client: Client, account: Account) -> None:
    with dead_url() as url:
        client.post("/_emulator/clock", json={"freeze": "2026-01-01T00:00:00Z"})
        add_route(client, f'forward("{url}")', f'store(notify="{url}")')
        come_in(client, mail(f"team@{account.domain}"))
        client.post("/_emulator/clock", json={"advance": "9h"})
        told = events(client, account, event="failed")
    assert [each["severity"] for each in told] == ["temporary"] * 6 + ["permanent"]
    last = told[-1]
    assert (last["reason"], last["log-level"]) == ("old", "error")
    status = last["delivery-status"]
    assert (status["attempt-no"], status["code"], status["message"]) == (7, 602, "Too old")
    assert status["last-code"] == 499
    assert last["timestamp"] - told[0]["timestamp"] == 28500


def test_406_is_the_end(client: Client, account: Account, receiver: Receiver) -> None:
    receiver.answer("/in", 406)
    add_route(client, f'forward("{receiver.url("/in")}")')
    come_in(client, mail(f"team@{account.domain}"))
    client.post("/_emulator/clock", json={"advance": "9h"})
    assert len(receiver.requests()) == 1
    (failed,) = events(client, account, event="failed")
    assert (failed["severity"], failed["reason"]) == ("permanent", "generic")
    assert failed["delivery-status"]["code"] == 406


def test_a_routed_copy_meets_the_fate_of_its_recipient(client: Client, account: Account) -> None:
    add_route(client, 'forward("bounce@example.com")', "forward('nobody')")
    come_in(client, mail(f"team@{account.domain}"))
    told = {each["recipient"]: each for each in events(client, account, event="failed")}
    assert told["bounce@example.com"]["delivery-status"]["code"] == 550
    assert told["bounce@example.com"]["flags"]["is-routed"]
    assert told["nobody"]["delivery-status"]["message"] == "nobody is neither an address nor a URL"


def test_the_host_of_a_url_is_never_caught(client: Client, account: Account) -> None:
    add_route(client, r'forward("http://\1.invalid/\1")', expression='match_recipient("(.*)@")')
    (taken,) = come_in(client, mail(f"team@{account.domain}"))
    assert taken["done"][0]["target"] == r"http://\1.invalid/team"
    (failed,) = events(client, account, event="failed")
    assert failed["severity"] == "temporary"


def test_a_domain_that_is_deleted_forwards_no_more(
    client: Client, account: Account, receiver: Receiver
) -> None:
    receiver.answer("/in", 503)
    add_route(client, f'forward("{receiver.url("/in")}")')
    come_in(client, mail(f"team@{account.domain}"))
    assert client.delete(f"/v3/domains/{account.domain}").status_code == 200
    client.post("/_emulator/clock", json={"advance": "9h"})
    assert len(receiver.requests()) == 1


@pytest.mark.parametrize(("access", "kind"), [("everyone", "delivered"), ("readonly", "failed")])
def test_a_mailing_list_takes_what_it_lets_in(
    client: Client, account: Account, receiver: Receiver, access: str, kind: str
) -> None:
    add_route(client, f'forward("{receiver.url("/in")}")')
    devs = f"devs@{account.domain}"
    assert client.post("/v3/lists", data={"address": devs, "access_level": access}).status_code == 200
    client.post(f"/v3/lists/{devs}/members", data={"address": "ann@y.com"})
    (taken,) = come_in(client, mail(devs))
    assert [each["action"] for each in taken["done"]] == ["forward", "post"]
    assert len(receiver.requests("/in")) == 1
    recipient = "ann@y.com" if kind == "delivered" else devs
    assert [each["event"] for each in events(client, account, recipient=recipient)][-1] == kind


def test_what_the_account_sends_to_itself_goes_the_way_of_its_routes(
    client: Client, account: Account, receiver: Receiver, server_url: str
) -> None:
    """By HTTP and by SMTP alike, and on to a second address of its own."""
    team, desk = f"team@{account.domain}", f"desk@{account.domain}"
    add_route(client, f'forward("{desk}")', expression='match_recipient("team@")')
    add_route(client, f'forward("{receiver.url("/desk")}")', expression='match_recipient("desk@")')
    fields = {
        "from": f"Ann <ann@{account.domain}>",
        "to": [team, "bob@y.com"],
        "subject": "Hi",
        "text": "Hello",
    }
    files = {"attachment": ("a.txt", b"text", "text/plain")}
    assert client.post(f"/v3/{account.domain}/messages", data=fields, files=files).status_code == 200
    with connected(server_url, f"ann@{account.domain}", account.api_key) as sender:
        sender.send_message(mail(team))
    client.drain()
    by_http, by_smtp = receiver.requests("/desk")
    form = fields_of(by_http)
    assert is_signed(account, form)
    assert (form["recipient"], form["sender"]) == (desk, f"ann@{account.domain}")
    assert form["To"] == f"{team}, bob@y.com"
    assert files_of(by_http)["attachment-1"] == ("a.txt", "text/plain", b"text")
    assert f"d={account.domain}" in form["Dkim-Signature"]
    assert by_smtp.form()["subject"] == ["Grüße"]
    told = [(each["event"], each["recipient"]) for each in events(client, account, recipient=desk)]
    assert sorted(told) == [("accepted", desk)] * 4 + [("delivered", desk)] * 2


def test_what_is_stored_can_be_sent_on(client: Client, account: Account) -> None:
    add_route(client, "store()")
    (taken,) = come_in(client, mail(f"team@{account.domain}"))
    sent = client.post(taken["storage"]["url"], data={"to": "eve@y.com"})
    assert sent.json()["message"] == "Queued. Thank you."
    client.drain()
    (delivered,) = events(client, account, event="delivered")
    assert (delivered["recipient"], delivered["flags"]["is-routed"]) == ("eve@y.com", False)


def test_draining_does_what_follows_from_what_was_under_way(
    client: Client, account: Account, receiver: Receiver
) -> None:
    """The worker posts already when the drain is asked for, and more becomes due by what it is answered."""
    to = f"help@{account.domain}"
    receiver.answer("/mail", 500)
    receiver.delay("/mail", 0.1)
    client.post("/v1/webhooks", data={"url": receiver.url("/hook"), "event_types": "temporary_fail"})
    client.post(
        "/v3/routes",
        data={"expression": f'match_recipient("{to}")', "action": f'forward("{receiver.url("/mail")}")'},
    )
    client.post("/_emulator/inbound", data={"from": "bob@x.com", "to": to, "subject": "Hi", "text": "Hi"})
    receiver.wait_for(1, "/mail")
    client.drain()
    assert len(receiver.requests("/hook")) == 1
