import re
from email.message import EmailMessage
from smtplib import SMTPDataError
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client
from tests.sink import connected

from mailgun_emulator.testing import Emulator

SUBACCOUNTS = "/v5/accounts/subaccounts"
NOT_FOUND = {"message": "Not Found"}
BAD = {"message": "Bad request"}


def make(client: Client, name: str = "Shop") -> str:
    made = client.post(SUBACCOUNTS, data={"name": name})
    assert made.status_code == 200
    return str(made.json()["subaccount"]["id"])


def for_it(subaccount: str) -> dict[str, str]:
    return {"X-Mailgun-On-Behalf-Of": subaccount}


def domain_of(client: Client, subaccount: str) -> str:
    name = f"mail.{subaccount[:8]}.example.com"
    assert client.post("/v4/domains", data={"name": name}, headers=for_it(subaccount)).status_code == 200
    assert client.put(f"/v4/domains/{name}/verify", headers=for_it(subaccount)).status_code == 200
    return name


def send(client: Client, domain: str, subaccount: str, **more: Any) -> httpx2.Response:
    message = {"from": f"a@{domain}", "to": "bob@x.com", "subject": "Hi", "text": "hi", **more}
    return client.post(f"/v3/{domain}/messages", data=message, headers=for_it(subaccount))


def disabled(domain: str) -> tuple[int, dict[str, str]]:
    return 403, {"message": f"Domain {domain} is not allowed to send: Account disabled"}


def answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def listed(client: Client, **wanted: Any) -> list[str]:
    return [each["name"] for each in client.get(SUBACCOUNTS, params=wanted).json()["subaccounts"]]


def test_a_subaccount_is_made_and_has_a_key_and_a_sandbox_domain_of_its_own(
    client: Client, account: Account
) -> None:
    made = client.post(SUBACCOUNTS, params={"name": "Shop"}).json()
    told = made["subaccount"]
    assert list(told) == ["id", "name", "created_at", "updated_at", "status"]
    assert re.fullmatch("[0-9a-f]{24}", told["id"])
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", told["created_at"])
    assert (told["name"], told["status"], told["updated_at"]) == ("Shop", "open", told["created_at"])
    assert client.get(f"{SUBACCOUNTS}/{told['id']}").json() == made
    (domain,) = client.get("/v4/domains", headers=for_it(told["id"])).json()["items"]
    assert domain["type"] == "sandbox"
    kept = client.get(f"/_emulator/accounts/{told['id']}").json()
    assert kept["parent"] == account.id
    with Client(base_url=client.base_url, auth=("api", kept["api_key"])) as own:
        assert [each["name"] for each in own.get("/v4/domains").json()["items"]] == [domain["name"]]


@pytest.mark.parametrize("fields", [{}, {"name": ""}, {"name": "  "}])
def test_a_subaccount_needs_a_name(client: Client, fields: dict[str, str]) -> None:
    assert answer(client.post(SUBACCOUNTS, data=fields)) == (400, BAD)
    assert client.get(SUBACCOUNTS).json() == {"subaccounts": [], "total": 0}


def test_a_subaccount_has_none_of_its_own(client: Client) -> None:
    subaccount = make(client)
    refused = client.post(SUBACCOUNTS, data={"name": "Below"}, headers=for_it(subaccount))
    assert answer(refused) == (400, BAD)
    assert client.get(SUBACCOUNTS, headers=for_it(subaccount)).json()["total"] == 0


def test_subaccounts_are_listed_filtered_sorted_and_paged(client: Client) -> None:
    ids = {name: make(client, name) for name in ("Cafe", "Bakery", "Archive", "50% off")}
    client.post(f"{SUBACCOUNTS}/{ids['Bakery']}/disable")
    client.delete(SUBACCOUNTS, headers=for_it(ids["Archive"]))
    assert listed(client) == ["Cafe", "Bakery", "Archive", "50% off"]
    assert listed(client, enabled="") == listed(client)
    assert listed(client, sort="desc") == ["Cafe", "Bakery", "Archive", "50% off"]
    assert listed(client, sort="asc", limit=2, skip=1) == ["Archive", "Bakery"]
    assert listed(client, filter="KE") == ["Bakery"]
    assert listed(client, filter="0% o") == ["50% off"]
    assert listed(client, enabled=True) == ["Cafe", "50% off"]
    assert listed(client, enabled="no") == ["Bakery"]
    assert listed(client, closed=True) == ["Archive"]
    assert listed(client, closed=False) == ["Cafe", "Bakery", "50% off"]
    assert listed(client, closed=True, enabled=False) == ["Bakery", "Archive"]
    assert client.get(SUBACCOUNTS, params={"limit": 1}).json()["total"] == 4


