"""A message is sent, its links are followed as its readers do, and what they did is told and has effect."""

import re
from base64 import b32decode
from collections.abc import Iterator
from email import message_from_bytes
from html import unescape
from typing import Any, NamedTuple

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

HTML = (
    '<html><body><p>Hi, <a href="https://x.com/?a=1&amp;b=2">x</a> <a href="https://y.com" disable-tracking=true>y</a>'
    ' <a href="mailto:a@x.com">m</a></p></body></html>'
)
TEXT = "Hi, see https://x.com/plain."
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
UNKNOWN = {"city": "Unknown", "region": "Unknown", "country": "Unknown"}


class Reader(NamedTuple):
    """Someone who got a message, with a browser; nobody's key."""

    browser: httpx2.Client

    def get(self, url: str, **headers: str) -> httpx2.Response:
        return self.browser.get(url, headers=headers)

    def post(self, url: str, **options: Any) -> httpx2.Response:
        return self.browser.post(url, **options)


@pytest.fixture
def reader(server_url: str) -> Iterator[Reader]:
    with httpx2.Client(verify=False, base_url=server_url, headers={"User-Agent": WINDOWS}) as browser:
        yield Reader(browser)


def turn_on(client: Client, account: Account, **kinds: dict[str, str]) -> None:
    for kind in ("open", "click", "unsubscribe"):
        asked = kinds.get(kind, {"active": "yes"})
        assert client.put(f"/v3/domains/{account.domain}/tracking/{kind}", data=asked).status_code == 200


def send(client: Client, account: Account, **fields: Any) -> dict[str, Any]:
    """Send, and read what is stored of it."""
    given = {
        "from": f"a@{account.domain}",
        "to": "bob@reader.net",
        "subject": "Hi",
        "text": TEXT,
        "html": HTML,
        **fields,
    }
    given = {name: value for name, value in given.items() if value is not None}
    sent = client.post(f"/v3/{account.domain}/messages", data=given)
    assert sent.status_code == 200, sent.text
    client.drain()
    message_id = sent.json()["id"].strip("<>")
    return {"message-id": message_id, **stored(client, account, message_id)[0]}


def stored(client: Client, account: Account, message_id: str) -> list[dict[str, Any]]:
    accepted = events(client, account, event="accepted", **{"message-id": message_id})
    urls = dict.fromkeys(each["storage"]["url"] for each in reversed(accepted))
    return [client.get(url).json() for url in urls]


def events(client: Client, account: Account, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v3/{account.domain}/events", params=filters).json()["items"]
    return found


def hrefs(html: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]*)"', html)]


def pixel(html: str) -> str:
    found: list[str] = re.findall(r'<img width="1px" height="1px" alt="" src="([^"]*)">', html)
    return found[0]


def unsubscribed(client: Client, account: Account) -> list[tuple[str, list[str]]]:
    items = client.get(f"/v3/{account.domain}/unsubscribes").json()["items"]
    return [(each["address"], each["tags"]) for each in items]


def test_nothing_is_tracked_unless_asked_for(client: Client, account: Account) -> None:
    message = send(client, account, html=f"{HTML} %unsubscribe_url%", **{"o:tag": "t"})
    assert message["body-html"] == f"{HTML} %unsubscribe_url%"
    assert message["body-plain"] == TEXT
    assert "List-Unsubscribe" not in message


