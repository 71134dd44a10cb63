"""SMTP logins as the first clients call them."""

import smtplib
from typing import Any

import pytest
from tests.conftest import Account, Client


def test_a_mailbox_is_a_login_by_another_name(client: Client, account: Account) -> None:
    path, login = f"/v3/{account.domain}/mailboxes", f"alice@{account.domain}"
    made = client.post(path, data={"mailbox": "alice", "password": "secret-1"})
    assert (made.status_code, made.json()) == (200, {"message": "Created 1 mailboxes"})
    listed = client.get(path).json()
    assert list(listed) == ["total_count", "items"]
    (item,) = listed["items"]
    assert list(item) == ["size_bytes", "created_at", "mailbox"]
    assert (item["size_bytes"], item["created_at"][-4:], item["mailbox"]) == (0, " GMT", login)
    logins = client.get(f"/v3/domains/{account.domain}/credentials").json()
    assert [each["login"] for each in logins["items"]] == [login]
    assert logs_in(client, login, "secret-1")
    changed = client.put(f"{path}/alice", data={"password": "secret-2"})
    assert changed.json() == {"message": "Password changed"}
    assert not logs_in(client, login, "secret-1")
    assert logs_in(client, login, "secret-2")
    deleted = client.delete(f"{path}/{login}")
    assert deleted.json() == {"message": "Mailbox has been deleted", "spec": login}
    assert client.get(path).json() == {"total_count": 0, "items": []}


def logs_in(client: Client, login: str, password: str) -> bool:
    port = client.get("/_emulator/health").json()["smtp_port"]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        try:
            smtp.login(login, password)
        except smtplib.SMTPAuthenticationError:
            return False
    return True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Parameter 'mailbox' is missing"),
        ({"mailbox": ["alice", "bob"], "password": "secret-1"}, "Parameter 'password' is missing"),
        ({"mailbox": "alice", "password": ""}, "Parameter 'password' is missing"),
        ({"password": "secret-1"}, "Parameter 'mailbox' is missing"),
        ({"mailbox": "alice"}, "Parameter 'password' is missing"),
        (
            {"mailbox": "alice", "password": "abc"},
            "Password is too short. It must be between 5 and 32 characters.",
        ),
    ],
)
def test_what_makes_no_mailbox_is_refused(
    client: Client, account: Account, given: dict[str, Any], message: str
) -> None:
    path = f"/v3/{account.domain}/mailboxes"
    refused = client.post(path, data=given)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert client.get(path).json()["total_count"] == 0


def test_an_unknown_mailbox_is_neither_changed_nor_deleted(client: Client, account: Account) -> None:
    path = f"/v3/{account.domain}/mailboxes"
    refused = client.put(f"{path}/nobody", data={"password": "secret-1"})
    assert (refused.status_code, refused.json()) == (404, {"message": "Credentials not found"})
    refused = client.put(f"{path}/nobody")
    assert (refused.status_code, refused.json()) == (400, {"message": "Parameter 'password' is missing"})
    refused = client.delete(f"{path}/nobody")
    assert (refused.status_code, refused.json()) == (404, {"message": "Credentials not found"})
    refused = client.get("/v3/none.example.com/mailboxes")
    assert (refused.status_code, refused.json()) == (404, {"message": "Domain not found"})