@pytest.mark.parametrize(
    "wanted", [{"limit": 0}, {"limit": 1001}, {"skip": -1}, {"sort": "up"}, {"enabled": "maybe"}]
)
def test_a_list_that_can_not_be_is_refused(client: Client, wanted: dict[str, Any]) -> None:
    (name,) = wanted
    refused = client.get(SUBACCOUNTS, params=wanted)
    assert answer(refused) == (400, {"message": f"Invalid parameter: {name} is invalid"})


def test_one_of_another_account_is_not_found(client: Client) -> None:
    with Emulator() as other, Client(base_url=other.url, auth=("api", "key-emulator")) as stranger:
        foreign = make(stranger)
    for method, path in (("GET", ""), ("POST", "/disable"), ("POST", "/enable")):
        assert answer(client.request(method, f"{SUBACCOUNTS}/{foreign}{path}")) == (404, NOT_FOUND)
    enabled = {"sending": '{"enabled": true}'}
    assert answer(client.put(f"{SUBACCOUNTS}/{foreign}/features", data=enabled)) == (404, NOT_FOUND)


@pytest.mark.parametrize("strict", [False, True])
def test_a_disabled_one_sends_nothing_and_reads_on_until_it_is_enabled(strict: bool) -> None:
    with (
        Emulator(strict=strict) as emulator,
        Client(base_url=emulator.url, auth=("api", "key-emulator")) as client,
    ):
        subaccount = make(client)
        domain = domain_of(client, subaccount)
        assert send(client, domain, subaccount).status_code == 200
        client.drain()
        off = client.post(
            f"{SUBACCOUNTS}/{subaccount}/disable", data={"reason": "unpaid", "note": "since May"}
        )
        assert off.json()["subaccount"]["status"] == "disabled"
        kept = client.get(f"/_emulator/accounts/{subaccount}").json()
        told = {"reason": "unpaid", "note": "since May"}
        assert (kept["status"], kept["disabled"]) == ("disabled", told)
        refused = send(client, domain, subaccount, **{"o:testmode": "yes"})
        assert answer(refused) == disabled(domain)
        assert refused.headers["X-Mailgun-Emulator-Hint"] == "The subaccount is disabled: unpaid"
        mime = {"to": "bob@x.com"}, {"message": b"From: a@x.com\r\nSubject: s\r\n\r\nt"}
        by_mime = client.post(
            f"/v3/{domain}/messages.mime", data=mime[0], files=mime[1], headers=for_it(subaccount)
        )
        assert answer(by_mime) == disabled(domain)
        events = client.get(f"/v3/{domain}/events", headers=for_it(subaccount)).json()["items"]
        assert sorted(each["event"] for each in events) == ["accepted", "delivered"]
        again = client.post(f"{SUBACCOUNTS}/{subaccount}/disable")
        assert answer(again) == (400, {"message": "subaccount is already disabled"})
        on = client.post(f"{SUBACCOUNTS}/{subaccount}/enable")
        assert (on.status_code, on.json()["subaccount"]["status"]) == (200, "open")
        assert client.post(f"{SUBACCOUNTS}/{subaccount}/enable").json() == on.json()
        assert send(client, domain, subaccount).status_code == 200


def test_a_disabled_one_sends_nothing_by_smtp(client: Client, server_url: str) -> None:
    subaccount = make(client)
    domain = domain_of(client, subaccount)
    login = {"login": "news", "password": "s3cret-1"}
    made = client.post(f"/v3/domains/{domain}/credentials", data=login, headers=for_it(subaccount))
    assert made.status_code == 200
    client.post(f"{SUBACCOUNTS}/{subaccount}/disable")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"news@{domain}", "bob@x.com", "Hi"
    message.set_content("hello")
    why = f"421, b'Domain {domain} is not allowed to send: Account disabled"
    with (
        connected(server_url, f"news@{domain}", "s3cret-1") as sender,
        pytest.raises(SMTPDataError, match=why),
    ):
        sender.send_message(message)
    client.post(f"{SUBACCOUNTS}/{subaccount}/enable")
    with connected(server_url, f"news@{domain}", "s3cret-1") as sender:
        sender.send_message(message)
    client.drain()
    events = client.get(f"/v3/{domain}/events", headers=for_it(subaccount)).json()["items"]
    assert sorted(each["event"] for each in events) == ["accepted", "delivered"]


