"""Mailgun's own clients make, change and delete routes of a running server."""

from typing import Any

from mailgun.client import Client as Mailgun
from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account

EXPRESSION = 'match_recipient(".*@example.com")'


def body_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_routes_by_the_python_package(server_url: str, account: Account) -> None:
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        given = {
            "priority": 1,
            "description": "Ours",
            "expression": EXPRESSION,
            "action": ["forward('http://x/')", "stop()"],
        }
        route = body_of(mailgun.routes.create(data=given))["route"]
        assert body_of(mailgun.routes.get(filters={"skip": 0, "limit": 5}))["items"] == [route]
        assert body_of(mailgun.routes.get(route_id=route["id"])) == {"route": route}
        changed = body_of(mailgun.routes.put(route_id=route["id"], data={"priority": 2}))
        assert (changed["priority"], changed["message"]) == (2, "Route has been updated")
        matched = body_of(mailgun.routes_match.get(filters={"address": "bob@example.com"}))
        assert matched["route"]["priority"] == 2
        assert body_of(mailgun.routes.delete(route_id=route["id"]))["message"] == "Route has been deleted"
        assert mailgun.routes.get(route_id=route["id"]).status_code == 404


@needs_node
def test_routes_in_javascript(server_url: str, account: Account) -> None:
    told = node.run("routes.cjs", server_url, account.api_key)
    assert (told["made"]["expression"], told["made"]["actions"]) == (EXPRESSION, ["store()", "stop()"])
    assert told["listed"] == [told["made"]]
    assert (told["changed"]["priority"], told["changed"]["message"]) == (7, "Route has been updated")
    assert told["deleted"]["message"] == "Route has been deleted"
    assert told["gone"] == {"status": 404, "details": "Route not found"}
