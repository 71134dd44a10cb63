from typing import Any
from urllib.parse import urlsplit

import pytest
from tests import plain
from tests.conftest import Account, Client

LINKS = ["first", "last", "next", "previous"]
Json = dict[str, Any]


def send(client: Client, domain: str, to: str = "bob@gmail.com", **fields: Any) -> str:
    """The message's id, without angle brackets."""
    given = {"from": f"Ann <ann@{domain}>", "to": to, "subject": "Hello world", "text": "Hi"} | fields
    sent = client.post(f"/v3/{domain}/messages", data=given)
    assert sent.status_code == 200
    return str(sent.json()["id"]).strip("<>")


def get(client: Client, url: str, **parameters: Any) -> Json:
    """A page whose links are those of every page."""
    response = client.get(url, params=parameters or None)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/json")
    page: Json = response.json()
    assert list(page) == ["items", "paging"]
    assert list(page["paging"]) == LINKS
    for link in page["paging"].values():
        base, _, token = link.rpartition("/")
        assert base == f"{str(client.base_url).rstrip('/')}/{url_path(url)}"
        assert token
        assert "?" not in link
    return page


def url_path(url: str) -> str:
    """`v3/DOMAIN/events`."""
    return "/".join(urlsplit(url).path.split("/")[1:4])


def seen(page: Json) -> list[tuple[str, str]]:
    return [(event["event"], event["recipient"]) for event in page["items"]]


def ids(page: Json) -> list[str]:
    return [event["id"] for event in page["items"]]


@pytest.fixture
def url(account: Account) -> str:
    return f"/v3/{account.domain}/events"


def test_events_are_listed_newest_first(client: Client, account: Account, url: str) -> None:
    message_id = send(client, account.domain)
    client.drain()
    page = get(client, url)
    assert seen(page) == [("delivered", "bob@gmail.com"), ("accepted", "bob@gmail.com")]
    for event in page["items"]:
        assert event["message"]["headers"]["message-id"] == message_id
        assert isinstance(event["timestamp"], float)
        assert len(event["id"]) == 22
        assert event["user-variables"] == {}


def test_a_domain_without_events_has_an_empty_page_with_links(client: Client, url: str) -> None:
    page = get(client, url)
    assert page["items"] == []
    for link in page["paging"].values():
        assert get(client, link)["items"] == []


@pytest.mark.parametrize("parameters", [{}, {"ascending": "yes"}])
def test_pages_are_walked_there_and_back(
    client: Client, account: Account, url: str, parameters: dict[str, str]
) -> None:
    for number in range(5):
        send(client, account.domain, f"r{number}@x.com")
    client.drain()
    everything = ids(get(client, url, **parameters))
    assert len(everything) == 10
    pages = [get(client, url, limit=4, **parameters)]
    while pages[-1]["items"]:
        pages.append(get(client, pages[-1]["paging"]["next"]))
    assert [ids(page) for page in pages] == [everything[:4], everything[4:8], everything[8:], []]
    assert ids(get(client, pages[3]["paging"]["previous"])) == everything[6:]
    assert ids(get(client, pages[2]["paging"]["previous"])) == everything[4:8]
    assert ids(get(client, pages[0]["paging"]["previous"])) == []
    assert ids(get(client, pages[2]["paging"]["first"])) == everything[:4]
    assert ids(get(client, pages[0]["paging"]["last"])) == everything[6:]


def test_a_poll_sees_what_has_happened_since(client: Client, account: Account, url: str) -> None:
    begin = 1_600_000_000.5
    waiting = get(client, url, begin=begin, ascending="yes", limit=300, event="accepted")
    assert waiting["items"] == []
    send(client, account.domain, "first@x.com")
    page = get(client, waiting["paging"]["next"])
    assert seen(page) == [("accepted", "first@x.com")]
    waiting = get(client, page["paging"]["next"])
    assert waiting["items"] == []
    assert waiting["paging"]["next"] == page["paging"]["next"]
    send(client, account.domain, "second@x.com")
    assert seen(get(client, waiting["paging"]["next"])) == [("accepted", "second@x.com")]


def test_a_link_holds_all_that_was_asked_for(client: Client, account: Account, url: str) -> None:
    for number in range(3):
        send(client, account.domain, f"r{number}@x.com")
    client.drain()
    page = get(client, url, event="accepted", limit=1, pretty="no")
    following = client.get(page["paging"]["next"], params={"event": "delivered", "limit": 50, "begin": 1})
    assert "\n" not in following.text.strip()
    assert seen(following.json()) == [("accepted", "r1@x.com")]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"event": "delivered OR failed"}, ["delivered bob", "failed bounce"]),
        ({"event": "NOT accepted"}, ["delivered bob", "failed bounce"]),
        ({"event": ["accepted OR failed", "NOT failed"]}, ["accepted bob", "accepted bounce"]),
        ({"severity": "permanent"}, ["failed bounce"]),
        ({"recipient": "bob@gmail.com"}, ["accepted bob", "delivered bob"]),
        ({"recipient": "gmail", "event": "accepted"}, ["accepted bob"]),
        ({"to": "bounce"}, ["accepted bounce", "failed bounce"]),
        ({"from": "ANN"}, ["accepted bob", "accepted bounce", "delivered bob", "failed bounce"]),
        ({"subject": "news weekly"}, ["accepted bob", "delivered bob"]),
        ({"subject": '"news weekly"'}, []),
        ({"tags": "Newsletter OR other"}, ["accepted bob", "delivered bob"]),
        ({"attachment": "cat.txt"}, ["accepted bob", "delivered bob"]),
        ({"size": ">1 <20000", "event": "failed"}, ["failed bounce"]),
        ({"size": ">20000"}, []),
        ({"list": "dev"}, []),
        ({"recipients": "bob"}, []),
        ({"unknown": "x", "event": "failed", "list": ""}, ["failed bounce"]),
    ],
)
def test_events_are_filtered(
    client: Client, account: Account, url: str, parameters: dict[str, Any], found: list[str]
) -> None:
    fields = {
        "from": f"Ann <ann@{account.domain}>",
        "to": "bob@gmail.com",
        "subject": "Weekly News",
        "text": "Hi",
        "o:tag": "newsletter",
    }
    files = {"attachment": ("cat.txt", b"meow")}
    assert client.post(f"/v3/{account.domain}/messages", data=fields, files=files).status_code == 200
    send(client, account.domain, "bounce@example.com", subject="Other")
    client.drain()
    events = seen(get(client, url, **parameters))
    assert sorted(f"{kind} {recipient.partition('@')[0]}" for kind, recipient in events) == found


