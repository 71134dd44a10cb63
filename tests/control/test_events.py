import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Account, Client

PATH = "/_emulator/events"
WAIT = f"{PATH}/wait"


def send(client: Client, account: Account, to: str, **fields: Any) -> str:
    """The message's id."""
    message = {"from": f"a@{account.domain}", "to": to, "text": "hi", **fields}
    answer = client.post(f"/v3/{account.domain}/messages", data=message)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def found(client: Client, **asked: Any) -> list[tuple[str, str]]:
    answer = client.get(PATH, params=asked)
    assert answer.status_code == 200, answer.text
    return [(event["event"], event["recipient"]) for event in answer.json()["items"]]


@pytest.fixture
def two_sent(client: Client, account: Account) -> tuple[str, str]:
    first = send(client, account, "ann@example.com", **{"o:tag": ["Welcome", "new"]})
    client.drain()
    second = send(client, account, "bounce@example.com")
    client.drain()
    return first, second


ANN = [("delivered", "ann@example.com"), ("accepted", "ann@example.com")]
BOUNCE = [("failed", "bounce@example.com"), ("accepted", "bounce@example.com")]


def test_events_are_told_as_mailgun_tells_them_the_newest_first(
    client: Client, account: Account, two_sent: tuple[str, str]
) -> None:
    page = client.get(PATH).json()
    assert page["next"] is None
    assert page["items"] == client.get(f"/v3/{account.domain}/events").json()["items"]
    assert found(client) == BOUNCE + ANN


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"event": "delivered"}, ANN[:1]),
        ({"event": ["delivered", "failed"]}, [BOUNCE[0], ANN[0]]),
        ({"recipient": "ANN@example.com"}, ANN),
        ({"recipient": "nn@example.com"}, []),
        ({"recipient": "boun"}, BOUNCE),
        ({"recipient": "*@example.com", "event": "accepted"}, [BOUNCE[1], ANN[1]]),
        ({"recipient": "a*@example.com"}, ANN),
        ({"tag": "welcome"}, ANN),
        ({"tag": "elcome"}, []),
        ({"tag": "wel*"}, ANN),
        ({"severity": "permanent"}, BOUNCE[:1]),
        ({"severity": "temporary"}, []),
        ({"domain": "other.example.com"}, []),
        ({"since": "10m"}, BOUNCE + ANN),
        ({"before": "10m"}, []),
        ({"since": "2100-01-01T00:00:00Z"}, []),
        ({"before": "4102444800"}, BOUNCE + ANN),
    ],
)
def test_events_are_found_by_what_they_tell(
    client: Client, two_sent: tuple[str, str], asked: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert found(client, **asked) == expected


def test_events_are_found_by_their_message_and_their_domain(
    client: Client, account: Account, two_sent: tuple[str, str]
) -> None:
    assert found(client, message_id=two_sent[0]) == ANN
    assert found(client, message_id=two_sent[1].strip("<>").upper()) == BOUNCE
    assert found(client, domain=account.domain.upper(), event="failed") == BOUNCE[:1]
    assert found(client, domain=f"*{account.domain[3:]}", event="failed") == BOUNCE[:1]


def test_events_of_all_domains_come_in_pages(client: Client, account: Account) -> None:
    other = client.post("/v4/domains", data={"name": "second.example.com"}).json()["domain"]["name"]
    for number in range(3):
        send(client, account, f"r{number}@example.com")
        message = {"from": "a@x.com", "to": f"s{number}@example.com", "text": "hi"}
        assert client.post(f"/v3/{other}/messages", data=message).status_code == 200
    client.drain()
    every = client.get(PATH).json()["items"]
    assert len(every) == 12
    assert {event["domain"]["name"] for event in every} == {account.domain, other}
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(PATH, params={"limit": 5, "cursor": cursor}).json()
        assert len(page["items"]) in (5, 2)
        seen += page["items"]
        cursor = page["next"]
    assert seen == every


def test_events_are_an_account_s_own(client: Client, account: Account, two_sent: tuple[str, str]) -> None:
    other = client.post("/_emulator/accounts").json()["id"]
    assert found(client, account=other) == []
    assert client.get(WAIT, params={"account": other, "timeout": 0}).status_code == 404


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"evnt": "delivered"}, "evnt is not known here; possible are event, recipient"),
        ({"event": "deliverd"}, "'delivered'"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"since": "yesterday"}, "since can't be 'yesterday': write an instant"),
        ({"cursor": "x"}, "cursor is none that `next` told"),
        ({"cursor": f"1_{2**64}"}, "cursor is none that `next` told"),
        ({"severity": "bad"}, "'permanent' or 'temporary'"),
        ({"account": "absent"}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, asked: dict[str, Any], said: str) -> None:
    for path in (PATH, WAIT):
        if {"limit", "cursor"} & asked.keys() and path == WAIT:
            continue
        answer = client.get(path, params=asked)
        assert answer.status_code in (400, 404)
        assert said in answer.json()["message"]


