from typing import Any

import pytest
from tests.conftest import Account, Client

MX: list[dict[str, Any]] = [
    {
        "is_active": True,
        "cached": [],
        "priority": "10",
        "record_type": "MX",
        "valid": "unknown",
        "value": exchanger,
    }
    for exchanger in ("mxa.mailgun.org", "mxb.mailgun.org")
]


def record(name: str, kind: str, value: str, *, active: bool = True) -> dict[str, Any]:
    """One that was never looked up."""
    return {
        "is_active": active,
        "cached": [],
        "name": name,
        "record_type": kind,
        "valid": "unknown",
        "value": value,
    }


def make(client: Client, name: str, **asked: str) -> Any:
    made = client.post("/v4/domains", data={"name": name, **asked})
    assert made.status_code == 200, made.text
    return made.json()


def verdicts(records: list[dict[str, Any]]) -> dict[str, str]:
    return {record.get("name") or record["value"]: record["valid"] for record in records}


def test_a_new_domain_is_unverified_and_told_with_its_records(client: Client) -> None:
    made = client.post("/v4/domains", data={"name": "New.Example.net", "spam_action": "tag"})
    assert made.status_code == 200
    body = made.json()
    key = body["sending_dns_records"][0]
    assert list(body) == ["message", "domain", "receiving_dns_records", "sending_dns_records"]
    domain = body["domain"]
    assert domain["created_at"].endswith(" GMT")
    assert len(domain["id"]) == 24
    assert list(domain.items()) == [
        ("created_at", domain["created_at"]),
        ("id", domain["id"]),
        ("is_disabled", False),
        ("name", "new.example.net"),
        ("require_tls", False),
        ("skip_verification", False),
        ("smtp_login", "postmaster@new.example.net"),
        ("spam_action", "tag"),
        ("state", "unverified"),
        ("type", "custom"),
        ("use_automatic_sender_security", False),
        ("web_prefix", "email"),
        ("web_scheme", "http"),
        ("wildcard", False),
        ("encrypt_incoming_message", False),
        ("message_ttl", 0),
    ]
    assert key["value"].startswith("k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ")
    assert body == {
        "message": "Domain DNS records have been created",
        "domain": domain,
        "receiving_dns_records": MX,
        "sending_dns_records": [
            record("mx._domainkey.new.example.net", "TXT", key["value"], active=False),
            record("new.example.net", "TXT", "v=spf1 include:mailgun.org ~all"),
            record("email.new.example.net", "CNAME", "mailgun.org"),
        ],
    }
    assert list(body["receiving_dns_records"][0]) == [
        "is_active", "cached", "priority", "record_type", "valid", "value"
    ]  # fmt: skip
    assert list(key) == ["is_active", "cached", "name", "record_type", "valid", "value"]


def test_a_domain_is_read_as_it_was_made_under_both_versions(client: Client) -> None:
    made = make(client, "read.example.net")
    del made["message"]
    for version in ("v3", "v4"):
        read = client.get(f"/{version}/domains/READ.example.net")
        assert read.text == client.get("/v4/domains/read.example.net").text
        assert read.json() == made
        assert read.headers["content-type"] == "application/json; charset=utf-8"
    missing = client.get("/v4/domains/none.example.net")
    assert (missing.status_code, missing.text) == (404, '{"message":"Domain not found"}\n')


def test_the_hosts_of_a_domain_are_told_when_asked_and_its_records_unless_asked_not_to(
    client: Client, account: Account
) -> None:
    read = client.get(
        f"/v4/domains/{account.domain}", params={"h:extended": "true", "h:with_dns": "false"}
    ).json()
    assert list(read) == ["domain"]
    assert list(read["domain"])[-4:] == ["message_ttl", "dkim_host", "mailfrom_host", "pod"]
    assert read["domain"]["dkim_host"] == account.domain
    assert "pod" not in client.get(f"/v4/domains/{account.domain}").json()["domain"]


