"""What is sent to the address of a list reaches its subscribed members."""

import json
import re
from typing import Any

import pytest
from tests.conftest import Account, Client


class Developers:
    """A list with everything one does to it."""

    def __init__(self, client: Client, account: Account, **settings: str) -> None:
        self.client, self.domain = client, account.domain
        self.address = f"devs@{account.domain}"
        self.path = f"/v3/lists/{self.address}"
        made = client.post(
            "/v3/lists", data={"address": self.address, "access_level": "everyone", **settings}
        )
        assert made.status_code == 200, made.text

    def join(self, *members: Any) -> None:
        added = self.client.post(f"{self.path}/members.json", data={"members": json.dumps(members)})
        assert added.status_code == 200, added.text
        self.client.drain()

    def post(self, **fields: Any) -> str:
        """The id of the message."""
        message = {"from": f"Ann <ann@{self.domain}>", "to": self.address, "subject": "News", "text": "Hello"}
        sent = self.client.post(f"/v3/{self.domain}/messages", data=message | fields)
        assert sent.status_code == 200, sent.text
        self.client.drain()
        return str(sent.json()["id"])[1:-1]

    def events(self, **query: Any) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        found: list[dict[str, Any]] = []
        url = f"/v3/{self.domain}/events"
        page = self.client.get(url, params={"ascending": "yes", "limit": 300, **query}).json()
        while page["items"]:
            found += page["items"]
            page = self.client.get(page["paging"]["next"]).json()
        return found

    def who(self, kind: str, message_id: str) -> list[str]:
        return sorted(each["recipient"] for each in self.events(event=kind, **{"message-id": message_id}))

    def stored(self, event: dict[str, Any]) -> dict[str, Any]:
        return dict(self.client.get(event["storage"]["url"]).json())


@pytest.fixture
def devs(client: Client, account: Account) -> Developers:
    return Developers(client, account)


def test_five_hundred_members_get_a_copy_of_their_own(devs: Developers, client: Client) -> None:
    everyone = [
        {"address": f"m{n:03}@x.com", "name": f"Mo {n}. Ito", "vars": {"n": n, "who": {"is": "me"}}}
        for n in range(500)
    ]
    devs.join(*everyone)
    client.put(f"{devs.path}/members/m000@x.com", data={"subscribed": "no"})
    client.post(f"/v3/{devs.domain}/bounces", data={"address": "m001@x.com"})
    client.post(f"/v3/{devs.domain}/unsubscribes", data={"address": "m002@x.com"})
    client.post(f"/v3/{devs.domain}/complaints", data={"address": "m003@x.com"})
    text = "%recipient_fname% %recipient_lname%: %recipient.n% %recipient.who% %recipient.none%"
    message_id = devs.post(text=text, subject="For %recipient_name%", **{"v:number": "%recipient.n%"})

    subscribed = [each["address"] for each in everyone[1:]]
    assert devs.who("accepted", message_id) == [devs.address, *subscribed]
    assert devs.who("delivered", message_id) == subscribed[3:]
    refused = {each["recipient"]: each for each in devs.events(event="failed")}
    assert {recipient: each["reason"] for recipient, each in refused.items()} == {
        "m001@x.com": "suppress-bounce",
        "m002@x.com": "suppress-unsubscribe",
        "m003@x.com": "suppress-complaint",
    }
    named = {"address": devs.address, "list-id": devs.address.replace("@", ".")}
    of_list, *of_members = devs.events(**{"message-id": message_id})
    assert of_list["recipient"] == devs.address
    assert "mailing-list" not in of_list
    assert all(each["mailing-list"] == named | {"sid": each["mailing-list"]["sid"]} for each in of_members)
    assert len(devs.events(list=devs.address, event="accepted OR delivered OR failed")) == 2 * 499
    assert devs.events(list="other@x.com") == []

    (delivered,) = devs.events(event="delivered", recipient="m042@x.com")
    assert delivered["user-variables"] == {"number": "42"}
    copy = devs.stored(delivered)
    assert copy["body-plain"] == 'Mo Ito: 42 {"is":"me"} %recipient.none%'
    assert (copy["To"], copy["subject"]) == (devs.address, "For Mo 42. Ito")
    assert copy["List-Id"] == f"<{named['list-id']}>"
    assert copy["Reply-To"] == devs.address
    assert "List-Unsubscribe" in copy