def test_a_disabled_one_posts_nothing_to_its_mailing_lists(client: Client) -> None:
    subaccount = make(client)
    domain, own = domain_of(client, subaccount), for_it(subaccount)
    address = f"news@{domain}"
    made = client.post("/v3/lists", data={"address": address, "access_level": "everyone"}, headers=own)
    assert made.status_code == 200
    member = {"address": "ann@x.com"}
    assert client.post(f"/v3/lists/{address}/members", data=member, headers=own).status_code == 200
    mail = {"from": "bob@example.org", "to": address, "subject": "s", "text": "t"}

    def delivered_of_one_more() -> int:
        assert client.post("/_emulator/inbound", data=mail, headers=own).status_code == 200
        client.post("/_emulator/drain", headers=own)
        asked = {"event": "delivered", "recipient": "ann@x.com"}
        return len(client.get(f"/v3/{domain}/events", params=asked, headers=own).json()["items"])

    assert delivered_of_one_more() == 1
    client.post(f"{SUBACCOUNTS}/{subaccount}/disable")
    assert delivered_of_one_more() == 1
    refused = {"event": "failed", "recipient": address}
    (event,) = client.get(f"/v3/{domain}/events", params=refused, headers=own).json()["items"]
    assert event["delivery-status"]["description"] == disabled(domain)[1]["message"]
    client.post(f"{SUBACCOUNTS}/{subaccount}/enable")
    assert delivered_of_one_more() == 2


def test_a_deleted_one_is_closed_and_nothing_is_left_of_it(client: Client) -> None:
    subaccount, other = make(client), make(client, "Other")
    domain = domain_of(client, subaccount)
    send(client, domain, subaccount)
    key = client.get(f"/_emulator/accounts/{subaccount}").json()["api_key"]
    gone = client.delete(SUBACCOUNTS, headers=for_it(subaccount))
    assert answer(gone) == (200, {"message": "Subaccount successfully deleted"})
    assert client.get(f"{SUBACCOUNTS}/{subaccount}").json()["subaccount"]["status"] == "closed"
    kept = client.get(f"/_emulator/accounts/{subaccount}").json()
    assert (kept["status"], kept["api_key"], kept["domain"]) == ("closed", "", "")
    refused = client.get("/v4/domains", headers=for_it(subaccount))
    assert answer(refused) == (403, {"message": "Forbidden"})
    assert refused.headers["X-Mailgun-Emulator-Hint"] == "The subaccount Shop was deleted"
    with Client(base_url=client.base_url, auth=("api", key)) as own:
        assert own.get("/v4/domains").status_code == 401
    for path in ("disable", "enable"):
        assert answer(client.post(f"{SUBACCOUNTS}/{subaccount}/{path}")) == (404, NOT_FOUND)
    assert answer(client.delete(SUBACCOUNTS, headers=for_it(subaccount))) == (403, {"message": "Forbidden"})
    assert client.get(f"{SUBACCOUNTS}/{other}").json()["subaccount"]["status"] == "open"


def test_a_deleted_one_stays_so_when_it_is_reset(client: Client) -> None:
    subaccount = make(client)
    key = client.get(f"/_emulator/accounts/{subaccount}").json()["api_key"]
    client.delete(SUBACCOUNTS, headers=for_it(subaccount))
    kept = client.get(f"/_emulator/accounts/{subaccount}").json()
    assert client.post(f"/_emulator/accounts/{subaccount}/reset").status_code == 200
    assert client.get(f"/_emulator/accounts/{subaccount}").json() == kept
    with Client(base_url=client.base_url, auth=("api", key)) as own:
        assert own.get("/v4/domains").status_code == 401


def test_all_are_gone_when_their_parent_is_reset(client: Client, account: Account) -> None:
    subaccounts = [make(client), make(client, "Deleted")]
    for each in subaccounts:
        assert client.get("/v4/domains", headers=for_it(each)).status_code == 200
    client.delete(SUBACCOUNTS, headers=for_it(subaccounts[1]))
    assert client.post(f"/_emulator/accounts/{account.id}/reset").status_code == 200
    assert client.get(SUBACCOUNTS).json() == {"subaccounts": [], "total": 0}
    for each in subaccounts:
        assert client.get(f"/_emulator/accounts/{each}").status_code == 404
        assert client.get("/v4/domains", headers=for_it(each)).status_code == 403
    told = plain.get(f"{client.base_url}/_emulator/requests", params={"limit": 1000}).json()["items"]
    assert {each["account"] for each in told}.isdisjoint(subaccounts)


def test_who_deletes_says_which(client: Client) -> None:
    subaccount = make(client)
    for headers in ({}, for_it("")):
        assert answer(client.delete(SUBACCOUNTS, headers=headers)) == (400, BAD)
    assert answer(client.delete(SUBACCOUNTS, headers=for_it("nobody"))) == (403, {"message": "Forbidden"})
    assert client.get(f"{SUBACCOUNTS}/{subaccount}").status_code == 200


