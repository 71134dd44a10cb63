"""Logs, metrics and tags as Mailgun's own JavaScript client reads them."""

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account


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
