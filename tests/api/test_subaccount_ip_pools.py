from collections.abc import Iterator

import pytest
from tests.api.answers import refused
from tests.api.test_ip_pools import NOWHERE, details, link, make
from tests.api.test_ips import DONE, FOREIGN, ips, of_domain, order, send, sent_by, shared, started
from tests.conftest import Account, Client

INVALID = "invalid request parameters"
NO_ACCOUNT = "account not found"


@pytest.fixture
def subaccount(client: Client, account: Account) -> Account:
    made = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    return Account(**{name: made[name] for name in Account._fields})


@pytest.fixture
def below(server_url: str, subaccount: Account) -> Iterator[Client]:
    """Speaks for the subaccount."""
    with Client(base_url=server_url, auth=("api", subaccount.api_key)) as client:
        yield client


def base(subaccount: Account) -> str:
    return f"/v5/accounts/subaccounts/{subaccount.id}"


def delegate(client: Client, subaccount: Account, pool_id: str) -> None:
    started(client.put(f"{base(subaccount)}/ip_pool", data={"pool_id": pool_id}))
    client.drain()


def delegated(client: Client) -> list[dict[str, str]]:
    told = client.get("/v5/accounts/subaccounts/ip_pools/all").json()
    assert told["total_count"] == len(told["items"])
    return list(told["items"])


def test_a_subaccount_sends_by_the_pool_it_is_delegated(
    client: Client, below: Client, subaccount: Account
) -> None:
    assert delegated(client) == []
    one, two = order(client, 2)
    pool_id = make(client, one, name="News")
    delegate(client, subaccount, pool_id)
    assert delegated(client) == [{"pool_id": pool_id, "subaccount_id": subaccount.id}]
    (told,) = below.get("/v3/ip_pools").json()["ip_pools"]
    assert (told["pool_id"], told["is_inherited"], told["ips"]) == (pool_id, True, [one])
    assert ips(below) == [shared(below), one]
    link(below, subaccount.domain, pool_id)
    send(below, subaccount.domain)
    assert sent_by(below, subaccount.domain) == [one]
    assert details(below, pool_id)["linked_domains"] == [subaccount.domain]
    assert details(client, pool_id)["linked_domains"] == []
    started(client.put(f"/v3/ip_pools/{pool_id}/ips/{two}"))
    client.drain()
    assert of_domain(below, subaccount.domain) == [one, two]


def test_an_inherited_pool_is_only_read(client: Client, below: Client, subaccount: Account) -> None:
    (one,) = order(client)
    pool_id = make(client, one)
    delegate(client, subaccount, pool_id)
    url = f"/v3/ip_pools/{pool_id}"
    given = below.post(f"/v3/domains/{subaccount.domain}/ips", data={"ip": one})
    refused(given, 400, f"IP {one} belongs to an inherited IP pool")
    for response in (
        below.patch(url, data={"name": "Mine"}),
        below.delete(url, params={"ip": "shared"}),
        below.put(f"{url}/ips/{one}"),
        below.delete(f"{url}/ips/{one}"),
        below.post(f"{url}/ips.json", json={"ips": [one]}),
        below.put(f"{url}/delegate", data={"subaccount_id": subaccount.id}),
    ):
        refused(response, 403, "Inherited IP pool can't be modified")


def test_a_revoked_pool_is_used_no_more(client: Client, below: Client, subaccount: Account) -> None:
    (one,) = order(client)
    pool_id = make(client, one)
    delegate(client, subaccount, pool_id)
    link(below, subaccount.domain, pool_id)
    send(below, subaccount.domain)
    started(client.delete(f"{base(subaccount)}/ip_pool", params={"pool_id": pool_id}))
    client.drain()
    assert delegated(client) == []
    assert below.get("/v3/ip_pools").json()["ip_pools"] == []
    assert of_domain(below, subaccount.domain) == [shared(below)]
    send(below, subaccount.domain)
    assert sent_by(below, subaccount.domain) == [one, shared(below)]


def test_another_pool_takes_the_place_of_the_one_before(
    client: Client, below: Client, subaccount: Account
) -> None:
    one, two = order(client, 2)
    first, second = make(client, one), make(client, two)
    delegate(client, subaccount, first)
    link(below, subaccount.domain, first)
    delegate(client, subaccount, second)
    assert delegated(client) == [{"pool_id": second, "subaccount_id": subaccount.id}]
    assert of_domain(below, subaccount.domain) == [two]


