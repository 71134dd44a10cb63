"""Fixture files over HTTP: what they bring, what they leave as it was, and how they are refused."""

import json
from typing import Any

import pytest
import yaml
from tests import plain
from tests.conftest import Account, Client, serving
from tests.receiver import Receiver

SHOP = "shop.example.com"
MESSAGE = {"from": f"Shop <hello@{SHOP}>", "to": "ann@example.org", "subject": "Hi", "text": "Hello"}


def load(client: Client, content: Any, account: str | None = None) -> Any:
    body = content if isinstance(content, str | bytes) else json.dumps(content)
    answer = client.post("/_emulator/import", content=body, params={"account": account} if account else {})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(client: Client, content: Any) -> str:
    body = content if isinstance(content, str | bytes) else json.dumps(content)
    answer = client.post("/_emulator/import", content=body)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["message"])


def export(client: Client) -> Any:
    (account,) = client.get("/_emulator/export").json()["accounts"]
    return account


def domain_of(exported: Any, name: str = SHOP) -> Any:
    return next(each for each in exported["domains"] if each["name"] == name)


def events(client: Client, domain: str = SHOP, **query: Any) -> list[dict[str, Any]]:
    found = client.get(f"/v3/{domain}/events", params={"limit": 300, "ascending": "yes", **query}).json()[
        "items"
    ]
    return list(found)


def names(client: Client, domain: str = SHOP) -> list[str]:
    return [event["event"] for event in events(client, domain, begin=0)]


def test_what_a_file_brings_is_seen_by_the_api(client: Client, account: Account) -> None:
    told = load(
        client,
        {
            "domains": [
                {
                    "name": SHOP,
                    "web_prefix": "t",
                    "credentials": ["ann"],
                    "webhooks": {"opened": "http://x.org/y"},
                }
            ],
            "templates": [{"name": "Welcome", "content": "Hi {{name}}"}],
            "lists": [{"address": f"news@{SHOP}", "members": ["ann@example.org"]}],
            "routes": [{"expression": "catch_all()", "actions": "stop()"}],
            "bounces": ["gone@example.org"],
            "tags": [{"name": "Sale", "description": "Rare"}],
        },
    )
    counts = {
        "domains": 1,
        "credentials": 1,
        "templates": 1,
        "lists": 1,
        "members": 1,
        "routes": 1,
        "suppressions": 1,
    }
    assert told == {
        "message": "Imported 1 account, 0 messages",
        "accounts": [{"id": account.id, "name": account.name, "counts": counts}],
    }
    domain = client.get(f"/v4/domains/{SHOP}").json()["domain"]
    assert (domain["state"], domain["web_prefix"]) == ("active", "t")
    assert (
        client.get(f"/v3/{SHOP}/templates/welcome?active=yes").json()["template"]["version"]["template"]
        == "Hi {{name}}"
    )
    assert client.get(f"/v3/lists/news@{SHOP}").json()["list"]["members_count"] == 1
    assert client.get("/v3/routes").json()["items"][0]["expression"] == "catch_all()"
    assert client.get(f"/v3/{SHOP}/bounces/gone@example.org").json()["code"] == "550"
    assert client.get(f"/v3/domains/{SHOP}/webhooks/opened").json()["webhook"]["urls"] == ["http://x.org/y"]
    assert client.get(f"/v3/{SHOP}/tag", params={"tag": "sale"}).json()["description"] == "Rare"
    sent = client.post(f"/v3/{SHOP}/messages", data={**MESSAGE, "to": "gone@example.org"})
    assert sent.status_code == 200
    assert names(client) == ["accepted", "failed"]