def test_features_are_switched_one_by_one_and_bite(client: Client) -> None:
    subaccount = make(client)
    domain = domain_of(client, subaccount)
    path = f"{SUBACCOUNTS}/{subaccount}/features"
    off = client.put(path, data={"sending": '{"enabled":false}', "validations": '{"enabled": true}'})
    told = {"sending": {"enabled": False}, "validations": {"enabled": True}}
    assert answer(off) == (200, {"features": told})
    assert client.get(f"{SUBACCOUNTS}/{subaccount}").json()["subaccount"]["features"] == told
    assert answer(send(client, domain, subaccount)) == disabled(domain)
    on = client.put(path, json={"sending": {"enabled": True}})
    assert on.json() == {"features": {**told, "sending": {"enabled": True}}}
    assert send(client, domain, subaccount).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"unknown": '{"enabled":true}'},
        {"sending": "yes"},
        {"sending": "{"},
        {"sending": "[]"},
        {"sending": '{"enabled":"maybe"}'},
        {"sending": "{}"},
    ],
)
def test_features_that_say_nothing_are_refused(client: Client, fields: dict[str, str]) -> None:
    subaccount = make(client)
    refused = client.put(f"{SUBACCOUNTS}/{subaccount}/features", data=fields)
    assert answer(refused) == (400, {"message": "No valid updates provided"})
    assert "features" not in client.get(f"{SUBACCOUNTS}/{subaccount}").json()["subaccount"]


@pytest.mark.parametrize(
    ("feature", "method", "path", "fields"),
    [
        ("validations", "POST", "/v4/address/validate", {"address": "a@x.com"}),
        ("validations", "GET", "/v4/address/validate?address=a@x.com", {}),
        ("validations", "GET", "/v3/address/private/validate?address=a@x.com", {}),
        ("validations_bulk", "POST", "/v4/address/validate/bulk/list", {}),
        ("validations_bulk", "POST", "/v4/address/validate/preview/list", {}),
        ("validations_bulk", "PUT", "/v4/address/validate/preview/list", {}),
        ("validations_bulk", "POST", "/v3/lists/all@x.com/validate", {}),
        ("email_preview", "POST", "/v1/preview/tests", {"subject": "Hi", "html": "<p>Hi</p>"}),
        ("email_preview", "PUT", "/v1/preview/tests/x/results/reprocess", {"clients": "outlook19"}),
        (
            "inbox_placement",
            "POST",
            "/v4/inbox/tests",
            {"from": "a@x.com", "subject": "Hi", "html": "<p>Hi</p>"},
        ),
        ("inbox_placement", "POST", "/v4/inbox/seedlists", {"name": "Few"}),
    ],
)
def test_what_is_disabled_is_refused_and_the_parent_is_not(
    client: Client, feature: str, method: str, path: str, fields: dict[str, str]
) -> None:
    subaccount = make(client)
    client.put(f"{SUBACCOUNTS}/{subaccount}/features", data={feature: '{"enabled": false}'})
    refused = client.request(method, path, data=fields, headers=for_it(subaccount))
    assert answer(refused) == (403, {"message": "Forbidden"})
    assert refused.headers["X-Mailgun-Emulator-Hint"] == (
        f"The subaccount's parent has disabled its feature `{feature}`"
    )
    assert client.request(method, path, data=fields).status_code != 403
    client.put(f"{SUBACCOUNTS}/{subaccount}/features", data={feature: '{"enabled": true}'})
    assert client.request(method, path, data=fields, headers=for_it(subaccount)).status_code != 403


def test_more_than_were_allotted_are_refused() -> None:
    many = [{"name": f"S{number}", "parent": "p", "closed": number < 3} for number in range(1003)]
    with Emulator() as emulator, Client(base_url=emulator.url, auth=("api", "key-p"), timeout=60) as client:
        file = {"accounts": [{"id": "p", "api_keys": ["key-p"]}, *many]}
        assert plain.post(f"{emulator.url}/_emulator/import", json=file).status_code == 200
        used_up = (400, {"message": "Parent account has reached its allotted child limit"})
        assert answer(client.post(SUBACCOUNTS, data={"name": "One more"})) == used_up
        first = client.get(SUBACCOUNTS, params={"enabled": True, "limit": 1}).json()["subaccounts"][0]["id"]
        assert client.post(f"{SUBACCOUNTS}/{first}/disable").status_code == 200
        make(client, "In its place")
        assert answer(client.post(f"{SUBACCOUNTS}/{first}/enable")) == used_up
