import json
import re
from typing import Any

import pytest
from tests import plain
from tests.conftest import Account, Client

CREATED = "Mailing list has been created"


@pytest.fixture
def address(account: Account) -> str:
    return f"devs@{account.domain}"


@pytest.fixture
def path(client: Client, address: str) -> str:
    """Of a list that is there."""
    assert client.post("/v3/lists", data={"address": address}).status_code == 200
    return f"/v3/lists/{address}"


def add(client: Client, path: str, *members: str, **fields: Any) -> None:
    for member in members:
        made = client.post(f"{path}/members", data={"address": member, **fields})
        assert made.status_code == 200, made.text


def members_of(client: Client, path: str, **query: Any) -> list[str]:
    return [item["address"] for item in client.get(f"{path}/members", params=query).json()["items"]]


def events_of(client: Client, account: Account, kind: str) -> list[dict[str, Any]]:
    query = {"event": kind, "ascending": "yes"}
    items: list[dict[str, Any]] = client.get(f"/v3/{account.domain}/events", params=query).json()["items"]
    return items


def test_a_list_is_made_looked_up_and_removed(client: Client, address: str) -> None:
    made = client.post("/v3/lists", data={"address": address, "description": "Developers"})
    assert made.status_code == 200
    listed = made.json()["list"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d -0000", listed["created_at"])
    assert made.json() == {
        "list": {
            "access_level": "readonly",
            "address": address,
            "created_at": listed["created_at"],
            "description": "Developers",
            "members_count": 0,
            "name": "",
            "reply_preference": "list",
        },
        "message": CREATED,
    }
    assert client.get(f"/v3/lists/{address.upper()}").json() == {"list": listed}
    removed = client.delete(f"/v3/lists/{address}")
    assert removed.json() == {"address": address, "message": "Mailing list has been removed"}
    for gone in (client.get(f"/v3/lists/{address}"), client.delete(f"/v3/lists/{address}")):
        assert (gone.status_code, gone.json()) == (404, {"message": f"Mailing list {address} not found"})


def test_answers_are_set_out_in_lines_with_their_keys_in_order(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["content-disposition"] == "inline"
    assert answer.text.strip() == json.dumps(answer.json(), indent=2, sort_keys=True)


def test_a_name_may_stand_before_the_address(client: Client, address: str) -> None:
    made = client.post("/v3/lists", files={"address": (None, f"Developers <{address}>")}).json()["list"]
    assert (made["name"], made["address"]) == ("Developers", address)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (
            "access_level",
            "x",
            "Invalid access level 'x'. It can be any of: 'readonly', 'members', 'everyone'.",
        ),
        ("reply_preference", "x", "Invalid reply preference 'x'. It can be any of: 'sender', 'list'"),
        ("address", "", "'address' parameter is missing"),
        ("address", "nobody", "'address' parameter is not a valid address. please check documentation"),
    ],
)
def test_a_list_that_can_not_be_is_not_made(
    client: Client, address: str, field: str, value: str, text: str
) -> None:
    refused = client.post("/v3/lists", data={"address": address, field: value})
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert client.get("/v3/lists").json() == {"items": [], "total_count": 0}


def test_an_address_has_one_list(client: Client, path: str, address: str) -> None:
    refused = client.post("/v3/lists", data={"address": address.upper()})
    assert (refused.status_code, refused.json()) == (400, {"message": "Duplicate object"})


def test_a_list_is_changed_and_what_is_not_given_stays(client: Client, path: str, account: Account) -> None:
    add(client, path, "a@x.com")
    changed = client.put(path, data={"access_level": "everyone", "description": "All of us"})
    assert changed.json()["message"] == "Mailing list has been updated"
    other = f"all@{account.domain}"
    moved = client.put(path, files={"address": (None, other), "name": (None, "All")}).json()["list"]
    assert moved | {"created_at": ""} == {
        "access_level": "everyone",
        "address": other,
        "created_at": "",
        "description": "All of us",
        "members_count": 1,
        "name": "All",
        "reply_preference": "list",
    }
    assert client.get(path).status_code == 404
    assert members_of(client, f"/v3/lists/{other}") == ["a@x.com"]