def test_the_domain_an_account_begins_with_is_verified(client: Client, account: Account) -> None:
    read = client.get(f"/v4/domains/{account.domain}").json()
    assert read["domain"]["state"] == "active"
    records = read["receiving_dns_records"] + read["sending_dns_records"]
    assert {record["valid"] for record in records} == {"valid"}
    assert all(record["is_active"] for record in records)
    assert client.get(f"/v4/domains/{account.domain}").json() == read


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "Missing parameter 'name'"),
        ({"name": ""}, "Missing parameter 'name'"),
        ({"name": "not a name"}, "Domain name format is invalid"),
        ({"name": "word"}, "Domain name format is invalid"),
        (
            {"name": "a.example.net", "smtp_password": "1234"},
            "Password is too short. It must be between 5 and 32 characters.",
        ),
        ({"name": "a.example.net", "spam_action": "delete"}, "Invalid parameter: spam_action is invalid"),
        ({"name": "a.example.net", "web_scheme": "ftp"}, "Invalid parameter: web_scheme is invalid"),
        ({"name": "a.example.net", "web_prefix": "a.b"}, "Invalid parameter: web_prefix is invalid"),
        ({"name": "a.example.net", "dkim_key_size": "512"}, "Invalid parameter: dkim_key_size is invalid"),
        ({"name": "a.example.net", "dkim_selector": "a.b"}, "Invalid parameter: dkim_selector is invalid"),
        ({"name": "a.example.net", "ips": "127.0.0.1,no"}, "Invalid parameter: ips is invalid"),
        ({"name": "a.example.net", "ips": "10.0.0.2"}, "IP 10.0.0.2 is not assigned to the account"),
        ({"name": "a.example.net", "pool_id": "none"}, "Invalid parameter: pool_id is invalid"),
        ({"name": "a.example.net", "pool_id": "0" * 24}, "IP pool does not belong to the account"),
        ({"name": "a.example.net", "archive_to": "nowhere"}, "Invalid parameter: archive_to is invalid"),
        ({"name": "a.example.net", "message_ttl": "-1"}, "Invalid parameter: message_ttl is invalid"),
        ({"name": "a.example.net", "wildcard": "maybe"}, "Invalid parameter: wildcard is invalid"),
        (
            {"name": "a.example.net", "dkim_host_name": "example.org"},
            "Invalid parameter: dkim_host_name is invalid",
        ),
        (
            {"name": "a.example.net", "dkim_host_name": "example.net", "force_root_dkim_host": "true"},
            "dkim_host_name can't be used with force_dkim_authority or force_root_dkim_host",
        ),
    ],
)
def test_a_domain_with_bad_settings_is_refused(client: Client, asked: dict[str, str], message: str) -> None:
    refused = client.post("/v4/domains", data=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert client.get("/v4/domains").json()["total_count"] == 2


def test_a_name_is_taken_once_per_account(client: Client) -> None:
    make(client, "taken.example.net")
    refused = client.post("/v3/domains", data={"name": "TAKEN.example.net"})
    assert (refused.status_code, refused.json()) == (400, {"message": "This domain name is already taken"})


def test_all_settings_can_be_given_at_once(client: Client) -> None:
    client.post("/v3/ips/request/new")
    (ip,) = client.get("/v3/ips", params={"dedicated": "true"}).json()["items"]
    made = make(
        client,
        "all.example.net",
        archive_to="https://example.org/archive",
        dkim_key_size="2048",
        dkim_selector="k1",
        encrypt_incoming_message="yes",
        force_dkim_authority="true",
        force_root_dkim_host="true",
        ips=f"{ip}, {ip}",
        message_ttl="3600",
        require_tls="true",
        skip_verification="1",
        smtp_password="secret-word",
        spam_action="block",
        web_prefix="links",
        web_scheme="https",
        wildcard="true",
    )
    domain = made["domain"]
    assert next(iter(domain)) == "archive_to"
    assert {name: domain[name] for name in ("archive_to", "message_ttl", "web_prefix", "web_scheme")} == {
        "archive_to": "https://example.org/archive",
        "message_ttl": 3600,
        "web_prefix": "links",
        "web_scheme": "https",
    }
    flags = ("encrypt_incoming_message", "require_tls", "skip_verification", "wildcard")
    assert all(domain[name] is True for name in flags)
    dkim, _, cname = made["sending_dns_records"]
    assert dkim["name"] == "k1._domainkey.example.net"
    assert dkim["value"].startswith("k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA")
    assert cname["name"] == "links.all.example.net"
    logins = client.get("/v3/domains/all.example.net/credentials").json()["items"]
    assert [login["login"] for login in logins] == ["postmaster@all.example.net"]


def test_a_subdomain_signs_with_the_keys_of_its_root_unless_it_is_forced(client: Client) -> None:
    root = make(client, "example.net", dkim_selector="r1")
    delegated = make(client, "one.example.net")
    own = make(client, "two.example.net", force_dkim_authority="true")
    elsewhere = make(client, "three.example.net", dkim_host_name="keys.three.example.net")
    assert delegated["sending_dns_records"][0] == root["sending_dns_records"][0]
    assert own["sending_dns_records"][0]["name"] == "mx._domainkey.two.example.net"
    assert elsewhere["sending_dns_records"][0]["name"] == "mx._domainkey.keys.three.example.net"
    refused = client.delete("/v3/domains/example.net")
    assert refused.status_code == 400
    assert refused.json() == {"message": "Domain example.net is the DKIM authority of another domain"}
    found = client.get("/v4/domains", params={"authority": "example.net"}).json()
    assert [domain["name"] for domain in found["items"]] == ["one.example.net", "example.net"]


def test_automatic_sender_security_publishes_two_keys_by_cname(client: Client) -> None:
    made = make(client, "safe.example.net", use_automatic_sender_security="true")
    assert made["domain"]["use_automatic_sender_security"] is True
    target = f"{made['domain']['id'][:6]}.dkim1.us.mgsend.org"
    assert made["sending_dns_records"][:2] == [
        record(
            f"{selector}._domainkey.safe.example.net",
            "CNAME",
            f"{selector}._domainkey.{target}",
            active=False,
        )
        for selector in ("pdk1", "pdk2")
    ]
    verified = client.put("/v4/domains/safe.example.net/verify").json()
    assert verified["domain"]["state"] == "active"
    assert [record["is_active"] for record in verified["sending_dns_records"]] == [True, False, True, True]


def test_switching_automatic_sender_security_asks_for_verification(client: Client, account: Account) -> None:
    path = f"/v4/domains/{account.domain}"
    before = client.get(path).json()
    switched = client.put(path, data={"use_automatic_sender_security": "true"}).json()
    assert switched["domain"]["state"] == "unverified"
    assert [record["record_type"] for record in switched["sending_dns_records"]] == ["TXT", *["CNAME"] * 3]
    assert client.put(f"{path}/verify").json()["domain"]["state"] == "active"
    back = client.put(path, data={"use_automatic_sender_security": "no"}).json()
    assert back["domain"]["state"] == "unverified"
    key = back["sending_dns_records"][1]
    assert {**key, "is_active": True} == before["sending_dns_records"][0]
    verified = client.put(f"{path}/verify").json()
    assert (verified["domain"]["state"], verified["sending_dns_records"][0]["is_active"]) == ("active", True)


def test_domains_are_listed_newest_first_a_part_at_a_time(client: Client, account: Account) -> None:
    for name in ("b.example.net", "a.example.net"):
        make(client, name)
    listed = client.get("/v4/domains")
    body = listed.json()
    assert list(body) == ["total_count", "items"]
    assert body["total_count"] == 4
    names = [domain["name"] for domain in body["items"]]
    assert names[:2] == ["a.example.net", "b.example.net"]
    assert client.get("/v3/domains").text == listed.text
    page = client.get("/v4/domains", params={"limit": 1, "skip": 1}).json()
    assert (page["total_count"], page["items"]) == (4, body["items"][1:2])
    ascending = client.get("/v4/domains", params={"sort": "name: desc"}).json()["items"]
    assert [domain["name"] for domain in ascending] == sorted(names, reverse=True)
    found = client.get("/v4/domains", params={"search": "example.net", "sort": "name", "state": ""}).json()
    assert [domain["name"] for domain in found["items"]] == ["a.example.net", "b.example.net"]
    active = client.get("/v4/domains", params={"state": "active", "include_subaccounts": "true"}).json()
    assert account.domain in [domain["name"] for domain in active["items"]]
    assert active["total_count"] == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"limit": "1001"}, "Limit parameter can't be larger than 1000"),
        ({"limit": "many"}, "Invalid parameter: limit is invalid"),
        ({"skip": "-1"}, "Invalid parameter: skip is invalid"),
        ({"state": "new"}, "Invalid parameter: state is invalid"),
        ({"sort": "age"}, "Invalid parameter: sort is invalid"),
    ],
)
def test_a_list_that_can_not_be_is_refused(client: Client, asked: dict[str, str], message: str) -> None:
    refused = client.get("/v4/domains", params=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_a_change_is_told_and_stays(client: Client, account: Account) -> None:
    path = f"/v4/domains/{account.domain}"
    changed = client.put(
        path,
        files={
            "spam_action": (None, "block"),
            "web_scheme": (None, "https"),
            "wildcard": (None, "true"),
            "web_prefix": (None, "zed"),
            "message_ttl": (None, "86400"),
            "archive_to": (None, "https://example.org/copy"),
            "mailfrom_host": (None, f"bounce.{account.domain}"),
        },
    ).json()
    assert list(changed) == ["message", "domain", "receiving_dns_records", "sending_dns_records"]
    assert changed["message"] == "Domain has been updated"
    names = [record["name"] for record in changed["sending_dns_records"]]
    assert names == [f"bounce.{account.domain}", f"mx._domainkey.{account.domain}", f"zed.{account.domain}"]
    assert verdicts(changed["sending_dns_records"]) == dict(
        zip(names, ["unknown", "valid", "unknown"], strict=True)
    )
    read = client.get(path).json()
    assert read["domain"] == changed["domain"]
    assert (read["domain"]["spam_action"], read["domain"]["message_ttl"]) == ("block", 86400)
    cleared = client.put(f"/v3/domains/{account.domain}", data={"archive_to": "", "web_prefix": ""}).json()
    assert "archive_to" not in cleared["domain"]
    assert cleared["domain"]["web_prefix"] == "zed"
    nothing = client.put(path)
    assert nothing.json()["domain"] == cleared["domain"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"mailfrom_host": "Upper.example.net"}, "Invalid parameter: mailfrom_host is invalid"),
        ({"web_prefix": "a b"}, "Invalid parameter: web_prefix is invalid"),
        ({"message_ttl": "long"}, "Invalid parameter: message_ttl is invalid"),
        ({"smtp_password": "four"}, "Password is too short. It must be between 5 and 32 characters."),
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(
    client: Client, account: Account, asked: dict[str, str], message: str
) -> None:
    path = f"/v4/domains/{account.domain}"
    before = client.get(path).json()
    refused = client.put(path, data={"wildcard": "true", **asked})
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert client.get(path).json() == before
    assert client.put("/v4/domains/none.example.net").json() == {"message": "Domain not found"}


