"""What no client of good faith sends is refused in words; what it was sent to goes on."""

import orjson
import pytest
from tests.conftest import Account, Client

FILE = ("x.bin", b"\xff\x00", "application/octet-stream")
MESSAGE = {"from": "ann@example.org", "to": "bob@example.org", "text": "x"}


def nested(levels: int) -> str:
    return '{"a":' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("path", "name", "others"),
    [
        ("/v3/domains", "dkim_key_size", {"name": "odd.example.org"}),
        ("/v1/dkim/keys", "bits", {"signing_domain": "odd.example.org", "selector": "s"}),
    ],
)
def test_a_file_or_an_object_is_no_number(
    client: Client, path: str, name: str, others: dict[str, str]
) -> None:
    for answer in (
        client.post(path, data=others, files={name: FILE}),
        client.post(path, json={**others, name: {"a": 1}}),
    ):
        assert answer.status_code == 400
        assert answer.json() == {"message": f"Invalid parameter: {name} is invalid"}


@pytest.mark.parametrize("to", [{"a": 1}, [["bob@example.org"]], 7])
def test_a_message_is_sent_again_to_addresses_only(client: Client, account: Account, to: object) -> None:
    client.post(f"/v3/{account.domain}/messages", data=MESSAGE)
    event = client.get(f"/v3/{account.domain}/events?event=accepted").json()["items"][0]
    stored = f"/v3/domains/{account.domain}/messages/{event['storage']['key']}"
    answer = client.post(stored, json={"to": to})
    assert answer.status_code == 400
    assert answer.json() == {"message": "to parameter is not valid"}
    assert client.post(stored, files={"to": FILE}).status_code == 400


def test_filters_may_come_as_json_of_any_type(client: Client) -> None:
    for given in ({"signing_domain": {"a": 1}}, {"selector": [[1]]}, {"selector": 7}):
        answer = client.request("GET", "/v1/dkim/keys", json=given)
        assert answer.status_code == 200
        assert answer.json()["items"] == []


def test_the_comment_of_a_copied_version_is_text(client: Client, account: Account) -> None:
    templates = f"/v3/{account.domain}/templates"
    client.post(templates, data={"name": "t", "template": "x", "tag": "a"})
    refused = client.put(f"{templates}/t/versions/a/copy/b", json={"comment": {"a": 1}})
    assert (refused.status_code, client.get(f"{templates}/t/versions/b").status_code) == (400, 404)
    copied = client.put(f"{templates}/t/versions/a/copy/b", data={"comment": "a copy"})
    assert copied.json()["version"]["comment"] == "a copy"


@pytest.mark.parametrize("interval", ["9" * 400 + "d", 7, {"a": 1}])
def test_keys_do_not_rotate_in_the_infinite(client: Client, interval: object) -> None:
    domain = "rotating.example.org"
    client.post("/v4/domains", data={"name": domain, "use_automatic_sender_security": "yes"})
    answer = client.put(
        f"/v1/dkim_management/domains/{domain}/rotation",
        json={"rotation_enabled": True, "rotation_interval": interval},
    )
    assert answer.status_code == 400
    assert answer.json() == {"Reason": "rotation_interval is not a valid duration"}


def test_a_hint_never_breaks_the_answer_it_comes_with(client: Client) -> None:
    answer = client.post("/v2/x509/a%00b%C3%A9%0D%0A")
    assert answer.status_code == 404
    assert r"a\x00b\xe9" in answer.headers["X-Mailgun-Emulator-Hint"]


def test_json_that_is_nested_too_deeply_is_no_json(client: Client, account: Account) -> None:
    deep = nested(300)
    kind = {"Content-Type": "application/json"}
    refused = client.post("/v1/analytics/metrics", content=deep.encode(), headers=kind)
    assert refused.json() == {"message": "unable to parse request: invalid JSON"}
    messages = f"/v3/{account.domain}/messages"
    refused = client.post(messages, data={**MESSAGE, "recipient-variables": deep})
    assert refused.json() == {"message": "'recipient-variables' parameter is not a valid JSON"}
    assert client.post(messages, data={**MESSAGE, "h:X-Mailgun-Variables": deep}).status_code == 200
    assert client.post(messages, data={**MESSAGE, "v:a": deep}).status_code == 200


def test_variables_of_members_are_not_nested_too_deeply(client: Client, account: Account) -> None:
    address = f"list@{account.domain}"
    client.post("/v3/lists", data={"address": address})
    members = f"/v3/lists/{address}/members"
    for answer in (
        client.post(members, data={"address": "bob@example.org", "vars": nested(300)}),
        client.post(f"{members}.json", data={"members": f'[{{"address":"a@b.c","vars":{nested(300)}}}]'}),
    ):
        assert answer.status_code == 400
    assert client.post(members, data={"address": "bob@example.org", "vars": nested(90)}).status_code == 200
    listed = client.get(f"{members}/pages").json()["items"]
    assert [each["vars"] for each in listed] == [orjson.loads(nested(90))]


TOO_LARGE = "1" + "0" * 30


@pytest.mark.parametrize(
    "path",
    [
        "/v3/stats/total/domains?event=opened&timestamp=1&skip=",
        "/v3/domains?skip=",
        "/v3/domains/{domain}/credentials?skip=",
        "/v1/bounce-classification/domains?skip=",
        "/_emulator/webhooks/deliveries?before=",
    ],
)
def test_a_number_that_the_database_does_not_hold_is_invalid(
    client: Client, account: Account, path: str
) -> None:
    assert client.get(path.format(domain=account.domain) + TOO_LARGE).status_code == 400


@pytest.mark.parametrize(
    "path", ["/v1/analytics/metrics", "/v1/analytics/tags", "/v2/bounce-classification/metrics"]
)
def test_no_more_is_skipped_than_an_answer_can_tell(client: Client, path: str) -> None:
    refused = client.post(path, json={"pagination": {"skip": TOO_LARGE}})
    assert refused.json() == {"message": "Invalid parameter: pagination is invalid"}


def test_messages_are_not_kept_for_longer_than_can_be_told(client: Client, account: Account) -> None:
    path = f"/v4/domains/{account.domain}"
    assert client.put(path, data={"message_ttl": TOO_LARGE}).status_code == 400
    assert client.get(path).json()["domain"]["message_ttl"] == 0
