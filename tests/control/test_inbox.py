"""What was sent and what came in: searched, read, waited for, deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

INBOX = "/_emulator/messages"


def send(client: Client, account: Account, **fields: Any) -> str:
    """The id, without its angle brackets."""
    files = fields.pop("files", None)
    message = {
        "from": f"App <app@{account.domain}>",
        "to": "ann@x.com",
        "subject": "Hi",
        "text": "Hello.",
        **fields,
    }
    given = {name: value for name, value in message.items() if value is not None}
    answer = client.post(f"/v3/{account.domain}/messages", data=given, files=files)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"]).strip("<>")


def listed(client: Client, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(INBOX, params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] >= len(answer.json()["items"])
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def subjects(client: Client, **asked: Any) -> list[str]:
    return [item["subject"] for item in listed(client, **asked)]


def read(client: Client, name: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"{INBOX}/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_message_is_told_with_all_that_is_known_of_it(client: Client, account: Account) -> None:
    message_id = send(
        client,
        account,
        to="Ann <ann@x.com>, bob@x.com",
        cc="carl@x.com",
        bcc="eve@x.com",
        **{"o:tag": ["news", "June"], "v:order": "17", "o:testmode": "yes"},
        files=[("attachment", ("ärger.txt", b"hi", "text/plain")), ("inline", ("logo.png", b"png"))],
    )
    (found,) = listed(client)
    (accepted, *_) = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"]
    key = found["id"]
    url = f"{client.base_url}{INBOX}/{key}/attachments"
    assert found == {
        "id": key,
        "message_id": message_id,
        "account": account.id,
        "domain": account.domain,
        "direction": "outgoing",
        "from": f"App <app@{account.domain}>",
        "to": ["Ann <ann@x.com>", "bob@x.com"],
        "cc": ["carl@x.com"],
        "recipients": ["ann@x.com", "bob@x.com", "carl@x.com", "eve@x.com"],
        "subject": "Hi",
        "at": accepted["timestamp"],
        "iso": found["iso"],
        "tags": ["news", "June"],
        "variables": {"order": "17"},
        "size": found["size"],
        "template": None,
        "test_mode": True,
        "attachments": [
            {
                "index": 0,
                "filename": "ärger.txt",
                "content_type": "text/plain",
                "size": 2,
                "content_id": None,
                "inline": False,
                "url": f"{url}/0?account={account.id}",
            },
            {
                "index": 1,
                "filename": "logo.png",
                "content_type": "image/png",
                "size": 3,
                "content_id": "logo.png",
                "inline": True,
                "url": f"{url}/1?account={account.id}",
            },
        ],
    }
    assert found["size"] == len(client.get(f"{INBOX}/{key}/raw").content) - len(signature_of(client, key))
    opened = plain.get(found["attachments"][0]["url"])  # needs no key
    assert (opened.content, opened.headers["Content-Type"]) == (b"hi", "text/plain")
    assert opened.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A4rger.txt"


def signature_of(client: Client, key: str) -> str:
    raw = client.get(f"{INBOX}/{key}/raw").text
    return raw[: raw.index("X-Mailgun-Sid")]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["Third", "Second", "First"]),
        ({"to": "ann@x.com"}, ["First"]),
        ({"to": "ANN@X.COM"}, ["First"]),
        ({"to": "nn@x.com"}, []),
        ({"to": "nn@"}, ["Second", "First"]),
        ({"to": "*@x.com"}, ["Second", "First"]),
        ({"to": "Ännchen"}, ["First"]),
        ({"to": "äNNCHEN"}, ["First"]),
        ({"to": "carl@y.com"}, ["Third"]),
        ({"to": "Carl"}, ["Third"]),
        ({"to": "hidden@x.com"}, ["Second"]),
        ({"to": ["joann@x.com", "hidden@x.com"]}, ["Second"]),
        ({"to": ["ann@x.com", "hidden@x.com"]}, []),
        ({"from": "Boss"}, ["Third"]),
        ({"from": "boss@DOMAIN"}, ["Third"]),
        ({"from": "app@DOMAIN"}, ["Second", "First"]),
        ({"from": "oss@DOMAIN"}, []),
        ({"subject": "ir"}, ["Third", "First"]),
        ({"subject": "*r*t"}, ["First"]),
        ({"tag": "NEWS"}, ["First"]),
        ({"tag": "new"}, []),
        ({"tag": "new*"}, ["Second", "First"]),
        ({"text": "482913"}, ["Second"]),
        ({"text": "grüße aus"}, ["First"]),
        ({"text": "third"}, ["Third"]),
        ({"text": "x.com/reset"}, ["Third"]),
        ({"has": "attachment"}, ["Third"]),
        ({"domain": "DOMAIN"}, ["Third", "Second", "First"]),
        ({"domain": "other.example.com"}, []),
        ({"message_id": "ID"}, ["First"]),
        ({"message_id": "<ID>"}, ["First"]),
        ({"query": "message-id:<ID>"}, ["First"]),
        ({"since": "5m"}, ["Third", "Second", "First"]),
        ({"since": "2999-01-01"}, []),
        ({"since": "Thu, 01 Jan 2026 00:00:00 +0000", "before": "32503680000"}, ["Third", "Second", "First"]),
        ({"before": "1h"}, []),
        ({"direction": "any"}, ["Third", "Second", "First"]),
        ({"direction": "incoming"}, []),
        ({"query": "second"}, ["Second"]),
        ({"query": "482913"}, ["Second"]),
        ({"query": "carl"}, ["Third"]),
        ({"query": "-second -boss"}, ["First"]),
        ({"query": 'to:x.com "grüße  aus" tag:news -has:attachment after:5m -before:5m'}, ["First"]),
        ({"query": "subject:ir", "from": "boss"}, ["Third"]),
        ({"query": "-text:482913 -tag:news"}, ["Third"]),
        ({"query": "domain:*.example.com -domain:DOMAIN"}, []),
        ({"query": "has:attachment text:reset"}, ["Third"]),
    ],
)  # fmt: skip
def test_messages_are_found_by_what_is_in_them(
    client: Client, account: Account, asked: dict[str, Any], found: list[str]
) -> None:
    first = send(
        client, account, to="Ännchen <ann@x.com>", subject="First", text="Grüße\naus Ulm", **{"o:tag": "news"}
    )
    send(client, account, to="joann@x.com", bcc="hidden@x.com", subject="Second", **{"o:tag": "newsletter"},
         text="Your code", html="<p>It is <b>482</b>913</p>")  # fmt: skip
    send(client, account, **{"from": f"Boss <boss@{account.domain}>"}, to="dora@y.com", cc="Carl <carl@y.com>",
         subject="Third", html='<a href="https://x.com/reset">Go</a>',
         files=[("attachment", ("a.txt", b"x"))])  # fmt: skip

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return value.replace("DOMAIN", account.domain).replace("ID", first)

    assert subjects(client, **{name: filled(value) for name, value in asked.items()}) == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"form": "a@x.com"}, "query: form is not known here; possible are to, from, subject, tag, text, has, "
         "domain, message_id, since, before, query, direction, account, limit, cursor"),
        ({"to": ""}, "to is empty; leave it out to look for any"),
        ({"has": "wings"}, "has can't be 'wings'; possible is attachment"),
        ({"query": "is:read"}, "is: is not known here; possible are to:, from:, subject:, tag:, text:, has:, "
         "since:, before:, domain:, message-id:"),
        ({"since": "soon"}, "since can't be 'soon': write an instant as in ISO 8601 or RFC 2822 or as seconds "
         "since 1970, or how long ago it was, as 90s, 10m, 8h or 3d"),
        ({"query": "after:soon"}, "since can't be 'soon': write an instant as in ISO 8601 or RFC 2822 or as seconds "
         "since 1970, or how long ago it was, as 90s, 10m, 8h or 3d"),
        ({"direction": "up"}, "query.direction: Input should be 'outgoing', 'incoming' or 'any'"),
        ({"limit": "0"}, "query.limit: Input should be greater than or equal to 1"),
        ({"cursor": "x"}, "cursor is none that `next` told"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_how_to_mend_it(
    client: Client, asked: dict[str, str], message: str
) -> None:
    refused = client.get(INBOX, params=asked)
    assert (refused.status_code, refused.json()) == (400, {"message": message})


def test_what_is_refused_deletes_nothing(client: Client, account: Account) -> None:
    send(client, account)
    for asked in ({"form": "a@x.com"}, {"to": ""}, {"has": "wings"}, {"since": "x"}, {"limit": "1"}):
        assert client.delete(INBOX, params=asked).status_code == 400
    assert subjects(client) == ["Hi"]


def test_pages_follow_one_another_while_messages_come(client: Client, account: Account) -> None:
    for number in range(5):
        send(client, account, subject=str(number))
    page = client.get(INBOX, params={"limit": 2}).json()
    assert ([item["subject"] for item in page["items"]], page["total"]) == (["4", "3"], 5)
    send(client, account, subject="new")
    page = client.get(INBOX, params={"limit": 2, "cursor": page["next"]}).json()
    assert ([item["subject"] for item in page["items"]], page["total"]) == (["2", "1"], 6)
    page = client.get(INBOX, params={"limit": 2, "cursor": page["next"]}).json()
    assert ([item["subject"] for item in page["items"]], page["next"]) == (["0"], None)


def test_time_is_that_of_the_accounts_clock(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    send(client, account, subject="Old")
    client.post("/_emulator/clock", json={"advance": "2h"})
    send(client, account, subject="New")
    assert listed(client)[0]["iso"] == "2030-01-01T02:00:00.000Z"
    assert subjects(client, since="1h") == ["New"]
    assert subjects(client, since="2030-01-01T02:00:00Z") == ["New"]
    assert subjects(client, before="2030-01-01T02:00:00Z") == ["Old"]
    client.post("/_emulator/clock", json={"advance": "4d"})
    assert subjects(client) == []


def test_a_message_is_read_as_its_recipient_gets_it(client: Client, account: Account) -> None:
    for kind in ("click", "unsubscribe"):
        client.put(f"/v3/domains/{account.domain}/tracking/{kind}", data={"active": "yes"})
    message_id = send(
        client,
        account,
        to="Ann <ann@x.com>, Bob <bob@x.com>",
        subject="For %recipient_email%",
        text="Hi %recipient_fname%, your code is 482 913.\nSee https://x.com/reset.",
        html="<p>Hi %recipient_fname%, <a href='https://x.com/reset'>reset it</a></p>",
    )
    client.drain()
    found = read(client, message_id)
    assert (found["recipient"], found["subject"]) == ("ann@x.com", "For ann@x.com")
    assert found["text"].startswith("Hi Ann, your code is 482 913.\nSee http://")
    assert "Hi Ann, <a href='http" in found["html"]
    assert found["codes"] == ["482913"]
    link, unsubscribing = found["links"]
    assert (link["url"], link["text"]) == ("https://x.com/reset", "reset it")
    assert link["tracked"] in found["html"]
    assert plain.get(link["tracked"]).headers["Location"] == "https://x.com/reset"
    assert unsubscribing == {"url": found["unsubscribe_url"], "tracked": None, "text": unsubscribing["text"]}
    assert "Unsubscribe" in plain.get(found["unsubscribe_url"]).text
    assert ["List-Unsubscribe", f"<{found['unsubscribe_url']}>"] in found["headers"]
    assert found["headers"][0][0] == "Dkim-Signature"
    assert [event["event"] for event in read(client, message_id)["events"]] == [
        "accepted",
        "accepted",
        "delivered",
        "delivered",
        "clicked",
    ]
    assert [item["id"] for item in listed(client)] == [found["id"]]

    to_bob = read(client, found["id"], recipient="BOB@x.com")
    assert (to_bob["recipient"], to_bob["subject"]) == ("bob@x.com", "For bob@x.com")
    assert [(event["event"], event["recipient"]) for event in to_bob["events"]] == [
        ("accepted", "bob@x.com"),
        ("delivered", "bob@x.com"),
    ]
    raw = client.get(f"{INBOX}/{found['id']}/raw", params={"recipient": "bob@x.com"})
    assert raw.headers["Content-Type"] == "message/rfc822"
    assert "Subject: For bob@x.com" in raw.text


def test_in_batch_mode_each_recipient_has_a_copy(client: Client, account: Account) -> None:
    message_id = send(
        client,
        account,
        to="ann@x.com,bob@x.com",
        text="Hi %recipient.name%",
        **{"recipient-variables": '{"ann@x.com": {"name": "Ann"}, "bob@x.com": {"name": "Bob"}}'},
    )
    assert [item["to"] for item in listed(client)] == [["bob@x.com"], ["ann@x.com"]]
    assert read(client, message_id)["text"] == "Hi Ann"
    assert read(client, f"<{message_id}>", recipient="bob@x.com")["text"] == "Hi Bob"
    assert client.delete(f"{INBOX}/{message_id}").json() == {"message": "2 messages deleted", "deleted": 2}


def test_without_text_or_html_there_is_none(client: Client, account: Account) -> None:
    only_html = read(client, send(client, account, text=None, html="<p>Hi</p>"))
    assert (only_html["text"], only_html["html"]) == (None, "<p>Hi</p>")
    only_text = read(client, send(client, account))
    assert (only_text["text"], only_text["html"], only_text["unsubscribe_url"]) == ("Hello.", None, None)
    assert (only_text["links"], only_text["codes"]) == ([], [])


def test_what_is_not_there_is_not_found(client: Client, account: Account) -> None:
    message_id = send(client, account)
    other = client.post("/_emulator/accounts").json()
    client.drain()
    for path in ("", "/raw", "/attachments/0"):
        foreign = client.get(f"{INBOX}/{message_id}{path}", params={"account": other["id"]})
        assert foreign.status_code == 404
        assert foreign.json()["message"].startswith(f"The account has no message {message_id}: name it by")
    assert client.delete(f"{INBOX}/{message_id}", params={"account": other["id"]}).status_code == 404
    assert client.get(INBOX, params={"account": other["id"]}).json() == {
        "items": [],
        "total": 0,
        "next": None,
    }
    missing = client.get(f"{INBOX}/{message_id}/attachments/0")
    assert (missing.status_code, missing.json()) == (
        404,
        {"message": "The message has no attachment 0: it has none, counted from 0"},
    )
    unmeant = client.get(f"{INBOX}/{message_id}", params={"recipient": "eve@x.com"})
    assert (unmeant.status_code, unmeant.json()) == (
        400,
        {"message": "eve@x.com is no recipient of the message: ann@x.com"},
    )
    unknown = client.get(INBOX, params={"account": "none"})
    assert unknown.status_code == 404


def test_messages_are_deleted_with_what_is_not_delivered_yet(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    later = {"o:deliverytime": "1893459600"}
    send(client, account, subject="One", **{"o:tag": "a"}, **later)
    send(client, account, subject="Two", **{"o:tag": "a"}, **later)
    third = send(client, account, subject="Three", **later)
    send(client, account, subject="Four", **later)
    assert client.delete(INBOX, params={"tag": "a"}).json() == {"message": "2 messages deleted", "deleted": 2}
    assert client.delete(f"{INBOX}/{third}").json() == {"message": "1 message deleted", "deleted": 1}
    assert subjects(client) == ["Four"]
    client.post("/_emulator/clock", json={"advance": "2h"})
    events = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert [event["message"]["headers"]["subject"] for event in events] == ["Four"]
    assert client.delete(INBOX).json() == {"message": "1 message deleted", "deleted": 1}
    assert client.delete(INBOX).json() == {"message": "0 messages deleted", "deleted": 0}
    assert client.get(f"{INBOX}/{third}").status_code == 404


def test_deleting_leaves_the_messages_of_others(client: Client, account: Account) -> None:
    other = Account(**client.post("/_emulator/accounts").json())
    with Client(base_url=client.base_url, auth=("api", other.api_key)) as stranger:
        send(stranger, other)
        send(client, account)
        assert client.delete(INBOX).json()["deleted"] == 1
        assert subjects(stranger) == ["Hi"]


def meanwhile(work: Callable[[], Any]) -> "ThreadPoolExecutor":
    pool = ThreadPoolExecutor(1)
    pool.submit(work)
    return pool


def waited(client: Client, **asked: Any) -> Any:
    return client.get(f"{INBOX}/wait", params={"timeout": 20, **asked}, timeout=30)


def test_what_is_there_is_not_waited_for(client: Client, account: Account) -> None:
    send(client, account, subject="One")
    send(client, account, subject="Two", text="Your code is 482913")
    found = waited(client, to="ann@x.com", timeout=0).json()["items"]
    assert [(item["subject"], item["codes"]) for item in found] == [("Two", ["482913"])]
    both = waited(client, count=2).json()["items"]
    assert [item["subject"] for item in both] == ["Two", "One"]


def test_what_comes_is_answered_at_once(client: Client, account: Account) -> None:
    def later() -> None:
        for subject in ("Other", "First", "Second"):
            send(client, account, subject=subject, to="bob@x.com, ann@x.com")

    with meanwhile(later):
        found = waited(client, to="ann@x.com", query="-other", count=2).json()["items"]
    assert [(item["subject"], item["recipient"]) for item in found] == [
        ("Second", "ann@x.com"),
        ("First", "ann@x.com"),
    ]


def test_only_ones_own_messages_end_the_waiting(client: Client, account: Account) -> None:
    other = Account(**client.post("/_emulator/accounts").json())
    with Client(base_url=client.base_url, auth=("api", other.api_key)) as stranger:
        with meanwhile(lambda: send(stranger, other)):
            assert waited(client, timeout=0.3).status_code == 404
        assert subjects(stranger) == ["Hi"]


def test_what_does_not_come_is_told_with_what_was_there(client: Client, account: Account) -> None:
    send(client, account, to="bob@x.com", subject="Bye")
    send(client, account, subject="Hallo Ann")
    missed = waited(client, to="ann@x.com", subject="Hello Ann", timeout=0.1)
    assert missed.status_code == 404
    told = missed.json()
    assert told["message"] == (
        "No message to ann@x.com with subject 'Hello Ann' came within 0.1 s. "
        "The nearest is 'Hallo Ann' to ann@x.com – subject: 'Hallo Ann' instead of 'Hello Ann'."
    )
    assert told["looked_for"] == {"to": "ann@x.com", "subject": "Hello Ann"}
    assert told["total"] == 2
    assert [(item["subject"], item["difference"]) for item in told["there"]] == [
        ("Hallo Ann", "subject: 'Hallo Ann' instead of 'Hello Ann'"),
        ("Bye", "to: 'bob@x.com' instead of 'ann@x.com'"),
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 3}, "Only 1 of 3 messages came within 0 s. There are no others."),
        ({"tag": "b"}, "No message tagged 'b' came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "tag: 'a' instead of 'b'."),
        ({"has": "attachment"}, "No message with an attachment came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "has: none instead of 'attachment'."),
        ({"text": "xyz"}, "No message with 'xyz' in it came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "text: 'Hi', 'Hello.' instead of 'xyz'."),
        ({"query": "-tag:a"}, "No message not tagged 'a' came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "tag: 'a', though not 'a'."),
        ({"direction": "incoming"}, "No incoming message came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "direction: 'outgoing' instead of 'incoming'."),
        ({"since": "2030-01-01T00:00:01Z"}, "No message came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "since: '2030-01-01T00:00:00.000Z' instead of '2030-01-01T00:00:01.000Z or later'."),
        ({"before": "2030-01-01"}, "No message came within 0 s. The nearest is 'Hi' to ann@x.com – "
         "before: '2030-01-01T00:00:00.000Z' instead of 'earlier than 2030-01-01T00:00:00.000Z'."),
    ],
)  # fmt: skip
def test_the_first_difference_is_told_in_words(
    client: Client, account: Account, asked: dict[str, Any], message: str
) -> None:
    client.post("/_emulator/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    send(client, account, **{"o:tag": "a"})
    missed = waited(client, timeout=0, **asked)
    assert (missed.status_code, missed.json()["message"]) == (404, message)


def test_where_nothing_is_nothing_is_near(client: Client) -> None:
    missed = waited(client, to="ann@x.com", timeout=0)
    assert (missed.status_code, missed.json()) == (
        404,
        {
            "message": "No message to ann@x.com came within 0 s. There are no messages at all.",
            "looked_for": {"to": "ann@x.com"},
            "total": 0,
            "there": [],
        },
    )


@pytest.mark.parametrize("asked", [{"timeout": 301}, {"timeout": -1}, {"count": 0}, {"limit": 1}, {"to": ""}])
def test_nobody_waits_for_what_makes_no_sense(client: Client, asked: dict[str, Any]) -> None:
    assert waited(client, **asked).status_code == 400


def test_waiting_goes_on_after_a_reset() -> None:
    with (
        Emulator() as server,
        httpx2.Client(verify=False, base_url=server.url, auth=("api", "key-emulator")) as client,
    ):
        message = {"from": "a@mg.example.com", "to": "ann@x.com", "text": "x"}
        for subject in ("1", "2", "3"):
            client.post("/v3/mg.example.com/messages", data={**message, "subject": subject})

        def later() -> None:
            client.post("/_emulator/reset")
            client.post("/v3/mg.example.com/messages", data={**message, "subject": "wanted"})

        with meanwhile(later):
            found = client.get(f"{INBOX}/wait", params={"subject": "wanted", "timeout": 20}, timeout=30)
    assert [item["subject"] for item in found.json()["items"]] == ["wanted"]
