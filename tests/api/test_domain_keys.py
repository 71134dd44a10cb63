from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.conftest import Account, Client


def create(client: Client, domain: str, selector: str) -> Any:
    made = client.post("/v1/dkim/keys", data={"signing_domain": domain, "selector": selector})
    assert made.status_code == 200, made.text
    return made.json()


def selectors(client: Client, domain: str) -> list[str]:
    return [key["selector"] for key in client.get(f"/v4/domains/{domain}/keys").json()["items"]]


def pem(form: PrivateFormat, bits: int = 1024) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def test_a_key_is_made_and_waits_for_its_record(client: Client, account: Account) -> None:
    made = create(client, account.domain, "k1")
    value = made["dns_record"]["value"]
    assert value.startswith("k=rsa; p=MIGf")
    assert list(made) == ["signing_domain", "selector", "dns_record"]
    assert made == {
        "signing_domain": account.domain,
        "selector": "k1",
        "dns_record": {
            "is_active": False,
            "cached": [],
            "name": f"k1._domainkey.{account.domain}",
            "record_type": "TXT",
            "valid": "unknown",
            "value": value,
        },
    }
    sending = client.get(f"/v4/domains/{account.domain}").json()["sending_dns_records"]
    assert [record["name"].split("._domainkey")[0] for record in sending[:2]] == ["mx", "k1"]


def test_a_key_is_activated_once_its_record_was_found(client: Client, account: Account) -> None:
    create(client, account.domain, "k1")
    path = f"/v4/domains/{account.domain}/keys/k1"
    refused = client.put(f"{path}/activate")
    assert (refused.status_code, refused.json()) == (400, {"message": "domain key DNS record invalid"})
    client.put(f"/v4/domains/{account.domain}/verify")
    assert client.put(f"{path}/activate").json() == {
        "message": "domain key activated",
        "authority": account.domain,
        "selector": "k1",
        "active": True,
    }
    assert client.put(f"/v4/domains/{account.domain}/keys/mx/deactivate").json() == {
        "message": "domain key deactivated",
        "authority": account.domain,
        "selector": "mx",
        "active": False,
    }
    keys = client.get(f"/v3/domains/{account.domain}/keys").json()["items"]
    assert {key["selector"]: key["dns_record"]["is_active"] for key in keys} == {"mx": False, "k1": True}
    for verb in ("activate", "deactivate"):
        unknown = client.put(f"/v4/domains/{account.domain}/keys/none/{verb}")
        assert (unknown.status_code, unknown.json()) == (404, {"message": "domain key not found"})


def test_messages_are_signed_with_the_active_key(client: Client, account: Account) -> None:
    create(client, account.domain, "k1")
    client.put(f"/v4/domains/{account.domain}/verify")
    client.put(f"/v4/domains/{account.domain}/keys/k1/activate")
    client.put(f"/v4/domains/{account.domain}/keys/mx/deactivate")
    message = {"from": f"me@{account.domain}", "to": "you@example.org", "text": "hello"}
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
    client.drain()
    (delivered,) = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert delivered["primary-dkim"] == f"k1._domainkey.{account.domain}"


def test_a_key_is_imported_as_text_or_file(client: Client, account: Account) -> None:
    text = pem(PrivateFormat.TraditionalOpenSSL, 2048)
    asked = {"signing_domain": account.domain, "selector": "own"}
    made = client.post("/v1/dkim/keys", data=asked, files={"pem": ("key.pem", text)})
    assert made.status_code == 200
    other = client.post("/v4/domains", data={"name": "other.example.net"}).json()["domain"]["name"]
    same = client.post("/v1/dkim/keys", data={"signing_domain": other, "selector": "own", "pem": text})
    assert same.json()["dns_record"]["value"] == made.json()["dns_record"]["value"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pem": "lorem"}, "failed to import domain key: failed to parse PEM"),
        (
            {"pem": pem(PrivateFormat.PKCS8)},
            "failed to parse private key: key must be PKCS1 format",
        ),
        (
            {"pem": pem(PrivateFormat.TraditionalOpenSSL, 3072)},
            "failed to import domain key: key must have 1024 or 2048 bits",
        ),
        ({"selector": "mx"}, "failed to create domain key: duplicate key"),
        ({"selector": "a.b"}, "Invalid parameter: selector must be a valid atom"),
        ({"bits": "512"}, "Invalid parameter: bits is invalid"),
    ],
)
def test_a_bad_key_is_refused(client: Client, account: Account, asked: dict[str, str], message: str) -> None:
    refused = client.post("/v1/dkim/keys", data={"signing_domain": account.domain, "selector": "k1", **asked})
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert selectors(client, account.domain) == ["mx"]


def test_what_names_no_key_is_refused(client: Client, account: Account) -> None:
    missing = client.post("/v1/dkim/keys", data={"signing_domain": account.domain})
    assert (missing.status_code, missing.json()) == (
        400,
        {"message": "Missing mandatory parameter: selector"},
    )
    unknown = client.post("/v1/dkim/keys", data={"signing_domain": "none.example.net", "selector": "k1"})
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Domain not found"})


def test_a_domain_has_three_keys_at_most(client: Client, account: Account) -> None:
    for selector in ("k1", "k2"):
        create(client, account.domain, selector)
    refused = client.post("/v1/dkim/keys", data={"signing_domain": account.domain, "selector": "k3"})
    assert refused.status_code == 400
    assert refused.json() == {"message": "failed to create domain key: limit of 3 keys per domain reached"}


