import re
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

EXPRESSION = 'match_recipient(".*@example.com")'
ACTIONS = ['forward("http://127.0.0.1:9/inbound")', "stop()"]


def create(client: Client, **given: Any) -> dict[str, Any]:
    made = client.post("/v3/routes", data={"expression": EXPRESSION, "action": ACTIONS, **given})
    assert made.status_code == 200, made.text
    route: dict[str, Any] = made.json()["route"]
    return route


def listed(client: Client, **parameters: Any) -> list[str]:
    return [each["description"] for each in client.get("/v3/routes", params=parameters).json()["items"]]


def refused(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def test_a_route_is_made(client: Client) -> None:
    made = client.post(
        "/v3/routes",
        data={"priority": 10, "description": "Ours", "expression": EXPRESSION, "action": ACTIONS},
    )
    assert (made.status_code, made.headers["content-disposition"]) == (200, "inline")
    answer = made.json()
    assert list(answer) == ["message", "route"]
    route = answer["route"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", route["created_at"])
    assert re.fullmatch(r"[0-9a-f]{24}", route["id"])
    assert answer == {
        "message": "Route has been created",
        "route": {
            "actions": ACTIONS,
            "created_at": route["created_at"],
            "description": "Ours",
            "expression": EXPRESSION,
            "id": route["id"],
            "priority": 10,
        },
    }
    assert list(route) == sorted(route)


def test_a_route_has_defaults(client: Client) -> None:
    route = create(client, action="store()")
    assert (route["priority"], route["description"], route["actions"]) == (0, "", ["store()"])


@pytest.mark.parametrize("encoding", ["json", "brackets", "multipart"])
def test_actions_are_spelled_in_many_ways(client: Client, encoding: str) -> None:
    path = "/v3/routes"
    if encoding == "json":
        made = client.post(path, json={"expression": EXPRESSION, "action": ACTIONS})
    elif encoding == "brackets":
        made = client.post(path, data={"expression": EXPRESSION, "action[]": ACTIONS})
    else:
        parts = [("expression", (None, EXPRESSION)), *(("action", (None, each)) for each in ACTIONS)]
        made = client.post(path, files=parts)
    assert made.json()["route"]["actions"] == ACTIONS


def test_targets_are_not_looked_at(client: Client) -> None:
    assert create(client, action='forward(".*@")')["actions"] == ['forward(".*@")']


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Expression is missing"),
        ({"expression": " ", "action": "stop()"}, "Expression is missing"),
        ({"expression": EXPRESSION}, "'action' parameter is missing"),
        ({"expression": EXPRESSION, "action": ""}, "'action' parameter is missing"),
        ({"expression": "match(", "action": "stop()"}, "invalid syntax (<unknown>, line 1)"),
        (
            {"expression": 'match_recipient("*")', "action": "stop()"},
            "nothing to repeat at position 0",
        ),
        ({"expression": EXPRESSION, "action": ["stop()", "drop()"]}, "invalid syntax (<unknown>, line 1)"),
        (
            {"expression": f'match_recipient("{"x" * 4096}")', "action": "stop()"},
            "The 'expression' parameter can't be larger than 4096 bytes",
        ),
        (
            {"expression": EXPRESSION, "action": f'forward("{"x" * 4096}")'},
            "The 'action' parameter can't be larger than 4096 bytes",
        ),
        (
            {"expression": EXPRESSION, "action": "stop()", "priority": "high"},
            "'priority' parameter is invalid",
        ),
        (
            {"expression": EXPRESSION, "action": "stop()", "priority": 2**64},
            "'priority' parameter is invalid",
        ),
    ],
)
def test_what_makes_no_route_is_refused(client: Client, given: dict[str, Any], message: str) -> None:
    assert refused(client.post("/v3/routes", data=given)) == (400, {"message": message})
    assert client.get("/v3/routes").json() == {"items": [], "total_count": 0}


def test_a_malformed_expression_comes_with_a_hint(client: Client) -> None:
    answer = client.post("/v3/routes", data={"expression": "match_sender('a')", "action": "stop()"})
    hint = answer.headers["x-mailgun-emulator-hint"]
    assert "match_sender is neither match_recipient, match_header nor catch_all" in hint


def test_a_hint_repeats_whatever_was_sent(client: Client) -> None:
    answer = client.post("/v3/routes", data={"expression": "größe\r\n\u2026('a')", "action": "stop()"})
    assert answer.status_code == 400
    assert "can't be read" in answer.headers["x-mailgun-emulator-hint"]


