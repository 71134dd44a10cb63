from typing import Any

import pytest
from tests.conftest import Account, Client

NAME = "safe.example.net"
ROTATION = f"/v1/dkim_management/domains/{NAME}/rotation"
ROTATE = f"/v1/dkim_management/domains/{NAME}/rotate"


@pytest.fixture
def domain(client: Client) -> Any:
    """One with automatic sender security."""
    asked = {"name": NAME, "use_automatic_sender_security": "true"}
    return client.post("/v4/domains", data=asked).json()["domain"]


def active(client: Client) -> str:
    keys = client.get(f"/v4/domains/{NAME}/keys").json()["items"]
    return " ".join(key["selector"] for key in keys if key["dns_record"]["is_active"])


def test_rotation_is_switched_on(client: Client, account: Account, domain: dict[str, Any]) -> None:
    asked = {"rotation_enabled": "true", "rotation_interval": "5d"}
    body = client.put(ROTATION, data=asked).json()["domain"]
    target = f"{domain['id'][:6]}.dkim1.us.mgsend.org"
    assert list(body) == [
        "id", "account_id", "sid", "name", "state", "active_selector", "rotation_enabled", "rotation_interval",
        "records",
    ]  # fmt: skip
    assert body == {
        "id": domain["id"],
        "account_id": account.id,
        "sid": body["sid"],
        "name": NAME,
        "state": "wait_verify",
        "active_selector": "pdk1",
        "rotation_enabled": "true",
        "rotation_interval": "120h0m0s",
        "records": [
            {
                "name": f"{selector}._domainkey.{NAME}",
                "type": "CNAME",
                "identifier": "DKIM",
                "value": f"{selector}._domainkey.{target}",
                "comment": "Customer DKIM CNAME Record",
            }
            for selector in ("pdk1", "pdk2")
        ],
    }
    off = client.put(ROTATION, json={"rotation_enabled": False}).json()["domain"]
    assert (off["rotation_enabled"], off["rotation_interval"]) == ("false", "120h0m0s")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "rotation_enabled must be true or false"),
        ({"rotation_enabled": "often"}, "rotation_enabled must be true or false"),
        (
            {"rotation_enabled": "false", "rotation_interval": "5d"},
            "rotation_interval is not allowed unless also enabling DKIM rotation",
        ),
        (
            {"rotation_enabled": "true", "rotation_interval": "119h59m"},
            "rotation_interval must be at least 5 days",
        ),
        (
            {"rotation_enabled": "true", "rotation_interval": "weekly"},
            "rotation_interval is not a valid duration",
        ),
    ],
)
@pytest.mark.usefixtures("domain")
def test_a_bad_rotation_is_refused(client: Client, asked: dict[str, str], reason: str) -> None:
    refused = client.put(ROTATION, data=asked)
    assert (refused.status_code, refused.json()) == (400, {"Reason": reason})


@pytest.mark.usefixtures("domain")
def test_a_verified_domain_rotates_its_keys(client: Client) -> None:
    refused = client.post(ROTATE)
    reason = "only domains in enabled can rotate their keys. Current state: wait_verify"
    assert (refused.status_code, refused.json()) == (400, {"Reason": reason})
    client.put(f"/v4/domains/{NAME}/verify")
    records = client.get(f"/v4/domains/{NAME}").json()["sending_dns_records"]
    assert active(client) == "pdk1"
    done = client.post(ROTATE)
    assert (done.status_code, done.json()) == (200, {"message": "ok"})
    assert active(client) == "pdk2"
    after = client.get(f"/v4/domains/{NAME}").json()["sending_dns_records"]
    assert [record["value"] for record in after] == [record["value"] for record in records]
    assert client.post(ROTATE).json() == {"message": "ok"}
    assert active(client) == "pdk1"


def test_a_domain_without_automatic_sender_security_is_not_found(client: Client, account: Account) -> None:
    for name in (account.domain, "none.example.net"):
        rotated = client.post(f"/v1/dkim_management/domains/{name}/rotate")
        assert (rotated.status_code, rotated.json()) == (404, {"Description": "domain not found"})
        put = client.put(f"/v1/dkim_management/domains/{name}/rotation", data={"rotation_enabled": "true"})
        assert put.status_code == 404
