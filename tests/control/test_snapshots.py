import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

PATH = "/_emulator/snapshots"
KEY = ("api", "key-emulator")
MEDIA_TYPE = "application/vnd.sqlite3"


def send(client: Client, domain: str, to: str = "bob@gmail.com", **fields: Any) -> None:
    message = {"from": f"a@{domain}", "to": to, "subject": "Hi", "text": "hello", **fields}
    assert client.post(f"/v3/{domain}/messages", data=message).status_code == 200


def recipients(client: Client, domain: str) -> list[str]:
    client.drain()
    found = client.get(f"/v3/{domain}/events", params={"event": "delivered"}).json()["items"]
    return sorted(event["recipient"] for event in found)


def take(client: Client, name: str) -> dict[str, Any]:
    answer = client.post(PATH, json={"name": name})
    assert answer.status_code == 200
    made: dict[str, Any] = answer.json()
    return made


def restore(client: Client, name: str, **params: str) -> None:
    answer = client.post(f"{PATH}/{name}/restore", params=params)
    assert (answer.status_code, answer.json()) == (200, {"message": "Snapshot restored"})


def altered(content: bytes, path: Path, script: str) -> bytes:
    """The file after somebody else has been at it."""
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path.read_bytes()


def test_an_account_goes_back_to_a_snapshot_as_often_as_is_wanted(client: Client, account: Account) -> None:
    send(client, account.domain, "one@x.com")
    assert recipients(client, account.domain) == ["one@x.com"]
    made = take(client, "before")
    assert made == {**made, "name": "before", "account": account.id}
    assert abs(made["at"] - plain.get(f"{client.base_url}/_emulator/clock").json()["now"]) < 60
    assert made["iso"].startswith("20")
    assert made["size"] > 10_000
    for _ in range(3):
        send(client, account.domain, "two@x.com")
        client.post(f"/v3/{account.domain}/bounces", data={"address": "gone@x.com"})
        assert recipients(client, account.domain) == ["one@x.com", "two@x.com"]
        restore(client, "before")
        assert recipients(client, account.domain) == ["one@x.com"]
        assert client.get(f"/v3/{account.domain}/bounces").json()["items"] == []
    assert client.get(PATH).json() == {"items": [made]}


def test_a_name_is_made_up_and_a_second_snapshot_of_a_name_replaces_the_first(
    client: Client, account: Account
) -> None:
    assert [client.post(PATH).json()["name"] for _ in range(2)] == ["snapshot-1", "snapshot-2"]
    take(client, "x")
    send(client, account.domain)
    take(client, "x")
    names = [each["name"] for each in client.get(PATH).json()["items"]]
    assert names == ["snapshot-1", "snapshot-2", "x"]
    restore(client, "x")
    assert recipients(client, account.domain) == ["bob@gmail.com"]
    assert client.delete(f"{PATH}/snapshot-1").json() == {"message": "Snapshot deleted"}
    assert client.post(PATH).json()["name"] == "snapshot-3"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 65])
def test_a_name_that_would_be_no_file_name_is_refused(client: Client, name: str) -> None:
    answer = client.post(PATH, json={"name": name})
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "name has to be 1 to 64 letters, digits, dots, dashes and underscores"
    }
    assert client.get(PATH).json() == {"items": []}


def test_a_snapshot_that_is_not_there_is_not_found(client: Client) -> None:
    for answer in (
        client.get(f"{PATH}/none"),
        client.delete(f"{PATH}/none"),
        client.post(f"{PATH}/none/restore"),
    ):
        assert answer.status_code == 404
        assert answer.json() == {
            "message": "There is no snapshot none; GET /_emulator/snapshots lists those there are."
        }


def test_one_account_does_not_see_the_snapshots_of_another(
    client: Client, account: Account, server_url: str
) -> None:
    take(client, "mine")
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        assert stranger.get(PATH).json() == {"items": []}
        assert stranger.post(f"{PATH}/mine/restore").status_code == 404
        assert stranger.delete(f"{PATH}/mine").status_code == 404
        assert stranger.get(f"{PATH}/mine").status_code == 404
    assert [each["name"] for each in client.get(PATH).json()["items"]] == ["mine"]
    unknown = plain.get(f"{server_url}{PATH}?account=none")
    assert unknown.status_code == 404
    assert unknown.json()["message"].startswith("There is no account none")