def test_encryption_of_incoming_messages_is_never_turned_off(client: Client) -> None:
    make(client, "sealed.example.net", encrypt_incoming_message="true")
    refused = client.put("/v4/domains/sealed.example.net", data={"encrypt_incoming_message": "false"})
    assert refused.status_code == 400
    assert refused.json() == {"message": "Invalid parameter: encrypt_incoming_message can't be turned off"}
    assert client.get("/v4/domains/sealed.example.net").json()["domain"]["encrypt_incoming_message"] is True


def test_verifying_finds_all_records(client: Client) -> None:
    made = make(client, "good.example.net")
    verified = client.put("/v4/domains/good.example.net/verify")
    body = verified.json()
    assert list(body) == ["message", "domain", "sending_dns_records", "receiving_dns_records"]
    assert body["message"] == "Domain DNS records have been updated"
    assert body["domain"] == {**made["domain"], "state": "active"}
    assert body["sending_dns_records"] == [
        {**each, "is_active": True, "valid": "valid", "cached": [each["value"]]}
        for each in made["sending_dns_records"]
    ]
    exchangers = ["10 mxa.mailgun.org", "10 mxb.mailgun.org"]
    assert body["receiving_dns_records"] == [{**each, "valid": "valid", "cached": exchangers} for each in MX]
    assert verified.headers["x-request-limit"] == "10"
    assert verified.headers["x-request-remaining"] == "9"
    assert len(verified.headers["x-request-reset"]) == 13
    read = client.get("/v4/domains/good.example.net").json()
    assert read["sending_dns_records"] == body["sending_dns_records"]


