import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Account, Client
from tests.receiver import Receiver

from mailgun_emulator.mail.signing import sign
from mailgun_emulator.testing import Emulator

SENT = {"to": "Ann Lee <ann@example.net>", "subject": "For Ann", "text": "Hi"}
SANDBOX = "/v5/sandbox/auth_recipients"


def send(client: Client, domain: str, **fields: str) -> None:
    message = {"from": f"shop@{domain}", **SENT, **fields}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200


def letters(client: Client, to: str) -> list[Any]:
    """What Mailgun wrote to somebody, the latest first."""
    found = client.get("/_emulator/messages", params={"to": to, "from": "*mailgun.test"}).json()["items"]
    return [client.get(f"/_emulator/messages/{each['id']}").json() for each in found]


def follow(client: Client, letter: Any) -> Any:
    (link,) = letter["links"]
    return client.get(link["url"], auth=None)


def is_signed_with(key: str, received: Any) -> bool:
    signature = received.json()["signature"]
    return bool(sign(key, signature["timestamp"], signature["token"]) == signature["signature"])


def test_an_account_is_named_anew(client: Client, account: Account) -> None:
    changed = client.put("/v5/accounts", params={"name": "Acme", "logout_redirect_url": "https://acme.test/"})
    assert (changed.status_code, changed.json()) == (200, {"message": "Account info has been updated"})
    told = client.get(f"/_emulator/accounts/{account.id}").json()
    assert told["name"] == "Acme"
    assert told["settings"] == {"logout_redirect_url": "https://acme.test/"}
    assert client.get("/v5/users").json()["users"][0]["name"] == "Acme"


@pytest.mark.parametrize("given", [{}, {"name": ""}, {"colour": "red"}])
def test_an_update_of_nothing_is_refused(client: Client, account: Account, given: dict[str, str]) -> None:
    refused = client.put("/v5/accounts", data=given)
    text = (
        "Either `name`, `absolute_timeout`, `inactive_timeout`, or `logout_redirect_url` must be provided to "
        "update account info."
    )
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    refused = client.put("/v5/accounts", data={"name": "Acme", "inactive_session_timeout": "soon"})
    text = "Invalid parameter: inactive_session_timeout is invalid"
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert client.get(f"/_emulator/accounts/{account.id}").json()["name"] == account.name


@pytest.mark.parametrize("timeout", ["absolute_session_timeout", "inactive_session_timeout"])
def test_an_empty_timeout_is_none(client: Client, account: Account, timeout: str) -> None:
    assert client.put("/v5/accounts", data={timeout: ""}).status_code == 400
    assert client.put("/v5/accounts", data={timeout: "600"}).status_code == 200
    assert client.put("/v5/accounts", data={timeout: "", "name": "Acme"}).status_code == 200
    assert client.get(f"/_emulator/accounts/{account.id}").json()["settings"] == {timeout: 600}


def test_web_keys_live_no_longer_than_sessions_may(client: Client) -> None:
    assert client.put("/v5/accounts", data={"absolute_session_timeout": "600"}).status_code == 200
    asked = {"role": "admin", "kind": "web", "expiration": "3600"}
    key = client.post("/v1/keys", data=asked).json()["key"]
    auth = ("api", key["secret"])
    assert client.get("/v1/keys", auth=auth).status_code == 200
    client.post("/_emulator/clock", json={"advance": "11m"})
    assert client.get("/v1/keys", auth=auth).status_code == 401


def test_web_keys_that_nobody_uses_end(client: Client) -> None:
    assert client.put("/v5/accounts", data={"inactive_session_timeout": 600}).status_code == 200
    auth = ("api", client.post("/v1/keys", data={"role": "admin", "kind": "web"}).json()["key"]["secret"])
    for _ in range(3):
        assert client.get("/v1/keys", auth=auth).status_code == 200
        client.post("/_emulator/clock", json={"advance": "9m"})
    client.post("/_emulator/clock", json={"advance": "2m"})
    refused = client.get("/v1/keys", auth=auth)
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid private key"})
    assert client.get("/v1/keys").status_code == 200