def test_with_an_account_its_snapshots_are_deleted(client: Client, account: Account, server_url: str) -> None:
    child = plain.post(f"{server_url}/_emulator/accounts", json={"parent": account.id}).json()
    take(client, "x")
    plain.post(f"{server_url}{PATH}?account={child['id']}", json={"name": "y"})
    assert plain.delete(f"{server_url}/_emulator/accounts/{account.id}").status_code == 200
    left = plain.get(f"{server_url}{PATH}").json()["items"]
    assert not {account.id, child["id"]} & {each["account"] for each in left}


def test_the_reset_of_an_account_leaves_its_snapshots(client: Client, account: Account) -> None:
    send(client, account.domain)
    client.drain()
    take(client, "x")
    client.post(f"/_emulator/accounts/{account.id}/reset")
    restore(client, "x")
    assert recipients(client, account.domain) == ["bob@gmail.com"]


def test_subaccounts_come_and_go_with_their_account(
    client: Client, account: Account, server_url: str
) -> None:
    first = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    with Client(base_url=server_url, auth=("api", first["api_key"])) as child:
        send(child, first["domain"])
        child.post("/_emulator/clock", json={"freeze": "2030-01-01T00:00:00Z"})
        take(client, "x")
        second = client.post("/_emulator/accounts", json={"parent": account.id}).json()
        client.delete(f"/_emulator/accounts/{first['id']}")
        restore(client, "x")
        assert client.get(f"/_emulator/accounts/{first['id']}").json() == first
        assert client.get(f"/_emulator/accounts/{second['id']}").status_code == 404
        assert child.get("/_emulator/clock").json()["iso"] == "2030-01-01T00:00:00.000Z"


