import re
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from tests.api.reported import send_of_every_fate
from tests.conftest import Account, Client

REACTIONS = dict.fromkeys(
    ("clicked", "complained", "opened", "unique_clicked", "unique_opened", "unsubscribed"), 0
)
SEEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/{account.domain}"


def send(client: Client, path: str, *tags: str, to: str = "bob@gmail.com") -> None:
    domain = path.rpartition("/")[2]
    about = {"from": f"ann@{domain}", "to": to, "subject": "Hi", "text": "Hello", "o:tag": list(tags)}
    assert client.post(f"{path}/messages", data=about).status_code == 200


def names(page: dict[str, Any]) -> list[str]:
    return [item["tag"] for item in page["items"]]


def test_a_message_makes_its_tags(client: Client, path: str) -> None:
    send(client, path, "You can track mails!", "abtest")
    page = client.get(f"{path}/tags").json()
    first, second = page["items"]
    assert list(first) == ["tag", "description", "first-seen", "last-seen"]
    assert (first["tag"], first["description"]) == ("You can track mails!", "")
    assert SEEN.fullmatch(first["first-seen"])
    assert first["first-seen"] == first["last-seen"] == second["last-seen"]
    assert second["tag"] == "abtest"
    links = {
        name: f"{client.base_url.join(f'{path}/tags')}?limit=1000&page={word}&tag="
        for name, word in (("previous", "prev"), ("first", "first"), ("next", "next"), ("last", "last"))
    }
    assert orjson.dumps(page["paging"]) == orjson.dumps(links)


def test_a_tag_keeps_the_case_of_its_first_use(client: Client, path: str) -> None:
    send(client, path, "News")
    send(client, path, "NEWS")
    (tag,) = client.get(f"{path}/tags").json()["items"]
    assert tag["tag"] == "News"
    assert tag["first-seen"] <= tag["last-seen"]
    assert client.get(f"{path}/tag", params={"tag": "nEWS"}).json() == tag
    assert client.get(f"{path}/tags/news").json() == tag


def test_pages_of_tags_are_walked_both_ways(client: Client, path: str) -> None:
    written = ["Apple", "a b&c", "abc", "b", "zebra"]
    send(client, path, *written[:3])
    send(client, path, *written[3:])
    page = client.get(f"{path}/tags", params={"limit": 2}).json()
    walked = names(page)
    assert page["paging"]["previous"].endswith("?limit=2&page=prev&tag=")
    while not page["paging"]["next"].endswith("tag="):
        page = client.get(page["paging"]["next"]).json()
        walked += names(page)
    assert walked == written
    assert client.get(page["paging"]["next"]).json()["items"] == []
    back = client.get(page["paging"]["previous"]).json()
    assert names(back) == ["abc", "b"] if len(page["items"]) == 1 else written[1:3]
    assert names(client.get(page["paging"]["first"]).json()) == written[:2]
    assert names(client.get(page["paging"]["last"]).json()) == written[-2:]


def test_tags_are_searched_by_how_they_begin(client: Client, path: str) -> None:
    send(client, path, "Apple", "apricot", "banana")
    page = client.get(f"{path}/tags", params={"prefix": "AP", "limit": 1}).json()
    assert names(page) == ["Apple"]
    assert page["paging"]["next"].endswith("?limit=1&page=next&prefix=AP&tag=Apple")
    page = client.get(page["paging"]["next"]).json()
    assert names(page) == ["apricot"]
    assert page["paging"]["next"].endswith("&tag=")
    assert client.get(f"{path}/tags", params={"prefix": "c"}).json()["items"] == []


def test_a_wrong_limit_is_refused(client: Client, path: str) -> None:
    refused = client.get(f"{path}/tags", params={"limit": "many"})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid parameter: limit is invalid"})


def test_a_tag_is_described(client: Client, path: str) -> None:
    send(client, path, "News")
    described = client.put(f"{path}/tag", params={"tag": "news", "description": "One"})
    assert (described.status_code, described.json()) == (200, {"message": "Tag updated"})
    assert client.get(f"{path}/tags/News").json()["description"] == "One"
    assert client.put(f"{path}/tags/NEWS", files={"description": (None, "Two")}).status_code == 200
    assert client.get(f"{path}/tag?tag=News").json()["description"] == "Two"
    send(client, path, "News")
    assert client.get(f"{path}/tags").json()["items"][0]["description"] == "Two"