def test_what_reads_alike_for_all_is_stored_once_for_many(devs: Developers) -> None:
    devs.join(*(f"m{n:03}@x.com" for n in range(60)))
    message_id = devs.post(text="The same")
    assert len(devs.who("delivered", message_id)) == 60
    keys = {each["storage"]["key"] for each in devs.events(event="delivered")}
    assert len(keys) == 2


def test_a_member_who_follows_the_link_is_unsubscribed_from_the_list_alone(
    devs: Developers, client: Client, account: Account
) -> None:
    devs.join("ann@x.com", "bob@x.com")
    devs.post(html='<p>Hello</p><a href="%mailing_list_unsubscribe_url%">No more</a>')
    event = devs.events(event="delivered")[0]
    found = re.search(r'href="(http[^"]+)"', devs.stored(event)["body-html"])
    assert found is not None
    link = found[1]
    assert client.get(link).status_code == 200
    assert devs.events(event="unsubscribed") == []
    assert client.post(link).status_code == 200
    (unsubscribed,) = devs.events(event="unsubscribed")
    gone = unsubscribed["recipient"]
    assert unsubscribed["mailing-list"]["address"] == devs.address
    member = client.get(f"{devs.path}/members/{gone}").json()["member"]
    assert member["subscribed"] is False
    assert client.get(f"/v3/{account.domain}/unsubscribes").json()["items"] == []
    (left,) = {"ann@x.com", "bob@x.com"} - {gone}
    assert devs.who("delivered", devs.post()) == [left]
    message_id = devs.post(to=gone)
    assert devs.who("delivered", message_id) == [gone]


def test_only_members_post_to_a_list_of_members(client: Client, account: Account) -> None:
    devs = Developers(client, account, access_level="members")
    devs.join("bob@x.com", {"address": "eve@x.com", "subscribed": False})
    for stranger in ("Eve <eve@x.com>", "ann@x.com"):
        message_id = devs.post(**{"from": stranger})
        assert devs.who("accepted", message_id) == [devs.address]
        (failed,) = devs.events(event="failed", **{"message-id": message_id})
        assert (failed["recipient"], failed["severity"], failed["reason"]) == (
            devs.address,
            "permanent",
            "generic",
        )
        assert (
            failed["delivery-status"]["description"] == f"Only subscribed members may post to {devs.address}"
        )
    assert devs.who("delivered", devs.post(**{"from": "Bob <BOB@x.com>"})) == ["bob@x.com"]


def inbound(client: Client, account: Account, **fields: Any) -> Any:
    answer = client.post("/_emulator/inbound", params={"account": account.id}, data=fields)
    client.drain()
    return answer


def test_mail_from_outside_is_posted_where_everyone_may(
    devs: Developers, client: Client, account: Account
) -> None:
    devs.join({"address": "bob@x.com", "name": "Łukasz Żak"})
    mail = {
        "from": "Zoe <zoe@y.org>",
        "to": devs.address,
        "subject": "Hi",
        "text": "Dzień dobry %recipient_name%",
    }
    assert inbound(client, account, **mail).status_code == 200
    (delivered,) = devs.events(event="delivered")
    assert (delivered["recipient"], delivered["mailing-list"]["address"]) == ("bob@x.com", devs.address)
    copy = devs.stored(delivered)
    assert copy["body-plain"].strip() == "Dzień dobry Łukasz Żak"
    assert (copy["from"], copy["To"], copy["Reply-To"]) == ("Zoe <zoe@y.org>", devs.address, devs.address)


