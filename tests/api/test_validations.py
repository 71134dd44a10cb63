import re
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

VALIDATE = "/v4/address/validate"


def told(client: Client, address: str, **more: str) -> dict[str, Any]:
    answer = client.get(VALIDATE, params={"address": address, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["address"] == address
    return found


def said(client: Client, address: str, **more: str) -> str:
    """Result, risk and reasons."""
    found = told(client, address, **more)
    return " ".join([found["result"], found["risk"], *found["reason"]])


def send(client: Client, account: Account, to: str, **more: str) -> str:
    message = {"from": f"ann@{account.domain}", "to": to, "subject": "Hi", "html": "<p>Hi</p>", **more}
    sent = client.post(f"/v3/{account.domain}/messages", data=message)
    assert sent.status_code == 200, sent.text
    client.drain()
    return str(sent.json()["id"])


def let_happen(client: Client, account: Account, kind: str, recipient: str, **more: Any) -> None:
    items = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    key = next(each["storage"]["key"] for each in items if each["recipient"] == recipient)
    asked = {"event": kind, "recipient": recipient, **more}
    assert client.post(f"/_emulator/messages/{key}/events", json=asked).status_code == 200


def counted(client: Client, *names: str) -> dict[str, int]:
    asked = {"duration": "1d", "metrics": [f"email_validation{name}_count" for name in names]}
    answer = client.post("/v1/analytics/usage/metrics", json={**asked, "include_aggregates": True})
    found: dict[str, int] = answer.json()["aggregates"]["metrics"]
    return {name.removeprefix("email_validation").removesuffix("_count"): n for name, n in found.items()}


def test_an_address_is_validated(client: Client) -> None:
    answer = client.get(VALIDATE, params={"address": "existingemail@realdomain.com"})
    assert answer.text.strip() == (
        '{"address":"existingemail@realdomain.com","is_disposable_address":false,"is_role_address":false,'
        '"reason":[],"result":"deliverable","risk":"low"}'
    )
    assert answer.headers["Content-Type"].startswith("application/json")


def test_all_that_there_is_to_tell_is_told_in_mailguns_order(client: Client, account: Account) -> None:
    send(client, account, "b.o.b@gmial.com")
    names = list(told(client, "b.o.b@gmial.com"))
    assert list(told(client, "b.o.b@gmial.com")["engagement"]) == ["engaging", "behavior", "is_bot"]
    assert names == ["address", "did_you_mean", "engagement", "is_disposable_address", "is_role_address",
                     "reason", "result", "risk", "last_seen"]  # fmt: skip
    assert told(client, "b.o.b@gmial.com")["did_you_mean"] == "b.o.b@gmail.com"
    assert told(client, "b.o.b+x@gmail.com")["root_address"] == "bob@gmail.com"


def test_it_may_be_posted_with_the_look_up_in_the_query(client: Client) -> None:
    path = f"{VALIDATE}?provider_lookup=false"
    for given in ({"data": {"address": "a@b.com"}}, {"files": {"address": (None, "a@b.com")}}):
        found = client.post(path, **given).json()
        assert (found["result"], found["risk"], found["reason"]) == ("unknown", "unknown", ["no_data"])
    assert client.post(VALIDATE, json={"address": "a@b.com"}).json()["result"] == "deliverable"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'address' parameter is required"),
        ({"address": ""}, "'address' parameter is required"),
        ({"address": "a" * 505 + "@b.com.x"}, "'address' parameter can't be longer than 512 characters"),
        ({"address": "a@b.com", "provider_lookup": "x"}, "'provider_lookup' parameter is invalid"),
    ],
)
def test_what_can_not_be_validated_is_refused(client: Client, given: dict[str, str], message: str) -> None:
    for answer in (client.get(VALIDATE, params=given), client.post(VALIDATE, data=given)):
        assert (answer.status_code, answer.json()) == (400, {"message": message})
    assert counted(client, "") == {"": 0}


