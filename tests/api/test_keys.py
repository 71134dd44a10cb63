import re
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.state.keys import MOST_KEYS
from mailgun_emulator.testing import Emulator

INVALID_ROLE = "expected `role` param to be one of [admin basic developer sending]"


def make(client: Client, **fields: Any) -> Any:
    made = client.post("/v1/keys", data={"role": "admin", **fields})
    assert made.status_code == 200
    return made.json()["key"]


def test_a_key_is_made_listed_and_deleted(client: Client) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "description": "for a test"})
    assert made.status_code == 200
    key = made.json()["key"]
    assert list(key) == [
        "id",
        "description",
        "kind",
        "role",
        "created_at",
        "updated_at",
        "is_disabled",
        "domain_name",
        "requestor",
        "user_name",
        "secret",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", key["created_at"])
    assert re.fullmatch(r"[0-9a-f]{32}-" + key["id"], key.pop("secret"))
    assert made.json()["message"] == "great success"
    assert key == {
        "id": key["id"],
        "description": "for a test",
        "kind": "user",
        "role": "basic",
        "created_at": key["created_at"],
        "updated_at": key["created_at"],
        "is_disabled": False,
        "domain_name": None,
        "requestor": None,
        "user_name": None,
    }
    listed = client.get("/v1/keys").json()
    assert list(listed) == ["total_count", "items"]
    assert (listed["total_count"], listed["items"][1]) == (2, key)
    assert client.delete(f"/v1/keys/{key['id']}").json() == {"message": "key deleted"}
    gone = client.delete(f"/v1/keys/{key['id']}")
    assert (gone.status_code, gone.json()) == (404, {"message": "no key matching id"})
    assert client.get("/v1/keys").json()["total_count"] == 1


def test_keys_are_listed_by_kind_and_domain(client: Client, account: Account) -> None:
    sending = make(client, role="sending", kind="domain", domain_name=account.domain.upper())
    web = make(client, kind="web", email="jane@example.com", user_id="1", user_name="Jane Doe")
    del sending["secret"], web["secret"]
    assert sending["domain_name"] == account.domain
    assert (web["requestor"], web["user_name"]) == ("jane@example.com", "Jane Doe")
    assert client.get("/v1/keys", params={"kind": "web"}).json() == {"total_count": 1, "items": [web]}
    of_domain = client.get("/v1/keys", params={"domain_name": account.domain, "kind": ""})
    assert of_domain.json() == {"total_count": 1, "items": [sending]}


def test_a_key_of_an_unknown_kind_is_refused(client: Client) -> None:
    refused = client.get("/v1/keys", params={"kind": "other"})
    assert refused.status_code == 400
    assert refused.json() == {"message": "expected `kind` param to be one of [domain user web] or absent"}


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 400, INVALID_ROLE),
        ({"role": "owner"}, 400, INVALID_ROLE),
        (
            {"role": "admin", "kind": "x"},
            400,
            "expected `kind` param to be one of [domain user web] or absent",
        ),
        ({"role": "admin", "expiration": "0"}, 400, "Invalid parameter: expiration is invalid"),
        ({"role": "admin", "expiration": "soon"}, 400, "Invalid parameter: expiration is invalid"),
        ({"role": "admin", "expiration": "9" * 20}, 400, "Invalid parameter: expiration is invalid"),
        (
            {"role": "sending", "kind": "domain"},
            400,
            "expected `domain_name` param for key of kind `domain`",
        ),
        (
            {"role": "sending", "kind": "domain", "domain_name": "unknown.example.com"},
            404,
            "Domain not found",
        ),
    ],
)
def test_what_makes_no_key_is_refused(
    client: Client, given: dict[str, str], status: int, message: str
) -> None:
    refused = client.post("/v1/keys", data=given)
    assert (refused.status_code, refused.json()) == (status, {"message": message})
    assert client.get("/v1/keys").json()["total_count"] == 1


def test_a_key_too_many_is_refused() -> None:
    many = [f"key-{number}" for number in range(MOST_KEYS)]
    with Emulator() as emulator, Client(base_url=emulator.url, auth=("api", many[0])) as client:
        file = {"accounts": [{"id": "many", "api_keys": many}]}
        assert plain.post(f"{emulator.url}/_emulator/import", json=file).status_code == 200
        refused = client.post("/v1/keys", data={"role": "basic"})
        text = "could not create key, account limit reached"
        assert (refused.status_code, refused.json()) == (403, {"message": text})
        assert client.get("/v1/keys").json()["total_count"] == MOST_KEYS
        assert (
            client.delete(f"/v1/keys/{client.get('/v1/keys').json()['items'][-1]['id']}").status_code == 200
        )
        make(client)


def test_a_key_that_is_to_expire_says_when(client: Client) -> None:
    key = make(client, expiration="3600")
    assert list(key)[5:7] == ["updated_at", "expires_at"]
    assert key["expires_at"] > key["created_at"]