def test_a_message_that_is_written_has_its_history(client: Client) -> None:
    file = {
        "domains": [SHOP],
        "messages": [
            {**MESSAGE, "tags": "sale", "at": "-2h"},
            {
                **MESSAGE,
                "at": "-1d",
                "events": [
                    "accepted",
                    "delivered",
                    {"event": "opened", "at": "-20h"},
                    {"event": "complained", "at": "-1h"},
                ],
            },
            {**MESSAGE, "to": "deferred+1@example.com", "at": "-8h"},
            {**MESSAGE, "to": "bounce@example.com", "at": "-3h"},
            {**MESSAGE, "to": "eve@example.org", "deliver_at": "2h"},
        ],
    }
    load(client, file)
    now = client.get("/_emulator/clock").json()["now"]
    assert [
        (round((event["timestamp"] - now) / 60), event["event"]) for event in events(client, begin=0)
    ] == [
        (-1440, "accepted"),
        (-1440, "delivered"),
        (-1200, "opened"),
        (-480, "accepted"),
        (-480, "failed"),
        (-470, "delivered"),
        (-180, "accepted"),
        (-180, "failed"),
        (-120, "accepted"),
        (-120, "delivered"),
        (-60, "complained"),
        (0, "accepted"),
    ]
    assert client.get(f"/v3/{SHOP}/bounces").json()["items"][0]["address"] == "bounce@example.com"
    assert client.get(f"/v3/{SHOP}/complaints").json()["items"][0]["address"] == "ann@example.org"
    client.post("/_emulator/clock", json={"advance": "3h"})
    assert names(client)[-1] == "delivered"


def test_webhooks_are_told_of_what_comes_and_not_of_what_was(client: Client, receiver: Receiver) -> None:
    hook = {"url": receiver.url("/hook"), "event_types": ["accepted", "delivered", "opened"]}
    file = {
        "domains": [{"name": SHOP, "webhooks": {"delivered": receiver.url("/domain")}}],
        "webhooks": [hook],
        "messages": [{**MESSAGE, "at": "-2h"}, {**MESSAGE, "at": "-1h", "events": ["delivered", "opened"]}],
    }
    load(client, file)
    client.drain()
    assert receiver.requests() == []
    load(client, {"messages": [{**MESSAGE, "at": "-30m"}]})
    client.drain()
    assert receiver.requests() == []
    client.post(f"/v3/{SHOP}/messages", data=MESSAGE)
    client.drain()
    assert len(receiver.requests("/hook")) == 2
    assert len(receiver.requests("/domain")) == 1


def test_rules_are_for_what_comes(client: Client) -> None:
    rule = {"match": {"recipient": "*@example.org"}, "code": 550, "times": 1}
    load(client, {"domains": [SHOP], "outcomes": [rule], "messages": [{**MESSAGE, "at": "-2h"}]})
    assert names(client) == ["accepted", "delivered"]
    client.post(f"/v3/{SHOP}/messages", data=MESSAGE)
    assert names(client)[-1] == "failed"


def test_what_has_the_same_name_is_replaced_and_the_rest_stays(client: Client, account: Account) -> None:
    first = {
        "domains": [{"name": SHOP, "wildcard": True, "web_prefix": "t"}],
        "templates": [{"name": "a", "content": "old"}, {"name": "b", "content": "b"}],
        "lists": [{"address": f"news@{SHOP}", "members": ["old@example.org"]}],
        "routes": [{"expression": "catch_all()", "actions": "stop()", "description": "old"}],
        "bounces": [{"address": "x@example.org", "code": 550}, "y@example.org"],
    }
    load(client, first)
    client.post(f"/v3/{SHOP}/messages", data=MESSAGE)
    load(
        client,
        {
            "domains": [{"name": SHOP, "web_prefix": "new"}],
            "templates": [{"name": "a", "content": "new"}],
            "lists": [{"address": f"news@{SHOP}", "members": ["new@example.org"]}],
            "routes": [{"expression": "catch_all()", "actions": "stop()", "description": "new"}],
            "bounces": [{"address": "x@example.org", "code": 551}],
        },
    )
    told = export(client)
    domain = domain_of(told)
    assert (domain["wildcard"], domain["web_prefix"]) == (True, "new")
    assert [(each["name"], each["versions"][0]["content"]) for each in domain["templates"]] == [
        ("a", "new"),
        ("b", "b"),
    ]
    assert [each["address"] for each in told["lists"][0]["members"]] == ["new@example.org"]
    assert [each["description"] for each in told["routes"]] == ["new"]
    assert [(each["address"], each.get("code", "550")) for each in domain["bounces"]] == [
        ("x@example.org", "551"),
        ("y@example.org", "550"),
    ]
    assert len(domain["messages"]) == 1
    assert [each["name"] for each in told["domains"]] == [
        account.domain,
        *(each["name"] for each in told["domains"][1:]),
    ]
    assert told["api_keys"][0]["secret"] == account.api_key


