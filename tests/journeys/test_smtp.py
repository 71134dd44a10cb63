"""Stories of mail that comes by SMTP."""

from email.message import EmailMessage

from tests.conftest import Account, Client
from tests.receiver import Receiver
from tests.sink import connected


def test_a_mailer_that_knows_smtp_only_learns_of_bounces_by_webhook(
    client: Client, account: Account, server_url: str, receiver: Receiver
) -> None:
    hook = {"id": "permanent_fail", "url": receiver.url("/failed")}
    assert client.post(f"/v3/domains/{account.domain}/webhooks", data=hook).status_code == 200
    made = client.post(
        f"/v3/domains/{account.domain}/credentials", data={"login": "news", "password": "s3cret-1"}
    )
    assert made.status_code == 200
    message = EmailMessage()
    message["From"], message["To"] = f"News <news@{account.domain}>", "bounce@example.com"
    message["Subject"], message["X-Mailgun-Tag"] = "Hi", "weekly"
    message["X-Mailgun-Variables"] = '{"issue": "7"}'
    message.set_content("hello")
    with connected(server_url, f"news@{account.domain}", "s3cret-1") as sender:
        sender.send_message(message)
        client.drain()
        (failed,) = (each.json()["event-data"] for each in receiver.requests("/failed"))
        assert (failed["reason"], failed["tags"]) == ("bounce", ["weekly"])
        assert failed["user-variables"] == {"issue": "7"}
        sender.send_message(message)
    client.drain()
    assert receiver.requests("/failed")[1].json()["event-data"]["delivery-status"]["code"] == 605


def test_a_template_is_rendered_for_mail_that_comes_by_smtp(
    client: Client, account: Account, server_url: str
) -> None:
    made = {"name": "welcome", "template": "<p>Dear {{name}}</p>"}
    assert client.post(f"/v3/{account.domain}/templates", data=made).status_code == 200
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"a@{account.domain}", "bob@x.com", "Hi"
    message["X-Mailgun-Template-Name"] = "welcome"
    message["X-Mailgun-Template-Variables"] = '{"name": "Bob"}'
    message.set_content("plain")
    message.add_alternative("<p>to be replaced</p>", subtype="html")
    with connected(server_url, f"a@{account.domain}", account.api_key) as sender:
        sender.send_message(message)
    client.drain()
    (accepted,) = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"]
    read = client.get(accepted["storage"]["url"], headers={"Accept": "message/rfc2822"}).json()
    assert "<p>Dear Bob</p>" in read["body-mime"]


def test_a_list_is_written_to_by_smtp(client: Client, account: Account, server_url: str) -> None:
    address = f"team@{account.domain}"
    made = client.post("/v3/lists", data={"address": address, "access_level": "everyone"})
    assert made.status_code == 200
    for name in ("bob", "cy"):
        client.post(f"/v3/lists/{address}/members", data={"address": f"{name}@x.com"})
    content = f"From: ann@sender.test\r\nTo: {address}\r\nSubject: Hi\r\n\r\nhello\r\n"
    for login in ("", f"a@{account.domain}"):
        with connected(server_url, login, account.api_key) as client_of_smtp:
            client_of_smtp.sendmail("ann@sender.test", [address], content)
    client.drain()
    delivered = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert sorted(each["recipient"] for each in delivered) == [
        "bob@x.com",
        "bob@x.com",
        "cy@x.com",
        "cy@x.com",
    ]
