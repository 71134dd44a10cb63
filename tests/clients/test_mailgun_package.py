"""Mailgun's own Python package against a running server, through a day's work."""

from collections.abc import Iterator
from typing import Any

import pytest
from mailgun.client import Client as Mailgun
from tests.clients.package_desk import body_of
from tests.conftest import Account, Client, violations_of


@pytest.fixture
def mailgun(server_url: str, account: Account) -> Iterator[Mailgun]:
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as client:
        client._session.hooks["response"].append(hold_against_contract)
        yield client


def hold_against_contract(response: Any, *_: Any, **__: Any) -> None:
    violations = violations_of(response.request, response.request.path_url, response)
    assert not violations, "\n".join(violations)


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
def test_a_domain_is_created_used_and_deleted(mailgun: Mailgun, client: Client, account: Account) -> None:
    domain = f"journey-{account.id}.example.com"
    created = body_of(mailgun.domains.create(data={"name": domain}))
    assert created["domain"]["state"] == "unverified"
    assert body_of(mailgun.domains.put(domain=domain, verify=True))["domain"]["state"] == "active"
    names = [item["name"] for item in body_of(mailgun.domainlist.get())["items"]]
    assert domain in names

    added = mailgun.bounces.create(data={"address": "gone@example.net", "code": 550}, domain=domain)
    assert body_of(added)["address"] == "gone@example.net"

    sent = mailgun.messages.create(
        data={
            "from": f"Ann <ann@{domain}>",
            "to": ["bob@example.org", "gone@example.net"],
            "subject": "A day's work",
            "text": "See the file.",
            "o:tag": "journey",
        },
        files=[("attachment", ("notes.txt", b"some notes", "text/plain"))],
        domain=domain,
    )
    message_id = body_of(sent)["id"][1:-1]
    client.drain()

    events = body_of(mailgun.events.get(domain=domain, filters={"message-id": message_id}))["items"]
    assert sorted((event["event"], event["recipient"]) for event in events) == [
        ("accepted", "bob@example.org"),
        ("accepted", "gone@example.net"),
        ("delivered", "bob@example.org"),
        ("failed", "gone@example.net"),
    ]
    failed = next(event for event in events if event["event"] == "failed")
    assert failed["reason"] == "suppress-bounce"

    counted = mailgun.stats_total.get(
        domain=domain, filters={"event": ["accepted", "delivered", "failed"], "duration": "1d"}
    )
    today = body_of(counted)["stats"][-1]
    assert today["accepted"]["total"] == 2
    assert today["delivered"]["total"] == 1
    assert today["failed"]["permanent"]["suppress-bounce"] == 1
    tagged = body_of(mailgun.tags.get(domain=domain, tag_name="journey"))
    assert tagged["tag"] == "journey"

    url = events[0]["storage"]["url"]
    # Its `domains_messages.get` drops the storage URL that it is given; this reads the same address.
    stored = body_of(mailgun.resend_message.get(domain=domain, storage_url=url))
    assert stored["subject"] == "A day's work"
    assert [item["name"] for item in stored["attachments"]] == ["notes.txt"]
    resent = mailgun.resend_message.create(data={"to": "eve@example.org"}, storage_url=url, domain=domain)
    assert body_of(resent)["message"] == "Queued. Thank you."

    deleted = body_of(mailgun.domains.delete(domain=domain))
    assert deleted == {"message": "Domain will be deleted in the background"}
    assert mailgun.domains.get(domain=domain).status_code == 404