@pytest.mark.parametrize("level", ["readonly", "members"])
def test_mail_from_outside_is_refused_where_not_everyone_may(
    client: Client, account: Account, level: str
) -> None:
    devs = Developers(client, account, access_level=level)
    devs.join("bob@x.com")
    inbound(client, account, **{"from": "zoe@y.org", "to": devs.address, "text": "Hi"})
    (failed,) = devs.events(event="failed")
    assert (failed["recipient"], failed["reason"]) == (devs.address, "generic")
    assert devs.events(event="delivered") == []
    assert len(devs.who("delivered", devs.post(**{"from": "bob@x.com"}))) == 1


@pytest.mark.parametrize("header", ["h:List-Id", "h:X-BeenThere"])
def test_what_a_list_sent_is_not_posted_to_it_again(
    devs: Developers, client: Client, account: Account, header: str
) -> None:
    devs.join("bob@x.com")
    named = {"h:List-Id": f"<{devs.address.replace('@', '.')}>", "h:X-BeenThere": f"a@x.com {devs.address}"}
    mail = {"from": "zoe@y.org", "to": devs.address, "text": "Round", header: named[header]}
    assert inbound(client, account, **mail).status_code == 200
    assert devs.events(event="delivered") == []
    assert inbound(client, account, **mail | {header: "<other.y.org>"}).status_code == 200
    assert len(devs.events(event="delivered")) == 1


@pytest.mark.parametrize("settings", [{"reply_preference": "sender"}, {"access_level": "readonly"}])
def test_replies_go_to_the_sender_if_the_list_says_so_or_takes_none(
    client: Client, account: Account, settings: dict[str, str]
) -> None:
    devs = Developers(client, account, **settings)
    devs.join("bob@x.com")
    devs.post()
    (delivered,) = devs.events(event="delivered")
    assert "Reply-To" not in devs.stored(delivered)


def test_a_list_may_be_a_member_of_another_and_the_other_of_it(devs: Developers, client: Client) -> None:
    others = f"others@{devs.domain}"
    client.post("/v3/lists", data={"address": others, "access_level": "everyone"})
    client.post(f"/v3/lists/{others}/members", data={"address": devs.address})
    client.post(f"/v3/lists/{others}/members", data={"address": "eve@x.com"})
    devs.join("bob@x.com", others)
    message_id = devs.post(text="For %recipient_email%")
    assert devs.who("delivered", message_id) == ["bob@x.com", devs.address, "eve@x.com", others]
    for member, address in (("bob@x.com", devs.address), ("eve@x.com", others)):
        (delivered,) = devs.events(event="delivered", recipient=member)
        assert delivered["mailing-list"]["address"] == address


@pytest.mark.parametrize("level", ["everyone", "members"])
def test_routes_get_what_is_sent_to_a_list_too(client: Client, account: Account, level: str) -> None:
    devs = Developers(client, account, access_level=level)
    devs.join("bob@x.com")
    route = {
        "expression": f"match_recipient('{devs.address}')",
        "action": ["forward('eve@y.org')", "store()"],
    }
    assert client.post("/v3/routes", data=route).status_code == 200
    message_id = devs.post()
    posted = ["bob@x.com"] if level == "everyone" else []
    assert devs.who("delivered", message_id) == [*posted, "eve@y.org"]
    assert len(devs.events(event="stored")) == 1
    assert (
        inbound(client, account, **{"from": "zoe@y.org", "to": devs.address, "text": "Hi"}).status_code == 200
    )
    assert len(devs.events(event="delivered", recipient="bob@x.com")) == 2 * len(posted)
    assert len(devs.events(event="delivered", recipient="eve@y.org")) == 2
    devs.post(**{"o:testmode": "yes"})
    assert len(devs.events(event="stored")) == 2


def test_a_list_may_have_an_id_of_its_own(devs: Developers, client: Client) -> None:
    assert client.put(devs.path, files={"list-id": (None, "the.developers")}).status_code == 200
    devs.join("bob@x.com")
    devs.post()
    (delivered,) = devs.events(event="delivered")
    assert delivered["mailing-list"]["list-id"] == "the.developers"
    assert devs.stored(delivered)["List-Id"] == "<the.developers>"


