"""`X-Mailgun-On-Behalf-Of`: the key of an account speaks for one of its subaccounts (facts/account.md, 0.1 and 8)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.openapi.operations import operations

HEADER = "X-Mailgun-On-Behalf-Of"
HINT = "X-Mailgun-Emulator-Hint"
FORBIDDEN = (403, {"message": "Forbidden"})
OPEN_TO_ALL = {
    "/v1/preview/tests/{test_id}/screenshots/{client_id}",
    "/v3/exports/{export_id}/file",
    "/v4/address/validate/bulk/{list_id}/{file}",
    "/v4/inbox/sharing/public/{share_id}",
    "/v4/inbox/sharing/public/{share_id}/page",
}
"""Ask for no key, and so nobody speaks."""


DELETES_SUBACCOUNT = ("DELETE", "/v5/accounts/subaccounts")
"""There the header names whom the parent deletes."""


class Family(NamedTuple):
    """An account and its subaccount; the clients have their own keys."""

    account: Account
    parent: Client
    subaccount: Account
    own: Client

    @property
    def header(self) -> dict[str, str]:
        return {HEADER: self.subaccount.id}


@pytest.fixture(scope="module")
def family(server_url: str) -> Iterator[Family]:
    with founded(server_url) as made:
        yield made


@pytest.fixture
def another(server_url: str) -> Iterator[Family]:
    """Only one test knows it."""
    with founded(server_url) as made:
        yield made


@contextmanager
def founded(server_url: str) -> Iterator[Family]:
    accounts = f"{server_url}/_emulator/accounts"
    account = Account(**plain.post(accounts, json={"name": "Parent"}).json())
    made = plain.post(accounts, json={"name": "Child", "parent": account.id}).json()
    subaccount = Account(**{name: made[name] for name in Account._fields})
    parent = Client(base_url=server_url, auth=("api", account.api_key))
    with parent, Client(base_url=server_url, auth=("api", subaccount.api_key)) as own:
        for client, domain in ((parent, account.domain), (own, subaccount.domain)):
            send(client, domain)
        yield Family(account, parent, subaccount, own)


def send(client: Client, domain: str, **headers: str) -> httpx2.Response:
    message = {"from": f"a@{domain}", "to": "bob@x.com", "subject": "Hi", "text": "hi", "o:tag": "t"}
    return client.post(f"/v3/{domain}/messages", data=message, headers=headers)


def noted(client: Client, response: httpx2.Response) -> dict[str, Any]:
    number = response.headers["X-Mailgun-Emulator-Request"]
    return dict(client.get(f"/_emulator/requests/{number}").json())


def mailguns() -> list[tuple[str, str]]:
    return sorted(
        (each.method.upper(), each.path)
        for each in operations()
        if each.section.startswith("api.") and each.path not in OPEN_TO_ALL
    )


READS = [path for method, path in mailguns() if method == "GET"]
WRITES = [each for each in mailguns() if each[0] != "GET" and each != DELETES_SUBACCOUNT]


def filled_in(path: str, account: Account) -> str:
    return re.sub(r"\{[^}]*\}", "x", re.sub(r"\{(domain|authority)\}", account.domain, path))


@pytest.mark.parametrize("path", READS)
def test_who_answers_is_the_subaccount(family: Family, path: str) -> None:
    subaccount = family.subaccount
    filled = filled_in(path, subaccount)
    answer = family.parent.get(filled, headers=family.header, follow_redirects=False)
    own = family.own.get(filled, follow_redirects=False)
    assert answer.status_code == own.status_code
    assert noted(family.own, answer)["account"] == subaccount.id
    assert family.account.domain not in answer.text
    assert family.account.signing_key not in answer.text


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_who_acts_is_the_subaccount(another: Family, method: str, path: str) -> None:
    answer = another.parent.request(method, filled_in(path, another.subaccount), headers=another.header)
    assert answer.status_code < 500
    assert noted(another.own, answer)["account"] == another.subaccount.id


def test_what_is_done_is_done_to_the_subaccount(family: Family) -> None:
    domain = family.subaccount.domain
    sent = send(family.parent, domain, **family.header)
    assert sent.status_code == 200
    family.own.drain()
    found = {"message-id": sent.json()["id"]}
    events = family.own.get(f"/v3/{domain}/events", params=found).json()["items"]
    assert [each["event"] for each in events] == ["delivered", "accepted"]
    assert events[0]["account"] == {"id": family.subaccount.id, "parent-id": family.account.id}
    assert events[1]["api-key-id"] == sent.headers["X-Mailgun-Key-Id"]
    (log,) = family.own.post("/v1/analytics/logs", json={"events": ["delivered"]}).json()["items"][:1]
    assert log["account"] == {"id": family.subaccount.id, "parent-id": family.account.id}
    bounce = {"address": "gone@x.com"}
    family.parent.post(f"/v3/{domain}/bounces", data=bounce, headers=family.header)
    assert family.own.get(f"/v3/{domain}/bounces/gone@x.com").status_code == 200
    made = family.parent.post("/v1/keys", data={"role": "basic"}, headers=family.header).json()["key"]
    with Client(base_url=family.own.base_url, auth=("api", made["secret"])) as by_new_key:
        assert by_new_key.get(f"/v4/domains/{domain}").status_code == 200


@pytest.mark.parametrize("named", ["nobody", "5f0000000000000000000000"])
def test_who_is_no_subaccount_is_not_spoken_for(family: Family, named: str) -> None:
    refused = family.parent.get("/v4/domains", headers={HEADER: named})
    assert (refused.status_code, refused.json()) == FORBIDDEN
    assert refused.headers[HINT] == (
        f"X-Mailgun-On-Behalf-Of names no subaccount of the key's account; "
        f"it has Child ({family.subaccount.id})"
    )
    assert noted(family.parent, refused)["account"] == family.account.id


def test_another_accounts_is_not_spoken_for(family: Family, client: Client, account: Account) -> None:
    refused = client.get("/v4/domains", headers=family.header)
    assert (refused.status_code, refused.json()) == FORBIDDEN
    assert refused.headers[HINT].endswith("it has none")
    own = client.get("/v4/domains", headers={HEADER: account.id})
    assert (own.status_code, own.json()) == FORBIDDEN
    assert own.headers[HINT] == "X-Mailgun-On-Behalf-Of names the key's own account: leave it away"


def test_a_subaccount_speaks_for_nobody(family: Family) -> None:
    for named in (family.account.id, family.subaccount.id):
        refused = family.own.get("/v4/domains", headers={HEADER: named})
        assert (refused.status_code, refused.json()) == FORBIDDEN


def test_a_sending_key_speaks_for_nobody(family: Family) -> None:
    about = {"role": "sending", "kind": "domain", "domain_name": family.account.domain}
    key = family.parent.post("/v1/keys", data=about).json()["key"]["secret"]
    with Client(base_url=family.parent.base_url, auth=("api", key)) as client:
        refused = send(client, family.account.domain, **family.header)
        assert (refused.status_code, refused.json()) == FORBIDDEN
        assert "speaks for no other account" in refused.headers[HINT]
        assert send(client, family.account.domain).status_code == 200


def test_a_header_without_a_name_says_nothing(family: Family) -> None:
    listed = family.parent.get(f"/v4/domains/{family.account.domain}", headers={HEADER: ""})
    assert listed.status_code == 200


def test_faults_are_those_of_the_subaccount(family: Family) -> None:
    fault = {"match": {"path": "/v3/routes"}, "do": {"status": 500}}
    made = family.own.post("/_emulator/faults", json=fault).json()
    assert family.parent.get("/v3/routes", headers=family.header).status_code == 500
    assert family.parent.get("/v3/routes").status_code == 200
    assert family.own.delete(f"/_emulator/faults/{made['id']}").status_code == 200


def test_who_forgets_the_header_is_told(family: Family) -> None:
    domain = family.subaccount.domain
    missing = family.parent.get(f"/v4/domains/{domain}")
    assert missing.status_code == 404
    assert f"`X-Mailgun-On-Behalf-Of: {family.subaccount.id}` speaks for" in missing.headers[HINT]
    made = send(family.parent, domain)
    assert made.status_code == 200
    assert f"`X-Mailgun-On-Behalf-Of: {family.subaccount.id}` speaks for" in made.headers[HINT]
    swapped = family.parent.get(f"/v4/domains/{family.account.domain}", headers=family.header)
    assert swapped.headers[HINT].endswith("it is the parent account's")


def test_a_new_one_goes_by_the_clock_of_its_parent(client: Client) -> None:
    assert client.post("/_emulator/clock", json={"freeze": "2030-01-02T03:04:05Z"}).status_code == 200
    made = client.post("/v5/accounts/subaccounts", data={"name": "Late"}).json()["subaccount"]
    assert made["created_at"] == "Wed, 02 Jan 2030 03:04:05 GMT"
    told = client.get("/_emulator/clock", params={"account": made["id"]}).json()
    assert told["now"] == client.get("/_emulator/clock").json()["now"]
