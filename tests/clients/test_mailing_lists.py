"""Mailing lists with Mailgun's own clients, in Python and in JavaScript."""

from mailgun.client import Client as Mailgun
from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account, Client


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


def test_a_list_in_python(server_url: str, account: Account, client: Client) -> None:
    address = f"devs@{account.domain}"
    members = '[{"address": "Alice <alice@x.com>", "vars": {"age": 26}}, "bob@x.com"]'
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        made = mailgun.lists.create(domain=account.domain, data={"address": address})
        assert (made.status_code, made.json()["list"]["address"]) == (200, address)
        bulk = mailgun.lists_members.create(
            address=address, data={"members": members, "upsert": True}, multiple=True
        )
        assert bulk.json()["list"]["members_count"] == 2
        changed = mailgun.lists_members.put(
            address=address, member_address="bob@x.com", data={"subscribed": False, "vars": '{"age": 28}'}
        )
        assert changed.json()["member"]["subscribed"] is False
        pages = mailgun.lists_members_pages.get(address=address).json()
        assert [item["name"] for item in pages["items"]] == ["Alice", ""]
        assert [item["address"] for item in mailgun.lists_pages.get().json()["items"]] == [address]
        sent = {"from": f"a@{account.domain}", "to": address, "subject": "x", "text": "%recipient.age%"}
        assert mailgun.messages.create(data=sent, domain=account.domain).status_code == 200
        client.drain()
        found = mailgun.events.get(domain=account.domain, filters={"event": "delivered", "list": address})
        assert [event["recipient"] for event in found.json()["items"]] == ["alice@x.com"]
        gone = mailgun.lists_members.delete(address=address, member_address="bob@x.com")
        assert gone.json()["message"] == "Mailing list member has been deleted"
        assert mailgun.lists.delete(address=address).json()["message"] == "Mailing list has been removed"
