"""Django sends through anymail's Mailgun backend."""

from collections.abc import Iterator
from datetime import timedelta
from email.mime.image import MIMEImage
from typing import Any

import pytest
from tests.clients import django_site
from tests.conftest import Account, Client

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _site(server_url: str, account: Account) -> Iterator[None]:
    with django_site.settings_for(server_url, account):
        yield


def message(**about: Any) -> Any:
    from anymail.message import AnymailMessage

    return AnymailMessage(**{"subject": "Hi", "body": "Text", "to": ["Bob <bob@x.com>"], **about})


def delivered(client: Client, account: Account) -> dict[str, dict[str, Any]]:
    """The events of what was delivered, by recipient."""
    client.drain()
    events = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    return {event["recipient"]: event for event in events}


def stored(client: Client, event: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(event["storage"]["url"]).json())


def test_django_sends_mail_as_ever(client: Client, account: Account) -> None:
    from django.core.mail import send_mail

    assert send_mail("Plain", "Text", None, ["bob@x.com"], html_message="<b>HTML</b>") == 1
    found = stored(client, delivered(client, account)["bob@x.com"])
    assert (found["From"], found["Subject"]) == (f"ann@{account.domain}", "Plain")
    assert (found["body-plain"].strip(), found["body-html"].strip()) == ("Text", "<b>HTML</b>")


def test_everything_that_a_message_can_have(client: Client, account: Account) -> None:
    from anymail.message import attach_inline_image

    sent = message(
        subject="Grüße",
        cc=["cat@x.com"],
        bcc=["dan@x.com"],
        reply_to=["reply@x.com", "Other <other@x.com>"],
        headers={"X-Kind": "anymail"},
        metadata={"order": 7, "user": "bob"},
        tags=["one", "two"],
        track_opens=True,
        track_clicks=False,
    )
    cid = attach_inline_image(sent, PNG, filename="logo.png")
    sent.attach_alternative(f'<a href="https://x.com/">Go</a><img src="cid:{cid}">', "text/html")
    sent.attach_alternative("<!doctype html><html amp4email></html>", "text/x-amp-html")
    sent.attach("notes.txt", "some notes", "text/plain")
    sent.attach("Übersicht.csv", "a,b", "text/csv")
    sent.attach(MIMEImage(PNG, "png", name="photo.png"))
    assert sent.send() == 1

    status = sent.anymail_status
    assert (status.status, status.message_id[0], status.message_id[-1]) == ({"queued"}, "<", ">")
    assert {who: each.status for who, each in status.recipients.items()} == dict.fromkeys(
        ("bob@x.com", "cat@x.com", "dan@x.com"), "queued"
    )
    assert status.esp_response.json()["message"] == "Queued. Thank you."

    events = delivered(client, account)
    assert set(events) == set(status.recipients)
    event = events["bob@x.com"]
    assert f"<{event['message']['headers']['message-id']}>" == status.message_id
    assert (event["tags"], event["user-variables"]) == (["one", "two"], {"order": "7", "user": "bob"})
    found = stored(client, event)
    assert (found["Subject"], found["X-Kind"], found["Cc"]) == ("Grüße", "anymail", "cat@x.com")
    assert found["Reply-To"] == "reply@x.com, Other <other@x.com>"
    names = {item["name"] for item in found["attachments"]}
    assert names == {"notes.txt", "Übersicht.csv", "photo.png", cid}
    assert found["content-id-map"].keys() == {f"<{cid}>"}
    assert 'href="https://x.com/"' in found["body-html"]


def test_a_batch_is_merged_by_recipient(client: Client, account: Account) -> None:
    sent = message(
        subject="Hi %recipient.name%",
        body="You are in %recipient.city%.",
        to=["bob@x.com", "Cat <cat@x.com>"],
        merge_data={"bob@x.com": {"name": "Bob"}, "cat@x.com": {"name": "Cat", "city": "Paris"}},
        merge_global_data={"city": "Rome"},
        metadata={"campaign": "spring"},
        merge_metadata={"bob@x.com": {"order": "1"}, "cat@x.com": {"order": "2"}},
        merge_headers={"bob@x.com": {"X-Seat": "1A"}, "cat@x.com": {"X-Seat": "2B"}},
    )
    sent.send()
    events = delivered(client, account)
    for who, name, city, order, seat in (
        ("bob@x.com", "Bob", "Rome", "1", "1A"),
        ("cat@x.com", "Cat", "Paris", "2", "2B"),
    ):
        assert events[who]["user-variables"] == {"campaign": "spring", "order": order}
        found = stored(client, events[who])
        assert (found["Subject"], found["X-Seat"]) == (f"Hi {name}", seat)
        assert found["body-plain"].strip() == f"You are in {city}."
        assert who in found["To"]
        assert ("bob@x.com" in found["To"]) != ("cat@x.com" in found["To"])