def test_events_of_one_message_are_found_by_its_id(client: Client, account: Account, url: str) -> None:
    send(client, account.domain)
    message_id = send(client, account.domain)
    client.drain()
    for given in (message_id, f"<{message_id}>", message_id.upper()):
        page = get(client, url, **{"message-id": given})
        assert {event["message"]["headers"]["message-id"] for event in page["items"]} == {message_id}
        assert len(page["items"]) == 2


def test_the_range_gives_the_direction(client: Client, account: Account, url: str) -> None:
    send(client, account.domain)
    client.drain()
    upwards = [("accepted", "bob@gmail.com"), ("delivered", "bob@gmail.com")]
    early, late = "Sun, 13 Sep 2020 12:26:40 -0000", 4_000_000_000
    assert seen(get(client, url, begin=early, end=late)) == upwards
    assert seen(get(client, url, begin=late, end=early)) == upwards[::-1]
    assert seen(get(client, url, begin=late, ascending="no")) == upwards[::-1]
    assert seen(get(client, url, end=early)) == upwards[::-1]
    assert seen(get(client, url, end=late)) == []
    assert seen(get(client, url, begin=early, ascending="yes")) == upwards
    assert seen(get(client, url, begin="", end="", ascending="", limit="")) == upwards[::-1]


def test_an_event_is_found_by_the_time_it_tells(client: Client, account: Account, url: str) -> None:
    send(client, account.domain)
    client.drain()
    delivered = get(client, url)["items"][0]
    assert delivered["id"] in ids(get(client, url, begin=delivered["timestamp"], ascending="yes"))
    assert delivered["id"] in ids(get(client, url, begin=delivered["timestamp"], ascending="no"))


def test_pages_are_pretty_unless_told_otherwise(client: Client, account: Account, url: str) -> None:
    send(client, account.domain)
    assert client.get(url).text.startswith('{\n  "items": [\n    {"event":')
    assert client.get(url, params={"pretty": "no"}).text.startswith('{"items":[{"event":')


def test_a_limit_above_the_most_is_the_most(client: Client, account: Account, url: str) -> None:
    for number in range(0, 320, 160):
        send(client, account.domain, [f"r{number + each}@x.com" for each in range(160)])  # type: ignore[arg-type]  # the form takes several
    assert len(get(client, url, limit=5000, event="accepted")["items"]) == 300
    assert len(get(client, url, event="accepted")["items"]) == 100


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"begin": "yesterday"}, "Invalid parameter: begin is invalid"),
        ({"end": "nan"}, "Invalid parameter: end is invalid"),
        ({"ascending": "maybe"}, "Invalid parameter: ascending is invalid"),
        ({"limit": "0"}, "Invalid parameter: limit is invalid"),
        ({"limit": "many"}, "Invalid parameter: limit is invalid"),
        ({"pretty": "very"}, "Invalid parameter: pretty is invalid"),
        (
            {"begin": "2", "end": "1", "ascending": "yes"},
            "The range from 'begin' to 'end' contradicts 'ascending'",
        ),
        (
            {"begin": "1", "end": "2", "ascending": "no"},
            "The range from 'begin' to 'end' contradicts 'ascending'",
        ),
        ({"event": "(failed"}, "Filter expression '(failed' is malformed: a parenthesis is not closed"),
        ({"size": "big"}, "'big' is not a size: expected a number, >number or <number"),
    ],
)
def test_a_bad_parameter_is_refused(client: Client, url: str, parameters: dict[str, str], text: str) -> None:
    refused = client.get(url, params=parameters)
    assert (refused.status_code, refused.json()) == (400, {"message": text})


@pytest.mark.parametrize("token", ["x", "W3siYSI6", "WzMsMV0", "%C3%A9", "e30"])
def test_a_token_that_is_none_is_refused(client: Client, url: str, token: str) -> None:
    refused = client.get(f"{url}/{token}")
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid page token"})


def test_events_of_an_unknown_domain_are_refused(client: Client) -> None:
    refused = client.get("/v3/unknown.example.org/events")
    assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})


def test_links_lead_to_the_host_that_was_called(client: Client, url: str) -> None:
    page = client.get(url, headers={"Host": "mail.test:81", "X-Forwarded-Proto": "https"}).json()
    for link in page["paging"].values():
        assert link.startswith(f"https://mail.test:81{url}/")


def test_accounts_do_not_see_each_others_events(
    client: Client, account: Account, url: str, server_url: str
) -> None:
    send(client, account.domain)
    link = get(client, url)["paging"]["first"]
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as stranger:
        assert stranger.get(link).status_code == 404
        moved = link.replace(account.domain, other.domain)
        assert stranger.get(moved).json()["items"] == []