def test_webhooks_keep_personal_data_to_themselves_if_asked(
    client: Client, account: Account, receiver: Receiver
) -> None:
    hook = {"id": "accepted", "url": receiver.url("/hook")}
    assert client.post(f"/v3/domains/{account.domain}/webhooks", data=hook).status_code == 200
    turned = client.put("/v5/accounts/features", data={"webhooks_redact_pii": '{"enabled":true}'})
    assert (turned.status_code, turned.json()) == (200, {"success": True})
    send(client, account.domain, **{"v:order": "7"})
    client.drain()
    (told,) = receiver.wait_for(1, "/hook")
    event = told.json()["event-data"]
    assert (event["recipient"], event["recipient-domain"]) == ("redacted@example.net", "example.net")
    assert event["envelope"]["targets"] == "redacted@example.net"
    assert event["message"]["headers"]["to"] == "redacted@example.net"
    assert event["message"]["headers"]["subject"] == "redacted"
    assert event["user-variables"] == {"order": "7"}
    assert b"ann" not in told.body.lower()
    assert is_signed_with(account.signing_key, told)
    (delivery,) = client.get("/_emulator/webhooks/deliveries").json()["items"]
    shown = client.get(f"/_emulator/webhooks/deliveries/{delivery['id']}").json()
    assert shown["attempts"][0]["request"]["body"] == told.json()
    (kept,) = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"]
    assert kept["recipient"] == "ann@example.net"
    client.put("/v5/accounts/features", data={"webhooks_redact_pii": '{"enabled":false}'})
    send(client, account.domain)
    client.drain()
    assert receiver.wait_for(2, "/hook")[1].json()["event-data"]["recipient"] == "ann@example.net"


@pytest.mark.parametrize(
    "given",
    [{}, {"webhooks_redact_pii": "yes"}, {"webhooks_redact_pii": "{}"}, {"other": '{"enabled":true}'}],
)
def test_no_valid_features_are_refused(client: Client, account: Account, given: dict[str, str]) -> None:
    refused = client.put("/v5/accounts/features", data=given)
    assert (refused.status_code, refused.json()) == (400, {"message": "No valid updates provided"})
    assert "settings" not in client.get(f"/_emulator/accounts/{account.id}").json()


def test_insights_are_said_to_make_no_difference(client: Client) -> None:
    told = client.put("/v5/accounts/features", data={"ai_insights": '{"enabled":true}'})
    assert told.json() == {"success": True}
    assert "makes no difference" in told.headers["X-Mailgun-Emulator-Hint"]


@pytest.mark.parametrize("path", ["/v5/accounts/http_signing_key", "/v5/accounts/http/signing/key"])
def test_a_new_signing_key_signs_webhooks_and_leaves_links_as_they_were(
    client: Client, account: Account, receiver: Receiver, path: str
) -> None:
    assert client.get(path).json() == {"http_signing_key": account.signing_key}
    for event in ("accepted", "clicked"):
        hook = {"id": event, "url": receiver.url(f"/{event}")}
        assert client.post(f"/v3/domains/{account.domain}/webhooks", data=hook).status_code == 200
    client.put(f"/v3/domains/{account.domain}/tracking/click", data={"active": "yes"})
    receiver.answer("/accepted", 500, 200)
    send(client, account.domain, html='<a href="https://example.org/">x</a>')
    client.drain()
    (first,) = receiver.wait_for(1, "/accepted")
    assert is_signed_with(account.signing_key, first)
    renewed = client.post(path).json()
    assert list(renewed) == ["message", "http_signing_key"]
    assert renewed["message"] == "regenerated HTTP signing key for account"
    key = renewed["http_signing_key"]
    assert re.fullmatch(r"key-[0-9a-f]{32}", key)
    assert client.get(path).json() == {"http_signing_key": key}
    client.post("/_emulator/clock", json={"advance": "1h"})
    client.drain()
    assert is_signed_with(key, receiver.wait_for(2, "/accepted")[1])
    (mail,) = client.get("/_emulator/messages").json()["items"]
    (link,) = client.get(f"/_emulator/messages/{mail['id']}").json()["links"]
    assert client.get(link["tracked"], auth=None, follow_redirects=False).status_code == 302
    client.drain()
    (clicked,) = receiver.wait_for(1, "/clicked")
    assert is_signed_with(key, clicked)
    client.post(f"/_emulator/accounts/{account.id}/reset")
    assert client.get(path).json() == {"http_signing_key": account.signing_key}