def test_a_refused_change_changes_nothing(client: Client, path: str, account: Account) -> None:
    client.post("/v3/lists", data={"address": f"other@{account.domain}"})
    before = client.get(path).json()
    for data, text in (
        ({"address": f"other@{account.domain}", "name": "New"}, "Duplicate object"),
        (
            {"name": "New", "access_level": "nobody"},
            "Invalid access level 'nobody'. It can be any of: 'readonly', 'members', 'everyone'.",
        ),
    ):
        refused = client.put(path, data=data)
        assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert client.get(path).json() == before
    assert client.put("/v3/lists/none@x.com", data={"name": "New"}).status_code == 404


def test_who_changes_a_list_without_an_address_gets_a_page(server_url: str, account: Account) -> None:
    url, auth = f"{server_url}/v3/lists/", ("api", account.api_key)
    answer = plain.put(url, data={"name": "New"}, auth=auth)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Not Found" in answer.text


def test_lists_are_listed_by_address(client: Client, account: Account) -> None:
    names = [f"{name}@{account.domain}" for name in ("b", "a", "c")]
    for name in names:
        client.post("/v3/lists", data={"address": name})
    found = client.get("/v3/lists", params={"limit": 2, "skip": 1}).json()
    assert [each["address"] for each in found["items"]] == [names[0], names[2]]
    assert found["total_count"] == 3
    found = client.get("/v3/lists", params={"address": names[2]}).json()
    assert ([each["address"] for each in found["items"]], found["total_count"]) == ([names[2]], 1)
    assert client.get("/v3/lists", params={"limit": "many"}).status_code == 400


def test_lists_are_paged_through_in_both_directions(client: Client, account: Account) -> None:
    names = [f"{name}@{account.domain}" for name in "abcde"]
    for name in names:
        client.post("/v3/lists", data={"address": name})
    url, seen = "/v3/lists/pages?limit=2", []
    while items := (page := client.get(url).json())["items"]:
        seen.append([each["address"] for each in items])
        url = page["paging"]["next"]
    assert seen == [names[:2], names[2:4], names[4:]]
    assert "/v3/lists/pages?page=next&address=" in url
    back = client.get(page["paging"]["previous"]).json()
    assert [each["address"] for each in back["items"]] == names[3:]
    before = client.get(back["paging"]["previous"]).json()
    assert [each["address"] for each in before["items"]] == names[1:3]
    first = client.get(before["paging"]["first"]).json()
    assert [each["address"] for each in first["items"]] == names[:2]
    refused = client.get("/v3/lists/pages?limit=many")
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid parameter: limit is invalid"})


def test_a_member_is_added_looked_up_changed_and_removed(client: Client, path: str, address: str) -> None:
    member = {"address": "bob@x.com", "name": "Bob Bar", "subscribed": True, "vars": {"age": 26}}
    given = {"address": "bob@x.com", "name": "Bob Bar", "vars": '{"age": 26}'}
    made = client.post(f"{path}/members", data=given)
    assert made.json() == {"member": member, "message": "Mailing list member has been created"}
    assert client.get(f"{path}/members/BOB@x.com").json() == {"member": member}
    assert client.get(path).json()["list"]["members_count"] == 1
    changed = client.put(f"{path}/members/bob@x.com", data={"subscribed": "no", "address": "rob@x.com"})
    member |= {"address": "rob@x.com", "subscribed": False}
    assert changed.json() == {"member": member, "message": "Mailing list member has been updated"}
    removed = client.delete(f"{path}/members/rob@x.com")
    told = {"member": {"address": "rob@x.com"}, "message": "Mailing list member has been deleted"}
    assert removed.json() == told
    text = f"Member rob@x.com of mailing list {address} not found"
    for gone in (
        client.get(f"{path}/members/rob@x.com"),
        client.put(f"{path}/members/rob@x.com", data={"name": "Rob"}),
        client.delete(f"{path}/members/rob@x.com"),
    ):
        assert (gone.status_code, gone.json()) == (404, {"message": text})


