import re

import pytest
from tests.conftest import Account, Client

NOTE = "Please store your new password(s) now. You won't be able to see it anymore."
SECRET = re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}")


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/domains/{account.domain}/credentials"


def logins(client: Client, path: str) -> list[str]:
    return [item["login"] for item in client.get(path).json()["items"]]


def test_a_login_with_a_password_is_made_and_listed(client: Client, account: Account, path: str) -> None:
    made = client.post(path, data={"login": "Alice", "password": "supersecret"})
    assert (made.status_code, made.json()) == (200, {"message": "Created 1 credentials pair(s)"})
    listed = client.get(path).json()
    created_at = listed["items"][0]["created_at"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", created_at)
    assert listed == {
        "items": [
            {
                "mailbox": f"alice@{account.domain}",
                "login": f"alice@{account.domain}",
                "created_at": created_at,
                "size_bytes": None,
            }
        ],
        "total_count": 1,
    }
    assert list(listed["items"][0]) == ["mailbox", "login", "created_at", "size_bytes"]


def test_a_password_that_is_not_given_is_generated(client: Client, account: Account, path: str) -> None:
    made = client.post(path, data={"login": f"alice@{account.domain}"}).json()
    password = made["credentials"][f"alice@{account.domain}"]
    assert SECRET.fullmatch(password)
    assert list(made) == ["message", "note", "credentials"]
    assert made == {
        "message": "Created 1 credentials pair(s)",
        "note": NOTE,
        "credentials": {f"alice@{account.domain}": password},
    }


def test_several_logins_are_made_at_once(client: Client, account: Account, path: str) -> None:
    made = client.post(path, data={"mailbox": ["alice", "bob"], "password": ["supersecret"]}).json()
    assert made["message"] == "Created 2 credentials pair(s)"
    assert list(made["credentials"]) == [f"bob@{account.domain}"]
    assert logins(client, path) == [f"alice@{account.domain}", f"bob@{account.domain}"]


def test_one_bad_login_of_several_makes_none(client: Client, path: str) -> None:
    refused = client.post(
        path, data={"login": ["alice", "alice"], "password": ["supersecret", "othersecret"]}
    )
    assert (refused.status_code, refused.json()) == (400, {"message": "Mailbox already exists"})
    assert logins(client, path) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Parameter 'login' is missing"),
        ({"login": ""}, "Parameter 'login' is missing"),
        ({"login": "two words"}, "Parameter 'login' is invalid"),
        ({"login": "alice@elsewhere.example.org"}, "Parameter 'login' is invalid"),
        (
            {"login": "alice", "password": "1234"},
            "Password is too short. It must be between 5 and 32 characters.",
        ),
        (
            {"login": "alice", "password": "x" * 33},
            "Password is too short. It must be between 5 and 32 characters.",
        ),
        ({"login": "alice", "system": "perhaps"}, "Parameter 'system' is invalid"),
    ],
)
def test_what_makes_no_login_is_refused(
    client: Client, path: str, given: dict[str, str], message: str
) -> None:
    refused = client.post(path, data=given)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert client.get(path).json() == {"items": [], "total_count": 0}


def test_logins_are_paged(client: Client, account: Account, path: str) -> None:
    client.post(path, data={"login": ["a", "b", "c"]})
    page = client.get(path, params={"skip": 1, "limit": 1}).json()
    assert ([item["login"] for item in page["items"]], page["total_count"]) == ([f"b@{account.domain}"], 3)
    refused = client.get(path, params={"limit": 1001})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Limit parameter can't be larger than 1000"},
    )


@pytest.mark.parametrize("spelled", ["alice", "Alice@{domain}"])
def test_a_password_is_changed(client: Client, account: Account, path: str, spelled: str) -> None:
    client.post(path, data={"login": "alice", "password": "supersecret"})
    login = spelled.format(domain=account.domain)
    changed = client.put(f"{path}/{login}", data={"password": "othersecret"})
    assert (changed.status_code, changed.json()) == (200, {"message": "Password changed"})
    generated = client.put(f"{path}/{login}").json()
    password = generated["credentials"][f"alice@{account.domain}"]
    assert SECRET.fullmatch(password)
    assert generated == {
        "message": "Password changed",
        "note": NOTE,
        "credentials": {f"alice@{account.domain}": password},
    }
    refused = client.put(f"{path}/{login}", data={"password": "1234"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Password is too short. It must be between 5 and 32 characters."},
    )


@pytest.mark.parametrize("spelled", ["alice", "alice@{domain}"])
def test_a_login_is_deleted(client: Client, account: Account, path: str, spelled: str) -> None:
    client.post(path, data={"login": "alice", "password": "supersecret"})
    login = spelled.format(domain=account.domain)
    deleted = client.delete(f"{path}/{login}")
    assert (deleted.status_code, deleted.json()) == (
        200,
        {"message": "Credentials have been deleted", "spec": f"alice@{account.domain}"},
    )
    assert list(deleted.json()) == ["message", "spec"]
    gone = client.delete(f"{path}/{login}")
    assert (gone.status_code, gone.json()) == (404, {"message": "Credentials not found"})
    gone = client.put(f"{path}/{login}")
    assert (gone.status_code, gone.json()) == (404, {"message": "Credentials not found"})


def test_a_system_mailbox_stays(client: Client, account: Account, path: str) -> None:
    client.post(path, data={"login": "postmaster", "password": "supersecret", "system": "true"})
    client.post(path, data={"login": ["alice", "bob"]})
    refused = client.delete(f"{path}/postmaster")
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": f"Cannot delete system mailbox: postmaster@{account.domain}"},
    )
    deleted = client.delete(path)
    assert (deleted.status_code, deleted.json()) == (
        200,
        {"message": "All domain credentials have been deleted", "count": 2},
    )
    assert logins(client, path) == [f"postmaster@{account.domain}"]


def test_an_unknown_domain_has_no_credentials(client: Client) -> None:
    path = "/v3/domains/unknown.example.com/credentials"
    for refused in (
        client.get(path),
        client.post(path, data={"login": "alice"}),
        client.delete(path),
        client.put(f"{path}/alice"),
        client.delete(f"{path}/alice"),
    ):
        assert (refused.status_code, refused.json()) == (404, {"message": "Domain not found"})
