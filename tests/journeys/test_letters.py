"""What Mailgun itself writes: mail like any other, but of no event."""

from typing import Any

from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

INBOX = "/_emulator/messages"


def invite(client: Client, email: str = "ann@example.net") -> Any:
    assert client.post("/v5/sandbox/auth_recipients", params={"email": email}).status_code == 200
    (letter,) = client.get(INBOX, params={"to": email}).json()["items"]
    return client.get(f"{INBOX}/{letter['id']}").json()


def test_a_letter_lies_in_the_inbox_and_counts_for_nothing(client: Client, account: Account) -> None:
    client.put(f"/v3/domains/{account.domain}/tracking/click", data={"active": "yes"})
    letter = invite(client)
    sandbox = letter["domain"]
    assert sandbox.endswith(".mailgun.org")
    assert (letter["from"], letter["to"]) == ("Mailgun <noreply@mailgun.test>", ["ann@example.net"])
    assert (letter["direction"], letter["events"], letter["unsubscribe_url"]) == ("outgoing", [], None)
    (link,) = letter["links"]
    assert link["tracked"] is None
    assert link["url"] in letter["text"]
    assert link["url"] in letter["html"]
    names = [name.lower() for name, _ in letter["headers"]]
    assert {"date", "message-id", "subject"} <= set(names)
    client.drain()
    assert client.get(f"/v3/{sandbox}/events").json()["items"] == []
    query = {"event": "accepted", "duration": "1d"}
    counted = client.get("/v3/stats/total", params=query).json()["stats"]
    assert all(each["accepted"]["total"] == 0 for each in counted)
    stored = client.get(f"/v3/domains/{sandbox}/messages/{letter['id']}").json()
    assert stored["subject"] == "Would you like to receive test messages?"


def test_a_wait_sees_a_letter(client: Client) -> None:
    invite(client)
    came = client.get(f"{INBOX}/wait", params={"to": "ann@example.net", "timeout": 1})
    assert came.status_code == 200
    assert len(came.json()["items"]) == 1


def test_the_link_of_a_letter_goes_where_the_letter_goes(client: Client, account: Account) -> None:
    """By snapshots and by fixture files: what it leads to is the account's, whatever the server's name."""
    letter = invite(client)
    asked = {"account": account.id}
    file = client.get("/_emulator/export", params=asked).content
    with Emulator() as server, Client(base_url=server.url) as elsewhere:
        assert elsewhere.post("/_emulator/import", content=file).status_code == 200
        moved = {"account": account.id, "to": "ann@example.net"}
        (kept,) = elsewhere.get(INBOX, params=moved).json()["items"]
        there = elsewhere.get(f"{INBOX}/{kept['id']}", params=asked).json()
        assert (there["text"], there["events"]) == (letter["text"], [])
        path = letter["links"][0]["url"].removeprefix(str(client.base_url).rstrip("/"))
        assert elsewhere.get(path).status_code == 200
        recipients = elsewhere.get("/v5/sandbox/auth_recipients", auth=client.auth).json()["recipients"]
        assert recipients == [{"email": "ann@example.net", "activated": True}]
    unasked = client.get("/v5/sandbox/auth_recipients").json()["recipients"]
    assert unasked == [{"email": "ann@example.net", "activated": False}]