def test_a_member_is_added_once_unless_it_is_to_be_changed(client: Client, path: str) -> None:
    add(client, path, "Alice A <alice@x.com>", vars='{"n": 1}', subscribed="no")
    refused = client.post(f"{path}/members", data={"address": "alice@x.com"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Address already exists 'alice@x.com'"},
    )
    changed = client.post(f"{path}/members", data={"address": "alice@x.com", "vars": "{}", "upsert": "yes"})
    assert changed.json()["member"] == {
        "address": "alice@x.com",
        "name": "Alice A",
        "subscribed": False,
        "vars": {},
    }
    add(client, path, "bob@x.com")
    moved = client.put(f"{path}/members/bob@x.com", data={"address": "alice@x.com"})
    assert (moved.status_code, moved.json()) == (400, {"message": "Address already exists 'alice@x.com'"})


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("address", "nobody", "'address' parameter is not a valid address. please check documentation"),
        ("vars", "{", "'vars' parameter is not a valid JSON"),
        ("vars", "[1]", "'vars' parameter is not a valid JSON"),
        ("subscribed", "perhaps", "'subscribed' parameter is invalid"),
    ],
)
def test_a_member_that_can_not_be_is_not_added(
    client: Client, path: str, field: str, value: str, text: str
) -> None:
    refused = client.post(f"{path}/members", data={"address": "a@x.com", field: value})
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert members_of(client, path) == []


@pytest.mark.parametrize(("spelled", "means"), [("True", True), ("yes", True), ("False", False), ("", False)])
def test_flags_come_in_many_spellings(client: Client, path: str, spelled: str, means: bool) -> None:
    made = client.post(f"{path}/members", data={"address": "a@x.com", "subscribed": spelled})
    assert made.json()["member"]["subscribed"] is means


def test_members_are_listed_by_address(client: Client, path: str) -> None:
    add(client, path, "b@x.com", "a@x.com")
    add(client, path, "c@x.com", subscribed="no")
    assert members_of(client, path) == ["a@x.com", "b@x.com", "c@x.com"]
    assert members_of(client, path, subscribed="yes") == ["a@x.com", "b@x.com"]
    assert members_of(client, path, subscribed="false") == ["c@x.com"]
    assert len(members_of(client, path, subscribed="", limit="", address="")) == 3
    assert members_of(client, path, address="B@x.com") == ["b@x.com"]
    assert members_of(client, path, limit=1, skip=1) == ["b@x.com"]
    found = client.get(f"{path}/members", params={"limit": 1, "subscribed": "yes"}).json()
    assert found["total_count"] == 2


def test_members_are_paged_through(client: Client, path: str) -> None:
    add(client, path, *(f"{name}@x.com" for name in "abc"))
    add(client, path, "d@x.com", subscribed="no")
    url, seen = f"{path}/members/pages?limit=2&subscribed=yes", []
    while items := (page := client.get(url).json())["items"]:
        seen.append([each["address"][0] for each in items])
        url = page["paging"]["next"]
        assert all(link.startswith("http://") for link in page["paging"].values())
    assert seen == [["a", "b"], ["c"]]
    last = client.get(f"{path}/members/pages?page=last&limit=3").json()
    assert [each["address"][0] for each in last["items"]] == ["b", "c", "d"]
    assert len(client.get(f"{path}/members/pages?limit=5000").json()["items"]) == 4