def test_a_deleted_tag_is_gone_with_what_was_counted_for_it(client: Client, path: str) -> None:
    send(client, path, "News", "sale")
    client.drain()
    deleted = client.delete(f"{path}/tag", params={"tag": "NEWS"})
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Tag deleted"})
    assert names(client.get(f"{path}/tags").json()) == ["sale"]
    assert client.get(f"{path}/tags/News").status_code == 404
    counted = client.get(f"{path}/stats/total", params={"event": "accepted", "duration": "1d"}).json()
    assert sum(each["accepted"]["total"] for each in counted["stats"]) == 1
    send(client, path, "news")
    assert client.get(f"{path}/tags/NEWS").json()["tag"] == "news"
    counted = client.get(f"{path}/tags/news/stats", params={"event": "accepted", "duration": "1d"}).json()
    assert sum(each["accepted"]["total"] for each in counted["stats"]) == 1
    assert client.delete(f"{path}/tags/news").json() == {"message": "Tag deleted"}


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("GET", "tag?tag=none"),
        ("GET", "tags/none"),
        ("PUT", "tag?tag=none&description=x"),
        ("PUT", "tags/none"),
        ("DELETE", "tag?tag=none"),
        ("DELETE", "tags/none"),
        ("GET", "tag/stats?tag=none&event=accepted"),
        ("GET", "tags/none/stats?event=accepted"),
        ("GET", "tag/stats/aggregates?tag=none&type=device"),
        ("GET", "tags/none/stats/aggregates/countries"),
    ],
)
def test_an_unknown_tag_is_refused(client: Client, path: str, method: str, asked: str) -> None:
    refused = client.request(method, f"{path}/{asked}")
    assert (refused.status_code, refused.json()) == (404, {"message": "tag not found"})


@pytest.mark.parametrize(
    "asked", ["tag", "tag?tag=", "tag/stats?event=accepted", "tag/stats/aggregates?type=device"]
)
def test_no_tag_is_refused(client: Client, path: str, asked: str) -> None:
    refused = client.get(f"{path}/{asked}")
    assert (refused.status_code, refused.json()) == (400, {"message": "Missing mandatory parameter: tag"})


def test_the_tags_of_an_unknown_domain_are_refused(client: Client) -> None:
    for asked in (
        "/v3/unknown.example.org/tags",
        "/v3/unknown.example.org/tags/news",
        "/v3/domains/unknown.example.org/limits/tag",
        "/v3/domains/unknown.example.org/tag/devices",
    ):
        refused = client.get(asked)
        assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})


def test_a_tag_has_its_own_statistics(client: Client, path: str) -> None:
    tag = "Your news & more"
    send(client, path, tag)
    send(client, path, tag.upper(), to="bounce@example.com")
    send(client, path, "other")
    client.drain()
    client.put(f"{path}/tag", params={"tag": tag, "description": "Weekly"})
    asked = {"event": ["accepted", "failed", "delivered"], "duration": "0m"}
    told = client.get(f"{path}/tag/stats", params={**asked, "tag": tag.lower()})
    assert list(told.json()) == ["tag", "description", "start", "end", "resolution", "stats"]
    assert (told.json()["tag"], told.json()["description"]) == (tag, "Weekly")
    (month,) = told.json()["stats"]
    assert month["time"] == told.json()["start"] == told.json()["end"]
    assert month["accepted"] == {"incoming": 0, "outgoing": 2, "total": 2}
    assert month["delivered"]["total"] == 1
    assert month["failed"]["permanent"]["bounce"] == month["failed"]["permanent"]["total"] == 1
    assert client.get(f"{path}/tags/{quote(tag)}/stats", params=asked).text == told.text


def test_the_statistics_of_a_tag_are_narrowed(client: Client, path: str) -> None:
    send(client, path, "news")
    send(client, path, "news", to="carl@yahoo.com")
    for narrowed, accepted in (
        ({"provider": "yahoo.com"}, 1),
        ({"provider": "qq.com"}, 0),
        ({"country": "us"}, 0),
        ({"device": "mobile", "provider": "yahoo.com"}, 0),
    ):
        asked = {"event": "accepted", "duration": "0m", **narrowed}
        (month,) = client.get(f"{path}/tags/news/stats", params=asked).json()["stats"]
        assert month["accepted"]["total"] == accepted
    refused = client.get(f"{path}/tags/news/stats", params={"event": "accepted", "device": "car"})
    assert (refused.status_code, refused.json()) == (400, {"message": "device 'car' is not valid"})


def test_an_unknown_event_of_a_tag_is_refused_as_recorded(client: Client, path: str) -> None:
    send(client, path, "news")
    refused = client.get(f"{path}/tags/news/stats", params={"event": "new description 2"})
    assert refused.status_code == 400
    assert refused.text == '{"message":"event \'new description 2\' is not valid"}\n'


