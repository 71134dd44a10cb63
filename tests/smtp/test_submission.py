"""Sending by SMTP: who logs in hands mail over as by HTTP."""

import smtplib
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.utils import formatdate
from typing import Any

import httpx2
import orjson
import pytest
from tests.conftest import Account, Client, serving
from tests.sink import HOST, connected


@pytest.fixture
def sender(server_url: str, account: Account) -> Iterator[smtplib.SMTP]:
    with connected(server_url, f"postmaster@{account.domain}", account.api_key) as client:
        yield client


def letter(account: Account, *lines: str, body: str = "hello") -> bytes:
    head = (f"From: Ann <ann@{account.domain}>", "To: Bob <bob@x.com>", "Subject: Hi", *lines)
    return "\r\n".join([*head, "", body, ""]).encode()


def events(client: Client, account: Account, kind: str = "accepted") -> list[dict[str, Any]]:
    client.drain()
    items: list[dict[str, Any]] = client.get(
        f"/v3/{account.domain}/events", params={"event": kind, "ascending": "yes", "limit": 300}
    ).json()["items"]
    return items


def stored(client: Client, event: dict[str, Any]) -> Message:
    found = client.get(event["storage"]["url"], headers={"Accept": "message/rfc2822"})
    return message_from_bytes(found.json()["body-mime"].encode())


def refusal(client: smtplib.SMTP, sender: str, to: str, content: bytes) -> tuple[int, str]:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(sender, [to], content)
    said = refused.value.smtp_error
    return refused.value.smtp_code, said.decode() if isinstance(said, bytes) else said