def test_up_to_a_hundred_members_are_added_at_once(client: Client, path: str) -> None:
    add(client, path, "known@x.com", name="Known")
    members = [
        "plain@x.com",
        "Alice <alice@x.com>",
        {"address": "bob@x.com", "name": "Bob", "vars": '{"n": 1}', "subscribed": False},
        {"address": "known@x.com", "name": "New"},
    ]
    added = client.post(f"{path}/members.json", data={"members": json.dumps(members)})
    told = added.json()
    assert (told["message"], told["task-id"]) == ("Mailing list has been updated", "0" * 32)
    assert told["list"]["members_count"] == 4
    found = {item["address"]: item for item in client.get(f"{path}/members").json()["items"]}
    assert found["alice@x.com"]["name"] == "Alice"
    assert found["bob@x.com"] == {
        "address": "bob@x.com",
        "name": "Bob",
        "subscribed": False,
        "vars": {"n": 1},
    }
    assert found["known@x.com"]["name"] == "Known"
    client.post(f"{path}/members.json", params={"members": json.dumps(members), "upsert": "yes"})
    assert client.get(f"{path}/members/known@x.com").json()["member"]["name"] == "New"
    client.post(f"{path}/members.json", json={"members": [{"address": "c@x.com", "vars": {"n": [1]}}]})
    assert client.get(f"{path}/members/c@x.com").json()["member"]["vars"] == {"n": [1]}


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            '["a@x.com", "nobody"]',
            "'address' parameter is not a valid address. please check documentation",
        ),
        ('["a@x.com", {"name": "A"}]', "'address' parameter is missing"),
        ('["a@x.com", 1]', "Members are addresses or objects with an address"),
        ('["a@x.com"', "'members' parameter is not a valid JSON"),
        (json.dumps(["a@x.com"] * 1001), "Too many members, max is 1000"),
        (None, "'members' parameter is missing"),
    ],
)
def test_of_a_bad_upload_nothing_is_added(client: Client, path: str, members: str | None, text: str) -> None:
    refused = client.post(f"{path}/members.json", data={"members": members} if members else {})
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    client.drain()
    assert members_of(client, path) == []


def test_more_than_a_hundred_are_added_in_the_background(
    client: Client, path: str, address: str, account: Account
) -> None:
    add(client, path, "m0000@x.com", name="Known")
    members = [{"address": f"m{number:04}@x.com", "name": f"M {number}"} for number in range(999)]
    started = client.post(f"{path}/members.json", data={"members": json.dumps([*members, "nobody"])}).json()
    assert started["message"] == "Mailing list upload started in background"
    assert re.fullmatch("[0-9a-f]{32}", started["task-id"])
    client.drain()
    assert client.get(path).json()["list"]["members_count"] == 999
    assert client.get(f"{path}/members/m0000@x.com").json()["member"]["name"] == "Known"
    assert client.get(f"{path}/members/m0998@x.com").json()["member"]["name"] == "M 998"
    (uploaded,) = events_of(client, account, "list_uploaded")
    assert uploaded == {
        "event": "list_uploaded",
        "id": uploaded["id"],
        "timestamp": uploaded["timestamp"],
        "log-level": "info",
        "account": {"id": account.id},
        "domain": {"name": account.domain},
        "task-id": started["task-id"],
        "mailing-list": {"address": address},
        "format": "json",
        "subscribed": True,
        "is-upsert": False,
        "upserted-count": 998,
        "failed-count": 1,
    }
    (failed,) = events_of(client, account, "list_member_upload_error")
    assert (failed["log-level"], failed["member-description"]) == ("error", "nobody")
    member = events_of(client, account, "list_member_uploaded")[0]
    assert member["member"] == {"address": "m0001@x.com", "name": "M 1", "subscribed": True}
    assert "recipient" not in member


@pytest.mark.parametrize(
    "content",
    [
        "address,name,vars,subscribed\n"
        'ann@x.com,"Bar, Ann","{""n"": 1}",yes\n'
        "\n"
        "nobody,Nobody,,\n"
        "bob@x.com,Bob,,no\n",
        "\ufeffE-Mail;n\r\n".replace(";", ",") + "ann@x.com,1\r\nnobody,2\r\nbob@x.com,3",
        'ann@x.com,Ann,"{""n"": 1}"\nnobody\nbob@x.com\n',
    ],
)
def test_a_csv_file_is_read_in_the_background(
    client: Client, path: str, account: Account, content: str
) -> None:
    file = {"members": ("members.csv", content.encode())}
    started = client.post(f"{path}/members.csv", files=file, data={"subscribed": "yes", "upsert": "yes"})
    assert started.json()["message"] == "Mailing list upload started in background"
    client.drain()
    assert members_of(client, path) == ["ann@x.com", "bob@x.com"]
    assert client.get(f"{path}/members/ann@x.com").json()["member"]["vars"]["n"] in (1, "1")
    (uploaded,) = events_of(client, account, "list_uploaded")
    told = {name: uploaded[name] for name in ("format", "is-upsert", "upserted-count", "failed-count")}
    assert told == {"format": "text", "is-upsert": True, "upserted-count": 2, "failed-count": 1}
    (failed,) = events_of(client, account, "list_member_upload_error")
    assert failed["member-description"].startswith("nobody")


