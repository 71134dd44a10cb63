from tests import plain
from tests.conftest import Account, Client


def test_accounts_do_not_see_each_other(server_url: str, client: Client) -> None:
    one, two = (client.post("/_emulator/accounts").json() for _ in range(2))
    plain.post(f"{server_url}/v1/keys", auth=("api", one["api_key"]), data={"role": "basic"})
    counts = [
        plain.get(f"{server_url}/v1/keys", auth=("api", account["api_key"])).json()["total_count"]
        for account in (one, two)
    ]
    assert counts == [2, 1]
    assert client.post(f"/_emulator/accounts/{one['id']}/reset").status_code == 200
    after = plain.get(f"{server_url}/v1/keys", auth=("api", one["api_key"])).json()["total_count"]
    assert after == 1
    assert client.delete(f"/_emulator/accounts/{one['id']}").status_code == 200
    listed = [account["id"] for account in client.get("/_emulator/accounts").json()["items"]]
    assert two["id"] in listed
    assert one["id"] not in listed


def test_an_account_is_told_again_until_it_is_deleted(client: Client) -> None:
    made = client.post("/_emulator/accounts", json={"name": "Mine"}).json()
    assert made["name"] == "Mine"
    path = f"/_emulator/accounts/{made['id']}"
    assert client.get(path).json() == made
    assert client.delete(path).json() == {"message": "Account deleted"}
    for gone in (client.get(path), client.delete(path), client.post(f"{path}/reset")):
        assert gone.status_code == 404
        assert gone.json() == {
            "message": f"There is no account {made['id']}; GET /_emulator/accounts lists those there are."
        }


def test_the_default_account_can_be_reset_but_not_deleted(client: Client) -> None:
    default = client.get("/_emulator/accounts").json()["items"][0]
    refused = client.delete(f"/_emulator/accounts/{default['id']}")
    assert refused.status_code == 409
    assert "reset" in refused.json()["message"]


def test_a_subaccount_goes_with_its_parent_and_has_none_of_its_own(server_url: str, account: Account) -> None:
    accounts = f"{server_url}/_emulator/accounts"
    child = plain.post(accounts, json={"parent": account.id}).json()["id"]
    refused = plain.post(accounts, json={"parent": child})
    assert (refused.status_code, "is a subaccount itself" in refused.text) == (400, True)
    assert plain.post(accounts, json={"parent": "nobody"}).status_code == 404
    assert plain.delete(f"{accounts}/{account.id}").status_code == 200
    assert plain.get(f"{accounts}/{child}").status_code == 404


def test_one_account_is_reset_by_its_id(server_url: str) -> None:
    accounts = f"{server_url}/_emulator/accounts"
    one, two = (plain.post(accounts).json() for _ in range(2))
    for account in (one, two):
        plain.post(f"{server_url}/v1/keys", auth=("api", account["api_key"]), data={"role": "basic"})
    reset = plain.post(f"{server_url}/_emulator/reset", params={"account": one["id"]})
    assert (reset.status_code, reset.json()) == (200, {"message": "Account reset"})
    counts = [
        plain.get(f"{server_url}/v1/keys", auth=("api", account["api_key"])).json()["total_count"]
        for account in (one, two)
    ]
    assert counts == [1, 2]
    assert plain.post(f"{server_url}/_emulator/reset", params={"account": "nobody"}).status_code == 404


def test_what_an_operation_does_not_know_is_refused(server_url: str, account: Account) -> None:
    for path in ("reset?acount=1", "accounts?acount=1", "outcomes?account=2&acount=1"):
        answer = plain.post(f"{server_url}/_emulator/{path}", json={})
        assert answer.status_code == 400
        assert answer.json() == {"message": "query: acount is not known here; possible are account"}
    assert plain.get(f"{server_url}/_emulator/accounts/{account.id}").status_code == 200