def test_without_the_accounts_key_nothing_is_validated(
    client: Client, account: Account, server_url: str
) -> None:
    domain_key = client.post(
        "/v1/keys", data={"role": "sending", "kind": "domain", "domain_name": account.domain}
    ).json()["key"]["secret"]
    for auth in (None, ("api", domain_key)):
        answer = plain.get(f"{server_url}{VALIDATE}?address=a@b.com", auth=auth)
        assert (answer.status_code, answer.content) == (401, b'{\n  "message": "Invalid private key"\n}\n')
        assert answer.headers["Www-Authenticate"] == 'Basic realm="MG API"'
        assert answer.headers["Content-Type"].startswith("application/json")
    old = plain.get(f"{server_url}/v3/address/validate?address=a@b.com")
    assert (old.status_code, old.content) == (401, b"Forbidden")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("delivered@example.com", "deliverable low"),
        ("opened@example.com", "deliverable low"),
        ("unsubscribe@example.com", "deliverable low"),
        ("notls@example.com", "deliverable low"),
        ("bounce@example.com", "undeliverable high mailbox_does_not_exist"),
        ("bounce+550-7@example.com", "undeliverable high mailbox_does_not_exist"),
        ("delayedbounce@simulator.test", "undeliverable high mailbox_does_not_exist"),
        ("suppressed@example.com", "undeliverable high mailbox_does_not_exist"),
        ("bounce+498@example.com", "undeliverable high no_mx"),
        ("bounce+554@example.com", "undeliverable high"),
        ("softbounce@example.com", "unknown unknown"),
        ("deferred+2@example.com", "unknown unknown"),
        ("timeout@example.com", "unknown unknown"),
        ("complaint@example.com", "do_not_send high"),
        ("suppressed-complaint@example.com", "do_not_send high"),
        ("catchall-2@example.com", "catch_all medium catch_all"),
        ("disposable@example.com", "do_not_send high mailbox_is_disposable_address"),
        ("bounce@example.org", "deliverable low"),
    ],
)
def test_an_address_is_what_becomes_of_mail_to_it(client: Client, address: str, expected: str) -> None:
    assert said(client, address) == expected


def test_who_bounced_is_undeliverable_until_taken_off_the_list(client: Client, account: Account) -> None:
    rule = {"match": {"recipient": "bob@example.org"}, "code": 550, "times": 1}
    assert client.post("/_emulator/outcomes", json=rule).status_code == 200
    send(client, account, "Bob@example.org")
    nobody = "undeliverable high mailbox_does_not_exist"
    assert said(client, "bob@example.org") == nobody
    assert said(client, "Bob@Example.org", provider_lookup="no") == nobody
    assert client.delete(f"/v3/{account.domain}/bounces/bob@example.org").status_code == 200
    assert said(client, "bob@example.org") == "deliverable low"
    client.post(f"/v3/{account.domain}/complaints", data={"address": "bob@example.org"})
    assert said(client, "bob@example.org") == "do_not_send high"


def test_outcome_rules_about_recipients_count(client: Client, account: Account) -> None:
    rules = (
        {"match": {"recipient_domain": "slow.example.org"}, "code": 451},
        {"match": {"recipient": "no*@example.org"}, "code": 550},
        {"match": {"recipient": "some@example.org", "nth": 2}, "code": 550},
        {"match": {"recipient": "some@example.org", "tag": "x"}, "code": 550},
    )
    for rule in rules:
        assert client.post("/_emulator/outcomes", json=rule).status_code == 200
    assert said(client, "x@slow.example.org") == "unknown unknown"
    assert said(client, "nobody@example.org") == "undeliverable high mailbox_does_not_exist"
    assert said(client, "some@example.org") == "deliverable low"
    assert said(client, "nobody@example.org", provider_lookup="false") == "unknown unknown no_data"
    assert {each["seen"] for each in client.get("/_emulator/outcomes").json()["items"]} == {0}


def test_what_a_recipient_did_is_engagement(client: Client, account: Account) -> None:
    assert "engagement" not in told(client, "bob@example.org")
    send(client, account, "bob@example.org")
    events = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    found = told(client, "bob@example.org", provider_lookup="false")
    assert found["engagement"] == {"engaging": False, "is_bot": False, "behavior": "disengaged"}
    assert found["last_seen"] == int(events[0]["timestamp"])
    assert found["result"] == "deliverable"
    for kind, behavior in (
        ("opened", "engaged"),
        ("clicked", "engaged"),
        ("opened", "highly_engaged"),
        ("complained", "complainer"),
    ):
        let_happen(client, account, kind, "bob@example.org")
        engaged = told(client, "Bob@example.org")["engagement"]
        assert engaged == {"engaging": True, "is_bot": False, "behavior": behavior}


def test_what_a_machine_opens_is_no_engagement_of_anybody(client: Client, account: Account) -> None:
    send(client, account, "bob@example.org")
    proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    let_happen(client, account, "opened", "bob@example.org", user_agent=proxy)
    engaged = told(client, "bob@example.org")["engagement"]
    assert engaged == {"engaging": True, "is_bot": True, "behavior": "bot"}


def test_what_was_long_ago_is_no_engagement(client: Client, account: Account) -> None:
    send(client, account, "opened@example.com")
    found = told(client, "opened@example.com")
    assert found["engagement"]["behavior"] == "engaged"
    assert client.post("/_emulator/clock", json={"advance": "31d"}).status_code == 200
    later = told(client, "opened@example.com")
    assert "engagement" not in later
    assert later.get("last_seen") in (None, found["last_seen"])


def test_another_accounts_mail_is_not_seen(client: Client, account: Account, server_url: str) -> None:
    client.post(f"/v3/{account.domain}/bounces", data={"address": "bob@example.org"})
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        assert said(stranger, "bob@example.org") == "deliverable low"


