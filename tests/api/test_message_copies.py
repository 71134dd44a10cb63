"""What each recipient gets: a copy of its own in batch mode, one for all otherwise."""

import json

from tests.api.test_messages import events, send, stored
from tests.conftest import Account, Client


def test_in_batch_mode_each_recipient_gets_a_copy_of_its_own(client: Client, account: Account) -> None:
    variables = '{"bob@gmail.com": {"first": "Bob", "n": 1}, "sue@x.com": {"first": "Sue"}}'
    send(
        client,
        account.domain,
        to=["Bob B <bob@gmail.com>", "sue@x.com"],
        subject="Hey %recipient.first%",
        text="%recipient_email% %recipient.n% %recipient_fname%",
        **{"recipient-variables": variables, "v:who": "%recipient.first%"},
    )
    by_recipient = {event["recipient"]: event for event in events(client, account.domain, event="accepted")}
    bob = by_recipient["bob@gmail.com"]
    assert bob["message"]["headers"]["subject"] == "Hey Bob"
    assert bob["message"]["headers"]["to"] == "Bob B <bob@gmail.com>"
    assert bob["user-variables"] == {"who": "Bob"}
    assert stored(client, bob["storage"]["url"]).get_content().strip() == "bob@gmail.com 1 Bob"
    sue = by_recipient["sue@x.com"]
    assert stored(client, sue["storage"]["url"]).get_content().strip() == "sue@x.com %recipient.n%"


def test_batch_mode_fills_in_header_fields_and_tells_the_copies_of_a_batch(
    client: Client, account: Account
) -> None:
    variables = {"bob@gmail.com": {"boss": 'Roe, "R"'}, "sue@x.com": {"boss": "Moe"}}
    send(
        client,
        account.domain,
        to=["bob@gmail.com", "sue@x.com"],
        cc="For %recipient_email% <cc@x.com>",
        **{
            "from": f"%recipient.boss% <ann@{account.domain}>",
            "h:Reply-To": "%recipient.boss% <%recipient_email%>",
            "recipient-variables": json.dumps(variables),
        },
    )
    accepted = events(client, account.domain, event="accepted")
    assert sorted(event["recipient"] for event in accepted) == [
        "bob@gmail.com",
        "cc@x.com",
        "cc@x.com",
        "sue@x.com",
    ]
    (batch,) = {
        event["batch"]["id"] for event in accepted + events(client, account.domain, event="delivered")
    }
    bob = next(event for event in accepted if event["recipient"] == "bob@gmail.com")
    assert bob["envelope"]["sender"] == f"ann@{account.domain}"
    message = stored(client, bob["storage"]["url"])
    assert message["X-Mailgun-Batch-Id"] == batch
    assert message["From"].addresses[0].display_name == 'Roe, "R"'
    assert message["From"].addresses[0].addr_spec == f"ann@{account.domain}"
    assert str(message["Cc"]) == '"For bob@gmail.com" <cc@x.com>'
    sue = next(event for event in accepted if event["recipient"] == "sue@x.com")
    assert str(stored(client, sue["storage"]["url"])["Reply-To"]) == "Moe <sue@x.com>"


def test_the_recipients_own_placeholders_are_filled_in_without_batch_mode(
    client: Client, account: Account
) -> None:
    send(client, account.domain, to="Bob B <bob@gmail.com>", text="%recipient_fname% %recipient.first%")
    url = events(client, account.domain, event="accepted")[0]["storage"]["url"]
    assert stored(client, url).get_content().strip() == "Bob %recipient.first%"


def test_mailguns_own_header_fields_can_be_left_out(client: Client, account: Account) -> None:
    given = {"o:tag": "t", "v:a": "b", "o:tracking": "no", "h:x-mailgun-own": "1", "h:X-Other": "2"}
    names = []
    for suppressed in ("", "X-Mailgun-Tag, x-mailgun-own,X-Other", "all"):
        send(client, account.domain, **given, **({"o:suppress-headers": suppressed} if suppressed else {}))
        url = events(client, account.domain, event="accepted")[-1]["storage"]["url"]
        names.append({name.lower() for name, _ in stored(client, url).items()})
    everything, some, none = names
    assert {"x-mailgun-tag", "x-mailgun-variables", "x-mailgun-track", "x-mailgun-sid"} <= everything
    assert everything - some == {"x-mailgun-tag", "x-mailgun-own"}
    assert [name for name in none if name.startswith("x-mailgun")] == []
    assert "x-other" in none


def test_a_recipient_who_is_named_twice_gets_one_copy(client: Client, account: Account) -> None:
    names = ['"Doe, Jane" <jane@x.com>, bob@x.com', "BOB@x.com"]
    send(client, account.domain, to=names, cc=["bob@x.com", "ann@x.com"], bcc="Jane@X.com, eve@x.com")
    accepted = events(client, account.domain, event="accepted")
    assert [event["recipient"] for event in accepted] == ["jane@x.com", "bob@x.com", "ann@x.com", "eve@x.com"]
    assert accepted[0]["message"]["headers"]["to"] == '"Doe, Jane" <jane@x.com>, bob@x.com'
