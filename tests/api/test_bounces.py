import gzip
import re
from itertools import pairwise
from typing import Any

import pytest
from tests.conftest import Account, Client

from mailgun_emulator.web.call_limits import Calls, TooManyCalls

STANDING_BY = {"message": "file uploaded successfully for processing. standby..."}
INVALID = {"message": "Invalid parameter: address is not a valid email address"}
LONG_AGO = "Thu, 11 Dec 2025 01:49:40 UTC"


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/{account.domain}/bounces"


def addresses(client: Client, path: str, **query: Any) -> list[str]:
    return [item["address"] for item in client.get(path, params=query).json()["items"]]


def add(client: Client, path: str, *several: str) -> None:
    assert client.post(path, json=[{"address": each} for each in several]).status_code == 200


def test_an_address_is_added_looked_up_and_removed(client: Client, path: str) -> None:
    added = client.post(
        path, data={"address": "a@x.com", "code": "552", "error": "Full", "created_at": LONG_AGO}
    )
    assert added.status_code == 200
    assert added.text == '{"message":"Address has been added to the bounces table","address":"a@x.com"}\n'
    found = client.get(f"{path}/a@x.com")
    assert found.text == (f'{{"address":"a@x.com","code":"552","error":"Full","created_at":"{LONG_AGO}"}}\n')
    removed = client.delete(f"{path}/a@x.com")
    assert removed.text == '{"address":"a@x.com","message":"Bounced address has been removed"}\n'
    for gone in (client.get(f"{path}/a@x.com"), client.delete(f"{path}/a@x.com")):
        assert (gone.status_code, gone.json()) == (404, {"message": "Address not found in bounces table"})


def test_what_is_left_out_or_empty_has_defaults(client: Client, path: str) -> None:
    client.post(path, files={"address": (None, "a@x.com"), "code": (None, ""), "created_at": (None, "")})
    found = client.get(f"{path}/a@x.com").json()
    assert (found["code"], found["error"]) == ("550", "")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC", found["created_at"])


def test_an_address_added_again_is_replaced(client: Client, path: str) -> None:
    client.post(path, data={"address": "A@x.com", "code": "552", "error": "Full"})
    client.post(path, data={"address": "a@X.com", "created_at": LONG_AGO})
    assert client.get(path).json()["items"] == [
        {"address": "a@X.com", "code": "550", "error": "", "created_at": LONG_AGO}
    ]


def test_many_are_added_as_json(client: Client, path: str) -> None:
    items = [
        {"address": "a@x.com", "code": 552, "error": "Full", "createdat": LONG_AGO, "messagehash": ""},
        {"address": "b@x.com", "code": "", "error": "", "created_at": LONG_AGO},
        {"address": "c@x.com", "createdat": "Mon, 01 Jan 0001 00:00:00 UTC"},
    ]
    added = client.post(path, json=items)
    assert added.text == '{"message":"3 addresses have been added to the bounces table"}\n'
    first, second, third = client.get(path).json()["items"]
    assert first == {"address": "a@x.com", "code": "552", "error": "Full", "created_at": LONG_AGO}
    assert second == {"address": "b@x.com", "code": "550", "error": "", "created_at": LONG_AGO}
    assert " 0001 " not in third["created_at"]
    assert " 2001 " not in third["created_at"]


def test_a_list_of_one_is_counted_and_a_json_object_is_answered_as_a_form_is(
    client: Client, path: str
) -> None:
    listed = client.post(path, json=[{"address": "a@x.com"}])
    assert listed.json() == {"message": "1 addresses have been added to the bounces table"}
    single = client.post(path, json={"address": "b@x.com", "code": 551})
    assert single.json() == {"message": "Address has been added to the bounces table", "address": "b@x.com"}
    assert client.get(f"{path}/b@x.com").json()["code"] == "551"


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"address": "no address"}, INVALID["message"]),
        ({"code": "550"}, "Missing mandatory parameter: address"),
        (
            {"address": "b@x.com", "created_at": "soon"},
            "Invalid parameter: created_at is not a valid RFC 2822 date",
        ),
        ("b@x.com", "unable to parse request: invalid JSON"),
    ],
)
def test_of_a_batch_with_one_bad_item_nothing_is_added(
    client: Client, path: str, item: Any, text: str
) -> None:
    refused = client.post(path, json=[{"address": "a@x.com"}, item])
    assert (refused.status_code, refused.json()) == (400, {"message": text})
    assert addresses(client, path) == []


