"""Back to the start: what was there is gone, what was pending never happens."""

from pathlib import Path

from tests import plain
from tests.conftest import Client

from mailgun_emulator.testing import Emulator

DOMAIN = "mg.example.com"
LATER = {"from": "a@x.com", "to": "b@x.com", "text": "hi", "o:deliverytime": "2553069600"}


def test_reset_empties_everything_and_cancels_what_is_pending(tmp_path: Path) -> None:
    with (
        Emulator(seed=3, database=str(tmp_path / "state.db")) as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as client,
    ):
        first = client.post("/_emulator/accounts").json()
        client.post(f"/v3/{DOMAIN}/messages", data=LATER)
        client.post(f"/v3/{DOMAIN}/bounces", data={"address": "gone@x.com"})
        client.post("/v4/domains", data={"name": "more.example.com"})
        assert client.get("/_emulator/health").json()["pending_jobs"] == 1
        default = client.get("/_emulator/accounts").json()["items"][0]

        assert client.post("/_emulator/reset").json() == {"message": "Everything reset"}

        assert client.get("/_emulator/health").json()["pending_jobs"] == 0
        assert client.get("/_emulator/accounts").json()["items"] == [default]
        assert client.get(f"/v3/{DOMAIN}/events").json()["items"] == []
        assert client.get(f"/v3/{DOMAIN}/bounces").json()["items"] == []
        names = [domain["name"] for domain in client.get("/v4/domains").json()["items"]]
        assert sorted(names) == [DOMAIN, next(name for name in names if name.startswith("sandbox"))]
        assert plain.get(f"{server.url}/v1/keys", auth=("api", first["api_key"])).json()["total_count"] == 1
        again = client.post("/_emulator/accounts").json()
        assert again == first, "a seed gives the same after a reset"


def test_what_is_reset_stays_reset_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    with Emulator(database=path) as server, Client(base_url=server.url, auth=("api", "key")) as client:
        client.post(f"/v3/{DOMAIN}/messages", data=LATER)
        client.post("/_emulator/reset")
    with Emulator(database=path) as server, Client(base_url=server.url, auth=("api", "key")) as client:
        client.drain()
        assert client.get(f"/v3/{DOMAIN}/events").json()["items"] == []


def test_the_reset_of_one_account_leaves_the_others_alone(client: Client, server_url: str) -> None:
    one, two = (client.post("/_emulator/accounts").json() for _ in range(2))
    for account in (one, two):
        auth = ("api", account["api_key"])
        plain.post(f"{server_url}/v3/{account['domain']}/messages", data=LATER, auth=auth)
    assert client.post(f"/_emulator/accounts/{one['id']}/reset").json() == {"message": "Account reset"}
    seen = {}
    for account in (one, two):
        auth = ("api", account["api_key"])
        answer = plain.get(f"{server_url}/v3/{account['domain']}/events", auth=auth)
        seen[account["id"]] = [event["event"] for event in answer.json()["items"]]
    assert seen == {one["id"]: [], two["id"]: ["accepted"]}
    listed = {account["id"]: account for account in client.get("/_emulator/accounts").json()["items"]}
    assert listed[one["id"]] == one
