"""Messages of nodemailer with its Mailgun transport, and files that Mailgun's JavaScript client attaches."""

from typing import Any

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account, Client
from tests.sink import smtp_port

pytestmark = needs_node


def delivered(client: Client, account: Account) -> dict[tuple[str, str], dict[str, Any]]:
    """The events of what was delivered, by subject and recipient."""
    client.drain()
    events = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    return {(each["message"]["headers"]["subject"], each["recipient"]): each for each in events}


def stored(client: Client, event: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(event["storage"]["url"]).json())


def contents(client: Client, message: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
    """Content type and bytes of what is attached, by name."""
    return {
        item["name"]: (item["content-type"], client.get(item["url"]).content)
        for item in message["attachments"]
    }


def run_nodemailer(server_url: str, account: Account, client: Client, closed_key: str) -> dict[str, Any]:
    """With a template and an SMTP login at hand."""
    client.post(f"/v3/{account.domain}/templates", data={"name": "welcome", "template": "<b>Hi {{name}}</b>"})
    login = {"login": f"smtp@{account.domain}", "password": "secret-secret"}
    client.post(f"/v3/domains/{account.domain}/credentials", data=login)
    key, domain = account.api_key, account.domain
    port = str(smtp_port(server_url))
    return node.run("nodemailer.cjs", server_url, key, domain, closed_key, port, *login.values())


def test_nodemailer_sends_through_mailgun(
    server_url: str, account: Account, client: Client, closed_key: str
) -> None:
    told = run_nodemailer(server_url, account, client, closed_key)
    assert told["plain"]["message"] == "Queued. Thank you."
    assert told["plain"]["messageId"] == f"<own@{account.domain}>"
    sent = delivered(client, account)
    assert {address[0] for subject, address in sent if subject == "Plain"} == set("bcde")
    plain = sent["Plain", "bob@x.com"]
    assert (plain["tags"], plain["user-variables"]) == (["one", "two"], {"order": "7"})
    message = stored(client, plain)
    assert (message["From"], message["To"]) == (f"Ann <ann@{account.domain}>", "Bob <bob@x.com>, cat@x.com")
    assert (message["Reply-To"], message["X-Kind"]) == ("reply@x.com", "nodemailer")
    assert (message["body-plain"].strip(), "HTML" in message["body-html"]) == ("Text", True)

    assert stored(client, sent["Template", "bob@x.com"])["body-html"] == "<b>Hi Bob</b>"
    assert ("Batch for Cat", "cat@x.com") in sent
    assert sent["Batch for Bob", "bob@x.com"]["flags"]["is-test-mode"] is True

    files = stored(client, sent["Files", "bob@x.com"])
    assert contents(client, files) == {
        "buffer.bin": ("application/octet-stream", b"\x00\x01\xff"),
        "encoded.txt": ("text/plain", b"hello world!"),
        "typed.csv": ("text/csv", b"a,b"),
        "stream.txt": ("text/plain", b"from a stream"),
        "path.txt": ("text/plain", b"from a stream of a file"),
        "logo.png": ("image/png", b"PNG"),
    }
    assert files["content-id-map"].keys() == {"<logo.png>"}

    assert told["smtp"]["accepted"] == ["bob@x.com"]
    assert sent["By SMTP", "bob@x.com"]["tags"] == ["smtp"]

    assert told["closed"] == {"status": 401, "details": "Forbidden"}
    wrong = "to parameter is not a valid address. please check documentation"
    assert told["nobody"] == {"status": 400, "details": wrong}
    assert told["empty"]["status"] == 400


def test_files_of_mailgun_js(server_url: str, account: Account, client: Client) -> None:
    told = node.run("attachments.cjs", server_url, account.api_key, account.domain)
    assert {each["message"] for each in told.values()} == {"Queued. Thank you."}
    sent = delivered(client, account)
    assert ("mime", "bob@x.com") in sent
    for way in told.keys() - {"mime"}:
        message = stored(client, sent[way, "bob@x.com"])
        assert {name: data for name, (_, data) in contents(client, message).items()} == {
            "buffer.bin": b"\x00\x01\xff",
            "text.txt": b"text",
            "file.txt": b"a file",
            "straße.txt": b"a stream",
            "logo.png": b"PNG",
        }, way
        assert message["content-id-map"].keys() == {"<logo.png>"}
