import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

LIMIT = "/v5/accounts/limit/custom/monthly"
ENABLE = "/v5/accounts/limit/custom/enable"
SUBACCOUNTS = "/v5/accounts/subaccounts"
DONE = (200, {"success": True})
NO_LIMIT = (404, {"message": "No threshold for account"})
NOTHING_TO_DELETE = (400, {"message": "Could not delete threshold for account"})
STAYS = (400, {"message": "Unable to re-enable account with current account disablement"})
TOO_LOW = (400, {"message": "The limit parameter minumum is 1000"})


def answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def send(client: Client, domain: str, recipients: int = 1) -> httpx2.Response:
    to = [f"r{number}@x.com" for number in range(recipients)]
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hi", "o:testmode": "yes"}
    return client.post(f"/v3/{domain}/messages", data=message)


def disabled(domain: str) -> tuple[int, dict[str, str]]:
    return 403, {"message": f"Domain {domain} is not allowed to send: Account disabled"}


def set_clock(client: Client, **asked: Any) -> None:
    assert client.post("/_emulator/clock", json=asked).status_code == 200


def letters(client: Client) -> list[str]:
    found = client.get("/_emulator/messages", params={"from": "noreply@mailgun.test"}).json()["items"]
    return [each["subject"] for each in found]


@pytest.fixture
def limited(client: Client) -> Client:
    """In the middle of a month, and of 1000 messages in it."""
    set_clock(client, freeze="2026-05-15T12:00:00Z")
    assert answer(client.put(LIMIT, params={"limit": 1000})) == DONE
    return client


@pytest.fixture
def child(client: Client, account: Account) -> Iterator[Client]:
    """Of a subaccount."""
    made = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    with Client(base_url=client.base_url, auth=("api", made["api_key"])) as own:
        yield own


def own_domain(client: Client) -> str:
    items = client.get("/v4/domains").json()["items"]
    return next(str(each["name"]) for each in items if each["type"] == "custom")


def id_of(client: Client) -> str:
    (made,) = client.get(SUBACCOUNTS).json()["subaccounts"]
    return str(made["id"])


def test_an_account_that_has_used_up_its_limit_sends_nothing(limited: Client, account: Account) -> None:
    assert send(limited, account.domain, 999).status_code == 200
    assert limited.get(LIMIT).json() == {"limit": 1000, "current": 999, "period": "1m"}
    assert send(limited, account.domain, 2).status_code == 200
    refused = send(limited, account.domain)
    assert answer(refused) == disabled(account.domain)
    assert "PUT /v5/accounts/limit/custom/enable lifts it" in refused.headers["X-Mailgun-Emulator-Hint"]
    assert limited.get(LIMIT).json()["current"] == 1001
    counted = {"event": "accepted", "start": "1777593600", "resolution": "month"}
    (month,) = limited.get(f"/v3/{account.domain}/stats/total", params=counted).json()["stats"]
    assert month["accepted"]["outgoing"] == 1001
    assert limited.get("/v4/domains").status_code == 200


def test_it_is_enabled_for_the_rest_of_the_month_and_the_next_begins_anew(
    limited: Client, account: Account
) -> None:
    assert answer(limited.put(ENABLE)) == STAYS
    send(limited, account.domain, 1000)
    assert answer(send(limited, account.domain)) == disabled(account.domain)
    assert answer(limited.put(ENABLE)) == DONE
    assert send(limited, account.domain, 1000).status_code == 200
    assert answer(limited.put(ENABLE)) == STAYS
    set_clock(limited, freeze="2026-06-01T00:00:00Z")
    assert limited.get(LIMIT).json() == {"limit": 1000, "current": 0, "period": "1m"}
    assert send(limited, account.domain, 1000).status_code == 200
    assert answer(send(limited, account.domain)) == disabled(account.domain)


def test_the_month_that_ends_enables_it(limited: Client, account: Account) -> None:
    send(limited, account.domain, 1000)
    set_clock(limited, freeze="2026-05-31T23:59:59Z")
    assert answer(send(limited, account.domain)) == disabled(account.domain)
    set_clock(limited, freeze="2026-06-01T00:00:00Z")
    assert send(limited, account.domain).status_code == 200
    assert limited.get(LIMIT).json()["current"] == 1


def test_a_higher_limit_and_none_let_it_send(limited: Client, account: Account) -> None:
    send(limited, account.domain, 1000)
    assert answer(limited.put(LIMIT, data={"limit": "1001"})) == DONE
    assert send(limited, account.domain).status_code == 200
    assert answer(send(limited, account.domain)) == disabled(account.domain)
    assert answer(limited.delete(LIMIT)) == DONE
    assert send(limited, account.domain).status_code == 200
    assert answer(limited.get(LIMIT)) == NO_LIMIT
    assert answer(limited.delete(LIMIT)) == NOTHING_TO_DELETE
    assert answer(limited.put(LIMIT, json={"limit": 1000})) == DONE
    assert answer(send(limited, account.domain)) == disabled(account.domain)


@pytest.mark.parametrize(
    "asked", [{}, {"limit": ""}, {"limit": "999"}, {"limit": "-1"}, {"limit": "many"}, {"limit": "9" * 30}]
)
def test_a_limit_that_is_too_low_is_refused(client: Client, asked: dict[str, str]) -> None:
    assert answer(client.put(LIMIT, params=asked)) == TOO_LOW
    assert answer(client.get(LIMIT)) == NO_LIMIT