def test_a_new_signing_key_signs_what_routes_forward(
    client: Client, account: Account, receiver: Receiver
) -> None:
    route = {"expression": "catch_all()", "action": f'forward("{receiver.url("/in")}")'}
    assert client.post("/v3/routes", data=route).status_code == 200
    key = client.post("/v5/accounts/http_signing_key").json()["http_signing_key"]
    mail = {"from": "bob@example.org", "to": f"in@{account.domain}", "subject": "s", "text": "t"}
    assert client.post("/_emulator/inbound", data=mail).status_code == 200
    (posted,) = receiver.wait_for(1, "/in")
    (at,), (token,), (signature,) = (posted.form()[name] for name in ("timestamp", "token", "signature"))
    assert sign(key, at, token) == signature


def test_the_key_of_the_start_is_back_after_a_reset() -> None:
    path = "/v5/accounts/http_signing_key"
    with Emulator() as server, Client(base_url=server.url, auth=("api", server.api_key)) as client:
        first = server.signing_key
        assert client.post(path).json() == {
            "message": "regenerated HTTP signing key for account",
            "http_signing_key": server.signing_key,
        }
        assert server.signing_key != first
        assert client.post("/_emulator/reset").status_code == 200
        assert client.get(path).json() == {"http_signing_key": first}
        assert server.signing_key == first


@pytest.mark.parametrize(
    "path", ["/v5/accounts/resend_activation_email", "/v5/accounts/resend/activation/email"]
)
def test_the_master_user_is_activated_by_the_link_in_a_letter(
    client: Client, account: Account, path: str
) -> None:
    master = client.get("/v5/users").json()["users"][0]
    changed = client.put(f"/_emulator/users/{master['id']}", json={"activated": False})
    assert (changed.status_code, changed.json()["activated"]) == (200, False)
    assert client.get("/v5/users").json()["users"][0]["activated"] is False
    message = {"from": f"shop@{account.domain}", **SENT}
    refused = client.post(f"/v3/{account.domain}/messages", data=message)
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "message": f"Domain {account.domain} is not allowed to send: Please activate your Mailgun account. "
            "Check your inbox or log in to your control panel to resend the activation email."
        },
    )
    assert "resend_activation_email" in refused.headers["X-Mailgun-Emulator-Hint"]
    assert client.post(path).json() == {"success": True}
    (letter,) = letters(client, master["email"])
    assert (letter["subject"], letter["events"]) == ("Activate your account", [])
    page = follow(client, letter)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert master["email"] in page.text
    assert client.get("/v5/users").json()["users"][0]["activated"] is True
    send(client, account.domain)


@pytest.mark.parametrize("path", [SANDBOX, "/v5/sandbox/auth/recipients"])
def test_a_recipient_is_invited_agrees_and_is_removed(client: Client, path: str) -> None:
    assert client.get(path).json() == {"recipients": [], "limit": 5}
    invited = client.post(path, params={"email": "New.User@Example.com"})
    asked = {"email": "new.user@example.com", "activated": False}
    assert (invited.status_code, invited.json()) == (200, {"recipient": asked})
    assert client.get(path).json() == {"recipients": [asked], "limit": 5}
    (letter,) = letters(client, "new.user@example.com")
    assert follow(client, letter).status_code == 200
    agreed = {"email": "new.user@example.com", "activated": True}
    assert client.get(path).json() == {"recipients": [agreed], "limit": 5}
    assert client.post(path, data={"email": "new.user@example.com"}).json() == {"recipient": agreed}
    assert len(letters(client, "new.user@example.com")) == 1
    removed = client.delete(f"{path}/new.user@example.com")
    assert (removed.status_code, removed.json()) == (
        200,
        {"message": "Sandbox recipient new.user@example.com deleted."},
    )
    assert client.get(path).json() == {"recipients": [], "limit": 5}
    assert follow(client, letter).status_code == 404


