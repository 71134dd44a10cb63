from typing import Any

import pytest
from tests.conftest import Account, Client

DAY = 86400
FROZEN_AT = "2026-01-01T00:00:00Z"


def set_clock(client: Client, **asked: Any) -> dict[str, Any]:
    response = client.post("/_emulator/clock", json=asked)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def send(client: Client, account: Account, to: str = "bob@x.com", **fields: Any) -> None:
    message = {"from": f"a@{account.domain}", "to": to, "text": "hi", **fields}
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200


def events(client: Client, account: Account) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v3/{account.domain}/events?ascending=yes&begin=1").json()[
        "items"
    ]
    return items


def test_a_frozen_clock_stands_still(client: Client, account: Account) -> None:
    told = set_clock(client, freeze=FROZEN_AT)
    assert (told["iso"], told["frozen"]) == ("2026-01-01T00:00:00.000Z", True)
    assert client.get("/_emulator/clock").json()["now"] == told["now"]
    send(client, account)
    client.drain()
    assert {event["timestamp"] for event in events(client, account)} == {told["now"]}


def test_an_account_has_a_time_of_its_own(client: Client, server_url: str) -> None:
    set_clock(client, freeze=FROZEN_AT)
    other = client.post("/_emulator/accounts").json()
    assert client.get("/_emulator/clock", params={"account": other["id"]}).json()["offset"] == 0
    assert client.get("/_emulator/clock").json()["frozen"]


def test_what_falls_due_on_the_way_happens_at_its_own_instant(client: Client, account: Account) -> None:
    now = set_clock(client, freeze=FROZEN_AT)["now"]
    send(client, account, "bounce+421@example.com")
    send(client, account, **{"o:deliverytime": str(int(now + 3600))})
    assert set_clock(client, advance="8h")["now"] == now + 8 * 3600
    told = events(client, account)
    assert [(event["event"], event["timestamp"] - now) for event in told] == [
        ("accepted", 0),
        ("failed", 0),
        ("accepted", 0),
        *[("failed", after) for after in (600, 1200, 2100)],
        ("delivered", 3600),
        *[("failed", after) for after in (3900, 7500, 14700)],
    ]
    set_clock(client, advance="1h")
    assert events(client, account)[-1]["timestamp"] - now == 29100


def test_a_running_clock_runs_on_after_it_was_advanced(client: Client, account: Account) -> None:
    before = client.get("/_emulator/clock").json()["now"]
    told = set_clock(client, advance="3d")
    assert not told["frozen"]
    assert 0 <= told["now"] - before - 3 * DAY < 10
    assert client.get("/_emulator/clock").json()["now"] > told["now"]


def test_a_stored_message_expires_on_the_way(client: Client, account: Account) -> None:
    send(client, account)
    (storage,) = {event["storage"]["url"] for event in events(client, account)}
    assert client.get(storage).status_code == 200
    set_clock(client, advance=3 * DAY)
    assert client.get(storage).status_code == 404


def test_a_clock_runs_on_from_where_it_stood(client: Client) -> None:
    now = set_clock(client, freeze=FROZEN_AT)["now"]
    told = set_clock(client, resume=True)
    assert not told["frozen"]
    assert 0 <= told["now"] - now < 10


def test_a_clock_can_follow_the_emulator_again(client: Client) -> None:
    set_clock(client, freeze=FROZEN_AT)
    assert set_clock(client, reset=True)["offset"] == 0


def test_nothing_is_due_while_the_clock_stands_still_before_it(client: Client, account: Account) -> None:
    now = set_clock(client, freeze="now")["now"]
    send(client, account, **{"o:deliverytime": str(now + 0.5)})
    client.drain()
    assert [event["event"] for event in events(client, account)] == ["accepted"]
    set_clock(client, advance=1)
    assert [event["event"] for event in events(client, account)] == ["accepted", "delivered"]


def test_resetting_an_account_resets_its_clock(client: Client, account: Account) -> None:
    set_clock(client, advance="3d")
    assert client.post(f"/_emulator/accounts/{account.id}/reset").status_code == 200
    assert client.get("/_emulator/clock").json()["offset"] == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Name one of"),
        ({"advance": "8h", "resume": True}, "Name one of"),
        ({"advance": "soon"}, "advance is no duration"),
        ({"advance": "9999999d"}, "beyond the year 9999"),
        ({"freeze": "tomorrow"}, "freeze is no date"),
        ({"freeze": "-1"}, "freeze is no date"),
    ],
)
def test_a_wrong_setting_is_refused(client: Client, asked: dict[str, Any], said: str) -> None:
    response = client.post("/_emulator/clock", json=asked)
    assert response.status_code == 400
    assert said in response.json()["message"]
    assert client.get("/_emulator/clock").json()["offset"] == 0