def test_a_web_key_lives_a_day_at_the_most(client: Client) -> None:
    for expiration in ("", "1000000"):
        key = make(client, kind="web", expiration=expiration)
        assert key["expires_at"][10:] == key["created_at"][10:]
        assert key["expires_at"][:10] > key["created_at"][:10]


def test_the_key_that_opened_is_named_in_the_answer(client: Client) -> None:
    key = make(client)
    answer = client.get("/v1/keys", auth=("api", key["secret"]))
    assert answer.headers["x-mailgun-key-id"] == key["id"]


def test_a_deleted_key_opens_nothing(client: Client) -> None:
    key = make(client)
    assert client.get("/v1/keys", auth=("api", key["secret"])).status_code == 200
    client.delete(f"/v1/keys/{key['id']}")
    refused = client.get("/v1/keys", auth=("api", key["secret"]))
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})


def test_a_domain_key_opens_nothing_but_its_messages(
    client: Client, account: Account, server_url: str
) -> None:
    secret = make(client, role="sending", kind="domain", domain_name=account.domain)["secret"]
    message = {"from": f"a@{account.domain}", "to": "b@example.com", "subject": "Hello", "text": "Hello"}
    # Not by way of `client`: its contract knows nothing of the plain text that 401 has on the wire.
    with httpx2.Client(verify=False, base_url=server_url, auth=("api", secret)) as sender:
        assert sender.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
        refused = sender.post("/v3/elsewhere.example.com/messages", data=message)
        assert (refused.status_code, refused.text) == (401, "Forbidden")
        refused = sender.get(f"/v3/domains/{account.domain}/tracking")
        assert (refused.status_code, refused.text) == (401, "Forbidden")
        refused = sender.get("/v1/keys")
        assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})


def test_a_role_does_what_it_may_and_no_more(client: Client, account: Account) -> None:
    tracking = f"/v3/domains/{account.domain}/tracking"
    basic, developer = (("api", make(client, role=role)["secret"]) for role in ("basic", "developer"))
    assert client.get(tracking, auth=basic).status_code == 200
    refused = client.put(f"{tracking}/open", data={"active": "yes"}, auth=basic)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert client.put(f"{tracking}/open", data={"active": "yes"}, auth=developer).status_code == 200
    refused = client.post("/v1/keys", data={"role": "admin"}, auth=developer)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/v5/users", {"basic", "developer", "admin"}),
        ("GET", "/v2/ip_whitelist", {"basic", "developer", "admin"}),
        ("GET", "/v5/accounts/http_signing_key", {"basic", "developer", "admin"}),
        ("POST", "/v1/analytics/tags", {"basic", "developer", "admin"}),
        ("POST", "/v2/bounce-classification/metrics", {"basic", "developer", "admin"}),
        ("POST", "/v3/exports", {"developer", "admin"}),
        ("POST", "/v1/thresholds/alerts/send", {"developer", "admin"}),
        ("POST", "/v3/ip_pools", {"developer", "admin"}),
        ("POST", "/v2/ip_whitelist", {"admin"}),
        ("DELETE", "/v2/ip/whitelist", {"admin"}),
        ("POST", "/v5/accounts/http/signing/key", {"admin"}),
        ("POST", "/v5/sandbox/auth_recipients", {"admin"}),
        ("POST", "/v5/accounts/subaccounts", {"admin"}),
        ("DELETE", "/v1/keys/none", {"admin"}),
        ("POST", "/v3/x.example.com/messages", {"sending", "developer", "admin"}),
    ],
)
def test_each_role_has_its_sections(client: Client, method: str, path: str, may: set[str]) -> None:
    let_in = set()
    for role in ("admin", "basic", "developer", "sending"):
        auth = ("api", make(client, role=role)["secret"])
        answer = client.request(method, path, auth=auth)
        if answer.status_code == 403:
            assert answer.json() == {"message": "Forbidden"}
        else:
            let_in.add(role)
    assert let_in == may


def test_a_key_opens_until_it_expires_by_the_accounts_clock(client: Client, account: Account) -> None:
    hour, day = (make(client, **fields) for fields in ({"expiration": "3600"}, {"kind": "web"}))
    path = f"/v3/domains/{account.domain}/tracking"
    for key, before, after in ((hour, "59m", "1m"), (day, "22h", "1h")):
        auth = ("api", key["secret"])
        client.post("/_emulator/clock", json={"advance": before})
        assert client.get(path, auth=auth).status_code == 200
        client.post("/_emulator/clock", json={"advance": after})
        assert client.get(path, auth=auth).status_code == 401
    ids = [key["id"] for key in client.get("/v1/keys").json()["items"]]
    assert {hour["id"], day["id"]} <= set(ids)


def test_the_public_key_is_made_anew(client: Client) -> None:
    first, second = (client.post("/v1/keys/public") for _ in range(2))
    assert first.status_code == 200
    assert list(first.json()) == ["key", "message"]
    assert first.json()["message"] == "The public API key has been successfully regenerated."
    assert re.fullmatch(r"pubkey-[0-9a-f]{32}", first.json()["key"])
    assert first.json()["key"] != second.json()["key"]