def test_validations_are_billed_for(client: Client) -> None:
    for address in ("bob@example.org", "bounce@example.com", "nonsense"):
        told(client, address)
    names = ("", "_valid", "_single", "_bulk", "_list", "_mailgun", "_mailjet", "_public")
    expected = (3, 1, 3, 0, 0, 3, 0, 0)
    assert counted(client, *names) == dict(zip(names, expected, strict=True))
    asked = {"duration": "1d", "dimensions": ["domain"], "metrics": ["accepted_count"]}
    assert client.post("/v1/analytics/metrics", json=asked).json()["items"] == []


def test_a_subaccount_validates_only_if_its_parent_lets_it(client: Client, account: Account) -> None:
    sub = client.post("/v5/accounts/subaccounts", params={"name": "Sub"}).json()["subaccount"]["id"]
    spoken_for = {"X-Mailgun-On-Behalf-Of": sub}
    path = f"{VALIDATE}?address=a@b.com"
    assert client.get(path, headers=spoken_for).status_code == 200
    switched = {"validations": '{"enabled": false}', "validations_bulk": '{"enabled": false}'}
    assert client.put(f"/v5/accounts/subaccounts/{sub}/features", data=switched).status_code == 200
    refused = client.get(path, headers=spoken_for)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    file = {"file": ("x.csv", "email\na@b.com\n")}
    refused = client.post(f"{VALIDATE}/bulk/x", files=file, headers=spoken_for)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v3/address/validate", "/v3/address/private/validate"])
def test_the_old_api_validates_in_its_own_words(client: Client, path: str) -> None:
    found = client.get(path, params={"address": "foo@mailgun.net"})
    assert found.json() == {
        "address": "foo@mailgun.net",
        "did_you_mean": None,
        "is_disposable_address": False,
        "is_role_address": False,
        "is_valid": True,
        "mailbox_verification": None,
        "parts": {"display_name": None, "domain": "mailgun.net", "local_part": "foo"},
        "reason": None,
    }
    verify = {"mailbox_verification": "true"}
    for address, is_valid, exists in (
        ("foo@mailgun.net", True, "true"),
        ("bounce@example.com", True, "false"),
        ("deferred@example.com", True, "unknown"),
        ("foo@nowhere.invalid", False, "false"),
        ("foo", False, "false"),
    ):
        told = client.get(path, params={"address": address, **verify}).json()
        assert (told["is_valid"], told["mailbox_verification"]) == (is_valid, exists), address
    assert told["parts"] == {"display_name": None, "domain": None, "local_part": None}
    refused = client.get(path)
    assert (refused.status_code, refused.json()) == (400, {"message": "'address' parameter is required"})


@pytest.mark.parametrize("path", ["/v3/address/parse", "/v3/address/private/parse", "/v4/address/parse"])
def test_addresses_are_told_from_what_is_none(client: Client, path: str) -> None:
    given = {"addresses": "Alice <alice@example.com>,bounce@example.com; bad"}
    assert client.get(path, params=given).json() == {
        "parsed": ["Alice <alice@example.com>", "bounce@example.com"],
        "unparseable": ["bad"],
    }
    assert client.get(path, params={**given, "syntax_only": "false"}).json() == {
        "parsed": ["Alice <alice@example.com>"],
        "unparseable": ["bounce@example.com", "bad"],
    }
    for given, message in (
        ({}, "'addresses' parameter is required"),
        ({"addresses": " "}, "'addresses' parameter is required"),
        ({"addresses": "a@b.com," * 1001}, "'addresses' parameter can't be longer than 8000 characters"),
    ):
        refused = client.get(path, params=given)
        assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert re.fullmatch(r"\{.*\}\s*", client.get(path, params={"addresses": "x@y.com"}).text)


def test_the_public_key_opens_the_old_public_paths() -> None:
    with Emulator(strict=True) as server, Client(base_url=server.url, auth=("api", "key-emulator")) as client:
        public = client.post("/v1/keys/public").json()["key"]
        paths = ("/v3/address/validate?address=a@b.com", "/v3/address/parse?addresses=a@b.com")
        for path in paths:
            assert plain.get(f"{server.url}{path}", auth=("api", public)).status_code == 200
            assert plain.get(f"{server.url}{path}&api_key={public}").status_code == 200
            refused = plain.get(f"{server.url}{path}&api_key=pubkey-{'0' * 32}")
            assert (refused.status_code, refused.content) == (401, b"Forbidden")
            private = plain.get(
                f"{server.url}{path.replace('address/', 'address/private/')}", auth=("api", public)
            )
            assert (private.status_code, private.content) == (401, b"Forbidden")
        assert counted(client, "", "_public", "_single") == {"": 2, "_public": 2, "_single": 2}
        client.post("/v1/keys/public")
        assert plain.get(f"{server.url}{paths[0]}", auth=("api", public)).status_code == 401