def test_a_batch_has_a_thousand_items_at_the_most(client: Client, path: str) -> None:
    items = [{"address": f"a{number}@x.com"} for number in range(1001)]
    refused = client.post(path, json=items)
    assert (refused.status_code, refused.json()) == (400, {"message": "Batch size should be less than 1000"})
    assert addresses(client, path) == []
    added = client.post(path, json=items[:1000])
    assert added.json() == {"message": "1000 addresses have been added to the bounces table"}


@pytest.mark.parametrize("address", ["nobody", "a@x.com, b@x.com", "a b@x.com", "@x.com", "a@"])
def test_what_is_no_address_is_refused(client: Client, path: str, address: str) -> None:
    refused = client.post(path, data={"address": address})
    assert (refused.status_code, refused.json()) == (400, INVALID)


def test_an_address_is_mandatory(client: Client, path: str) -> None:
    for refused in (client.post(path), client.post(path, data={"address": ""})):
        assert (refused.status_code, refused.json()) == (
            400,
            {"message": "Missing mandatory parameter: address"},
        )


@pytest.mark.parametrize("spelling", ["Ann+x@X.com", "ann%2Bx%40x.com", "ann%2bx@x.com", "ANN+X@x.com"])
def test_an_address_in_the_path_may_be_spelled_in_many_ways(client: Client, path: str, spelling: str) -> None:
    client.post(path, data={"address": "Ann+x@X.com"})
    assert client.get(f"{path}/{spelling}").json()["address"] == "Ann+x@X.com"
    assert client.delete(f"{path}/{spelling}").status_code == 200
    assert addresses(client, path) == []


def test_pages_are_linked_both_ways_and_end_with_an_empty_one(
    client: Client, path: str, server_url: str
) -> None:
    add(client, path, "c@x.com", "B+1@x.com", "a@x.com")
    url = f"{server_url}{path}"
    page = client.get(path, params={"limit": "2", "page": "", "address": "", "term": ""}).json()
    assert [item["address"] for item in page["items"]] == ["a@x.com", "B+1@x.com"]
    assert page["paging"] == {
        "first": f"{url}?limit=2&term=",
        "last": f"{url}?page=last&limit=2&term=",
        "next": f"{url}?page=next&address=B%2B1%40x.com&limit=2&term=",
        "previous": f"{url}?page=previous&address=a%40x.com&limit=2&term=",
    }
    assert list(page["paging"]) == ["first", "last", "next", "previous"]
    following = client.get(page["paging"]["next"]).json()
    assert [item["address"] for item in following["items"]] == ["c@x.com"]
    back = client.get(following["paging"]["previous"]).json()
    assert [item["address"] for item in back["items"]] == ["a@x.com", "B+1@x.com"]
    end = client.get(following["paging"]["next"]).json()
    first = f"{url}?limit=2&term="
    assert end == {"items": [], "paging": {"first": first, "last": first, "next": first, "previous": first}}


def test_an_empty_list_has_all_its_links(client: Client, path: str, server_url: str) -> None:
    first = f"{server_url}{path}?limit=100&term="
    assert client.get(path).text == (
        f'{{"items":[],"paging":{{"first":"{first}","last":"{first}","next":"{first}","previous":"{first}"}}}}\n'
    )


def test_pages_are_found_from_the_end_and_by_prefix(client: Client, path: str) -> None:
    add(client, path, "ann@x.com", "Anton@x.com", "bea@x.com", "carl@x.com")
    assert addresses(client, path, page="last", limit=3) == ["Anton@x.com", "bea@x.com", "carl@x.com"]
    assert addresses(client, path, page="prev", address="carl@x.com", limit=1) == ["bea@x.com"]
    assert addresses(client, path, term="AN") == ["ann@x.com", "Anton@x.com"]
    assert addresses(client, path, term="an", page="next", address="ann@x.com") == ["Anton@x.com"]
    assert addresses(client, path, term="an", page="last", limit=1) == ["Anton@x.com"]
    assert addresses(client, path, term="an", page="next", address="Anton@x.com") == []
    assert addresses(client, path, address="BEA@x.com") == ["bea@x.com"]
    assert addresses(client, path, address="be@x.com") == []


@pytest.mark.parametrize("limit", ["1001", "-1", "many"])
def test_a_limit_out_of_bounds_is_refused(client: Client, path: str, limit: str) -> None:
    assert client.get(path, params={"limit": limit}).status_code == 400


