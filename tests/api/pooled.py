"""Dedicated IPs, and domains in dynamic pools of them, as tests of both sections ask for them."""

from collections import Counter
from typing import Any

from tests.api.answers import done
from tests.conftest import Client

GOOD, POOR, NEW = "dynamic_good", "dynamic_poor", "dynamic_new"
NAMES = ("good_reputation", "poor_reputation", "new_senders")
SUCCESS = {"message": "success"}


def order(client: Client, number: int = 1) -> list[str]:
    """New dedicated IPs, which no domain sends by yet."""
    for _ in range(number):
        done(client.post("/v3/ips/request/new"))
    return list(done(client.get("/v3/ips", params={"dedicated": "true"}))["items"][-number:])


def send(client: Client, domain: str, number: int = 1, to: str = "p{}@example.net", **fields: Any) -> None:
    """One message of its own for each recipient."""
    people = [to.format(one) for one in range(number)]
    variables = "{" + ", ".join(f'"{each}": {{}}' for each in people) + "}"
    for start in range(0, number, 1000):
        message = {
            "from": f"ann@{domain}",
            "to": people[start : start + 1000],
            "subject": "Hi",
            "text": "x",
            "recipient-variables": variables,
            **fields,
        }
        done(client.post(f"/v3/{domain}/messages", data=message))
    client.drain()


def sent_by(client: Client, domain: str) -> Counter[str]:
    """How many messages each IP has delivered."""
    found: Counter[str] = Counter()
    url: Any = f"/v3/{domain}/events?event=delivered&limit=300"
    while items := (page := done(client.get(url)))["items"]:
        found.update(each["envelope"]["sending-ip"] for each in items)
        url = page["paging"]["next"]
    return found


def make_pools(client: Client) -> dict[str, str]:
    """With an IP in each."""
    ips = order(client, 3)
    done(client.post("/v3/dynamic_pools/all", data=dict(zip(NAMES, ips, strict=True))))
    return dict(zip((GOOD, POOR, NEW), ips, strict=True))


def enroll(client: Client, domain: str) -> None:
    assert done(client.post(f"/v3/domains/{domain}/dynamic_pools?replacement_ip=shared")) == SUCCESS


def pool_of(client: Client, domain: str) -> Any:
    found = done(client.get("/v1/dynamic_pools/domains"))["items"]
    return next((each["pool"] for each in found if each["name"] == domain), None)


def history(client: Client, **wanted: Any) -> list[dict[str, Any]]:
    return list(done(client.get("/v1/dynamic_pools/history", params=wanted))["items"])