def test_a_clock_comes_back_as_it_was_set(client: Client, account: Account, server_url: str) -> None:
    client.post("/_emulator/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    take(client, "frozen")
    client.post("/_emulator/clock", json={"reset": True})
    take(client, "real")
    client.post("/_emulator/clock", json={"advance": "3d"})
    restore(client, "frozen")
    assert client.get("/_emulator/clock").json()["iso"] == "2030-01-01T00:00:00.000Z"
    restore(client, "real")
    assert client.get("/_emulator/clock").json()["offset"] == 0
    assert client.get("/_emulator/clock").json()["frozen"] is False


def test_faults_are_met_again_after_a_restore(client: Client, account: Account) -> None:
    fault = {"match": {"operation": "list_domains"}, "do": {"status": 503}}
    assert client.post("/_emulator/faults", json=fault).status_code == 200
    take(client, "broken")
    client.delete("/_emulator/faults")
    take(client, "whole")
    restore(client, "broken")
    assert client.get("/v4/domains").status_code == 503
    restore(client, "whole")
    assert client.get("/v4/domains").status_code == 200


def test_an_account_snapshot_goes_by_file_to_where_the_account_is_not(
    client: Client, account: Account
) -> None:
    send(client, account.domain)
    client.drain()
    take(client, "x")
    file = client.get(f"{PATH}/x")
    assert file.headers["content-type"] == MEDIA_TYPE
    assert file.headers["content-disposition"] == 'attachment; filename="x.sqlite3"'
    with Emulator() as server, Client(base_url=server.url) as other:
        put = other.put(f"{PATH}/moved", content=file.content, headers={"Content-Type": MEDIA_TYPE})
        assert (put.status_code, put.json()["account"]) == (200, account.id)
        default = other.get("/_emulator/accounts").json()["items"][0]
        restore(other, "moved")
        there = other.get("/_emulator/accounts").json()["items"]
        assert there == [default, account._asdict()], "the default account stays the first"
        other.auth = httpx2.BasicAuth("api", account.api_key)
        assert recipients(other, account.domain) == ["bob@gmail.com"]
        send(other, account.domain, "two@x.com")
        assert recipients(other, account.domain) == ["bob@gmail.com", "two@x.com"]
        restore(other, "moved")
        assert recipients(other, account.domain) == ["bob@gmail.com"]


def test_a_file_of_another_account_is_not_kept_for_this_one(client: Client, server_url: str) -> None:
    take(client, "x")
    content = client.get(f"{PATH}/x").content
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    answer = plain.put(f"{server_url}{PATH}/y?account={other['id']}", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("The file is a snapshot of account ")


def test_what_another_account_has_by_now_is_not_taken_from_it(
    client: Client, account: Account, server_url: str, tmp_path: Path
) -> None:
    """The file gives an account a key that another one has here."""
    take(client, "x")
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    theft = f"UPDATE api_key SET secret = '{other['api_key']}'"  # noqa: S608 - of our own making
    content = altered(client.get(f"{PATH}/x").content, tmp_path / "x", theft)
    assert client.put(f"{PATH}/x", content=content).status_code == 200
    send(client, account.domain)
    answer = client.post(f"{PATH}/x/restore")
    assert answer.status_code == 409
    assert answer.json() == {
        "message": f"The snapshot can't be restored: the secret '{other['api_key']}' of its api key belongs to "
        "another account by now."
    }
    assert recipients(client, account.domain) == ["bob@gmail.com"], "nothing has changed"
    assert client.get(f"/_emulator/accounts/{other['id']}").json() == other


def test_a_subaccount_comes_back_only_where_its_parent_is(client: Client, account: Account) -> None:
    child = client.post("/_emulator/accounts", json={"parent": account.id}).json()
    client.post(f"{PATH}?account={child['id']}", json={"name": "x"})
    content = client.get(f"{PATH}/x?account={child['id']}").content
    client.delete(f"/_emulator/accounts/{child['id']}")
    assert client.put(f"{PATH}/x?account={child['id']}", content=content).status_code == 404
    with Client(base_url=client.base_url) as nobody:
        assert nobody.put(f"{PATH}/child-{child['id'][:8]}", content=content).status_code == 200
        restore(nobody, f"child-{child['id'][:8]}", account=child["id"])
    assert client.get(f"/_emulator/accounts/{child['id']}").json() == child
    with Emulator() as server:
        assert plain.put(f"{server.url}{PATH}/x", content=content).status_code == 200
        answer = plain.post(f"{server.url}{PATH}/x/restore")
        assert answer.status_code == 409
        assert answer.json()["message"] == (
            f"The snapshot can't be restored: {child['id']} is a subaccount of {account.id}, which isn't there."
        )


Spoiled = Callable[[bytes], bytes]
SPOILED: dict[str, tuple[str | Spoiled, str]] = {
    "empty": (lambda _: b"", "the body of the request is empty"),
    "text": (lambda _: b"hello", "it is no SQLite database"),
    "cut short": (lambda content: content[:50_000], "it is damaged|malformed|not a database"),
    "another program's": ("PRAGMA application_id = 1", "it is another program's database"),
    "another version's": ("PRAGMA user_version = 1", "it has schema version 1, this program has"),
    "with a trigger": (
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM account; END",
        "its trigger t is not what this program has",
    ),
    "with a view": ("CREATE VIEW v AS SELECT 1", "its view v is not what this program has"),
    "with a view for a table": (
        "DROP TABLE fault; CREATE VIEW fault AS SELECT 1",
        "its view fault is not what this program has",
    ),
    "with a table": ("CREATE TABLE more (a)", "its table more is not what this program has"),
    "with a column": (
        "ALTER TABLE tag ADD COLUMN more VARCHAR",
        "its table tag is not what this program has",
    ),
    "without an index": ("DROP INDEX event_type", "its index event_type is missing"),
    "with a number for a text": (
        "UPDATE domain SET type = x'00'",
        "a type of its table domain can't be right",
    ),
    "with an endless number": (
        "UPDATE event SET id = id + 9000000000000000000",
        "a id of its table event can't be right",
    ),
    "with a time out of time": (
        "UPDATE account SET created_at = 9e999",
        "a created_at of its table account can't be right",
    ),
    "with what is no JSON": (
        "UPDATE domain SET checked = 'x'",
        "a checked of its table domain can't be right",
    ),
    "with other JSON": ("UPDATE domain SET ips = '{}'", "a ips of its table domain can't be right"),
    "with rows of nobody": (
        "UPDATE event SET domain_id = 'none'",
        "its table event refers to rows that are missing",
    ),
    "without an account": ("DELETE FROM account", "its table .* refers to rows that are missing"),
    "of two accounts": (
        "INSERT INTO account (id, name, signing_key, public_key, created_at, status, updated_at, features, settings,"
        " clock_offset) SELECT 'b', name, '', '', created_at, status, 0, '{}', '{}', 0 FROM account",
        "it is of several accounts",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_file_that_no_emulator_wrote_is_refused(
    client: Client, account: Account, tmp_path: Path, what: str
) -> None:
    send(client, account.domain)
    client.drain()
    take(client, "good")
    good = client.get(f"{PATH}/good").content
    spoil, why = SPOILED[what]
    content = altered(good, tmp_path / "x", spoil) if isinstance(spoil, str) else spoil(good)
    answer = client.put(f"{PATH}/bad", content=content)
    assert answer.status_code == 400
    assert re.fullmatch(
        rf"The file can't be taken as a snapshot: .*({why}).*\.", answer.json()["message"], re.DOTALL
    )
    assert [each["name"] for each in client.get(PATH).json()["items"]] == ["good"]
    assert recipients(client, account.domain) == ["bob@gmail.com"]


def test_a_name_to_upload_to_is_checked_too(client: Client) -> None:
    take(client, "x")
    content = client.get(f"{PATH}/x").content
    assert client.put(f"{PATH}/a%20b", content=content).status_code == 400


def test_everything_goes_back_at_once(tmp_path: Path) -> None:
    with Emulator() as server, Client(base_url=server.url) as client:
        one = client.post("/_emulator/accounts").json()
        made = take(client, "all")
        assert made["account"] is None
        with Client(base_url=server.url, auth=("api", one["api_key"])) as keyed:
            send(keyed, one["domain"])
            two = client.post("/_emulator/accounts").json()
            restore(client, "all")
            there = [each["id"] for each in client.get("/_emulator/accounts").json()["items"]]
            assert one["id"] in there
            assert two["id"] not in there
            assert recipients(keyed, one["domain"]) == []
        three = client.post("/_emulator/accounts").json()
        assert three["id"] not in (one["id"], two["id"])
        assert client.post("/_emulator/reset").status_code == 200
        restore(client, "all")
        assert [each["id"] for each in client.get("/_emulator/accounts").json()["items"]] == there


def test_a_snapshot_of_everything_goes_by_file_to_another_emulator(tmp_path: Path) -> None:
    with Emulator(seed=1) as server, Client(base_url=server.url) as client:
        one = client.post("/_emulator/accounts").json()
        take(client, "all")
        content = client.get(f"{PATH}/all").content
    path = str(tmp_path / "state.db")
    with (
        Emulator(seed=2, api_key="key-other", domain="other.example.com", database=path) as server,
        Client(base_url=server.url) as client,
        Client(base_url=server.url, auth=("api", "key-other")) as keyed,
    ):
        before = client.get("/_emulator/accounts").json()["items"]
        assert keyed.put(f"{PATH}/all", content=content).status_code == 400, "a key names an account"
        assert client.put(f"{PATH}/all", content=content).json()["account"] is None
        restore(client, "all")
        after = client.get("/_emulator/accounts").json()["items"]
        assert one in after
        assert not {each["id"] for each in before} & {each["id"] for each in after}
        send(keyed, "other.example.com")
        assert client.post("/_emulator/reset").status_code == 200
        assert [each["id"] for each in client.get("/_emulator/accounts").json()["items"]] == [after[0]["id"]]


@pytest.mark.parametrize("whole", [True, False])
def test_a_seed_gives_nothing_twice_after_a_restore(whole: bool) -> None:
    """Neither where the snapshot was made nor, with the same seed, where it comes to by a file."""
    with Emulator(seed=5) as server, Client(base_url=server.url) as client:
        one = client.post("/_emulator/accounts").json()
        asked = {} if whole else {"account": one["id"]}
        client.post(PATH, params=asked, json={"name": "x"})
        seen = {one["id"], client.post("/_emulator/accounts").json()["id"]}
        content = client.get(f"{PATH}/x", params=asked).content
        for _ in range(3):
            restore(client, "x", **asked)
            made = client.post("/_emulator/accounts").json()["id"]
            assert made not in seen
            seen.add(made)
    with Emulator(seed=5) as server, Client(base_url=server.url) as client:
        assert client.put(f"{PATH}/x", content=content).status_code == 200
        restore(client, "x")
        assert client.post("/_emulator/accounts").json()["id"] != one["id"]


def test_snapshots_that_several_accounts_have_are_told_apart_by_the_account(server_url: str) -> None:
    name = "told-apart"
    for _ in range(2):
        account = plain.post(f"{server_url}/_emulator/accounts").json()
        plain.post(f"{server_url}{PATH}?account={account['id']}", json={"name": name})
    answer = plain.post(f"{server_url}{PATH}/{name}/restore")
    assert answer.status_code == 409
    assert answer.json() == {
        "message": f"Several accounts have a snapshot {name}: say whose with ?account= or an API key."
    }
    assert plain.post(f"{server_url}{PATH}/{name}/restore?account={account['id']}").status_code == 200
