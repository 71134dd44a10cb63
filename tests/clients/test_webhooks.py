"""Webhooks with Mailgun's own clients."""

from typing import Any

import pytest
from mailgun.client import Client as Mailgun
from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account, violations_of
from tests.receiver import Receiver

A, B = "https://example.com/a", "https://example.com/b"


def hold_against_contract(response: Any, *_: Any, **__: Any) -> None:
    violations = violations_of(response.request, response.request.path_url, response)
    assert not violations, "\n".join(violations)


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
def test_webhooks_in_python(server_url: str, account: Account) -> None:
    domain = account.domain
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        mailgun._session.hooks["response"].append(hold_against_contract)
        hooks = mailgun.domains_webhooks
        made = hooks.create(domain=domain, data={"id": "clicked", "url": [A]})
        assert made.json() == {"message": "Webhook has been created", "webhook": {"urls": [A]}}
        changed = hooks.put(domain=domain, webhook_name="clicked", data=[("url", A), ("url", B)])
        assert changed.json()["webhook"] == {"urls": [A, B]}
        found = hooks.get(domain=domain, webhook_name="clicked")
        assert found.json() == {"webhook": {"urls": [A, B]}}
        assert hooks.get(domain=domain).json() == {"webhooks": {"clicked": {"urls": [A, B]}}}
        assert hooks.delete(domain=domain, webhook_name="clicked").status_code == 200
        assert hooks.get(domain=domain, webhook_name="clicked").status_code == 404


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
def test_account_webhooks_in_python(server_url: str, account: Account) -> None:
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        mailgun._session.hooks["response"].append(hold_against_contract)
        hooks = mailgun.account_webhooks
        made = hooks.create(data={"url": A, "event_types": ["opened", "delivered"]}).json()["webhook_id"]
        assert hooks.put(webhook_id=made, data={"url": B, "event_types": ["opened"]}).status_code == 204
        found = hooks.get(webhook_id=made).json()
        assert (found["url"], found["event_types"]) == (B, ["opened"])
        assert hooks.delete(webhook_id=made).status_code == 204
        assert hooks.get().json() == {"webhooks": []}


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
