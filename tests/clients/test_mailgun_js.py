"""Mailgun's own JavaScript client against a running server."""

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account


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