def test_what_is_wrong_or_missing_keeps_a_domain_unverified(client: Client) -> None:
    make(client, "bad.example.net")
    name, path = "bad.example.net", "/v4/domains/bad.example.net"
    control = f"/_emulator/domains/{name}/dns"
    client.put(control, json={"spf": "wrong", "dkim": "missing", "mx": "missing", "cname": "missing"})
    verified = client.put(f"/v3/domains/{name}/verify").json()
    assert verified["domain"]["state"] == "unverified"
    dkim, spf, cname = verified["sending_dns_records"]
    assert (dkim["valid"], dkim["cached"], dkim["is_active"]) == ("unknown", [], False)
    assert (spf["valid"], spf["cached"]) == ("invalid", ["v=spf1 -all"])
    assert (cname["valid"], cname["cached"]) == ("unknown", [])
    client.put(control, json={"mx": "missing", "cname": "missing"})
    assert client.put(f"{path}/verify").json()["domain"]["state"] == "active"
    client.put(control, json={"dkim": "missing"})
    gone = client.put(f"{path}/verify").json()
    assert gone["domain"]["state"] == "unverified"
    assert (gone["sending_dns_records"][0]["valid"], gone["sending_dns_records"][0]["cached"]) == (
        "invalid",
        [],
    )
    assert verdicts(gone["receiving_dns_records"]) == {"mxa.mailgun.org": "valid", "mxb.mailgun.org": "valid"}


