import re
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client


def make(client: Client, email: str, **fields: Any) -> Any:
    made = client.post("/_emulator/users", json={"email": email, **fields})
    assert made.status_code == 200, made.text
    return made.json()


def key_of(client: Client, user_id: str, **fields: str) -> tuple[str, str]:
    asked = {"role": "admin", "kind": "web", "user_id": user_id, **fields}
    return "api", client.post("/v1/keys", data=asked).json()["key"]["secret"]


def test_each_account_has_its_master_user(client: Client, account: Account) -> None:
    told = client.get("/v5/users").json()
    assert list(told) == ["users", "total"]
    (master,) = told["users"]
    assert told["total"] == 1
    assert list(master) == [
        "id",
        "name",
        "activated",
        "is_disabled",
        "email",
        "email_details",
        "role",
        "account_id",
        "opened_ip",
        "is_master",
        "metadata",
        "tfa_enabled",
        "tfa_active",
        "tfa_created_at",
        "password_updated_at",
        "preferences",
        "auth",
        "github_user_id",
        "salesforce_user_id",
        "migration_status",
    ]
    assert (master["role"], master["is_master"], master["account_id"]) == ("admin", True, account.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", master["password_updated_at"])
    assert client.get(f"/v5/users/{master['id']}").json() == master
    assert client.get("/v5/users/me", auth=key_of(client, master["id"])).json() == master


def test_users_are_listed_by_role_some_at_a_time(client: Client) -> None:
    jane = make(client, "Jane@example.com", name="Jane", role="support")
    assert (jane["email"], jane["name"], jane["role"]) == ("jane@example.com", "Jane", "support")
    john = make(client, "john@example.com", role="billing", tfa_enabled=True)
    assert (john["name"], john["tfa_active"], john["is_master"]) == ("john", True, False)
    everyone = client.get("/v5/users").json()
    assert (everyone["total"], everyone["users"][1:]) == (3, [jane, john])
    assert client.get("/v5/users", params={"role": "support"}).json() == {"users": [jane], "total": 1}
    some = client.get("/v5/users", params={"limit": 1, "skip": 1}).json()
    assert some == {"users": [jane], "total": 3}
    zeros = {"role": "", "limit": "0", "skip": "0"}
    assert client.get("/v5/users", params=zeros).json() == everyone


@pytest.mark.parametrize("given", [{"role": "owner"}, {"limit": "-1"}, {"skip": "x"}])
def test_what_lists_nobody_is_refused(client: Client, given: dict[str, str]) -> None:
    (name,) = given
    refused = client.get("/v5/users", params=given)
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": f"Invalid parameter: {name} is invalid"},
    )


def test_an_unknown_user_is_not_shown(client: Client, server_url: str) -> None:
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        theirs = stranger.get("/v5/users").json()["users"][0]["id"]
    for user_id in ("none", theirs):
        refused = client.get(f"/v5/users/{user_id}")
        assert (refused.status_code, refused.json()) == (404, {"message": "No such user exists"})


def test_only_a_key_of_somebody_tells_whose_it_is(client: Client) -> None:
    jane = make(client, "jane@example.com")
    assert client.get("/v5/users/me", auth=key_of(client, jane["id"])).json() == jane
    for auth in (
        client.auth,
        key_of(client, jane["id"], kind="user"),
        key_of(client, ""),
        key_of(client, "nobody"),
    ):
        refused = client.get("/v5/users/me", auth=auth)
        text = "Incompatible key for this endpoint"
        assert (refused.status_code, refused.json()) == (403, {"message": text})


def test_keys_of_a_user_who_is_disabled_or_gone_open_nothing(client: Client) -> None:
    jane = make(client, "jane@example.com")
    auth, path = key_of(client, jane["id"]), f"/_emulator/users/{jane['id']}"
    assert client.put(path, json={"is_disabled": True}).json()["is_disabled"] is True
    assert client.get("/v1/keys", auth=auth).status_code == 401
    key = next(key for key in client.get("/v1/keys").json()["items"] if key["kind"] == "web")
    assert (key["is_disabled"], key["disabled_reason"]) == (True, "user disabled")
    another = key_of(client, jane["id"])
    assert client.get("/v1/keys", auth=another).status_code == 401
    assert client.put(path, json={"is_disabled": False}).status_code == 200
    assert client.get("/v1/keys", auth=another).status_code == 200
    assert client.get("/v1/keys", auth=auth).status_code == 200
    assert client.delete(path).json() == {"message": "User deleted"}
    assert client.get("/v1/keys", auth=auth).status_code == 401
    assert client.get("/v5/users").json()["total"] == 1


def test_what_makes_no_user_is_refused(client: Client) -> None:
    jane = make(client, "jane@example.com")
    for given, text in (
        ({"email": "nobody"}, "'nobody' is no e-mail address, as jane@example.com is."),
        (
            {"email": "JANE@example.com"},
            "There is a user jane@example.com already; PUT /_emulator/users/{id} changes it.",
        ),
    ):
        refused = client.post("/_emulator/users", json=given)
        assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert client.post("/_emulator/users", json={"email": "a@b.com", "role": "owner"}).status_code == 400
    assert client.put("/_emulator/users/none", json={}).status_code == 404
    master = client.get("/v5/users").json()["users"][0]["id"]
    assert client.delete(f"/_emulator/users/{master}").status_code == 400
    assert client.put(f"/_emulator/users/{jane['id']}", json={"email": "jane@example.com"}).status_code == 200
    assert client.get("/v5/users").json()["total"] == 2