def test_a_batch_without_data_shows_nobody_the_others(client: Client, account: Account) -> None:
    message(to=["bob@x.com", "cat@x.com"], merge_data={}).send()
    events = delivered(client, account)
    assert stored(client, events["cat@x.com"])["To"] == "cat@x.com"


def test_a_stored_template_is_merged(client: Client, account: Account) -> None:
    template = {"name": "order", "template": "<p>{{name}}: order {{order}}, {{shop}}</p>"}
    client.post(f"/v3/{account.domain}/templates", data=template)
    message(
        body="",
        template_id="order",
        to=["bob@x.com", "cat@x.com"],
        merge_data={"bob@x.com": {"name": "Bob", "order": "1"}, "cat@x.com": {"name": "Cat", "order": "2"}},
        merge_global_data={"shop": "Ours"},
        esp_extra={"t:text": "yes"},
    ).send()
    events = delivered(client, account)
    bodies = {who: stored(client, event)["body-html"].strip() for who, event in events.items()}
    assert bodies == {
        "bob@x.com": "<p>Bob: order 1, Ours</p>",
        "cat@x.com": "<p>Cat: order 2, Ours</p>",
    }
    assert stored(client, events["bob@x.com"])["body-plain"].strip() == "Bob: order 1, Ours"


def test_mailguns_own_options_go_through(client: Client, account: Account) -> None:
    other = f"other.{account.domain}"
    client.post("/v4/domains", data={"name": other})
    client.put(f"/v4/domains/{other}/verify")
    message(esp_extra={"sender_domain": other, "o:testmode": "yes", "o:dkim": "no"}).send()
    message(envelope_sender=f"bounces@{other}", to=["cat@x.com"]).send()
    client.drain()
    events = client.get(f"/v3/{other}/events", params={"event": "delivered"}).json()["items"]
    flags = {event["recipient"]: event["flags"]["is-test-mode"] for event in events}
    assert flags == {"bob@x.com": True, "cat@x.com": False}


def test_a_message_is_sent_later(client: Client, account: Account) -> None:
    from django.utils import timezone

    message(send_at=timezone.now() + timedelta(hours=2)).send()
    assert delivered(client, account) == {}
    client.post("/_emulator/clock", json={"advance": "2h"})
    assert set(delivered(client, account)) == {"bob@x.com"}


def test_many_messages_use_one_connection(client: Client, account: Account) -> None:
    from django.core.mail import get_connection

    with get_connection() as connection:
        letters = [message(to=[f"r{number}@x.com"]) for number in range(5)]
        assert connection.send_messages(letters) == 5
    assert len(delivered(client, account)) == 5


def test_a_key_that_opens_nothing_is_an_error(server_url: str, account: Account, closed_key: str) -> None:
    from anymail.exceptions import AnymailAPIError

    with (
        django_site.settings_for(server_url, account, MAILGUN_API_KEY=closed_key),
        pytest.raises(AnymailAPIError, match="401") as caught,
    ):
        message().send()
    assert caught.value.response.text == "Forbidden"


def test_what_mailgun_refuses_is_an_error() -> None:
    from anymail.exceptions import AnymailAPIError

    with pytest.raises(AnymailAPIError, match="Need at least one of 'text'") as caught:
        message(body="").send()
    assert caught.value.status_code == 400


def test_a_wrong_address_of_the_api_is_an_error(server_url: str, account: Account) -> None:
    from anymail.exceptions import AnymailAPIError

    wrong = f"{server_url}/v9"
    with django_site.settings_for(server_url, account, MAILGUN_API_URL=wrong), pytest.raises(AnymailAPIError):
        message().send()