def test_all_providers_of_a_tag_are_told(client: Client, path: str) -> None:
    send(client, path, "News")
    client.drain()
    told = client.get(f"{path}/tag/stats/aggregates", params={"tag": "news", "type": "provider"})
    assert list(told.json()) == ["provider", "tag"]
    providers = told.json()["provider"]
    zeros = dict(sorted({**REACTIONS, "accepted": 0, "delivered": 0}.items()))
    expected = dict.fromkeys(sorted(providers), zeros)
    expected["gmail.com"] = {**zeros, "accepted": 1, "delivered": 1}
    assert len(providers) == 26
    assert told.content == orjson.dumps({"provider": expected, "tag": "News"}) + b"\n"
    assert client.get(f"{path}/tags/NEWS/stats/aggregates/providers").text == told.text


def test_all_devices_of_a_tag_are_told_as_recorded(client: Client, path: str) -> None:
    send(client, path, "news")
    told = client.get(f"{path}/tags/news/stats/aggregates/devices")
    devices = dict.fromkeys(("desktop", "mobile", "tablet", "unknown"), REACTIONS)
    assert told.content == orjson.dumps({"device": devices, "tag": "news"}) + b"\n"
    same = client.get(f"{path}/tag/stats/aggregates", params={"tag": "news", "type": "device"})
    assert same.text == told.text


def test_all_countries_of_a_tag_are_told(client: Client, path: str) -> None:
    send(client, path, "news")
    told = client.get(f"{path}/tags/news/stats/aggregates/countries").json()
    listed = client.get(f"/v3/domains/{path.rpartition('/')[2]}/tag/countries").json()["items"]
    assert told == {"country": dict.fromkeys(listed, REACTIONS), "tag": "news"}
    assert {"us", "de", "unknown"} <= set(listed)


def test_an_unknown_kind_of_aggregate_is_refused(client: Client, path: str) -> None:
    send(client, path, "news")
    refused = client.get(f"{path}/tag/stats/aggregates", params={"tag": "news", "type": "colour"})
    assert (refused.status_code, refused.json()) == (400, {"message": "type 'colour' is not valid"})
    refused = client.get(f"{path}/tag/stats/aggregates", params={"tag": "news"})
    assert (refused.status_code, refused.json()) == (400, {"message": "Missing mandatory parameter: type"})


def test_a_domain_tells_how_many_tags_it_has(client: Client, account: Account, path: str) -> None:
    limit = f"/v3/domains/{account.domain}/limits/tag"
    assert client.get(limit).json() == {"id": account.domain, "limit": 20000, "count": 0}
    send(client, path, "one", "two", "ONE")
    assert client.get(limit).json() == {"id": account.domain, "limit": 20000, "count": 2}


def test_what_statistics_tell_apart_is_listed(client: Client, account: Account) -> None:
    of_domain = f"/v3/domains/{account.domain}/tag"
    assert client.get(f"{of_domain}/devices").json() == {"items": ["desktop", "mobile", "tablet", "unknown"]}
    providers = client.get(f"{of_domain}/providers").json()["items"]
    assert (providers[:2], providers[-1], len(providers)) == (["gmail.com", "yahoo.com"], "qq.com", 26)


def test_a_tag_of_another_domain_is_not_found(client: Client, path: str) -> None:
    send(client, path, "news")
    other = client.post("/_emulator/accounts").json()
    assert client.get(f"/v3/{other['domain']}/tags").status_code == 404


def test_what_recipients_of_a_tag_did_is_counted(client: Client, account: Account, path: str) -> None:
    send_of_every_fate(client, account)
    asked = {"event": ["opened", "clicked", "complained", "unsubscribed"], "duration": "0m"}
    (month,) = client.get(f"{path}/tags/sale/stats", params=asked).json()["stats"]
    assert (month["opened"], month["clicked"]) == ({"total": 3, "unique": 1}, {"total": 1, "unique": 1})
    assert (month["complained"], month["unsubscribed"]) == ({"total": 0}, {"total": 1})
    (month,) = client.get(f"{path}/tags/news/stats", params={**asked, "country": "us"}).json()["stats"]
    assert (month["opened"]["total"], month["clicked"]["total"]) == (2, 1)
    devices = client.get(f"{path}/tags/news/stats/aggregates/devices").json()["device"]
    assert [devices[name]["opened"] for name in ("desktop", "mobile")] == [2, 2]
