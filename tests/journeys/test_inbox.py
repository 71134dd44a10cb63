"""Messages of every way of sending are in the inbox, whatever they are made of."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import httpx2
import pytest
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

INBOX = "/_emulator/messages"


def listed(client: Client, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(INBOX, params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def read(client: Client, name: str) -> dict[str, Any]:
    answer = client.get(f"{INBOX}/{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def send_mime(client: Client, account: Account, mime: bytes, to: str = "ann@x.com") -> str:
    answer = client.post(
        f"/v3/{account.domain}/messages.mime", data={"to": to}, files={"message": ("m.eml", mime)}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"]).strip("<>")


def letter(account: Account, **fields: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    for name, value in {
        "From": f"app@{account.domain}",
        "To": "Team <team@x.com>",
        "Subject": "Hi",
        **fields,
    }.items():
        message[name] = value
    return message


@pytest.fixture
def mail_server() -> Iterator[Emulator]:
    with Emulator() as server:
        yield server


def test_a_ready_mime_is_told_as_its_header_says(client: Client, account: Account) -> None:
    message = letter(account, Cc="Carl <carl@x.com>")
    message.set_content("Grüße")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übersicht 2024.pdf")
    send_mime(client, account, message.as_bytes())
    (found,) = listed(client)
    assert (found["to"], found["cc"]) == (["Team <team@x.com>"], ["Carl <carl@x.com>"])
    assert found["recipients"] == ["ann@x.com"]
    (attachment,) = found["attachments"]
    assert (attachment["filename"], attachment["content_type"], attachment["size"]) == (
        "Übersicht 2024.pdf", "application/pdf", 4,
    )  # fmt: skip
    assert client.get(attachment["url"]).content == b"%PDF"
    for asked in ({"to": "team@x.com"}, {"to": "ann@x.com"}, {"to": "Carl"}, {"has": "attachment"}):
        assert [item["id"] for item in listed(client, **asked)] == [found["id"]]
    whole = read(client, found["id"])
    assert (whole["text"], whole["html"]) == ("Grüße\n", "<p>Grüße</p>\n")


def test_what_came_by_smtp_a_list_a_template_and_again_counts(client: Client, account: Account) -> None:
    domain = account.domain
    client.post("/v3/lists", data={"address": f"crew@{domain}"})
    for member in ("ann@x.com", "bob@x.com"):
        client.post(f"/v3/lists/crew@{domain}/members", data={"address": member, "name": member[:3]})
    client.post(f"/v3/{domain}/templates", data={"name": "Hello", "template": "<p>Hi {{name}}</p>"})
    given = {
        "from": f"app@{domain}",
        "to": "eve@x.com",
        "template": "hello",
        "t:variables": '{"name": "Eve"}',
    }
    sent = client.post(f"/v3/{domain}/messages", data=given).json()["id"].strip("<>")
    posted = {
        "from": f"app@{domain}",
        "to": f"crew@{domain}",
        "subject": "Crew",
        "text": "Hi %recipient_name%",
    }
    client.post(f"/v3/{domain}/messages", data=posted)
    client.drain()
    (templated,) = listed(client, to="eve@x.com")
    assert templated["template"] == "hello"
    assert read(client, sent)["html"] == "<p>Hi Eve</p>"
    crew = [item for item in listed(client, subject="Crew") if item["recipients"] != [f"crew@{domain}"]]
    assert sorted(item["recipients"] for item in crew) == [["ann@x.com"], ["bob@x.com"]]
    assert {read(client, item["id"])["text"].split("\n")[0] for item in crew} == {"Hi ann", "Hi bob"}
    again = client.post(f"/v3/domains/{domain}/messages/{templated['id']}", data={"to": "dora@x.com"})
    assert again.status_code == 200
    (resent,) = listed(client, to="dora@x.com")
    assert (resent["to"], resent["recipients"]) == (["eve@x.com"], ["dora@x.com"])


def test_what_is_handed_over_by_smtp_is_there(mail_server: Emulator) -> None:
    with httpx2.Client(verify=False, base_url=mail_server.url, auth=("api", "key-emulator")) as client:
        port = client.get("/_emulator/health").json()["smtp_port"]
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@mg.example.com", "Ann <ann@x.com>", "By SMTP"
        message["X-Mailgun-Tag"] = "news"
        message.set_content("Your PIN is 4821.")
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.login("postmaster@mg.example.com", "secret")
            smtp.send_message(message, to_addrs=["ann@x.com", "bob@x.com"])
        found = client.get(f"{INBOX}/wait", params={"to": "bob@x.com", "tag": "news"}).json()["items"][0]
    assert (found["to"], found["recipients"]) == (["Ann <ann@x.com>"], ["ann@x.com", "bob@x.com"])
    assert (found["recipient"], found["codes"]) == ("bob@x.com", ["4821"])


def test_what_comes_in_is_told_apart_from_what_goes_out(client: Client, account: Account) -> None:
    client.post("/v3/routes", data={"expression": "catch_all()", "action": "store()"})
    mail = {
        "from": "Bob <bob@y.org>",
        "to": f"Help <help@{account.domain}>",
        "cc": "carl@y.org",
        "subject": "Broken",
    }
    taken = client.post("/_emulator/inbound", data={**mail, "text": "It broke. See https://y.org/log"})
    assert taken.status_code == 200, taken.text
    assert listed(client) == []
    (found,) = listed(client, direction="incoming")
    assert (found["direction"], found["from"], found["recipients"]) == (
        "incoming", "Bob <bob@y.org>", [f"help@{account.domain}"],
    )  # fmt: skip
    assert found["cc"] == ["carl@y.org"]
    whole = read(client, found["id"])
    assert [event["event"] for event in whole["events"]] == ["accepted", "stored"]
    assert [link["url"] for link in whole["links"]] == ["https://y.org/log"]
    assert client.get(f"{INBOX}/wait", params={"direction": "any", "from": "bob@y.org"}).status_code == 200


ODD = {
    "no body": b"Subject: Hi\r\n\r\n",
    "no head": b"\r\nnothing is known of it",
    "unknown charset": b"Subject: Hi\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe",
    "bytes in the head": b"Subject: \xff\xfe\r\nTo: J\xf6rg <ann@x.com>, \xff\r\n\r\nhi",
    "no boundary": b"Subject: Hi\r\nContent-Type: multipart/mixed\r\n\r\nhi",
    "cut short": b"Subject: Hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi",
    "broken base64": b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!a",
    "strange type": b"Content-Type: \xe9/\xff; name=\"=?x?q?y?=\"\r\n\r\nhi",
    "message within": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: Inner\r\nContent-Type: text/html\r\n\r\n<a href='https://inner.x.com'>in</a>\r\n--b--\r\n"
    ),
    "deep": b"".join(
        [b"Subject: Hi\r\n"]
        + [b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(40)]
        + [b"Content-Type: text/plain\r\n\r\ndeep down"]
    ),
    "names of files": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment;\r\n"
        b" filename*0*=utf-8''%E2%82%AC; filename*1*=%20x.bin\r\n\r\n1\r\n--b\r\nContent-Type: application/x;\r\n"
        b" name=\"=?utf-8?q?=C3=BC=2Etxt?=\"\r\n\r\n2\r\n--b\r\nContent-Type: image/gif\r\n"
        b"Content-Id: <a\"b>\r\n\r\n3\r\n--b\r\n"
        b"Content-Disposition: attachment; filename=\"a\\\"b\r\n c.txt\"\r\n\r\n4\r\n--b--\r\n"
    ),
    "utf-16": b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n//5oAGkA\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_mail_is_shown_all_the_same(client: Client, account: Account, name: str) -> None:
    sent = send_mime(client, account, f"From: app@{account.domain}\r\n".encode() + ODD[name])
    taken = client.post("/v3/routes", data={"expression": "catch_all()", "action": "store()"})
    assert taken.status_code == 200
    inbound = client.post(
        "/_emulator/inbound",
        params={"recipient": f"help@{account.domain}"},
        content=ODD[name],
        headers={"Content-Type": "message/rfc822"},
    )
    assert inbound.status_code in (200, 400), inbound.text
    found = listed(client, direction="any")
    assert sent in [item["message_id"] for item in found]
    for item in found:
        whole = read(client, item["id"])
        assert whole["attachments"] == item["attachments"]
        for attachment in item["attachments"]:
            opened = client.get(attachment["url"])
            assert (opened.status_code, len(opened.content)) == (200, attachment["size"])
        assert client.get(f"{INBOX}/{item['id']}/raw").status_code == 200
    for asked in (
        {"text": "deep"},
        {"has": "attachment"},
        {"query": "-has:attachment -inner"},
        {"query": "zzz"},
    ):
        assert client.get(INBOX, params={"direction": "any", **asked}).status_code == 200
    assert client.get(f"{INBOX}/wait", params={"text": "zzz", "timeout": 0}).status_code == 404


def test_names_of_files_are_read_in_every_spelling(client: Client, account: Account) -> None:
    send_mime(client, account, f"From: app@{account.domain}\r\n".encode() + ODD["names of files"])
    (found,) = listed(client)
    assert [each["filename"] for each in found["attachments"]][:2] == ["€ x.bin", "ü.txt"]
    assert [each["inline"] for each in found["attachments"]] == [False, False, False, True]