def test_what_is_handed_over_is_accepted_and_delivered(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    assert sender.mail("ann@x.com") == (250, b"Sender address accepted")
    assert sender.rcpt("bob@x.com") == (250, b"Recipient address accepted")
    assert sender.data(letter(account)) == (250, b"Great success")
    (accepted,) = events(client, account)
    assert accepted["method"] == "SMTP"
    assert accepted["recipient"] == "bob@x.com"
    assert accepted["originating-ip"] == HOST
    assert accepted["flags"]["is-authenticated"] is True
    assert "api-key-id" not in accepted
    told = accepted["message"]["headers"]
    assert (told["from"], told["to"], told["subject"]) == (
        f"Ann <ann@{account.domain}>",
        "Bob <bob@x.com>",
        "Hi",
    )
    (delivered,) = events(client, account, "delivered")
    assert delivered["message"]["headers"] == told
    received = stored(client, accepted)["Received"].replace("\r\n", "")
    assert received.startswith(f"from client.test (localhost [{HOST}]) by ")
    assert " with SMTP id " in received


def test_the_envelope_says_whom_it_goes_to(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    content = letter(account, "Cc: cy@x.com", "Bcc: dan@x.com", "Message-Id: <mine@x.com>")
    sender.sendmail("ann@x.com", ["bob@x.com", "cy@x.com", "dan@x.com", "BOB@x.com", "eve@x.com"], content)
    accepted = events(client, account)
    assert [each["recipient"] for each in accepted] == ["bob@x.com", "cy@x.com", "dan@x.com", "eve@x.com"]
    assert {each["message"]["headers"]["to"] for each in accepted} == {"Bob <bob@x.com>"}
    assert {each["message"]["headers"]["message-id"] for each in accepted} == {"mine@x.com"}
    kept = stored(client, accepted[0])
    assert (kept["Cc"], kept["Bcc"], kept["Message-Id"]) == ("cy@x.com", None, "<mine@x.com>")


def test_a_password_of_the_domain_opens_until_it_is_changed_or_deleted(
    client: Client, account: Account, server_url: str
) -> None:
    login, path = f"news@{account.domain}", f"/v3/domains/{account.domain}/credentials"
    assert client.post(path, data={"login": "news", "password": "first-one"}).status_code == 200
    with connected(server_url, login, "first-one") as sender:
        sender.sendmail("a@x.com", "bob@x.com", letter(account))
    client.put(f"{path}/news", data={"password": "second-one"})
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused, connected(server_url, login, "first-one"):
        pass
    assert refused.value.smtp_error == b"Authentication failed"
    with connected(server_url, login, "second-one"):
        assert len(events(client, account)) == 1


def test_without_credentials_whoever_has_the_domain_sends(
    client: Client, account: Account, server_url: str
) -> None:
    with connected(server_url, f"anyone@{account.domain}", "any password") as sender:
        sender.sendmail("a@x.com", "bob@x.com", letter(account))
    assert len(events(client, account)) == 1


def test_a_deleted_api_key_is_no_password(client: Client, account: Account, server_url: str) -> None:
    made = client.post("/v1/keys", data={"role": "admin"}).json()["key"]
    login = f"postmaster@{account.domain}"
    with connected(server_url, login, made["secret"]):
        client.delete(f"/v1/keys/{made['id']}")
    with pytest.raises(smtplib.SMTPAuthenticationError), connected(server_url, login, made["secret"]):
        pass


def test_an_api_key_opens_no_more_than_by_http(client: Client, account: Account, server_url: str) -> None:
    other = f"other.{account.domain}"
    assert client.post("/v4/domains", data={"name": other}).status_code == 200
    of_other = {"role": "sending", "kind": "domain", "domain_name": other}
    for key in ({"role": "basic"}, of_other):
        secret = client.post("/v1/keys", data=key).json()["key"]["secret"]
        with (
            pytest.raises(smtplib.SMTPAuthenticationError),
            connected(server_url, f"a@{account.domain}", secret),
        ):
            pass
    with connected(server_url, f"a@{other}", secret) as sender:
        sender.sendmail("a@x.com", "b@x.com", letter(account))


def test_options_are_header_fields(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    asked = (
        "X-Mailgun-Tag: One",
        "X-Mailgun-Tag: two",
        'X-Mailgun-Variables: {"a": 1, "b": "x"}',
        'x-mailgun-variables: {"b": "y",\r\n "c": {"d": true}}',
        "X-Mailgun-Track: no",
        "X-Mailgun-Drop-Message: yes",
    )
    sender.sendmail("a@x.com", "bounce@example.com", letter(account, *asked))
    (accepted,) = events(client, account)
    assert accepted["tags"] == ["One", "two"]
    assert accepted["user-variables"] == {"a": "1", "b": "y", "c": '{"d":true}'}
    assert accepted["flags"]["is-test-mode"] is True
    (delivered,) = events(client, account, "delivered")
    assert delivered["delivery-status"]["code"] == 650
    kept = stored(client, accepted)
    assert kept.get_all("X-Mailgun-Tag") == ["One", "two"]
    assert kept.get_all("X-Mailgun-Track") == ["no"]
    (variables,) = kept.get_all("X-Mailgun-Variables", [])
    assert orjson.loads(variables) == accepted["user-variables"]


def test_delivery_waits_for_the_time_that_is_asked_for(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    sender.sendmail("a@x.com", "b@x.com", letter(account))
    at = int(events(client, account)[0]["timestamp"]) + 3600
    sender.sendmail("a@x.com", "later@x.com", letter(account, f"X-Mailgun-Deliver-By: {formatdate(at)}"))
    assert events(client, account)[1]["message"]["scheduled-for"] == at
    assert [each["recipient"] for each in events(client, account, "delivered")] == ["b@x.com"]
    client.post("/_emulator/clock", json={"advance": "1h"}, params={"account": account.id})
    assert len(events(client, account, "delivered")) == 2


def test_headers_are_suppressed_on_request(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    asked = ("X-Mailgun-Tag: one", 'X-Mailgun-Variables: {"a": "1"}', "X-Mailgun-Track: no")
    sender.sendmail("a@x.com", "b@x.com", letter(account, *asked, "X-Mailgun-Suppress-Headers: all"))
    (accepted,) = events(client, account)
    assert (accepted["tags"], accepted["user-variables"]) == (["one"], {"a": "1"})
    assert [name for name in stored(client, accepted) if name.lower().startswith("x-mailgun")] == []


BATCH = {"bob@x.com": {"first": "Bob"}, "cy@x.com": {"first": "Cy"}}


def check_batch(client: Client, account: Account) -> None:
    accepted = events(client, account)
    assert [each["recipient"] for each in accepted] == ["bob@x.com", "cy@x.com"]
    for each, name in zip(accepted, ("Bob", "Cy"), strict=True):
        kept = stored(client, each)
        assert (kept["To"], kept["Subject"]) == (each["recipient"], f"Hi {name}")
        assert str(kept.get_payload()).strip() == f"Dear {name}"
        assert "Recipient-Variables" not in str(kept)


def test_recipient_variables_make_a_copy_for_each(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    head = f"From: a@{account.domain}\r\nTo: %recipient%\r\nSubject: Hi %recipient.first%\r\n"
    variables = f"X-Mailgun-Recipient-Variables: {orjson.dumps(BATCH).decode()}\r\n"
    content = f"{head}{variables}\r\nDear %recipient.first%\r\n"
    sender.sendmail("a@x.com", list(BATCH), content)
    check_batch(client, account)


def test_recipient_variables_may_come_in_a_container(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    content = (
        f"From: a@{account.domain}\r\nMime-Version: 1.0\r\n"
        'Content-Type: multipart/mailgun-variables; boundary="b0"\r\n\r\n'
        "--b0\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{b64encode(orjson.dumps(BATCH)).decode()}\r\n"
        "--b0\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: a@{account.domain}\r\nTo: %recipient%\r\nSubject: Hi %recipient.first%\r\n\r\n"
        "Dear %recipient.first%\r\n--b0--\r\n"
    )
    sender.sendmail("a@x.com", list(BATCH), content)
    check_batch(client, account)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("X-Mailgun-Deliver-By: soon", "soon is not an RFC-2822 compliant date"),
        ("X-Mailgun-Deliver-Within: 1m", "invalid delivery time format"),
        ("X-Mailgun-Time-Zone-Localize: 25:00", "25 invalid 24 hour time(value of 'o:time-zone-localize')"),
        ("X-Mailgun-Recipient-Variables: [1]", "'recipient-variables' parameter is not a valid JSON"),
        ("X-Mailgun-Secondary-DKIM: x", "x is not a valid secondary dkim domain name"),
        (
            f'X-Mailgun-Variables: {{"a": "{"x" * 17_000}"}}',
            "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_the_words_of_the_api(
    field: str, said: str, client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    assert refusal(sender, "a@x.com", "b@x.com", letter(account, field)) == (550, said)
    assert events(client, account) == []


def test_addresses_that_are_none_are_refused(account: Account, sender: smtplib.SMTP) -> None:
    assert sender.mail("a..b@x_.com") == (501, b"cannot parse from address")
    sender.mail("a@x.com")
    assert sender.rcpt("nobody") == (501, b"cannot parse to address")
    sender.rcpt("b@x.com")
    assert sender.data(b"From: nobody at all\r\n\r\nhi") == (550, b"cannot parse from address")


def test_an_address_that_is_not_utf8_is_none(account: Account, server_url: str) -> None:
    with connected(server_url) as client:
        client.send(b"MAIL FROM:<\xff@x.com>\r\n")
        assert client.getreply() == (501, b"cannot parse from address")
        client.mail("a@x.com")
        client.send(f"RCPT TO:<a\xff@{account.domain}>\r\n".encode("latin-1"))
        assert client.getreply() == (501, b"cannot parse to address")


def test_without_a_from_field_the_envelope_has_it(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    sender.sendmail(f"ann@{account.domain}", "b@x.com", b"Subject: Hi\n\nhello\n")
    (accepted,) = events(client, account)
    assert accepted["envelope"]["sender"] == f"ann@{account.domain}"
    assert stored(client, accepted)["From"] == f"ann@{account.domain}"


def test_attachments_are_told_and_kept(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"a@{account.domain}", "b@x.com", "Größe"
    message.set_content("Schön")
    message.add_attachment(b"\0\1", maintype="application", subtype="x-data", filename="data.bin")
    del message["MIME-Version"]
    message["Mime-Version"] = "1.0"  # as the contract has it
    sender.send_message(message)
    (accepted,) = events(client, account)
    assert accepted["message"]["headers"]["subject"] == "Größe"
    (attached,) = accepted["message"]["attachments"]
    assert (attached["filename"], attached["size"]) == ("data.bin", 2)
    read = client.get(accepted["storage"]["url"]).json()
    assert (read["body-plain"].strip(), len(read["attachments"])) == ("Schön", 1)


def test_addresses_and_header_may_be_utf8(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    content = (
        f"From: Jürg <jürg@{account.domain}>\r\nTo: zoë@x.com\r\nSubject: Größe\r\n\r\nSchön\r\n".encode()
    )
    sender.sendmail(f"jürg@{account.domain}", ["zoë@x.com"], content, ["SMTPUTF8", "BODY=8BITMIME"])
    (accepted,) = events(client, account)
    assert accepted["recipient"] == "zoë@x.com"
    assert accepted["message"]["headers"]["from"] == f"Jürg <jürg@{account.domain}>"
    assert accepted["message"]["headers"]["subject"] == "Größe"
    assert client.get(accepted["storage"]["url"]).json()["body-plain"].strip() == "Schön"


def test_an_empty_message_is_one(client: Client, account: Account, sender: smtplib.SMTP) -> None:
    sender.mail(f"a@{account.domain}")
    sender.rcpt("b@x.com")
    sender.docmd("DATA")
    assert sender.docmd(".") == (250, b"Great success")
    assert len(events(client, account)) == 1


def test_what_is_too_big_is_refused_and_the_connection_stays(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    code, _ = sender.docmd("MAIL", "FROM:<a@x.com> SIZE=52428801")
    assert code == 552
    sender.mail("a@x.com")
    sender.rcpt("b@x.com")
    assert sender.data(b"Subject: x\r\n\r\n" + b"x" * 52_428_800) == (
        552,
        b"Message is too big. Max message size is 52428800 bytes",
    )
    sender.sendmail("a@x.com", "b@x.com", letter(account))
    assert len(events(client, account)) == 1


def test_a_message_has_a_thousand_recipients_at_the_most(
    client: Client, account: Account, sender: smtplib.SMTP
) -> None:
    everyone = [f"r{number}@x.com" for number in range(1001)]
    refused = sender.sendmail("a@x.com", everyone, letter(account))
    assert refused == {"r1000@x.com": (452, b"Too many recipients, max is 1000")}
    health = client.get("/v3/stats/total", params={"event": "accepted"}).json()
    assert health["stats"][-1]["accepted"]["outgoing"] == 1000


def test_strict_refuses_what_mailgun_refuses() -> None:
    with (
        serving("--strict") as server,
        httpx2.Client(verify=False, base_url=server.url, auth=("api", "key-emulator")) as api,
    ):
        for login, password in (("postmaster@mg.example.com", "key-emulator"), ("me", "x"), ("a@x.com", "x")):
            with pytest.raises(smtplib.SMTPAuthenticationError), connected(server.url, login, password):
                pass
        made = api.post("/v4/domains", data={"name": "new.example.com", "smtp_password": "s3cret-1"})
        assert made.status_code == 200
        with connected(server.url, "postmaster@new.example.com", "s3cret-1") as sender:
            code, said = refusal(sender, "a@x.com", "b@x.com", b"From: a@x.com\r\n\r\nhi")
        assert code == 421
        assert said.startswith("Domain new.example.com is not allowed to send: The domain is unverified and")
