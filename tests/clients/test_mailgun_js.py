"""Mailgun's own JavaScript client against a running server."""

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account, Client
from tests.receiver import Receiver


@needs_node
def test_a_days_work_in_javascript(server_url: str, account: Account) -> None:
    told = node.run("journey.cjs", server_url, account.api_key, account.domain)
    assert (told["made"], told["verified"]) == ("unverified", "active")
    assert told["tracking"]["message"] == "Domain tracking settings have been updated"
    assert told["sent"]["message"] == "Queued. Thank you."
    assert sorted(told["events"]) == [
        "accepted bob@x.com",
        "accepted gone@x.com",
        "delivered bob@x.com",
        "failed gone@x.com",
    ]
    assert told["bounces"] == ["gone@x.com"]
    assert told["accepted"] == 2
    assert told["deleted"]["message"] == "Domain will be deleted in the background"
    assert told["gone"] == {"status": 404, "details": "Domain not found"}


@needs_node
def test_routes_in_javascript(server_url: str, account: Account) -> None:
    told = node.run("routes.cjs", server_url, account.api_key)
    assert (told["made"]["expression"], told["made"]["actions"]) == (
        'match_recipient(".*@example.com")',
        ["store()", "stop()"],
    )
    assert told["listed"] == [told["made"]]
    assert (told["changed"]["priority"], told["changed"]["message"]) == (7, "Route has been updated")
    assert told["deleted"]["message"] == "Route has been deleted"
    assert told["gone"] == {"status": 404, "details": "Route not found"}


@needs_node
def test_webhooks_in_javascript(server_url: str, account: Account, receiver: Receiver) -> None:
    base = receiver.url("")
    told = node.run("webhooks.cjs", server_url, account.api_key, account.domain, base)
    assert told["tried"] == {"code": 200, "message": "answered 200"}
    assert [each.path for each in receiver.requests()] == ["/try"]
    assert told["made"]["urls"] == [f"{base}/one"]
    assert told["off"]["urls"] == [f"{base}/off"]
    assert told["changed"]["urls"] == told["found"]["urls"] == [f"{base}/one", f"{base}/two"]
    assert set(told["list"]) == {"accepted", "unsubscribed"}
    assert told["deleted"]["urls"] == [f"{base}/off"]
    assert told["gone"] == {"status": 404, "details": "Webhook not found"}


@needs_node
def test_a_list_in_javascript(server_url: str, account: Account) -> None:
    told = node.run("mailing_lists.cjs", server_url, account.api_key, account.domain)
    address = f"devs@{account.domain}"
    assert (told["made"]["address"], told["made"]["access_level"]) == (address, "everyone")
    assert told["changed"]["description"] == "Developers"
    assert told["one"] == {"address": "bob@x.com", "name": "Bob", "subscribed": True, "vars": {"age": 26}}
    assert told["bulk"]["task-id"] == "0" * 32
    assert told["upload"]["message"] == "Mailing list upload started in background"
    assert told["left"] == told["member"]
    assert told["member"] == {"address": "cat@x.com", "name": "Cat", "subscribed": False, "vars": {"age": 3}}
    assert told["found"] == [False]
    assert told["pages"] == [["bob@x.com", "cat@x.com"], ["dan@x.com"]]
    assert (told["all"], told["total"]) == ([3], 1)
    assert told["delivered"] == ["bob@x.com"]
    assert told["gone"]["member"] == {"address": "bob@x.com"}
    assert told["destroyed"]["message"] == "Mailing list has been removed"
    assert told["missing"] == {"status": 404, "details": f"Mailing list {address} not found"}


@needs_node
def test_templates_in_javascript(server_url: str, account: Account, client: Client) -> None:
    told = node.run("templates.cjs", server_url, account.api_key, account.domain)
    assert (told["made"], told["version"], told["active"]) == ("v1", True, "v2")
    assert told["names"] == ["welcome", "zwei"]
    assert told["versions"] == ["v1", "v2"]
    assert told["updated"]["templateVersion"] == {"tag": "v1"}
    assert told["sent"]["message"] == "Queued. Thank you."
    assert told["all"]["message"] == "templates have been deleted"
    event = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"][0]
    message = client.get(event["storage"]["url"]).json()
    assert message["body-html"].strip() == "<b>Hi Bob</b>"
    assert event["template"] == {"name": "welcome", "version": "v2", "is-text": True}


@needs_node
def test_what_happened_is_read_in_javascript(server_url: str, account: Account) -> None:
    told = node.run("reporting.cjs", server_url, account.api_key, account.domain)
    seen = [item["event"] for page in ("logs", "more") for item in told[page]["items"]]
    assert (seen, told["logs"]["pagination"]["total"]) == (["accepted", "accepted"], 3)
    assert told["metrics"]["items"][0]["metrics"] == {"delivered_count": 1, "delivered_rate": "0.5000"}
    assert told["metrics"]["aggregates"]["metrics"]["delivered_count"] == 1
    assert told["usage"]["items"][0]["metrics"] == {"processed_count": 2}
    assert [item["tag"] for item in told["tags"]["items"]] == ["js", "sale"]
    assert told["tags"]["items"][0]["metrics"]["accepted_count"] == 2
    assert told["updated"]["message"] == "Tag updated"
    assert told["described"]["description"] == "from JavaScript"
    assert told["limits"]["count"] == 2
    assert told["deleted"]["message"] == "Tag deleted"
    assert [item["tag"] for item in told["left"]["items"]] == ["sale"]
    assert told["providers"]["provider"]["gmail.com"]["delivered"] == 1
    assert [item["entity-name"] for item in told["bounces"]["items"]] == ["Other"]