def test_a_click_is_counted_and_leads_on(
    client: Client, account: Account, reader: Reader, server_url: str
) -> None:
    turn_on(client, account, unsubscribe={"active": "no"})
    message = send(client, account, **{"o:tag": ["one", "two"], "v:user": "7", "v:r": "reserved"})
    tracked, own, mail = hrefs(message["body-html"])
    assert tracked.startswith(f"{server_url}/c/eJ")
    assert (own, mail) == ("https://y.com", "mailto:a@x.com")
    answer = reader.get(tracked, **{"X-Forwarded-For": "198.51.100.7, 10.0.0.1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://x.com/?a=1&b=2")
    in_text = re.findall(r"see (\S+)\.$", message["body-plain"])[0]
    assert reader.get(in_text).headers["Location"] == "https://x.com/plain"
    second, first = events(client, account, event="clicked")
    delivered = events(client, account, event="delivered")[0]
    assert second["url"] == "https://x.com/plain"
    assert {name: first[name] for name in first if name not in ("id", "timestamp", "account")} == {
        "event": "clicked",
        "log-level": "info",
        "domain": {"name": account.domain},
        "message": {"headers": {"message-id": message["message-id"]}},
        "delivered-at": int(delivered["timestamp"]),
        "recipient": "bob@reader.net",
        "recipient-domain": "reader.net",
        "recipient-provider": "Other",
        "tags": ["one", "two"],
        "campaigns": [],
        "user-variables": {"user": "7", "r": "reserved"},
        "ip": "198.51.100.7",
        "url": "https://x.com/?a=1&b=2",
        "client-info": {
            "client-name": "Chrome",
            "client-os": "Windows",
            "client-type": "browser",
            "device-type": "desktop",
            "user-agent": WINDOWS,
            "bot": "",
        },
        "geolocation": UNKNOWN,
    }
    assert second["ip"] == "127.0.0.1"
    stats = client.get(
        f"/v3/{account.domain}/tags/one/stats", params={"event": "clicked", "duration": "1d"}
    ).json()
    assert sum(each["clicked"]["total"] for each in stats["stats"]) == 2


def test_an_open_is_counted(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    message = send(client, account)
    assert message["body-html"].index("<img") < message["body-html"].index("</body>")
    for _ in range(2):
        answer = reader.get(pixel(message["body-html"]))
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
        assert answer.content.startswith(b"GIF89a")
        assert answer.headers["Cache-Control"] == "no-store"
    opened = events(client, account, event="opened")
    assert [each["recipient"] for each in opened] == ["bob@reader.net"] * 2
    stats = client.get(
        f"/v3/{account.domain}/stats/total", params={"event": "opened", "duration": "1d"}
    ).json()
    assert sum(each["opened"]["total"] for each in stats["stats"]) == 2


def test_the_pixel_may_stand_at_the_top(client: Client, account: Account) -> None:
    turn_on(client, account, open={"active": "yes", "place_at_the_top": "yes"})
    assert "<html><body><img " in send(client, account)["body-html"]
    below = send(client, account, **{"o:tracking-pixel-location-top": "no"})["body-html"]
    assert "<html><body><p>" in below
    assert "<img " in below


@pytest.mark.parametrize(
    ("domain", "options", "html", "text", "pixel"),
    [
        ("yes", {}, True, True, True),
        ("htmlonly", {}, True, False, True),
        ("yes", {"o:tracking": "no"}, False, False, False),
        ("yes", {"o:tracking": "htmlonly"}, True, False, True),
        ("no", {"o:tracking": "yes"}, True, True, True),
        ("no", {"o:tracking": "no", "o:tracking-clicks": "yes"}, True, True, False),
        ("no", {"o:tracking": "no", "o:tracking-opens": "yes"}, False, False, True),
        ("yes", {"o:tracking-clicks": "no"}, False, False, True),
        ("yes", {"o:tracking-clicks": "htmlonly"}, True, False, True),
        ("yes", {"o:tracking": "yes", "o:tracking-opens": "False"}, True, True, False),
        ("yes", {"o:tracking": "nonsense"}, True, True, True),
    ],
)
def test_what_the_message_says_goes_before_what_the_domain_says(
    client: Client,
    account: Account,
    domain: str,
    options: dict[str, str],
    html: bool,
    text: bool,
    pixel: bool,
) -> None:
    opens = "no" if domain == "no" else "yes"
    turn_on(client, account, click={"active": domain}, open={"active": opens}, unsubscribe={"active": "no"})
    message = send(client, account, **options)
    assert ("/c/" in message["body-html"], "/c/" in message["body-plain"], "/o/" in message["body-html"]) == (
        html,
        text,
        pixel,
    )


def test_unsubscribing_takes_a_button_and_is_for_good(
    client: Client, account: Account, reader: Reader
) -> None:
    turn_on(client, account)
    message = send(client, account, **{"o:tag": "news"})
    link = hrefs(message["body-html"])[-1]
    assert "/u/" in link
    assert f"<{link}>" in message["body-plain"]
    assert message["List-Unsubscribe"] == f"<{link}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    asked = reader.get(link)
    assert asked.status_code == 200
    assert '<form method="post">' in asked.text
    assert "bob@reader.net" in asked.text
    assert not unsubscribed(client, account)
    done = reader.post(link)
    assert done.status_code == 200
    assert "You are unsubscribed" in done.text
    assert unsubscribed(client, account) == [("bob@reader.net", ["*"])]
    event = events(client, account, event="unsubscribed")[0]
    assert (event["tags"], event["storage"], event["client-info"]["client-name"]) == (["*"], {}, "Chrome")
    assert "delivered-at" not in event
    send(client, account)
    failed = events(client, account, event="failed")[0]
    assert (failed["reason"], failed["delivery-status"]["code"]) == ("suppress-unsubscribe", 606)


def test_a_mail_program_unsubscribes_by_one_click(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    link = send(client, account)["List-Unsubscribe"].strip("<>")
    assert reader.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert unsubscribed(client, account) == [("bob@reader.net", ["*"])]


def test_one_click_is_offered_once(client: Client, account: Account) -> None:
    turn_on(client, account)
    message = send(client, account, **{"h:List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    names = [name for name, _ in message["message-headers"]]
    assert (names.count("List-Unsubscribe"), names.count("List-Unsubscribe-Post")) == (1, 1)


def test_one_unsubscribes_from_tags_alone(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    html = '<a href="%tag_unsubscribe_url%">no more</a>'
    message = send(client, account, html=html, **{"o:tag": ["news", "offers"]})
    assert len(hrefs(message["body-html"])) == 1, "a footer besides would be one too many"
    reader.post(hrefs(message["body-html"])[0])
    assert unsubscribed(client, account) == [("bob@reader.net", ["news", "offers"])]
    assert events(client, account, event="unsubscribed")[0]["tags"] == ["news", "offers"]
    send(client, account)
    assert not events(client, account, event="failed")
    send(client, account, **{"o:tag": "News"})
    assert events(client, account, event="failed")[0]["delivery-status"]["code"] == 606


def test_placeholders_are_filled_for_each_recipient(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    sent = client.post(
        f"/v3/{account.domain}/messages",
        data={
            "from": f"a@{account.domain}",
            "to": ["ann@reader.net", "bob@reader.net"],
            "subject": "Hi",
            "text": "Leave: %unsubscribe_url% %recipient.name%",
            "html": '<a href="https://x.com/?next=%unsubscribe_url%">x</a>'
            '<a href="%mailing_list_unsubscribe_url%">l</a>',
            "recipient-variables": '{"ann@reader.net": {"name": "Ann"}, "bob@reader.net": {"name": "Bob"}}',
            "h:List-Unsubscribe": "<mailto:%unsubscribe_email%>, <%unsubscribe_url%>",
            "v:name": "%recipient.name%",
        },
    )
    client.drain()
    for name, message in zip(
        ("Ann", "Bob"), stored(client, account, sent.json()["id"].strip("<>")), strict=True
    ):
        link = message["body-plain"].split()[1]
        assert message["body-plain"].endswith(name)
        assert "To unsubscribe" not in message["body-plain"]
        target = reader.get(hrefs(message["body-html"])[0]).headers["Location"]
        assert target == f"https://x.com/?next={link}"
        assert hrefs(message["body-html"])[1] == link
        local = re.fullmatch(
            rf"<mailto:u\+([a-z2-7]+)@{account.domain}>, <(.*)>", message["List-Unsubscribe"]
        )
        assert local is not None
        assert local[2] == link
        assert f"r={name.lower()}%40reader.net".encode() in b32decode(
            local[1].upper() + "=" * (-len(local[1]) % 8)
        )
        assert "List-Unsubscribe-Post" not in message
        reader.post(link)
    assert [each["user-variables"] for each in events(client, account, event="unsubscribed")] == [
        {"name": "Bob"},
        {"name": "Ann"},
    ]
    assert [address for address, _ in unsubscribed(client, account)] == ["ann@reader.net", "bob@reader.net"]


def test_footers_are_the_domains_own(client: Client, account: Account) -> None:
    own = {"active": "yes", "html_footer": "<p>Bye: %unsubscribe_url% é</p>", "text_footer": ""}
    turn_on(client, account, unsubscribe=own)
    message = send(client, account, **{"o:tracking": "no"})
    assert re.search(r"</p><p>Bye: http\S+/u/\S+ é</p></body></html>$", message["body-html"])
    assert message["body-plain"] == TEXT
    assert "List-Unsubscribe" in message


def test_variables_with_no_room_in_a_header_are_told_all_the_same(
    client: Client, account: Account, reader: Reader
) -> None:
    turn_on(client, account)
    noise = "".join(f"{n * n * 7919 % 99991:x}" for n in range(400))
    message = send(client, account, **{"v:noise": noise})
    link = message["List-Unsubscribe"].strip("<>")
    assert len(link) < 950
    reader.post(link)
    assert events(client, account, event="unsubscribed")[0]["user-variables"] == {"noise": noise}
    reader.get(pixel(message["body-html"]))
    assert events(client, account, event="opened")[0]["user-variables"] == {"noise": noise}
    truncated = send(client, account, **{"o:tracking": "yes", "to": "eve@reader.net", "v:noise": "x" * 5000})
    reader.get(pixel(truncated["body-html"]))
    assert (
        "truncated"
        in events(client, account, event="opened", recipient="eve@reader.net")[0]["user-variables"]
    )


def test_whoever_only_looks_is_not_counted(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    message = send(client, account)
    links = hrefs(message["body-html"])
    answers = [reader.browser.head(url) for url in (links[0], pixel(message["body-html"]), links[-1])]
    assert [answer.status_code for answer in answers] == [302, 200, 200]
    assert not events(client, account, event="opened OR clicked OR unsubscribed")


@pytest.mark.parametrize("path", ["/c/", "/o/", "/u/"])
@pytest.mark.parametrize("token", ["eJwDAAAAAAE", "x", "%2e%2e", "A" * 20_000, "eJyrKEktLgEABDgBwg"])
def test_a_link_of_ones_own_making_leads_nowhere(reader: Reader, path: str, token: str) -> None:
    answer = reader.get(f"{path}{token}")
    assert answer.status_code == 404
    assert "not valid" in answer.text
    assert "Location" not in answer.headers


def test_an_altered_link_is_refused(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    message = send(client, account)
    click, unsubscribe, image = (
        *hrefs(message["body-html"])[:1],
        hrefs(message["body-html"])[-1],
        pixel(message["body-html"]),
    )
    wrong = [
        *(click[:-1], click[:-2] + "AA", click.replace("/c/", "/o/"), click.replace("/c/", "/u/")),
        *(image.replace("/o/", "/u/"), image.replace("/o/", "/c/")),
        *(unsubscribe.replace("/u/", "/c/"), unsubscribe.replace("/u/", "/o/")),
    ]
    for url in wrong:
        assert reader.get(url).status_code == 404, url
        assert reader.post(url).status_code in (404, 405), url
    assert not events(client, account, event="opened OR clicked OR unsubscribed")


def test_links_are_good_when_the_message_is_gone_but_not_without_its_domain(
    client: Client, account: Account, reader: Reader
) -> None:
    turn_on(client, account)
    message = send(client, account, **{"v:user": "7", "o:tag": "t"})
    storage = events(client, account, event="accepted")[0]["storage"]["url"]
    assert client.delete(storage).status_code == 200
    image = pixel(message["body-html"])
    assert reader.get(image).status_code == 200
    opened = events(client, account, event="opened")[0]
    assert (opened["tags"], opened["user-variables"]) == (["t"], {"user": "7"})
    assert client.delete(f"/v3/domains/{account.domain}").status_code == 200
    assert reader.get(image).status_code == 404


def test_a_resent_message_is_tracked_anew(client: Client, account: Account, reader: Reader) -> None:
    turn_on(client, account)
    send(client, account)
    storage = events(client, account, event="accepted")[0]["storage"]["url"]
    sent = client.post(storage, data={"to": "eve@reader.net"})
    again = stored(client, account, sent.json()["id"].strip("<>"))[0]
    assert again["body-html"].count("<img") == again["body-html"].count(">unsubscribe<") == 1
    assert reader.get(hrefs(again["body-html"])[0]).headers["Location"] == "https://x.com/?a=1&b=2"
    assert events(client, account, event="clicked")[0]["recipient"] == "eve@reader.net"


def test_a_ready_mime_is_tracked_and_its_attachments_are_not(client: Client, account: Account) -> None:
    turn_on(client, account)
    mime = (
        f'From: a@{account.domain}\r\nTo: bob@reader.net\r\nMime-Version: 1.0\r\nSubject: x\r\n'
        'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'
        'Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        '<a href=3D"https://x.com">=E9</a>\r\n--b\r\nContent-Type: text/html\r\n'
        'Content-Disposition: attachment; filename=a.html\r\n\r\n<a href="https://x.com">\r\n--b--\r\n'
    )  # fmt: skip
    sent = client.post(
        f"/v3/{account.domain}/messages.mime",
        data={"to": "bob@reader.net"},
        files={"message": ("m.eml", mime.encode())},
    )
    message = stored(client, account, sent.json()["id"].strip("<>"))[0]
    assert re.search(r'<a href="http\S+/c/\S+">é</a>', message["body-html"])
    attachment = client.get(message["attachments"][0]["url"])
    assert attachment.text == '<a href="https://x.com">'
    storage = events(client, account, event="accepted")[0]["storage"]["url"]
    raw = client.get(storage, headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    assert message_from_bytes(raw.encode())["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_mail_programs_of_the_great_are_told_from_people(
    client: Client, account: Account, reader: Reader
) -> None:
    turn_on(client, account)
    image = pixel(send(client, account)["body-html"])
    for user_agent in ("Mozilla/5.0", GMAIL):
        reader.get(image, **{"User-Agent": user_agent})
    assert [each["client-info"]["bot"] for each in events(client, account, event="opened")] == [
        "gmail",
        "apple",
    ]


def test_links_may_begin_with_another_url() -> None:
    with (
        Emulator(tracking_url="{scheme}://{host}:8025") as server,
        Client(base_url=server.url, auth=("api", "key-emulator")) as client,
    ):
        account = Account("", "", "key-emulator", "", "mg.example.com")
        turn_on(client, account)
        link = hrefs(send(client, account)["body-html"])[0]
        assert link.startswith("http://email.mg.example.com:8025/c/")
        path = link.partition(":8025")[2]
        there = plain.get(f"{server.url}{path}", headers={"Host": "email.mg.example.com:8025"})
        assert there.headers["Location"] == "https://x.com/?a=1&b=2"


def test_a_member_leaves_a_list_and_nothing_else(client: Client, account: Account, reader: Reader) -> None:
    address = f"news@{account.domain}"
    assert client.post("/v3/lists", data={"address": address}).status_code == 200
    for member in ("ann@reader.net", "bob@reader.net"):
        client.post(f"/v3/lists/{address}/members", data={"address": member})
    html = '<a href="%mailing_list_unsubscribe_url%">leave</a> %recipient_email%'
    sent = client.post(
        f"/v3/{account.domain}/messages",
        data={"from": f"a@{account.domain}", "to": address, "subject": "x", "html": html},
    )
    client.drain()
    copies = stored(client, account, sent.json()["id"].strip("<>"))
    copy = next(each for each in copies if "ann@reader.net" in each["recipients"])
    link = hrefs(copy["body-html"])[0]
    assert copy["List-Unsubscribe"] == f"<{link}>"
    assert address in reader.get(link).text
    assert reader.post(link).status_code == 200
    members = client.get(f"/v3/lists/{address}/members").json()["items"]
    assert [(each["address"], each["subscribed"]) for each in members] == [
        ("ann@reader.net", False),
        ("bob@reader.net", True),
    ]
    event = events(client, account, event="unsubscribed")[0]
    assert (event["recipient"], event["mailing-list"]["address"]) == ("ann@reader.net", address)
    assert not unsubscribed(client, account)


def test_one_unsubscribes_by_mail(client: Client, account: Account) -> None:
    turn_on(client, account)
    message = send(client, account, **{"h:List-Unsubscribe": "<mailto:%unsubscribe_email%>"})
    target = message["List-Unsubscribe"].removeprefix("<mailto:").removesuffix(">")
    came = client.post(
        "/_emulator/inbound", data={"from": "bob@reader.net", "to": target, "subject": "x", "text": "x"}
    )
    assert came.status_code == 200, came.text
    assert unsubscribed(client, account) == [("bob@reader.net", ["*"])]
    assert (
        events(client, account, event="unsubscribed")[0]["message"]["headers"]["message-id"]
        == message["message-id"]
    )
