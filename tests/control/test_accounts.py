import httpx2
from tests.conftest import Client


def test_accounts_do_not_see_each_other(server_url: str, client: Client) -> None:
    one, two = (client.post("/_emulator/accounts").json() for _ in range(2))
    httpx2.post(f"{server_url}/v1/keys", auth=("api", one["api_key"]), data={"role": "basic"})
    counts = [
        httpx2.get(f"{server_url}/v1/keys", auth=("api", account["api_key"])).json()["total_count"]
        for account in (one, two)
    ]
    assert counts == [2, 1]
    assert client.post(f"/_emulator/accounts/{one['id']}/reset").status_code == 200
    after = httpx2.get(f"{server_url}/v1/keys", auth=("api", one["api_key"])).json()["total_count"]
    assert after == 1
    assert client.delete(f"/_emulator/accounts/{one['id']}").status_code == 200
    listed = [account["id"] for account in client.get("/_emulator/accounts").json()["items"]]
    assert two["id"] in listed
    assert one["id"] not in listed