def test_an_invitation_is_good_for_a_week(client: Client) -> None:
    client.post(SANDBOX, params={"email": "ann@example.com"})
    (letter,) = letters(client, "ann@example.com")
    client.post("/_emulator/clock", json={"advance": "7d"})
    late = follow(client, letter)
    assert late.status_code == 404
    assert "not valid any more" in late.text
    assert client.get("/confirm/nonsense", auth=None).status_code == 404
    assert client.get(SANDBOX).json()["recipients"][0]["activated"] is False


@pytest.fixture(scope="module")
def strict_url() -> Iterator[str]:
    with Emulator(strict=True) as server:
        yield server.url


def test_the_sandbox_writes_to_those_who_have_agreed(strict_url: str) -> None:
    with Client(base_url=strict_url) as client:
        account = client.post("/_emulator/accounts").json()
        client.auth = ("api", account["api_key"])
        domains = client.get("/v4/domains").json()["items"]
        sandbox = next(domain["name"] for domain in domains if domain["type"] == "sandbox")
        message = {"from": f"a@{sandbox}", "to": "bob@example.net", "subject": "s", "text": "t"}
        client.post(SANDBOX, params={"email": "bob@example.net"})
        assert client.post(f"/v3/{sandbox}/messages", data=message).status_code == 403
        follow(client, letters(client, "bob@example.net")[0])
        assert client.post(f"/v3/{sandbox}/messages", data=message).status_code == 200
        agreed = client.post("/_emulator/sandbox_recipients", json={"email": "eve@example.net"})
        assert agreed.json() == {"message": "eve@example.net has agreed"}
        eve = {**message, "to": "eve@example.net"}
        assert client.post(f"/v3/{sandbox}/messages", data=eve).status_code == 200
        assert client.delete(f"{SANDBOX}/eve@example.net").status_code == 200
        refused = client.post(f"/v3/{sandbox}/messages", data=eve)
        text = (
            f"Domain {sandbox} is not allowed to send: Sandbox subdomains are for test purposes only. "
            "Please add your own domain or add the address to authorized recipients in Account Settings."
        )
        assert (refused.status_code, refused.json()) == (403, {"message": text})
        assert client.post(f"/v3/{sandbox}/messages", data=message).status_code == 200


def test_a_sixth_recipient_is_refused(client: Client) -> None:
    for number in range(5):
        assert client.post(SANDBOX, params={"email": f"user{number}@example.com"}).is_success
    refused = client.post(SANDBOX, params={"email": "user6@example.com"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Only 5 sandbox recipients are allowed"},
    )
    assert client.post(SANDBOX, params={"email": "user4@example.com"}).status_code == 200


@pytest.mark.parametrize("email", ["", "nobody", "Bob <bob@example.com>", "a@example.com, b@example.com"])
def test_what_is_no_address_is_not_invited(client: Client, email: str) -> None:
    refused = client.post(SANDBOX, params={"email": email})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid email address."})
    assert client.post(SANDBOX, json={"email": 5}).json() == {"message": "Invalid email address."}
    assert client.get(SANDBOX).json()["recipients"] == []
    assert client.get("/_emulator/messages").json()["items"] == []


def test_an_unknown_recipient_is_not_removed(client: Client) -> None:
    refused = client.delete(f"{SANDBOX}/nobody@example.com")
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid email address."})