def test_routes_are_listed_by_priority_the_newest_first(client: Client) -> None:
    for description, priority in (("old", 1), ("new", 1), ("last", 7), ("first", -1)):
        create(client, description=description, priority=priority)
    answer = client.get("/v3/routes").json()
    assert list(answer) == ["items", "total_count"]
    assert answer["total_count"] == 4
    assert listed(client) == ["first", "new", "old", "last"]
    assert listed(client, skip=1, limit=2) == ["new", "old"]
    assert listed(client, skip=9) == []


def test_no_more_than_a_thousand_routes_are_listed(client: Client) -> None:
    assert client.get("/v3/routes", params={"limit": 1000}).status_code == 200
    assert refused(client.get("/v3/routes", params={"limit": 1001})) == (
        400,
        {"message": "The 'limit' parameter can't be larger than 1000"},
    )
    for wrong in ({"limit": "some"}, {"skip": "-1"}, {"skip": 2**70}):
        assert client.get("/v3/routes", params=wrong).status_code == 400


def test_one_route_is_told(client: Client) -> None:
    route = create(client)
    assert client.get(f"/v3/routes/{route['id']}").json() == {"route": route}


def test_a_route_is_changed_in_part(client: Client) -> None:
    route = create(client, priority=3, description="Before")
    path = f"/v3/routes/{route['id']}"
    answer = client.put(path, data={"id": route["id"], "description": "After", "priority": 4})
    changed = {**route, "description": "After", "priority": 4}
    assert answer.json() == {**changed, "message": "Route has been updated"}
    assert list(answer.json()) == sorted(answer.json())
    answer = client.put(path, data={"action": ["store()"], "expression": "catch_all()"})
    changed |= {"actions": ["store()"], "expression": "catch_all()"}
    assert answer.json() == {**changed, "message": "Route has been updated"}
    assert client.put(path).json() == {**changed, "message": "Route has been updated"}
    assert client.get(path).json() == {"route": changed}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"expression": "nonsense"}, "invalid syntax (<unknown>, line 1)"),
        ({"expression": ""}, "Expression is missing"),
        ({"action": ""}, "'action' parameter is missing"),
        ({"action": "nonsense", "description": "new"}, "invalid syntax (<unknown>, line 1)"),
        ({"priority": "x"}, "'priority' parameter is invalid"),
    ],
)
def test_what_is_no_change_is_refused(client: Client, given: dict[str, str], message: str) -> None:
    route = create(client)
    path = f"/v3/routes/{route['id']}"
    assert refused(client.put(path, data=given)) == (400, {"message": message})
    assert client.get(path).json() == {"route": route}


def test_a_route_is_deleted(client: Client) -> None:
    route = create(client)
    path = f"/v3/routes/{route['id']}"
    assert client.delete(path).json() == {"id": route["id"], "message": "Route has been deleted"}
    for gone in (client.get(path), client.put(path, data={"priority": 1}), client.delete(path)):
        assert refused(gone) == (404, {"message": "Route not found"})


def test_an_address_is_matched_to_a_route(client: Client) -> None:
    create(client, description="all", expression="catch_all()", priority=9)
    create(client, description="subjects", expression='match_header("subject", ".*")', priority=1)
    create(client, description="ours", expression=EXPRESSION, priority=2)

    def found(address: str) -> Any:
        return client.get("/v3/routes/match", params={"address": address}).json()["route"]["description"]

    assert found("Bob@EXAMPLE.com") == "ours"
    assert found("bob@example.org") == "all"


def test_an_address_may_match_no_route(client: Client) -> None:
    create(client)
    answer = client.get("/v3/routes/match", params={"address": "bob@example.org"})
    assert refused(answer) == (404, {"message": "Route not found"})
    assert refused(client.get("/v3/routes/match")) == (400, {"message": "'address' parameter is missing"})


def test_an_account_sees_its_own_routes_only(client: Client, server_url: str) -> None:
    route = create(client)
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as stranger:
        assert listed(stranger) == []
        for path in (f"/v3/routes/{route['id']}", "/v3/routes/match?address=bob@example.com"):
            assert stranger.get(path).status_code == 404
        assert stranger.delete(f"/v3/routes/{route['id']}").status_code == 404
    assert len(listed(client)) == 1


def test_a_reset_takes_the_routes_along(client: Client, account: Account) -> None:
    create(client)
    client.post(f"/_emulator/accounts/{account.id}/reset")
    assert listed(client) == []
