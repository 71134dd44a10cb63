from typing import Any

import pytest
from tests.conftest import Account, Client

LONG_AGO = "Thu, 11 Dec 2025 01:49:40 UTC"


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/{account.domain}/unsubscribes"


def tags(client: Client, path: str, address: str = "a@x.com") -> Any:
    return client.get(f"{path}/{address}").json()["tags"]


def addresses(client: Client, path: str) -> list[str]:
    return [item["address"] for item in client.get(path).json()["items"]]


def test_an_address_is_unsubscribed_looked_up_and_removed(client: Client, path: str) -> None:
    added = client.post(path, data={"address": "a@x.com", "created_at": LONG_AGO})
    assert added.status_code == 200
    assert (
        added.text == '{"address":"a@x.com","message":"Address has been added to the unsubscribes table"}\n'
    )
    found = client.get(f"{path}/a%40X.com")
    assert found.text == f'{{"address":"a@x.com","tags":["*"],"created_at":"{LONG_AGO}"}}\n'
    removed = client.delete(f"{path}/a@x.com")
    assert removed.text == '{"address":"a@x.com","message":"Unsubscribe event has been removed"}\n'
    for gone in (client.get(f"{path}/a@x.com"), client.delete(f"{path}/a@x.com")):
        assert (gone.status_code, gone.json()) == (
            404,
            {"message": "Address not found in unsubscribers table"},
        )


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"tag": "news"}, ["news"]),
        ({"tag": ["news", "offers"]}, ["news"]),
        ({"tags": "news"}, ["*"]),
        ({"tags": ["news", "offers"], "tag": "*"}, ["*"]),
        ({"tag": ""}, ["*"]),
    ],
)
def test_a_form_has_one_tag(client: Client, path: str, form: dict[str, Any], expected: list[str]) -> None:
    client.post(path, data={"address": "a@x.com", **form})
    assert tags(client, path) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"tags": ["news", "offers", "News"]}, ["news", "offers"]),
        ({"tags": ["news", "*"]}, ["*"]),
        ({"tags": []}, ["*"]),
        ({"tag": "news"}, ["*"]),
        ({}, ["*"]),
    ],
)
@pytest.mark.parametrize("in_list", [True, False])
def test_json_has_a_list_of_tags(
    client: Client, path: str, item: dict[str, Any], expected: list[str], in_list: bool
) -> None:
    given = {"address": "a@x.com", **item}
    added = client.post(path, json=[given] if in_list else given)
    text = "{}ddress{} been added to the unsubscribes table"
    assert added.json()["message"] == (text.format("1 a", "es have") if in_list else text.format("A", " has"))
    assert tags(client, path) == expected


def test_many_are_unsubscribed_as_json(client: Client, path: str) -> None:
    added = client.post(path, json=[{"address": f"{each}@x.com"} for each in "dbca"])
    assert added.text == '{"message":"4 addresses have been added to the unsubscribes table"}\n'
    assert addresses(client, path) == ["a@x.com", "b@x.com", "c@x.com", "d@x.com"]


def test_another_tag_is_added_to_those_before_and_a_star_covers_all(client: Client, path: str) -> None:
    client.post(path, data={"address": "a@x.com", "tag": "news", "created_at": LONG_AGO})
    client.post(path, json=[{"address": "A@x.com", "tags": ["offers", "NEWS"]}])
    assert tags(client, path) == ["news", "offers"]
    assert addresses(client, path) == ["A@x.com"]
    client.post(path, data={"address": "a@x.com"})
    assert tags(client, path) == ["*"]
    client.post(path, data={"address": "a@x.com", "tag": "news"})
    assert tags(client, path) == ["*"]


def test_tags_are_removed_one_by_one_and_the_last_one_removes_the_address(client: Client, path: str) -> None:
    client.post(path, json=[{"address": "a@x.com", "tags": ["news", "offers"], "created_at": LONG_AGO}])
    absent = client.delete(f"{path}/a@x.com", params={"tag": "other"})
    assert absent.status_code == 404
    assert absent.json() == {"message": "Unsubscribe event for this tag does not exist"}
    removed = client.delete(f"{path}/a@x.com", params={"tag": "News"})
    assert removed.text == '{"address":"a@x.com","message":"Unsubscribe event has been removed"}\n'
    left = client.get(f"{path}/a@x.com").json()
    assert left == {"address": "a@x.com", "tags": ["offers"], "created_at": LONG_AGO}
    assert client.delete(f"{path}/a@x.com", params={"tag": "offers"}).status_code == 200
    gone = client.delete(f"{path}/a@x.com", params={"tag": "offers"})
    assert (gone.status_code, gone.json()) == (404, {"message": "Address not found in unsubscribers table"})


def test_a_star_is_removed_like_any_tag(client: Client, path: str) -> None:
    client.post(path, data={"address": "a@x.com"})
    assert client.delete(f"{path}/a@x.com", params={"tag": "*"}).status_code == 200
    assert addresses(client, path) == []


def test_nobody_can_t_be_unsubscribed(client: Client, path: str) -> None:
    refused = client.post(path, json=[{"address": "a@x.com"}, {"address": "nobody"}])
    assert refused.status_code == 400
    assert refused.json() == {"message": "Invalid parameter: address is not a valid email address"}
    missing = client.post(path, data={"tag": "news"})
    assert (missing.status_code, missing.json()) == (400, {"message": "Missing mandatory parameter: address"})
    assert addresses(client, path) == []


@pytest.mark.parametrize("column", ["tags", "tag"])
def test_unsubscribes_are_imported(client: Client, path: str, column: str) -> None:
    content = f'address,{column},created_at\na@x.com,news,\na@x.com,"offers,more",\nb@x.com,,"{LONG_AGO}"\n'
    taken = client.post(f"{path}/import", files={"file": ("u.csv", content.encode())})
    assert taken.status_code == 202
    assert taken.json() == {"message": "file uploaded successfully for processing. standby..."}
    client.drain()
    assert tags(client, path) == ["news", "offers", "more"]
    found = client.get(f"{path}/b@x.com").json()
    assert found == {"address": "b@x.com", "tags": ["*"], "created_at": LONG_AGO}


def test_a_file_of_unsubscribes_needs_a_header(client: Client, path: str) -> None:
    refused = client.post(f"{path}/import", files={"file": ("u.csv", b"a@x.com,news\n")})
    assert (refused.status_code, refused.json()) == (400, {"message": "while reading csv header"})


def test_all_are_subscribed_again(client: Client, path: str) -> None:
    client.post(path, data={"address": "a@x.com"})
    cleared = client.delete(path)
    assert cleared.text == '{"message":"Unsubscribe addresses for this domain have been removed"}\n'
    assert addresses(client, path) == []


def test_a_domain_that_is_not_there_has_no_unsubscribes(client: Client) -> None:
    refused = client.delete("/v3/nowhere.example/unsubscribes/a@x.com")
    assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})
