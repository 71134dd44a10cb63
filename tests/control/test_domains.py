from tests import plain
from tests.conftest import Account, Client


def test_the_dns_of_a_domain_is_in_order_unless_it_is_said_not_to_be(
    client: Client, account: Account
) -> None:
    path = f"/_emulator/domains/{account.domain}/dns"
    all_found = {"spf": "found", "dkim": "found", "mx": "found", "cname": "found"}
    assert client.get(path).json() == all_found
    said = client.put(path, json={"spf": "missing", f"email.{account.domain}": "wrong"})
    assert said.json() == {**all_found, "spf": "missing", f"email.{account.domain}": "wrong"}
    assert client.get(path).json() == said.json()
    verified = client.put(f"/v4/domains/{account.domain}/verify").json()
    assert verified["domain"]["state"] == "unverified"
    cname = verified["sending_dns_records"][-1]
    assert (cname["valid"], cname["cached"]) == ("invalid", ["elsewhere.example"])
    assert client.put(path, json={}).json() == all_found
    assert client.put(f"/v4/domains/{account.domain}/verify").json()["domain"]["state"] == "active"


def test_a_record_that_is_not_the_domains_is_refused_with_those_that_are(
    client: Client, account: Account
) -> None:
    path = f"/_emulator/domains/{account.domain}/dns"
    unknown = client.put(path, json={"dmarc": "found"})
    assert unknown.status_code == 400
    assert unknown.json() == {
        "message": f"dmarc is no record of {account.domain}; possible are spf, dkim, mx, cname, "
        f"mx._domainkey.{account.domain}, {account.domain}, email.{account.domain}"
    }
    word = client.put(path, json={"spf": "absent"})
    assert word.status_code == 400
    assert word.json() == {"message": "body.spf: Input should be 'found', 'wrong' or 'missing'"}
    assert client.get("/_emulator/domains/none.example.net/dns").status_code == 404


def test_a_domain_of_another_account_is_named_with_its_account(server_url: str, account: Account) -> None:
    path = f"{server_url}/_emulator/domains/{account.domain}/dns"
    assert plain.get(path).status_code == 404
    assert plain.get(path, params={"account": account.id}).status_code == 200
    assert plain.get(path, params={"account": "none"}).status_code == 404


def test_a_domain_is_disabled_and_enabled_again(client: Client, account: Account) -> None:
    path = f"/_emulator/domains/{account.domain}/state"
    asked = {"state": "disabled", "code": "blacklisted", "reason": "bad customer", "note": "for debugging"}
    disabled = {"code": "blacklisted", "note": "for debugging", "permanently": True, "reason": "bad customer"}
    assert client.put(path, json=asked).json() == {
        "name": account.domain,
        "state": "disabled",
        "is_disabled": True,
        "disabled": disabled,
    }
    domain = client.get(f"/v4/domains/{account.domain}").json()["domain"]
    assert (domain["state"], domain["is_disabled"], domain["disabled"]) == ("disabled", True, disabled)
    assert list(domain)[-3:] == ["disabled", "encrypt_incoming_message", "message_ttl"]
    assert client.get("/v4/domains", params={"state": "disabled"}).json()["total_count"] == 1
    assert client.put(f"/v4/domains/{account.domain}/verify").json()["domain"]["state"] == "disabled"
    refused = client.delete(f"/v3/domains/{account.domain}")
    assert (refused.status_code, refused.json()) == (400, {"message": "Disabled domains can't be deleted"})
    enabled = client.put(path, json={"state": "enabled"}).json()
    assert enabled == {"name": account.domain, "state": "active", "is_disabled": False}
    assert "disabled" not in client.get(f"/v4/domains/{account.domain}").json()["domain"]


def test_a_domain_can_be_disabled_for_a_time(client: Client, account: Account) -> None:
    path = f"/_emulator/domains/{account.domain}/state"
    asked = {"state": "disabled", "until": "Fri, 01 Jan 2100 00:00:00 GMT"}
    told = client.put(path, json=asked).json()["disabled"]
    assert (told["permanently"], told["until"]) == (False, "Fri, 01 Jan 2100 00:00:00 GMT")
    for until in ("soon", "inf", "1e300", "Sat, 01 Jan 2000 00:00:00 GMT"):
        assert client.put(path, json={"state": "disabled", "until": until}).status_code == 400
    assert client.put(path, json={"state": "asleep"}).status_code == 400
