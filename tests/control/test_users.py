from tests import plain
from tests.conftest import Account, Client

USERS = "/_emulator/users"
RECIPIENTS = "/_emulator/sandbox_recipients"


def test_a_user_is_added_changed_and_deleted(client: Client) -> None:
    added = client.post(USERS, json={"email": "Jane@example.com", "role": "developer", "activated": False})
    jane = added.json()
    assert (added.status_code, jane["email"], jane["activated"]) == (200, "jane@example.com", False)
    path = f"{USERS}/{jane['id']}"
    changed = client.put(path, json={"name": "Jane", "activated": True, "time_zone": "Europe/Oslo"}).json()
    assert (changed["name"], changed["activated"], changed["role"]) == ("Jane", True, "developer")
    assert changed["preferences"]["time_zone"] == "Europe/Oslo"
    assert client.get(f"/v5/users/{jane['id']}").json() == changed
    assert client.delete(path).json() == {"message": "User deleted"}
    gone = client.put(path, json={})
    assert (gone.status_code, gone.json()) == (404, {"message": "No such user exists"})


def test_what_is_not_known_of_a_user_is_refused(client: Client) -> None:
    refused = client.post(USERS, json={"email": "jane@example.com", "age": 7})
    assert refused.status_code == 400
    assert "age is not known here" in refused.json()["message"]
    assert client.get("/v5/users").json()["total"] == 1


def test_another_account_has_its_own_users(client: Client, account: Account, server_url: str) -> None:
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    jane = client.post(USERS, json={"email": "jane@example.com"}).json()
    asked = {"account": other["id"]}
    assert client.delete(f"{USERS}/{jane['id']}", params=asked).status_code == 404
    assert client.post(USERS, json={"email": "jane@example.com"}, params=asked).status_code == 200
    assert client.get("/v5/users").json()["total"] == 2
    assert client.get(f"/v5/users/{jane['id']}", auth=("api", other["api_key"])).status_code == 404
    assert account.id != other["id"]


def test_a_recipient_of_the_sandbox_agrees_at_once(client: Client) -> None:
    agreed = client.post(RECIPIENTS, json={"email": "Ann@example.net"})
    assert (agreed.status_code, agreed.json()) == (200, {"message": "ann@example.net has agreed"})
    told = client.get("/v5/sandbox/auth_recipients").json()["recipients"]
    assert told == [{"email": "ann@example.net", "activated": True}]
    refused = client.post(RECIPIENTS, json={"email": "nobody"})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid email address."})
