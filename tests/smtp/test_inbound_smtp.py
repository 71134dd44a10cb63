"""Mail that comes in: whoever does not log in brings it for the domains of the accounts."""

import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client
from tests.receiver import Receiver
from tests.sink import connected

LETTER = b"From: ann@sender.test\r\nTo: team@x.com\r\nSubject: Hi\r\nMessage-Id: <one@sender.test>\r\n\r\nhello\r\n"


def route(client: Client, expression: str, action: str = "store()") -> None:
    made = client.post("/v3/routes", data={"expression": expression, "action": action, "priority": 0})
    assert made.status_code == 200


def events(client: Client, account: Account, kind: str = "accepted") -> list[dict[str, Any]]:
    client.drain()
    items: list[dict[str, Any]] = client.get(
        f"/v3/{account.domain}/events", params={"event": kind, "ascending": "yes"}
    ).json()["items"]
    return items


def test_mail_for_a_domain_of_an_account_comes_in(client: Client, account: Account, server_url: str) -> None:
    route(client, f'match_recipient("team@{account.domain}")')
    with connected(server_url) as bringer:
        assert bringer.mail("ann@sender.test") == (250, b"Sender address accepted")
        assert bringer.rcpt(f"team@{account.domain}") == (250, b"Recipient address accepted")
        assert bringer.data(LETTER) == (250, b"Great success")
    (accepted,) = events(client, account)
    assert accepted["flags"]["is-authenticated"] is False
    assert accepted["envelope"]["sender"] == "ann@sender.test"
    (stored,) = events(client, account, "stored")
    read = client.get(stored["storage"]["url"], headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    assert "X-Envelope-From: <ann@sender.test>" in read
    assert "from client.test ([127.0.0.1]) by mxa.mailgun.org with SMTP id" in " ".join(read.split())


def test_a_route_forwards_what_came_in(
    client: Client, account: Account, server_url: str, receiver: Receiver
) -> None:
    route(client, 'match_recipient("(.*)@.*")', f'forward("{receiver.url("/in")}")')
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@sender.test", "t@x.com", "Größe"
    message.set_content("Schön")
    message.add_attachment(b"\0\1", maintype="application", subtype="x-data", filename="d.bin")
    with connected(server_url) as bringer:
        bringer.sendmail("ann@sender.test", [f"sales@{account.domain}"], message.as_bytes())
    client.drain()
    (posted,) = receiver.requests("/in")
    assert b"d.bin" in posted.body
    assert "Größe".encode() in posted.body
    assert f"sales@{account.domain}".encode() in posted.body


def test_a_domain_that_no_account_has_is_somebody_elses(server_url: str) -> None:
    with connected(server_url) as bringer:
        bringer.mail("ann@sender.test")
        assert bringer.rcpt("x@elsewhere.test") == (550, b"5.7.1 Relaying denied")
        assert bringer.docmd("DATA")[0] == 503


def test_whom_nobody_takes_mail_for_is_refused(client: Client, account: Account, server_url: str) -> None:
    route(client, f'match_recipient("team@{account.domain}")')
    with connected(server_url) as bringer:
        bringer.mail("ann@sender.test")
        code, said = bringer.rcpt(f"other@{account.domain}")
    assert (code, said.decode()) == (550, f"5.1.0 Recipient rejected: <other@{account.domain}>")


def test_what_only_its_header_shows_is_refused_at_the_end(
    client: Client, account: Account, server_url: str
) -> None:
    route(client, 'match_header("subject", "^Yes$")')
    with connected(server_url) as bringer, pytest.raises(smtplib.SMTPDataError) as refused:
        bringer.sendmail("ann@sender.test", [f"a@{account.domain}"], LETTER)
    assert refused.value.smtp_code == 550
    assert events(client, account) == []


def test_a_bounce_has_no_sender(client: Client, account: Account, server_url: str) -> None:
    route(client, "catch_all()")
    with connected(server_url) as bringer:
        bringer.sendmail("", [f"a@{account.domain}"], LETTER)
    assert events(client, account)[0]["envelope"]["sender"] == ""


def test_one_message_may_be_for_several_accounts(client: Client, account: Account, server_url: str) -> None:
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as others:
        for each in (client, others):
            route(each, "catch_all()")
        with connected(server_url) as bringer:
            bringer.sendmail("ann@sender.test", [f"a@{account.domain}", f"b@{other.domain}"], LETTER)
        assert [each["recipient"] for each in events(client, account)] == [f"a@{account.domain}"]
        assert [each["recipient"] for each in events(others, other)] == [f"b@{other.domain}"]


def test_a_wildcard_domain_receives_for_those_below_it(
    client: Client, account: Account, server_url: str
) -> None:
    route(client, "catch_all()")
    with connected(server_url) as bringer:
        bringer.mail("ann@sender.test")
        assert bringer.rcpt(f"a@deep.below.{account.domain}")[0] == 550
        client.put(f"/v4/domains/{account.domain}", data={"wildcard": "true"})
        assert bringer.rcpt(f"a@deep.below.{account.domain}")[0] == 250
        assert bringer.data(LETTER)[0] == 250
    assert len(events(client, account)) == 1