def in_the_background(wait: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(wait()))
    thread.start()
    return thread, answers


def test_what_is_there_already_is_not_waited_for(client: Client, two_sent: tuple[str, str]) -> None:
    answer = client.get(WAIT, params={"event": "accepted", "count": 2, "timeout": 0})
    assert answer.status_code == 200
    assert [event["recipient"] for event in answer.json()["items"]] == [
        "bounce@example.com",
        "ann@example.com",
    ]


def test_an_event_is_told_as_soon_as_it_happens(server_url: str, client: Client, account: Account) -> None:
    with Client(base_url=server_url, auth=("api", account.api_key)) as other:
        asked: dict[str, Any] = {"event": "opened", "recipient": "ann@example.com", "timeout": 20}
        thread, answers = in_the_background(lambda: other.get(WAIT, params=asked, timeout=30))
        message_id = send(client, account, "ann@example.com").strip("<>")
        client.drain()
        client.post(f"/_emulator/messages/{message_id}/events", json={"event": "opened"})
        thread.join(20)
    assert [event["event"] for event in answers[0].json()["items"]] == ["opened"]


def test_the_time_is_over_with_what_there_was_instead(client: Client, two_sent: tuple[str, str]) -> None:
    answer = client.get(WAIT, params={"event": "opened", "recipient": "ann@example.com", "timeout": 0.01})
    assert answer.status_code == 404
    told = answer.json()
    assert told["message"] == (
        "No opened event to ann@example.com came within 0.01 s. "
        "The nearest is delivered to ann@example.com – event: 'delivered' instead of 'opened'."
    )
    assert told["looked_for"] == {"event": ["opened"], "recipient": "ann@example.com"}
    assert told["total"] == 4
    assert [(each["event"], each["difference"]) for each in told["there"]] == [
        ("delivered", "event: 'delivered' instead of 'opened'"),
        ("accepted", "event: 'accepted' instead of 'opened'"),
    ]


def test_the_nearest_of_others_are_told_where_none_is_about_the_same(
    client: Client, two_sent: tuple[str, str]
) -> None:
    asked: dict[str, Any] = {"event": "failed", "recipient": "carl@example.com", "tag": "x", "timeout": 0}
    told = client.get(WAIT, params=asked).json()
    assert told["message"].endswith(
        "The nearest is failed to bounce@example.com (permanent 550 bounce) – "
        "recipient: 'bounce@example.com' instead of 'carl@example.com'."
    )
    assert told["there"][0]["difference"] == ("recipient: 'bounce@example.com' instead of 'carl@example.com'")


def test_fewer_than_were_waited_for_are_counted(client: Client, two_sent: tuple[str, str]) -> None:
    told = client.get(WAIT, params={"event": "delivered", "count": 3, "timeout": 0}).json()
    assert told["message"].startswith("Only 1 of 3 delivered events came within 0 s.")
    empty = client.get(
        WAIT, params={"account": client.post("/_emulator/accounts").json()["id"], "timeout": 0}
    )
    assert empty.json()["message"] == "No event came within 0 s. There are no events at all."
