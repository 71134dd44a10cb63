"""Templates with Mailgun's own JavaScript client."""

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account, Client


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