def test_others_who_are_sent_to_get_the_message_as_ever(devs: Developers) -> None:
    devs.join("bob@x.com")
    message_id = devs.post(to=f"{devs.address}, eve@x.com", cc="cat@x.com")
    assert devs.who("delivered", message_id) == ["bob@x.com", "cat@x.com", "eve@x.com"]
    told = {each["recipient"]: each for each in devs.events(event="delivered")}
    assert "mailing-list" not in told["eve@x.com"]
    assert "List-Id" not in devs.stored(told["eve@x.com"])
    assert devs.stored(told["bob@x.com"])["To"] == f"{devs.address}, eve@x.com"


def test_a_batch_may_be_to_a_list(devs: Developers) -> None:
    devs.join({"address": "bob@x.com", "vars": {"age": 26}})
    variables = {devs.address: {"issue": 7}, "eve@x.com": {"issue": 8, "age": 30}}
    message_id = devs.post(
        to=[devs.address, "eve@x.com"],
        text="%recipient_email% %recipient.issue% %recipient.age%",
        **{"recipient-variables": json.dumps(variables)},
    )
    assert devs.who("delivered", message_id) == ["bob@x.com", "eve@x.com"]
    told = {each["recipient"]: devs.stored(each)["body-plain"] for each in devs.events(event="delivered")}
    assert told == {"bob@x.com": "bob@x.com 7 26", "eve@x.com": "eve@x.com 8 30"}


def test_a_ready_message_is_filled_in_whatever_it_is_encoded_in(devs: Developers, client: Client) -> None:
    devs.join({"address": "bob@x.com", "name": "Bob Łoś"})
    mime = (
        f"From: ann@{devs.domain}\r\nTo: {devs.address}\r\nSubject: For %recipient_name%\r\n"
        "Mime-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "RGVhciAlcmVjaXBpZW50X2xuYW1lJQ==\r\n"
    )
    sent = client.post(
        f"/v3/{devs.domain}/messages.mime", data={"to": devs.address}, files={"message": ("m", mime)}
    )
    assert sent.status_code == 200, sent.text
    client.drain()
    (delivered,) = devs.events(event="delivered")
    copy = devs.stored(delivered)
    assert (copy["subject"], copy["body-plain"].strip()) == ("For Bob Łoś", "Dear Łoś")


def test_who_leaves_before_a_message_is_due_does_not_get_it(
    devs: Developers, client: Client, account: Account
) -> None:
    devs.join("ann@x.com", "bob@x.com")
    now = client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": "now"}).json()[
        "now"
    ]
    message_id = devs.post(**{"o:deliverytime": str(int(now) + 3600)})
    assert devs.who("accepted", message_id) == [devs.address]
    client.put(f"{devs.path}/members/ann@x.com", data={"subscribed": "no"})
    client.post("/_emulator/clock", params={"account": account.id}, json={"advance": "1h"})
    assert devs.who("delivered", message_id) == ["bob@x.com"]


def test_what_is_scheduled_can_be_dropped(devs: Developers, client: Client, account: Account) -> None:
    devs.join("bob@x.com")
    now = client.post("/_emulator/clock", params={"account": account.id}, json={"freeze": "now"}).json()[
        "now"
    ]
    message_id = devs.post(**{"o:deliverytime": str(int(now) + 3600)})
    assert client.delete(f"/v3/{devs.domain}/envelopes").status_code == 200
    client.post("/_emulator/clock", params={"account": account.id}, json={"advance": "2h"})
    assert devs.who("delivered", message_id) == []


def test_templates_are_rendered_with_the_variables_of_each_member(devs: Developers, client: Client) -> None:
    made = client.post(
        f"/v3/{devs.domain}/templates",
        data={"name": "news", "template": "<p>{{age}} {{city}} %recipient_fname%</p>"},
    )
    assert made.status_code == 200, made.text
    devs.join({"address": "bob@x.com", "name": "Bob", "vars": {"age": 26, "city": "Rome"}})
    devs.post(template="news", text="", **{"v:city": "Oslo"})
    (delivered,) = devs.events(event="delivered")
    assert "<p>26 Oslo Bob</p>" in devs.stored(delivered)["body-html"]
