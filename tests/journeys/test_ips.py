"""IPs and pools from fixture files, after a restart, and by a seed."""

from pathlib import Path
from typing import Any

from tests.api.test_ips import assign, ips, of_domain, order, send, sent_by, shared
from tests.conftest import Client

from mailgun_emulator.testing import Emulator

POOL = "5f5f5f5f5f5f5f5f5f5f5f5f"
SHOP = "shop.example.com"
FILE = f"""\
ips: [203.0.113.7, {{ip: 203.0.113.8, band: gold}}, {{ip: 203.0.113.9, enabled: false}}]
ip_pools:
  - {{name: News, id: {POOL}, ips: [203.0.113.8]}}
domains:
  - {{name: {SHOP}, ips: [203.0.113.7]}}
  - {{name: news.{SHOP}, pool_id: {POOL}, ips: [203.0.113.8]}}
"""


def speaking(server: Emulator) -> Client:
    return Client(base_url=server.url, auth=("api", server.default.api_key))


def imported(client: Client, content: str) -> Any:
    return client.post("/_emulator/import", content=content)


def test_a_file_hands_over_ips_and_pools() -> None:
    with Emulator() as server, speaking(server) as client:
        assert imported(client, FILE).status_code == 200
        told = client.get("/v3/ips", params={"enabled": "true"}).json()
        assert told["items"] == [shared(client), "203.0.113.7", "203.0.113.8"]
        assert told["assignable_to_pools"] == ["203.0.113.7"]
        details = client.get(f"/v3/ip_pools/{POOL}").json()["details"]
        assert (details["name"], details["linked_domains"]) == ("News", [f"news.{SHOP}"])
        for name, ip in ((SHOP, "203.0.113.7"), (f"news.{SHOP}", "203.0.113.8")):
            send(client, name)
            assert sent_by(client, name) == [ip]
        disabled = client.post(f"/v3/domains/{SHOP}/ips", data={"ip": "203.0.113.9"})
        assert (disabled.status_code, disabled.json()) == (400, {"message": "IP 203.0.113.9 is disabled"})
        assert order(client) == ["203.0.113.1"]


def test_a_file_with_an_ip_that_can_not_be_is_refused() -> None:
    pooled = "only the account's dedicated IPs are in a pool, and in one only"
    with Emulator() as server, speaking(server) as client:
        for content, said in (
            ("ips: [here]", "line 1: ips[0].ip"),
            ("ip_pools: [{name: News, ips: [203.0.113.8]}]", pooled),
            (f"inherited_ip_pool: {POOL}", "the account's parent has no such pool"),
        ):
            refused = imported(client, content)
            assert refused.status_code == 400
            assert said in refused.json()["message"]
        assert client.get("/v3/ip_pools").json()["ip_pools"] == []


def test_what_a_domain_sends_by_outlives_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "state.db")
    with Emulator(database=database) as server, speaking(server) as client:
        domain = server.default.domain
        one, two = order(client, 2)
        assign(client, domain, one)
    with Emulator(database=database) as server, speaking(server) as client:
        assert of_domain(client, domain) == [one]
        send(client, domain)
        assert sent_by(client, domain) == [one]
        assert client.post("/v3/ip_pools", data={"name": "News", "ip": two}).status_code == 200


def test_an_account_is_handed_over_with_dedicated_ips() -> None:
    with Emulator() as server:
        made = server.account(ips=10)
        with Client(base_url=server.url, auth=("api", made.api_key)) as client:
            asked = {"dedicated": "true"}
            assert ips(client, **asked) == [f"203.0.113.{number}" for number in range(1, 11)]
            assert client.get("/v3/ips/request/new").json()["allowed"]["dedicated"] == 0
        with speaking(server) as client:
            too_many = client.post("/_emulator/accounts", json={"ips": 11})
            message = "body.ips: Input should be less than or equal to 10"
            assert (too_many.status_code, too_many.json()) == (400, {"message": message})


def test_a_move_that_was_not_done_yet_is_done_after_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "state.db")
    with Emulator(database=database) as server, speaking(server) as client:
        domain = server.default.domain
        (one,) = order(client)
        assert client.post(f"/v3/ips/{one}/domains").json()["message"] == "started"
    with Emulator(database=database) as server, speaking(server) as client:
        client.drain()
        assert of_domain(client, domain) == [one]


def test_the_same_seed_sends_by_the_same_ips() -> None:
    runs = []
    for _ in range(2):
        with Emulator(seed=7) as server, speaking(server) as client:
            assign(client, server.default.domain, *order(client, 3))
            for _ in range(5):
                send(client, server.default.domain)
            runs.append(sent_by(client, server.default.domain))
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3