def test_what_was_exported_is_not_there_twice(client: Client) -> None:
    load(client, {"domains": [SHOP], "messages": [{**MESSAGE, "at": "-2h"}]})
    before = events(client, begin=0)
    load(client, client.get("/_emulator/export").content)
    assert events(client, begin=0) == before
    assert len(domain_of(export(client))["messages"]) == 1


def test_the_same_file_may_go_into_several_accounts(client: Client, server_url: str) -> None:
    load(client, {"domains": [SHOP], "messages": [{**MESSAGE, "at": "-2h", "tags": "sale"}]})
    exported = client.get("/_emulator/export").content
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as second:
        told = load(second, exported)
        assert told["accounts"][0]["id"] == other["id"]
        (event,) = [each for each in events(second, begin=0) if each["event"] == "delivered"]
        assert event["account"] == {"id": other["id"]}
        stored = second.get(event["storage"]["url"])
        assert (stored.status_code, stored.json()["subject"]) == (200, "Hi")
        before = events(client, begin=0)
        assert before[0]["storage"]["key"] != event["storage"]["key"]
        assert [each["id"] for each in before][-1] == event["id"]
        assert second.get("/v1/keys").json()["items"][0]["id"] in other["api_key"]


def test_an_account_that_is_there_is_emptied_and_filled(client: Client, account: Account) -> None:
    client.post(f"/v3/{account.domain}/messages", data=MESSAGE)
    with Client(base_url=client.base_url) as anybody:
        load(anybody, {"accounts": [{"id": account.id, "domains": [SHOP], "bounces": ["x@example.org"]}]})
    told = export(client)
    assert [each["name"] for each in told["domains"] if "type" not in each] == [SHOP]
    assert (told["name"], told["signing_key"]) == (account.name, account.signing_key)
    assert client.get(f"/v3/{SHOP}/bounces/x@example.org").status_code == 200


def test_a_new_account_has_what_its_file_says(server_url: str) -> None:
    with Client(base_url=server_url) as anybody:
        file = {"accounts": [{"name": "New", "api_keys": ["key-of-new-fixture"], "domains": [SHOP]}]}
        (made,) = load(anybody, file)["accounts"]
        view = anybody.get(f"/_emulator/accounts/{made['id']}").json()
        assert (view["name"], view["api_key"], view["domain"]) == ("New", "key-of-new-fixture", SHOP)
        assert (
            load(anybody, {"accounts": [{"id": made["id"], "name": "Again"}]})["accounts"][0]["name"]
            == "Again"
        )
        assert "another account has this key" in refusal(anybody, file)
        anybody.delete(f"/_emulator/accounts/{made['id']}")