def test_the_list_is_emptied(client: Client, path: str, account: Account) -> None:
    add(client, path, "a@x.com", "b@x.com")
    add(client, f"/v3/{account.domain}/complaints", "a@x.com")
    cleared = client.delete(path)
    assert cleared.text == '{"message":"Bounced addresses for this domain have been removed"}\n'
    assert addresses(client, path) == []
    assert addresses(client, f"/v3/{account.domain}/complaints") == ["a@x.com"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_domain_that_is_not_there_has_no_list(client: Client, method: str) -> None:
    refused = client.request(method, "/v3/nowhere.example/bounces")
    assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_imported_in_the_background(client: Client, path: str, packed: bool) -> None:
    content = (
        "\ufeffAddress, code,error,created_at\r\n"
        f'a@x.com,552,"Full, ""really""\r\nfull","{LONG_AGO}"\r\n'
        "nobody,550,,\r\n\r\n"
        "b@x.com,550,,soon\r\n"
        "c@x.com"
    ).encode()
    file = ("b.csv.gz", gzip.compress(content)) if packed else ("b.csv", content)
    taken = client.post(f"{path}/import", files={"file": file})
    assert (taken.status_code, taken.json()) == (202, STANDING_BY)
    client.drain()
    first, second = client.get(path).json()["items"]
    assert first == {
        "address": "a@x.com",
        "code": "552",
        "error": 'Full, "really"\r\nfull',
        "created_at": LONG_AGO,
    }
    assert (second["address"], second["code"]) == ("c@x.com", "550")


def test_a_file_may_be_longer_than_a_batch(client: Client, path: str) -> None:
    rows = "".join(f"a{number:04}@x.com,551\n" for number in range(2500))
    assert client.post(f"{path}/import", data={"file": "address,code\n" + rows}).status_code == 202
    client.drain()
    assert len(addresses(client, path, limit=1000)) == 1000
    assert client.get(f"{path}/a2499@x.com").json()["code"] == "551"


@pytest.mark.parametrize("content", ["", "a@x.com,550\n", "code,error\n550,none\n"])
def test_a_file_without_a_header_is_refused(client: Client, path: str, content: str) -> None:
    refused = client.post(f"{path}/import", files={"file": ("b.csv", content.encode())})
    assert (refused.status_code, refused.json()) == (400, {"message": "while reading csv header"})
    assert client.post(f"{path}/import").json() == {"message": "while reading csv header"}


def test_a_file_over_25_mb_is_refused_packed_or_not(client: Client, path: str) -> None:
    content = b"address\n" + b"a@x.com\n" * (25 * 2**17)
    for file in (("b.csv", content), ("b.csv.gz", gzip.compress(content, 1))):
        refused = client.post(f"{path}/import", files={"file": file})
        assert refused.status_code == 400
        assert refused.json() == {"message": "CSV file is too big, max allowed size is 25 MB"}


def test_every_call_counts_against_the_limit_of_its_window(client: Client, path: str) -> None:
    seen = []
    for _ in range(5):
        answer = client.get(f"{path}/nobody@x.com")
        assert answer.headers["x-request-limit"] == "2500"
        seen.append((int(answer.headers["x-request-reset"]), int(answer.headers["x-request-remaining"])))
    assert seen[0][1] == 2499
    for (reset, left), (next_reset, next_left) in pairwise(seen):
        assert next_left == (left - 1 if next_reset == reset else 2499)
    assert 1_700_000_000_000 < seen[0][0] < 10_000_000_000_000  # milliseconds since 1970


def test_a_window_lasts_a_second_and_is_an_account_s_own() -> None:
    calls = Calls()
    assert [calls.count("one", now) for now in (10.0, 10.5, 10.9)] == [(11.0, 1), (11.0, 2), (11.0, 3)]
    assert calls.count("other", 10.9) == (11.9, 1)
    assert calls.count("one", 11.0) == (12.0, 1)
    assert calls.count("one", 3.0) == (4.0, 1)  # the clock was set back


def test_who_calls_too_often_is_told_when_to_come_back() -> None:
    refusal = TooManyCalls(until=11.5, now=11.0)
    assert (refusal.status, refusal.body()) == (429, {"message": "Too Many Requests"})
    assert refusal.headers() == {"X-RateLimit-Reset": "12", "Retry-After": "1"}


def test_a_hard_bounce_puts_the_address_on_the_list(client: Client, account: Account, path: str) -> None:
    message = {"from": f"a@{account.domain}", "to": "bounce+551@example.com", "text": "hello"}
    assert client.post(f"/v3/{account.domain}/messages", data=message).status_code == 200
    client.drain()
    assert client.get(f"{path}/bounce+551@example.com").json()["code"] == "551"