def test_a_csv_file_says_how_its_members_are_subscribed(client: Client, path: str) -> None:
    rows = "address,subscribed\na@x.com,\nb@x.com,yes\n"
    client.post(f"{path}/members.csv", files={"members": ("m.csv", rows)}, data={"subscribed": "no"})
    client.drain()
    assert members_of(client, path, subscribed="yes") == ["b@x.com"]


def test_a_csv_file_over_5_mb_is_refused(client: Client, path: str) -> None:
    refused = client.post(f"{path}/members.csv", files={"members": ("m.csv", b"a@x.com\n" * 700_000)})
    text = "CSV file is too big, max allowed size is 5 MB"
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    missing = client.post(f"{path}/members.csv")
    assert (missing.status_code, missing.json()) == (400, {"message": "'members' parameter is missing"})


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_uploads_put_the_address_of_a_list_that_is_not_there_in_quotes(client: Client, kind: str) -> None:
    given: dict[str, Any] = {"files": {"members": ("m.csv", b"a@x.com")}}
    if kind == "json":
        given = {"data": {"members": '["a@x.com"]'}}
    refused = client.post(f"/v3/lists/none@x.com/members.{kind}", **given)
    text = "Mailing list 'none@x.com' not found"
    assert (refused.status_code, refused.json()) == (404, {"message": text})


@pytest.mark.parametrize("way", ["", "/pages", "/a@x.com"])
def test_a_list_that_is_not_there_has_no_members(client: Client, way: str) -> None:
    refused = client.get(f"/v3/lists/none@x.com/members{way}")
    assert (refused.status_code, refused.json()) == (404, {"message": "Mailing list none@x.com not found"})


def test_a_list_belongs_to_its_account_and_outlives_a_domain(
    client: Client, server_url: str, path: str, account: Account
) -> None:
    other = Account(**client.post("/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as stranger:
        assert stranger.get(path).status_code == 404
        assert stranger.post("/v3/lists", data={"address": path.rpartition("/")[2]}).status_code == 200
    add(client, path, "a@x.com")
    assert client.delete(f"/v3/domains/{account.domain}").status_code == 200
    client.drain()
    assert members_of(client, path) == ["a@x.com"]
    assert client.post(f"{path}/members.csv", files={"members": ("m.csv", b"b@x.com")}).status_code == 200
    client.drain()
    assert members_of(client, path) == ["a@x.com", "b@x.com"]


def test_a_list_deleted_during_an_upload_stays_deleted(client: Client, path: str) -> None:
    rows = "".join(f"m{number}@x.com\n" for number in range(20_000))
    client.post(f"{path}/members.csv", files={"members": ("m.csv", rows)})
    assert client.delete(path).status_code == 200
    client.drain()
    assert client.post("/v3/lists", data={"address": path.rpartition("/")[2]}).status_code == 200
    assert members_of(client, path) == []


def test_a_csv_file_that_makes_no_sense_is_refused(client: Client, path: str) -> None:
    content = b'address,name\na@x.com,"' + b"x" * 200_000
    refused = client.post(f"{path}/members.csv", files={"members": ("m.csv", content)})
    assert (refused.status_code, refused.json()) == (400, {"message": "CSV file can't be read"})
    assert "Line" in refused.headers["x-mailgun-emulator-hint"]
    client.drain()
    assert members_of(client, path) == []


def test_lists_are_gone_after_a_reset(client: Client, path: str, account: Account) -> None:
    add(client, path, "a@x.com")
    assert client.post(f"/_emulator/accounts/{account.id}/reset").status_code == 200
    assert client.get("/v3/lists").json() == {"items": [], "total_count": 0}
