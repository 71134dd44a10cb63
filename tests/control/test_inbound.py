import base64
from typing import Any

import pytest
from tests.conftest import Account, Client

PATH = "/_emulator/inbound"
MIME = b"From: Ann <ann@x.com>\r\nTo: team@%s\r\nSubject: Hi\r\nMessage-Id: <1@x.com>\r\n" + (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
)
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture
def team(account: Account) -> str:
    return f"team@{account.domain}"


def add_route(client: Client, *actions: str, expression: str = "catch_all()", **given: Any) -> str:
    made = client.post("/v3/routes", data={"expression": expression, "action": actions, **given})
    assert made.status_code == 200, made.text
    return str(made.json()["route"]["id"])


def send(client: Client, to: str | list[str], **fields: Any) -> Any:
    given = {"from": "Ann <ann@x.com>", "to": to, "subject": "Hi", "text": "Hello", **fields}
    answer = client.post(PATH, data=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def stored(client: Client, url: str) -> Any:
    return client.get(url).json()


def events(client: Client, account: Account, **filters: str) -> list[Any]:
    items: list[Any] = client.get(f"/v3/{account.domain}/events", params=filters).json()["items"]
    return items


def test_fields_come_in_as_a_mail(client: Client, account: Account, team: str) -> None:
    route = add_route(client, "store()", "stop()", priority=3)
    answer = send(client, team, cc=f"all@{account.domain}, Bob <bob@elsewhere.org>", **{"h:X-Mine": "yes"})
    assert answer["message"] == "Received for 2 of 3 recipients"
    first, second, third = answer["recipients"]
    done = {"route": route, "expression": "catch_all()", "priority": 3, "target": ""}
    assert first["done"] == [{**done, "action": "store"}, {**done, "action": "stop"}]
    assert first["storage"] == second["storage"]
    assert (third["recipient"], third["accepted"]) == ("bob@elsewhere.org", False)
    assert third["refusal"] == "550 5.1.0 Recipient rejected: <bob@elsewhere.org>"
    assert "The account has no domain elsewhere.org" in third["hint"]
    message = stored(client, first["storage"]["url"])
    assert message["recipients"] == f"{team}, all@{account.domain}"
    assert (message["sender"], message["from"]) == ("ann@x.com", "Ann <ann@x.com>")
    assert (message["subject"], message["body-plain"], message["X-Mine"]) == ("Hi", "Hello", "yes")
    assert (message["X-Mailgun-Incoming"], message["X-Envelope-From"]) == ("Yes", "<ann@x.com>")
    assert "by mxa.mailgun.org with HTTP id" in message["Received"]


def test_a_mime_comes_in_as_it_is(client: Client, account: Account, team: str) -> None:
    add_route(client, "store()")
    mime = MIME % account.domain.encode()
    answer = client.post(PATH, content=mime, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 200, answer.text
    (only,) = answer.json()["recipients"]
    assert (only["recipient"], only["storage"]["message_id"]) == (team, "1@x.com")
    raw = client.get(only["storage"]["url"], headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    assert f"To: {team}\r\nSubject: Hi\r\nMessage-Id: <1@x.com>\r\nMIME-Version: 1.0\r\n" in raw


def test_the_envelope_may_be_another(client: Client, account: Account, team: str) -> None:
    add_route(client, "store()")
    answer = client.post(
        PATH,
        params={"sender": "", "recipient": [team, team.upper()]},
        content=MIME % b"nowhere.example.org",
        headers={"Content-Type": "message/rfc822"},
    ).json()
    assert [each["recipient"] for each in answer["recipients"]] == [team]
    message = stored(client, answer["recipients"][0]["storage"]["url"])
    assert (message["sender"], message["X-Envelope-From"]) == ("", "<>")


def test_files_come_along(client: Client, team: str) -> None:
    add_route(client, "store()")
    fields = {"from": "ann@x.com", "to": team, "html": '<img src="cid:a.png">'}
    files = [("attachment", ("b.txt", b"text", "text/plain")), ("inline", ("a.png", b"png", "image/png"))]
    answer = client.post(PATH, data=fields, files=files).json()
    message = stored(client, answer["recipients"][0]["storage"]["url"])
    assert [(each["name"], each["size"]) for each in message["attachments"]] == [("b.txt", 4), ("a.png", 3)]
    assert message["content-id-map"]["<a.png>"]["name"] == "a.png"


def test_json_is_taken_too(client: Client, team: str) -> None:
    add_route(client, "store()")
    file = {"filename": "b.txt", "content_type": "text/plain", "content": base64.b64encode(b"text").decode()}
    answer = client.post(
        PATH, json={"from": "ann@x.com", "to": [team], "text": "Hello", "attachment": [file]}
    ).json()
    url = answer["recipients"][0]["storage"]["url"]
    assert client.get(f"{url}/attachments/0").content == b"text"


def test_mail_that_comes_in_leaves_events(client: Client, account: Account, team: str) -> None:
    add_route(client, "store()")
    storage = send(client, team)["recipients"][0]["storage"]
    kept, accepted = sorted(events(client, account), key=lambda each: str(each["event"]), reverse=True)
    assert (accepted["event"], accepted["method"], accepted["recipient"]) == ("accepted", "smtp", team)
    assert accepted["flags"] == {"is-routed": False, "is-authenticated": False, "is-test-mode": False}
    assert accepted["envelope"] == {"sender": "ann@x.com", "transport": "smtp", "targets": team}
    assert accepted["storage"]["url"] == storage["url"]
    assert "api-key-id" not in accepted
    assert (kept["event"], kept["message"]["recipients"]) == ("stored", [team])
    assert kept["storage"]["key"] == storage["key"]
    assert "recipient" not in kept
    path = f"/v3/{account.domain}/stats/total?event=accepted&event=stored&duration=1d"
    today = client.get(path).json()["stats"][-1]
    assert today["accepted"] == {"incoming": 1, "outgoing": 0, "total": 1}
    assert today["stored"]["total"] == 1


def test_what_no_route_takes_is_refused(client: Client, account: Account, team: str) -> None:
    fields = {"from": "ann@x.com", "to": team, "text": "Hello"}
    refused = client.post(PATH, data=fields)
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "message": f"Nobody takes this message. 550 5.1.0 Recipient rejected: <{team}>: "
            "The account has no routes; make one with POST /v3/routes."
        },
    )
    add_route(client, "store()", expression='match_recipient("sales@")')
    refused = client.post(PATH, data=fields)
    assert 'routes: match_recipient("sales@") (priority 0)' in refused.json()["message"]
    assert events(client, account) == []


def test_routes_run_by_priority_until_one_says_stop(client: Client, account: Account, team: str) -> None:
    third = add_route(client, "store()", expression="match_recipient('.*')", priority=3)
    first = add_route(client, "store()", expression="match_recipient('team@')", priority=1)
    second = add_route(client, "stop()", "store()", expression="match_header('subject', 'Hi')", priority=2)
    add_route(client, "store()", priority=4)

    def routes(**fields: str) -> list[str]:
        done = send(client, team, **fields)["recipients"][0]["done"]
        return [each["route"] for each in done if each["action"] == "store"]

    assert routes() == [first, second]
    assert routes(subject="Other") == [first, third]


def test_a_wildcard_domain_takes_mail_for_what_is_below_it(client: Client, account: Account) -> None:
    add_route(client, "store()")
    recipient = f"team@a.b.{account.domain}"
    fields = {"from": "ann@x.com", "to": recipient, "text": "Hello"}
    assert client.post(PATH, data=fields).status_code == 400
    client.put(f"/v4/domains/{account.domain}", data={"wildcard": "true"})
    (only,) = send(client, recipient)["recipients"]
    assert (only["recipient"], only["storage"]["domain"]) == (recipient, account.domain)


def test_each_domain_has_a_copy_of_its_own(client: Client, account: Account) -> None:
    other = f"other.{account.domain}"
    client.post("/v4/domains", data={"name": other})
    add_route(client, "store()")
    answer = send(client, [f"a@{account.domain}", f"b@{other}", f"c@{other}"])["recipients"]
    assert [each["storage"]["domain"] for each in answer] == [account.domain, other, other]
    assert stored(client, answer[2]["storage"]["url"])["recipients"] == f"b@{other}, c@{other}"


def test_spam_is_marked_where_a_domain_wants_it(client: Client, account: Account, team: str) -> None:
    add_route(client, "store()", expression="match_header('X-Mailgun-Sflag', 'Yes')")
    add_route(client, "store()", expression="catch_all()", priority=1)

    def received(text: str, **fields: str) -> Any:
        return stored(client, send(client, team, text=text, **fields)["recipients"][0]["storage"]["url"])

    assert "X-Mailgun-Sflag" not in received(GTUBE)
    client.put(f"/v4/domains/{account.domain}", data={"spam_action": "tag"})
    spam = received(GTUBE)
    assert (spam["X-Mailgun-Sflag"], spam["X-Mailgun-Sscore"]) == ("Yes", "999.0")
    assert spam["X-Mailgun-Spam-Rules"] == "GTUBE"
    ham = received("Hello", **{"h:X-Mailgun-Sflag": "Yes"})
    assert (ham["X-Mailgun-Sflag"], ham["X-Mailgun-Sscore"]) == ("No", "0.0")


def test_spam_is_blocked_where_a_domain_wants_it(client: Client, account: Account, team: str) -> None:
    add_route(client, "store()")
    client.put(f"/v4/domains/{account.domain}", data={"spam_action": "block"})
    refused = client.post(PATH, data={"from": "ann@x.com", "to": team, "text": GTUBE})
    assert refused.status_code == 400
    assert "550 5.7.1 Message rejected as spam" in refused.json()["message"]
    assert send(client, team)["recipients"][0]["accepted"]


def test_events_say_that_a_domain_encrypts_what_comes_in(client: Client, account: Account, team: str) -> None:
    name = f"safe.{account.domain}"
    client.post("/v4/domains", data={"name": name, "encrypt_incoming_message": "true"})
    add_route(client, "store()")
    send(client, f"team@{name}")
    items = client.get(f"/v3/{name}/events").json()["items"]
    assert [each["flags"]["is-encrypted"] for each in items] == [True, True]


def test_mail_that_goes_round_in_circles_is_refused(client: Client, account: Account) -> None:
    add_route(client, "store()")
    mime = b"Received: from a by b\r\n" * 25 + MIME % account.domain.encode()
    refused = client.post(PATH, content=mime, headers={"Content-Type": "message/rfc822"})
    assert refused.status_code == 400
    assert "554 5.4.6 Too many hops" in refused.json()["message"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "from is missing"),
        ({"from": "ann@x.com"}, "The message is for nobody"),
        ({"from": "ann", "to": "b@x.com"}, "from has 'ann', which is no address"),
        ({"from": "ann@x.com", "to": "b@"}, "to has 'b@', which is no address"),
        ({"from": "ann@x.com", "to": "b@x.com", "attachment": "text"}, "A file is neither a part"),
        ({"from": "ann@x.com", "to": "b@x.com", "recipient": "x y"}, "recipient has 'x y'"),
    ],
)
def test_what_is_no_mail_is_refused_with_help(client: Client, given: dict[str, str], why: str) -> None:
    refused = client.post(PATH, data=given)
    assert refused.status_code == 400
    assert why in refused.json()["message"]
    assert "message/rfc822" in refused.json()["message"]


def test_the_account_may_be_named(client: Client, account: Account, team: str, server_url: str) -> None:
    add_route(client, "store()")
    with Client(base_url=server_url) as outsider:
        fields = {"from": "ann@x.com", "to": team, "text": "Hello"}
        assert outsider.post(PATH, data=fields).status_code == 400
        assert outsider.post(PATH, params={"account": account.id}, data=fields).status_code == 200