def test_verifying_too_often_is_refused_for_a_second(client: Client, account: Account) -> None:
    path = f"/v4/domains/{account.domain}/verify"
    refused = next(answer for _ in range(60) if (answer := client.put(path)).status_code != 200)
    assert refused.status_code == 429
    assert refused.json() == {"message": "Too many requests"}
    assert refused.headers["x-request-remaining"] == "0"
    assert float(refused.headers["x-ratelimit-reset"]) * 1000 == float(refused.headers["x-request-reset"])


def test_a_sandbox_domain_stays_active_and_stays(client: Client) -> None:
    (sandbox,) = (
        domain for domain in client.get("/v4/domains").json()["items"] if domain["type"] == "sandbox"
    )
    client.put(f"/_emulator/domains/{sandbox['name']}/dns", json={"spf": "missing", "dkim": "wrong"})
    assert client.put(f"/v4/domains/{sandbox['name']}/verify").json()["domain"] == sandbox
    refused = client.delete(f"/v3/domains/{sandbox['name']}")
    assert (refused.status_code, refused.json()) == (400, {"message": "Sandbox domains can't be deleted"})


def test_a_deleted_domain_is_gone_at_once_and_can_be_made_again(client: Client) -> None:
    first = make(client, "gone.example.net", smtp_password="secret-word")
    gone = client.delete("/v3/domains/gone.example.net")
    assert (gone.status_code, gone.json()) == (200, {"message": "Domain will be deleted in the background"})
    assert client.get("/v4/domains/gone.example.net").status_code == 404
    again = client.delete("/v4/domains/gone.example.net")
    assert (again.status_code, again.json()) == (404, {"message": "Domain not found"})
    second = make(client, "gone.example.net")
    client.drain()
    assert second["domain"]["id"] != first["domain"]["id"]
    assert second["sending_dns_records"][0]["value"] != first["sending_dns_records"][0]["value"]
    assert client.get("/v3/domains/gone.example.net/credentials").json()["items"] == []
    assert client.get("/v4/domains", params={"search": "gone"}).json()["total_count"] == 1


def test_the_connection_is_told_flat_and_nested(client: Client, account: Account) -> None:
    path = f"/v3/domains/{account.domain}/connection"
    changed = client.put(path, data={"require_tls": "true"})
    assert changed.json() == {
        "message": "Domain connection settings have been updated, may take 10 minutes to fully propagate",
        "require_tls": True,
        "skip_verification": False,
        "require-tls": True,
        "skip-verification": False,
    }
    settings = {"require_tls": True, "skip_verification": False}
    assert client.get(path).json() == {"connection": settings, **settings}
    assert client.get(f"/v4/domains/{account.domain}").json()["domain"]["require_tls"] is True
    refused = client.put(path, data={"require_tls": "perhaps"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Invalid parameter: require_tls is invalid"},
    )
    assert client.get("/v3/domains/none.example.net/connection").status_code == 404
