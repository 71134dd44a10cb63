import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.state.exports import MOST_EXPORTS


def send(client: Client, domain: str, to: str) -> None:
    message = {"from": f"a@{domain}", "to": to, "subject": "s", "text": "t"}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200


def test_events_are_written_into_a_file(client: Client, account: Account, server_url: str) -> None:
    for to in ("ann@example.net", "bounce@example.com"):
        send(client, account.domain, to)
    client.drain()
    assert client.get("/v3/exports").json() == {"items": []}
    url = f"/v3/{account.domain}/events?event=failed OR delivered"
    asked = client.post("/v3/exports", data={"url": url})
    assert (asked.status_code, asked.json()) == (200, {"message": "success"})
    (export,) = client.get("/v3/exports").json()["items"]
    assert list(export) == ["id", "status", "url"]
    assert export["url"] == url
    client.drain()
    done = client.get(f"/v3/exports/{export['id']}").json()
    assert done == {**export, "status": "complete"}
    led = client.get(f"/v3/exports/{export['id']}/download_url", follow_redirects=False)
    assert led.status_code == 302
    file = plain.get(led.headers["Location"])
    assert file.headers["Content-Disposition"] == f'attachment; filename="{export["id"]}.json"'
    listed = client.get(f"/v3/{account.domain}/events", params={"event": "failed OR delivered"}).json()
    assert file.json() == {"items": listed["items"]}
    assert len(listed["items"]) == 2


def test_an_export_has_more_events_than_a_page(client: Client, account: Account) -> None:
    everyone = [f"p{number}@example.net" for number in range(350)]
    message = {"from": f"a@{account.domain}", "to": everyone, "subject": "s", "text": "t"}
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
    client.drain()
    url = f"https://api.mailgun.net/v3/{account.domain}/events?limit=1&event=accepted&ascending=yes"
    client.post("/v3/exports", data={"url": url})
    client.drain()
    (export,) = client.get("/v3/exports").json()["items"]
    found = client.get(f"/v3/exports/{export['id']}/download_url", follow_redirects=True).json()["items"]
    assert sorted(event["recipient"] for event in found) == sorted(everyone)
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)


@pytest.mark.parametrize(
    ("url", "status", "message"),
    [
        (None, 400, "Missing mandatory parameter: url"),
        ("", 400, "Invalid parameter: url is invalid"),
        ("http://[::1/v3/{domain}/events", 400, "Invalid parameter: url is invalid"),
        ("/v3/domains", 400, "Invalid parameter: url is invalid"),
        ("/v3/{domain}/events?begin=soon", 400, "Invalid parameter: begin is invalid"),
        ("/v3/none.example.com/events", 404, "Domain not found"),
    ],
)
def test_what_is_no_list_of_events_is_refused(
    client: Client, account: Account, url: str | None, status: int, message: str
) -> None:
    given = {} if url is None else {"url": url.format(domain=account.domain)}
    refused = client.post("/v3/exports", data=given)
    assert refused.status_code == status
    assert refused.json() == {"message": message}
    assert client.get("/v3/exports").json() == {"items": []}


def test_an_export_of_nothing_is_a_file_of_its_own_and_stays(client: Client, account: Account) -> None:
    domain = f"second.{account.domain}"
    client.post("/v4/domains", data={"name": domain})
    client.post("/v3/exports", data={"url": f"/v3/{domain}/events"})
    client.drain()
    (export,) = client.get("/v3/exports").json()["items"]
    assert client.delete(f"/v3/domains/{domain}").status_code == 200
    client.drain()
    path = f"/v3/exports/{export['id']}/download_url"
    assert client.get(path, follow_redirects=True).json() == {"items": []}


def test_the_oldest_export_makes_room(client: Client, account: Account) -> None:
    url = f"/v3/{account.domain}/events"
    for number in range(MOST_EXPORTS + 1):
        asked = client.post("/v3/exports", data={"url": f"{url}?subject={number}"})
        assert asked.json() == {"message": "success"}
    client.drain()
    exports = client.get("/v3/exports").json()["items"]
    assert {each["status"] for each in exports} == {"complete"}
    assert sorted(int(each["url"].partition("=")[2]) for each in exports) == list(range(1, MOST_EXPORTS + 1))


def test_an_unknown_export_is_neither_shown_nor_fetched(client: Client, account: Account) -> None:
    refusal = {"message": "Export not found"}
    for path in ("none", "none/download_url", "none/file"):
        refused = client.get(f"/v3/exports/{path}")
        assert (refused.status_code, refused.json()) == (404, refusal)
