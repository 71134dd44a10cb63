"""With --strict the emulator refuses what Mailgun refuses."""

from collections.abc import Iterator

import pytest
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator


@pytest.fixture(scope="module")
def strict_url() -> Iterator[str]:
    with Emulator(strict=True) as server:
        yield server.url


@pytest.fixture
def strict(strict_url: str) -> Iterator[tuple[Client, Account]]:
    with Client(base_url=strict_url) as client:
        account = Account(**client.post("/_emulator/accounts").json())
        client.auth = ("api", account.api_key)
        yield client, account


def fields(to: str = "bob@x.com") -> dict[str, str]:
    return {"from": "a@x.com", "to": to, "text": "hi", "subject": "Hi"}


def test_an_unknown_key_opens_nothing(strict: tuple[Client, Account]) -> None:
    client, account = strict
    refused = client.post(f"/v3/{account.domain}/messages", data=fields(), auth=("api", "unknown"))
    assert (refused.status_code, refused.text) == (401, "Forbidden")
    refused = client.get("/v1/keys", auth=("api", "unknown"))
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})


def test_an_unknown_domain_is_refused_like_a_wrong_key(strict: tuple[Client, Account]) -> None:
    client, _ = strict
    refused = client.post("/v3/nobody.example.com/messages", data=fields())
    assert (refused.status_code, refused.text) == (401, "Forbidden")
    assert "nobody.example.com" in refused.headers["X-Mailgun-Emulator-Hint"]


def test_a_domain_of_another_account_is_refused(strict: tuple[Client, Account]) -> None:
    client, _ = strict
    other = client.post("/_emulator/accounts").json()
    assert client.post(f"/v3/{other['domain']}/messages", data=fields()).status_code == 401


def test_an_unverified_domain_sends_nothing_until_it_is_verified(strict: tuple[Client, Account]) -> None:
    client, account = strict
    domain = f"u{account.id}.example.com"
    assert client.post("/v4/domains", data={"name": domain}).status_code == 200
    refused = client.post(f"/v3/{domain}/messages", data=fields())
    assert refused.status_code == 400
    assert refused.json() == {
        "message": f"Domain {domain} is not allowed to send: The domain is unverified and requires DNS "
        "configuration. Log in to your control panel to view required DNS records."
    }
    assert client.put(f"/v4/domains/{domain}/verify").status_code == 200
    assert client.post(f"/v3/{domain}/messages", data=fields()).status_code == 200


def test_a_message_waits_no_longer_than_it_is_stored(strict: tuple[Client, Account]) -> None:
    client, account = strict
    now = client.get("/_emulator/clock").json()["now"]
    times = {"soon": now + 3 * 86400 - 60, "late": now + 3 * 86400 + 60}
    soon, late = (
        client.post(f"/v3/{account.domain}/messages", data={**fields(), "o:deliverytime": str(at)})
        for at in times.values()
    )
    assert soon.status_code == 200
    assert (late.status_code, late.json()) == (
        400,
        {"message": "o:deliverytime is too far ahead: delivery can wait for 72 hours at most"},
    )


def test_a_sandbox_domain_sends_to_authorised_recipients_only(strict: tuple[Client, Account]) -> None:
    client, _ = strict
    domains = client.get("/v4/domains").json()["items"]
    sandbox = next(domain["name"] for domain in domains if domain["type"] == "sandbox")
    refused = client.post(f"/v3/{sandbox}/messages", data=fields())
    reason = (
        "Sandbox subdomains are for test purposes only. Please add your own domain "
        "or add the address to authorized recipients in Account Settings."
    )
    assert refused.status_code == 403
    assert refused.json() == {"message": f"Domain {sandbox} is not allowed to send: {reason}"}
    rejected = client.get(f"/v3/{sandbox}/events").json()["items"]
    assert [(event["event"], event["recipient"], event["reject"]["reason"]) for event in rejected] == [
        ("rejected", "", reason)
    ]
    assert client.post("/v5/sandbox/auth_recipients", params={"email": "Bob@x.com"}).status_code == 200
    assert client.post(f"/v3/{sandbox}/messages", data=fields()).status_code == 403
    (invitation,) = client.get("/_emulator/messages", params={"to": "bob@x.com"}).json()["items"]
    (link,) = client.get(f"/_emulator/messages/{invitation['id']}").json()["links"]
    assert client.get(link["url"]).status_code == 200
    assert client.post(f"/v3/{sandbox}/messages", data=fields()).status_code == 200
    assert client.post(f"/v3/{sandbox}/messages", data=fields("eve@x.com")).status_code == 403


def test_webhooks_are_changed_300_times_a_minute_at_the_most(strict: tuple[Client, Account]) -> None:
    client, account = strict
    path = f"/v3/domains/{account.domain}/webhooks"
    client.post("/_emulator/clock", json={"freeze": "now"})
    for _ in range(300):
        assert client.get(path).status_code == 200
    refused = client.get(path)
    assert (refused.status_code, refused.json()) == (429, {"retry-seconds": 60})
    assert refused.headers["Retry-After"] == "60"
    assert client.get(f"/v4/domains/{account.domain}").status_code == 200
    client.post("/_emulator/clock", json={"advance": "1m"})
    assert client.get(path).status_code == 200