@pytest.mark.parametrize("kind", ["application/json", "application/x-yaml", "text/plain", ""])
def test_what_kind_of_file_it_is_is_seen(client: Client, kind: str) -> None:
    file = {"domains": [SHOP], "bounces": ["x@example.org"]}
    content = json.dumps(file) if "json" in kind else yaml.safe_dump(file)
    answer = client.post("/_emulator/import", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    assert client.get(f"/v3/{SHOP}/bounces/x@example.org").status_code == 200


def test_a_file_may_be_uploaded_by_a_form(client: Client) -> None:
    answer = client.post("/_emulator/import", files={"file": ("shop.yaml", f"domains: [{SHOP}]")})
    assert answer.status_code == 200
    refused = client.post("/_emulator/import", files={"file": ("shop.yaml", "domains: 5")})
    assert refused.json() == {"message": "shop.yaml:1: domains: has to be a list"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "There is no fixture file in the request"),
        (
            "domains:\n- name: x.com\n  wildcard: maybe",
            "line 3: domains[0].wildcard: has to be true or false",
        ),
        ({"outcomes": [{"match": {}, "code": 300}]}, "line 1: outcomes[0]: code is 2xx, 4xx or 5xx"),
        ({"outcomes": [{"match": {"nth": 0}}]}, "line 1: outcomes[0].match.nth: "),
        ({"faults": [{"match": {}, "do": {}}]}, "line 1: faults[0].do: name what goes wrong"),
        ({"accounts": [{}, {}]}, "line 1: accounts[1]: the file has several accounts"),
        (
            {"domains": [SHOP], "messages": [{**MESSAGE, "at": "2h"}]},
            "line 1: messages[0].at: this is still to come: say with deliver_at",
        ),
        (
            {
                "domains": [SHOP],
                "messages": [{**MESSAGE, "at": "-2h", "events": [{"event": "opened", "at": "-3h"}]}],
            },
            "line 1: messages[0].events[0]: this is before the message was accepted",
        ),
        (
            {"domains": [SHOP], "messages": [{**MESSAGE, "events": ["failed", "opened"]}]},
            "line 1: messages[0].events[1]: The message failed for good to ann@example.org",
        ),
        (
            {"domains": [{"name": SHOP, "dkim_keys": [{"selector": "k", "private_key": "no"}]}]},
            "line 1: domains[0].dkim_keys[0].private_key: this is no RSA key",
        ),
    ],
)
def test_what_is_refused_changes_nothing(client: Client, content: Any, said: str) -> None:
    before = export(client)
    assert refusal(client, content).startswith(said)
    assert export(client) == before


def test_an_unknown_account_is_refused(client: Client) -> None:
    for answer in (
        client.get("/_emulator/export?account=none"),
        client.post("/_emulator/import?account=none", content="{}"),
    ):
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("There is no account none")


def test_a_parent_has_to_be_there(server_url: str) -> None:
    with Client(base_url=server_url) as anybody:
        said = refusal(anybody, {"accounts": [{"name": "Sub", "parent": "nobody"}]})
    assert said == "line 1: accounts[0].parent: there is no account nobody, neither here nor in the file"


def test_an_export_is_of_the_account_that_asks_alone(client: Client, account: Account) -> None:
    client.post(f"/v3/{account.domain}/messages", data=MESSAGE)
    told = export(client)
    assert (told["id"], told["name"], "default" in told) == (account.id, account.name, False)
    (message,) = domain_of(told, account.domain)["messages"]
    assert (message["from"], message["to"], message["subject"]) == (MESSAGE["from"], MESSAGE["to"], "Hi")
    assert [event["event"] for event in message["events"]] == ["accepted", "delivered"]
    as_yaml = client.get("/_emulator/export?format=yaml")
    assert as_yaml.headers["Content-Type"].startswith("application/yaml")
    assert yaml.safe_load(as_yaml.text) == {"accounts": [told]}


def test_the_default_account_takes_the_id_of_the_file() -> None:
    with serving() as server, Client(base_url=server.url) as anybody:
        file = {
            "accounts": [
                {"id": "0123456789abcdef01234567", "default": True, "name": "Ours", "domains": [SHOP]}
            ]
        }
        load(anybody, file)
        first = anybody.get("/_emulator/accounts").json()["items"][0]
        assert (first["id"], first["name"], first["domain"]) == ("0123456789abcdef01234567", "Ours", SHOP)
        with Client(base_url=server.url, auth=("api", "key-emulator")) as client:
            assert client.post(f"/v3/{SHOP}/messages", data=MESSAGE).status_code == 200
        assert anybody.post("/_emulator/reset").status_code == 200
        first = anybody.get("/_emulator/accounts").json()["items"][0]
        assert (first["id"], first["domain"]) == ("0123456789abcdef01234567", "mg.example.com")