def test_subaccounts_inherit_what_a_deleted_pool_is_replaced_by(
    client: Client, below: Client, subaccount: Account
) -> None:
    one, two, three = order(client, 3)
    first, second = make(client, one), make(client, two)
    delegate(client, subaccount, first)
    link(below, subaccount.domain, first)
    started(client.request("DELETE", f"/v3/ip_pools/{first}", data={"pool_id": second}))
    client.drain()
    assert delegated(client) == [{"pool_id": second, "subaccount_id": subaccount.id}]
    assert of_domain(below, subaccount.domain) == [two]
    started(client.request("DELETE", f"/v3/ip_pools/{second}", data={"ip": three}))
    client.drain()
    assert delegated(client) == []
    assert of_domain(below, subaccount.domain) == [three]
    assert ips(below, dedicated="yes") == [three]


def test_domains_of_subaccounts_go_over_to_their_own_shared_ip(
    client: Client, below: Client, subaccount: Account
) -> None:
    pool_id = make(client, *order(client))
    delegate(client, subaccount, pool_id)
    link(below, subaccount.domain, pool_id)
    started(client.delete(f"/v3/ip_pools/{pool_id}", params={"ip": "shared"}))
    client.drain()
    assert of_domain(below, subaccount.domain) == ips(below) == [shared(below)]


def test_a_pool_is_delegated_at_once_by_its_own_address(
    client: Client, below: Client, subaccount: Account
) -> None:
    (one,) = order(client)
    url = f"/v3/ip_pools/{make(client, one)}/delegate"
    asked = {"subaccount_id": (None, subaccount.id)}
    assert client.put(url, files=asked).json() == DONE
    assert below.get("/v3/ip_pools").json()["ip_pools"][0]["ips"] == [one]
    started(client.request("DELETE", url, files=asked))
    client.drain()
    assert below.get("/v3/ip_pools").json()["ip_pools"] == []
    message = "IP pool is not delegated to the subaccount"
    refused(client.request("DELETE", url, files=asked), 400, message)
    refused(client.put(url), 400, "Missing mandatory parameter: subaccount_id")
    refused(client.put(url, data={"subaccount_id": NOWHERE}), 404, NO_ACCOUNT)


def test_an_ip_is_linked_to_a_subaccount(client: Client, below: Client, subaccount: Account) -> None:
    one, two = order(client, 2)
    done = client.put(f"{base(subaccount)}/ip", data={"ip": one})
    assert (done.status_code, done.json()) == (200, DONE)
    assert ips(below, dedicated="yes") == [one]
    assert one in ips(client)
    assert below.post(f"/v3/domains/{subaccount.domain}/ips", data={"ip": one}).json() == DONE
    send(below, subaccount.domain)
    assert sent_by(below, subaccount.domain) == [one]
    make(client, two)
    for asked in ({}, {"ip": FOREIGN}, {"ip": two}, {"ip": shared(client)}):
        refused(client.put(f"{base(subaccount)}/ip", data=asked), 400, INVALID)


def test_what_the_account_does_not_have_is_not_delegated(client: Client, subaccount: Account) -> None:
    for asked in ({}, {"pool_id": NOWHERE}):
        refused(client.put(f"{base(subaccount)}/ip_pool", data=asked), 400, INVALID)
        refused(client.delete(f"{base(subaccount)}/ip_pool", params=asked), 400, INVALID)
    nobody = f"/v5/accounts/subaccounts/{NOWHERE}"
    refused(client.put(f"{nobody}/ip_pool", data={"pool_id": NOWHERE}), 404, NO_ACCOUNT)
    refused(client.delete(f"{nobody}/ip_pool", params={"pool_id": NOWHERE}), 404, NO_ACCOUNT)
    refused(client.put(f"{nobody}/ip", data={"ip": FOREIGN}), 404, NO_ACCOUNT)
    assert client.get(f"{base(subaccount)}/ip_pools").status_code == 404


def test_a_subaccount_has_none_below_it(below: Client) -> None:
    refused(below.get("/v5/accounts/subaccounts/ip_pools/all"), 404, NO_ACCOUNT)


def test_a_deleted_subaccount_has_no_pool(client: Client, subaccount: Account) -> None:
    (one,) = order(client)
    delegate(client, subaccount, make(client, one))
    assert client.delete(f"/_emulator/accounts/{subaccount.id}").status_code < 300
    assert delegated(client) == []