def test_a_key_is_deleted_unless_it_is_the_last_active_one(client: Client, account: Account) -> None:
    create(client, account.domain, "k1")
    refused = client.delete("/v1/dkim/keys", params={"signing_domain": account.domain, "selector": "mx"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "cannot delete domain key: must have at least one active domain key"},
    )
    parts = {"signing_domain": (None, account.domain), "selector": (None, "k1")}
    gone = client.request("DELETE", "/v1/dkim/keys", files=parts)
    assert (gone.status_code, gone.json()) == (200, {"message": "success"})
    again = client.delete("/v1/dkim/keys", params={"signing_domain": account.domain, "selector": "k1"})
    assert (again.status_code, again.json()) == (404, {"message": "domain key not found"})
    assert selectors(client, account.domain) == ["mx"]


def test_the_keys_of_all_domains_are_listed_page_by_page(client: Client, account: Account) -> None:
    for selector in ("k1", "k2"):
        create(client, account.domain, selector)
    listed = client.get("/v1/dkim/keys", params={"page": "", "limit": ""})
    body = listed.json()
    assert list(body) == ["items", "paging"]
    assert list(body["paging"]) == ["previous", "first", "next", "last"]
    names = [(key["signing_domain"], key["selector"]) for key in body["items"]]
    assert len(names) == 4
    assert {(account.domain, selector) for selector in ("mx", "k1", "k2")} < set(names)

    page = client.get("/v1/dkim/keys", params={"limit": 3}).json()
    assert page["items"] == body["items"][:3]
    rest = client.get(page["paging"]["next"]).json()
    assert rest["items"] == body["items"][3:]
    empty = client.get(rest["paging"]["next"]).json()
    assert empty["items"] == []
    assert all(urlsplit(url).query.startswith("page=") for url in empty["paging"].values())
    assert client.get(rest["paging"]["previous"]).json()["items"] == body["items"][:3]
    assert client.get(page["paging"]["last"]).json()["items"] == body["items"][1:]
    assert client.get(rest["paging"]["first"]).json()["items"] == body["items"][:3]


def test_listed_keys_are_filtered_on_every_page(client: Client, account: Account) -> None:
    for selector in ("k1", "k2"):
        create(client, account.domain, selector)
    page = client.get("/v1/dkim/keys", params={"signing_domain": account.domain, "limit": 2}).json()
    found = page["items"] + client.get(page["paging"]["next"]).json()["items"]
    assert [key["selector"] for key in found] == ["mx", "k1", "k2"]
    one = client.get("/v1/dkim/keys", params={"selector": "k2"}).json()["items"]
    assert [key["selector"] for key in one] == ["k2"]
    refused = client.get("/v1/dkim/keys", params={"limit": 101})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Limit parameter can't be larger than 100"},
    )
    assert client.get("/v1/dkim/keys", params={"page": "nonsense"}).status_code == 400


def test_a_domain_takes_over_its_dkim_authority_and_gives_it_back(client: Client) -> None:
    for name in ("example.net", "sub.example.net"):
        client.post("/v4/domains", data={"name": name})
    client.put("/v4/domains/sub.example.net/verify")
    path = "/v3/domains/sub.example.net/dkim_authority"
    changed = client.put(path, params={"self": "true"}).json()
    assert list(changed) == ["message", "sending_dns_records", "changed"]
    assert (changed["message"], changed["changed"]) == ("Domain DKIM authority has been changed", True)
    names = [record["name"] for record in changed["sending_dns_records"]]
    assert names == ["sub.example.net", "mx._domainkey.sub.example.net", "email.sub.example.net"]
    assert client.get("/v4/domains/sub.example.net").json()["domain"]["state"] == "unverified"
    same = client.put(path, data={"self": "yes"}).json()
    assert (same["message"], same["changed"]) == ("Domain DKIM authority has not been changed", False)
    back = client.put(path, data={"self": "false"}).json()
    assert back["sending_dns_records"][1]["name"] == "mx._domainkey.example.net"
    assert client.put("/v3/domains/none.example.net/dkim_authority").status_code == 404


def test_a_selector_is_changed_and_its_record_waits_again(client: Client, account: Account) -> None:
    before = client.get(f"/v4/domains/{account.domain}/keys").json()["items"][0]["dns_record"]
    changed = client.put(f"/v3/domains/{account.domain}/dkim_selector", params={"dkim_selector": "s1"})
    assert changed.json() == {"message": "DKIM selector changed"}
    (key,) = client.get(f"/v4/domains/{account.domain}/keys").json()["items"]
    assert key["dns_record"] == {
        **before,
        "is_active": False,
        "cached": [],
        "name": f"s1._domainkey.{account.domain}",
        "valid": "unknown",
    }
    create(client, account.domain, "k1")
    taken = client.put(f"/v3/domains/{account.domain}/dkim_selector", data={"dkim_selector": "k1"})
    assert (taken.status_code, taken.json()) == (
        400,
        {"message": "failed to create domain key: duplicate key"},
    )
    assert client.put(f"/v3/domains/{account.domain}/dkim_selector").status_code == 200
    assert selectors(client, account.domain) == ["s1", "k1"]


def test_the_keys_of_automatic_sender_security_keep_their_selectors(client: Client) -> None:
    name = "safe.example.net"
    client.post("/v4/domains", data={"name": name, "use_automatic_sender_security": "true"})
    renamed = client.put(f"/v3/domains/{name}/dkim_selector", data={"dkim_selector": "s1"})
    assert renamed.status_code == 400
    deleted = client.delete("/v1/dkim/keys", params={"signing_domain": name, "selector": "pdk2"})
    assert deleted.status_code == 400
    assert selectors(client, name) == ["pdk1", "pdk2"]