def test_a_file_may_be_about_the_domain_that_an_account_has(client: Client, account: Account) -> None:
    own = "$MAILGUN_DOMAIN"
    content = f"""
        domains: [{{name: {own}, tracking: {{opens: true}}}}]
        lists: [news@{own}]
        messages: [{{from: Shop <hello@{own}>, to: ann@example.org, subject: Hi, text: From {own}, at: -1h}}]
    """
    load(client, content)
    load(client, content)
    names_of_domains = [each["name"] for each in client.get("/v4/domains").json()["items"]]
    assert account.domain in names_of_domains
    assert not [name for name in names_of_domains if "MAILGUN" in name.upper().split("SANDBOX")[0]]
    assert client.get(f"/v3/domains/{account.domain}/tracking").json()["tracking"]["open"]["active"]
    assert client.get(f"/v3/lists/news@{account.domain}").status_code == 200
    (first, _) = client.get("/_emulator/messages").json()["items"]
    assert (first["domain"], first["from"]) == (account.domain, f"Shop <hello@{account.domain}>")
    told = client.get(f"/_emulator/messages/{first['id']}").json()
    assert told["text"].strip() == f"From {account.domain}"
    assert refusal(client, f"lists: [a@{own}, b@{own}, no]").startswith("line 1: lists[2].address: 'no'")


def test_what_an_export_says_is_taken_as_it_stands(client: Client) -> None:
    load(client, {"domains": [SHOP], "templates": [{"name": "t", "content": "{{x}}"}]})
    exported = client.get("/_emulator/export").text.replace("{{x}}", "$MAILGUN_DOMAIN")
    load(client, exported)
    assert domain_of(export(client))["templates"][0]["versions"][0]["content"] == "$MAILGUN_DOMAIN"


def test_an_account_without_a_domain_has_no_name_to_stand_for(client: Client, account: Account) -> None:
    client.delete(f"/v3/domains/{account.domain}")
    assert refusal(client, "domains: [$MAILGUN_DOMAIN]") == (
        "the account has no domain that $MAILGUN_DOMAIN could stand for: name one"
    )


def test_mail_that_came_in_may_be_written_too(client: Client, receiver: Receiver) -> None:
    route = {
        "expression": f'match_recipient("support@{SHOP}")',
        "actions": [f'store(notify="{receiver.url}")'],
    }
    mail = {"direction": "incoming", "from": "Ann <ann@example.org>", "subject": "Help", "text": "Où?"}
    load(
        client,
        {"domains": [SHOP], "routes": [route], "messages": [{**mail, "to": f"support@{SHOP}", "at": "-2h"}]},
    )
    (found,) = client.get("/_emulator/messages", params={"direction": "incoming"}).json()["items"]
    assert (found["from"], found["to"], found["domain"]) == (mail["from"], [f"support@{SHOP}"], SHOP)
    assert client.get(f"/_emulator/messages/{found['id']}").json()["text"].strip() == "Où?"
    assert set(names(client)) == {"accepted", "stored"}
    client.drain()
    assert client.get("/_emulator/webhooks/deliveries").json()["items"] == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"direction": "in"}, "messages[0].direction: 'in' is not one of outgoing, incoming"),
        ({"direction": "incoming"}, f"messages[0]: nobody takes mail to x@{SHOP}: "),
        ({"direction": "incoming", "at": "2h"}, "messages[0].at: this is still to come"),
        ({"direction": "incoming", "from": "no address"}, "messages[0]: 'no address' is no address"),
        ({"direction": "incoming", "tags": "a"}, "messages[0].tags: is not known here; "),
    ],
)
def test_what_could_not_have_come_in_is_refused(client: Client, message: Any, said: str) -> None:
    content = {"domains": [SHOP], "messages": [{**MESSAGE, "to": f"x@{SHOP}", **message}]}
    assert refusal(client, content).startswith(f"line 1: {said}")
