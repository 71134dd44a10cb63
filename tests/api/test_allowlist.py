import re
from typing import Any

import pytest
from tests.conftest import Account, Client

LONG_AGO = "Thu, 11 Dec 2025 01:49:40 UTC"


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/{account.domain}/whitelists"


def values(client: Client, path: str, **query: Any) -> list[tuple[str, str]]:
    return [(item["type"], item["value"]) for item in client.get(path, params=query).json()["items"]]


def test_a_domain_is_added_looked_up_and_removed(client: Client, path: str) -> None:
    added = client.post(path, data={"domain": "Example.com", "reason": "partner", "created_at": LONG_AGO})
    assert added.status_code == 200
    assert added.text == (
        '{"message":"Address/Domain has been added to the allowlists table","type":"domain","value":"Example.com"}\n'
    )
    found = client.get(f"{path}/example.com")
    assert found.text == (
        f'{{"type":"domain","value":"Example.com","reason":"partner","createdAt":"{LONG_AGO}"}}\n'
    )
    removed = client.delete(f"{path}/example.com")
    assert removed.text == '{"message":"Allowlist address/domain has been removed","value":"example.com"}\n'
    for gone in (client.get(f"{path}/example.com"), client.delete(f"{path}/example.com")):
        assert gone.status_code == 404
        assert gone.json() == {"message": "Address/Domain not found in allowlist table"}


def test_an_address_is_added_and_counts_more_than_a_domain(client: Client, path: str) -> None:
    added = client.post(path, files={"address": (None, "a+b@x.com"), "domain": (None, "example.com")})
    assert added.json() == {
        "message": "Address/Domain has been added to the allowlists table",
        "type": "address",
        "value": "a+b@x.com",
    }
    found = client.get(f"{path}/a%2Bb%40x.com").json()
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC", found.pop("createdAt"))
    assert found == {"type": "address", "value": "a+b@x.com", "reason": ""}
    assert values(client, path) == [("address", "a+b@x.com")]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, "Missing mandatory parameter: address/domain"),
        ({"reason": "none"}, "Missing mandatory parameter: address/domain"),
        ({"domain": ""}, "Missing mandatory parameter: address/domain"),
        ({"address": "nobody"}, "Invalid parameter: address is not a valid email address"),
        ({"address": "nobody", "domain": "x.com"}, "Invalid parameter: address is not a valid email address"),
        ({"domain": "no domain"}, "Invalid parameter: domain is not a valid domain name"),
        ({"domain": "a@x.com"}, "Invalid parameter: domain is not a valid domain name"),
        ({"domain": "-x.com"}, "Invalid parameter: domain is not a valid domain name"),
        ({"domain": "com"}, "Invalid parameter: domain is not a valid domain name"),
    ],
)
def test_what_is_neither_address_nor_domain_is_refused(
    client: Client, path: str, form: dict[str, str], text: str
) -> None:
    refused = client.post(path, data=form)
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert values(client, path) == []


def test_one_entry_is_added_at_a_time(client: Client, path: str) -> None:
    refused = client.post(path, json=[{"domain": "x.com"}])
    assert refused.status_code == 400
    assert refused.json() == {"message": "Missing mandatory parameter: address/domain"}
    added = client.post(path, json={"domain": "x.com"})
    assert (added.status_code, added.json()["value"]) == (200, "x.com")


def test_addresses_and_domains_are_paged_together(client: Client, path: str, server_url: str) -> None:
    for form in ({"domain": "b.com"}, {"address": "a@b.com"}, {"address": "c@b.com"}):
        client.post(path, data=form)
    page = client.get(path, params={"limit": "1", "page": "next", "address": "a@b.com"}).json()
    assert [item["value"] for item in page["items"]] == ["b.com"]
    assert page["paging"]["next"] == f"{server_url}{path}?page=next&address=b.com&limit=1&term="
    assert values(client, path, page="last", limit=1) == [("address", "c@b.com")]
    assert values(client, path, term="b.") == [("domain", "b.com")]


def test_an_allowlist_is_imported(client: Client, path: str) -> None:
    content = b"address,domain\na@x.com,\n,x.com\n,no domain\n,\n"
    taken = client.post(f"{path}/import", files={"file": ("a.csv", content)})
    assert taken.status_code == 202
    assert taken.json() == {"message": "file uploaded successfully for processing. standby..."}
    client.drain()
    assert values(client, path) == [("address", "a@x.com"), ("domain", "x.com")]


def test_an_allowlist_file_needs_a_header(client: Client, path: str) -> None:
    refused = client.post(f"{path}/import", files={"file": ("a.csv", b"x.com\n")})
    assert (refused.status_code, refused.json()) == (400, {"message": "while reading csv header"})
    assert client.post(f"{path}/import", files={"file": ("a.csv", b"domain\nx.com\n")}).status_code == 202


def test_the_allowlist_is_emptied(client: Client, path: str) -> None:
    client.post(path, data={"domain": "x.com"})
    cleared = client.delete(path)
    assert cleared.text == '{"message":"Allowlist addresses/domains for this domain have been removed"}\n'
    assert values(client, path) == []


def test_a_domain_that_is_not_there_has_no_allowlist(client: Client) -> None:
    refused = client.post("/v3/nowhere.example/whitelists", data={"domain": "x.com"})
    assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})


@pytest.mark.parametrize("form", [{"address": "BOUNCE@example.com"}, {"domain": "Example.com"}])
def test_who_is_on_the_allowlist_does_not_get_on_the_bounce_list(
    client: Client, account: Account, path: str, form: dict[str, str]
) -> None:
    client.post(path, data=form)
    message = {"from": f"a@{account.domain}", "to": "bounce@example.com", "text": "hello"}
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
    client.drain()
    assert client.get(f"/v3/{account.domain}/bounces").json()["items"] == []