def test_the_owner_is_told_at_half_of_it_at_three_quarters_and_at_the_end(
    limited: Client, account: Account
) -> None:
    send(limited, account.domain, 499)
    assert letters(limited) == []
    for recipients, told in ((1, "50%"), (249, None), (1, "75%"), (250, "100%")):
        before = letters(limited)
        assert send(limited, account.domain, recipients).status_code == 200
        new = [] if told is None else [f"{told} of your custom message limit used"]
        assert sorted(letters(limited)) == sorted([*before, *new])
    assert limited.get(LIMIT).json()["current"] == 1000


def test_the_owner_is_told_of_what_goes_to_the_members_of_a_list(limited: Client, account: Account) -> None:
    address = f"news@{account.domain}"
    members = json.dumps([f"m{number}@x.com" for number in range(510)])
    limited.post("/v3/lists", data={"address": address})
    assert limited.post(f"/v3/lists/{address}/members.json", data={"members": members}).status_code == 200
    for told in (["50%"], ["50%", "100%"]):
        message = {"from": f"a@{account.domain}", "to": address, "text": "hi", "o:testmode": "yes"}
        assert limited.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
        limited.drain()
        assert {f"{each} of your custom message limit used" for each in told} <= set(letters(limited))
    assert limited.get(LIMIT).json()["current"] == 2 * 511
    assert answer(send(limited, account.domain)) == disabled(account.domain)


def test_what_others_send_is_not_counted(limited: Client, account: Account) -> None:
    route = {"expression": "catch_all()", "action": "store()"}
    assert limited.post("/v3/routes", data=route).status_code == 200
    mail = {"from": "bob@example.org", "to": f"in@{account.domain}", "subject": "s", "text": "t"}
    assert limited.post("/_emulator/inbound", data=mail).status_code == 200
    limited.drain()
    assert limited.get(LIMIT).json()["current"] == 0


def test_a_parents_limit_is_for_all_of_its_subaccounts_too(
    limited: Client, child: Client, account: Account
) -> None:
    domain = own_domain(child)
    set_clock(child, freeze="2026-05-15T12:00:00Z")
    assert send(child, domain, 600).status_code == 200
    assert send(limited, account.domain, 400).status_code == 200
    assert limited.get(LIMIT).json()["current"] == 1000
    assert answer(send(limited, account.domain)) == disabled(account.domain)
    assert answer(send(child, domain)) == disabled(domain)
    assert answer(child.put(ENABLE)) == STAYS
    assert answer(limited.put(ENABLE)) == DONE
    assert send(child, domain).status_code == 200
    told = [f"{percent}% of your custom message limit used" for percent in (100, 50)]
    assert sorted(letters(limited)) == told


def test_a_parent_limits_a_subaccount(client: Client, child: Client, account: Account) -> None:
    path, domain = f"{SUBACCOUNTS}/{id_of(client)}/limit/custom/monthly", own_domain(child)
    assert answer(client.get(path)) == NO_LIMIT
    assert answer(client.delete(path)) == NOTHING_TO_DELETE
    assert answer(client.put(path, params={"limit": 10})) == TOO_LOW
    assert answer(client.put(path, params={"limit": 1000})) == DONE
    assert send(child, domain, 1000).status_code == 200
    assert client.get(path).json() == {"limit": 1000, "current": 1000, "period": "1m"}
    assert child.get(LIMIT).json() == client.get(path).json()
    no_permission = "Forbidden - user does not have permission to view this resource"
    assert answer(child.get(path)) == (403, {"message": no_permission})
    assert answer(send(child, domain)) == disabled(domain)
    assert send(client, account.domain).status_code == 200
    header = {"X-Mailgun-On-Behalf-Of": id_of(client)}
    assert answer(client.put(ENABLE, headers=header)) == DONE
    assert send(child, domain).status_code == 200
    assert answer(client.put(path, params={"limit": 1000})) == DONE
    assert answer(send(child, domain)) == disabled(domain)
    assert answer(client.delete(path)) == DONE
    assert send(child, domain).status_code == 200


def test_the_month_that_ends_lets_a_subaccount_send(client: Client, child: Client) -> None:
    path, domain = f"{SUBACCOUNTS}/{id_of(client)}/limit/custom/monthly", own_domain(child)
    set_clock(child, freeze="2026-05-31T23:00:00Z")
    assert answer(client.put(path, data={"limit": 1000})) == DONE
    assert send(child, domain, 1000).status_code == 200
    assert answer(send(child, domain)) == disabled(domain)
    set_clock(child, advance="1h")
    assert client.get(path).json() == {"limit": 1000, "current": 0, "period": "1m"}
    assert send(child, domain).status_code == 200
    assert client.get(path).json()["current"] == 1


def test_what_is_no_subaccount_has_no_limit_to_set(client: Client, server_url: str) -> None:
    foreign = plain.post(f"{server_url}/_emulator/accounts").json()["id"]
    for one in (foreign, "nobody"):
        path = f"{SUBACCOUNTS}/{one}/limit/custom/monthly"
        assert answer(client.get(path)) == (400, {"message": "Not a subaccount"})
        refused = client.put(path, params={"limit": 5000})
        assert answer(refused) == (400, {"message": "Invalid subaccount ID"})
        assert answer(client.delete(path)) == NOTHING_TO_DELETE


def test_a_subaccount_that_its_parent_disabled_is_not_enabled_by_its_limit(
    client: Client, child: Client
) -> None:
    assert answer(child.put(LIMIT, params={"limit": 1000})) == DONE
    assert client.post(f"{SUBACCOUNTS}/{id_of(client)}/disable").status_code == 200
    assert answer(child.put(ENABLE)) == STAYS
    domain = own_domain(child)
    assert answer(send(child, domain)) == disabled(domain)
