import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailgun_emulator.testing import Emulator, EmulatorError, File, Mailgun
from mailgun_emulator.testing.message import Headers

HTML = '<p>Your code is 482913.</p><a href="https://shop.example/confirm?t=1">Confirm</a> <a href="https://shop.example/">Shop</a>'


def test_all_of_a_message_is_at_hand(mailgun: Mailgun) -> None:
    mailgun.clock.freeze("2026-01-01T00:00:00Z")
    mailgun.send(
        "Ann <ann@example.com>",
        "Welcome",
        "Your code is 482913.",
        HTML,
        from_="Shop <shop@example.com>",
        attachments=[File("a.txt", b"first", "text/plain"), File("b.bin", b"\x00\xff")],
        fields={"cc": "bob@example.com", "o:tag": ["shop", "new"], "v:order": "7", "h:X-Own": "yes"},
    )
    (message,) = mailgun.messages
    assert (message.from_, message.to, message.cc) == (
        "Shop <shop@example.com>",
        ["Ann <ann@example.com>"],
        ["bob@example.com"],
    )
    assert message.recipients == ["ann@example.com", "bob@example.com"]
    assert (message.subject, message.tags, message.domain, message.direction) == (
        "Welcome",
        ["shop", "new"],
        mailgun.domain,
        "outgoing",
    )
    assert message.variables == {"order": "7"}
    assert message.at == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert message.text.strip() == "Your code is 482913."
    assert "482913" in message.html
    assert message.headers["x-own"] == "yes"
    assert message.headers["Message-Id"] == f"<{message.message_id}>"
    assert message.links == ["https://shop.example/confirm?t=1", "https://shop.example/"]
    assert (message.code, message.codes) == ("482913", ["482913"])
    assert [(each.filename, each.content_type, each.size, each.content) for each in message.attachments] == [
        ("a.txt", "text/plain", 5, b"first"),
        ("b.bin", "application/octet-stream", 2, b"\x00\xff"),
    ]
    assert (message.template, message.test_mode, message.recipient) == (None, False, "ann@example.com")
    assert message.raw.startswith(b"Received:") or b"Subject: Welcome" in message.raw
    assert repr(message) == "<Message 'Welcome' to ann@example.com, bob@example.com>"


def test_messages_are_told_from_the_oldest_to_the_newest(mailgun: Mailgun) -> None:
    for number in range(3):
        mailgun.send(subject=f"Number {number}")
    assert [each.subject for each in mailgun.messages] == ["Number 0", "Number 1", "Number 2"]


def test_a_message_is_found_by_the_id_that_the_api_answered(mailgun: Mailgun) -> None:
    sent = mailgun.send()
    assert mailgun.message(f"<{sent.message_id}>") == mailgun.message(sent.id) == sent
    assert len({sent, mailgun.messages[0]}) == 1
    with pytest.raises(EmulatorError, match="nowhere"):
        mailgun.message("nowhere@example.com")


def test_each_recipient_reads_it_in_his_own_words(mailgun: Mailgun) -> None:
    sent = mailgun.send(
        ["ann@example.com", "bob@example.com"],
        "Hello %recipient.name%",
        "Dear %recipient.name%",
        fields={
            "recipient-variables": '{"ann@example.com": {"name": "Ann"}, "bob@example.com": {"name": "Bob"}}'
        },
    )
    assert sent.as_seen_by("bob@example.com").text.strip() == "Dear Bob"
    assert {each.text.strip() for each in mailgun.messages} == {"Dear Ann", "Dear Bob"}


def test_what_happened_to_a_message_is_told_as_it_stands(mailgun: Mailgun) -> None:
    sent = mailgun.send()
    assert [each.event for each in sent.events] == ["accepted", "delivered"]
    mailgun.complain(sent)
    assert [each.event for each in sent.events] == ["accepted", "delivered", "complained"]


def test_a_message_without_a_code_says_what_it_reads(mailgun: Mailgun) -> None:
    sent = mailgun.send(text="Nothing to type in.")
    with pytest.raises(
        AssertionError,
        match=r"<Message 'Hello' to ann@example.com> has no code in it:\s+Nothing to type in\.",
    ):
        str(sent.code)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"to": "ann@example.com"}, "a"),
        ({"to": "*@example.org"}, "b"),
        ({"from_": "shop"}, "a"),
        ({"subject": "HELLO"}, "a b"),
        ({"tag": "news"}, "b"),
        ({"text": "second"}, "b"),
        ({"has": "attachment"}, "a"),
        ({"since": "1h"}, "b"),
        ({"since": timedelta(hours=1)}, "b"),
        ({"before": datetime(2026, 1, 1, 1, tzinfo=UTC)}, "a"),
        ({"query": "subject:hello -tag:news"}, "a"),
        ({"to": "ann@example.com", "tag": "news"}, ""),
    ],
)
def test_messages_are_found_by_what_is_said_of_them(mailgun: Mailgun, filters: Any, found: str) -> None:
    mailgun.clock.freeze("2026-01-01T00:00:00Z")
    mailgun.send("ann@example.com", "Hello a", "first", from_="shop@x.com", attachments=[File("x", b"y")])
    mailgun.clock.advance(hours=2)
    mailgun.send("bob@example.org", "Hello b", "second", from_="me@x.com", fields={"o:tag": "news"})
    assert [each.subject[-1] for each in mailgun.find_messages(**filters)] == found.split()


def test_an_unknown_filter_is_told_before_anything_is_asked(mailgun: Mailgun) -> None:
    asks: list[Callable[..., object]] = [
        mailgun.find_messages,
        mailgun.wait_for_message,
        mailgun.assert_sent,
        mailgun.assert_not_sent,
    ]
    for ask in asks:
        with pytest.raises(TypeError, match=r"There is no filter 'subjet'; did you mean 'subject'\?"):
            ask(subjet="x")
    with pytest.raises(TypeError, match="There is no filter 'who'; there are recipient, message, tag"):
        mailgun.events(who="x")  # type: ignore[call-arg]


def test_a_filter_is_one_value(mailgun: Mailgun) -> None:
    with pytest.raises(TypeError, match=r"^to is one value, not \['ann@example.com'\]\.$"):
        mailgun.wait_for_message(to=["ann@example.com"])  # type: ignore[call-overload]


def test_waiting_for_none_is_refused(mailgun: Mailgun) -> None:
    mailgun.send()
    with pytest.raises(EmulatorError, match="count: Input should be greater than or equal to 1"):
        mailgun.wait_for_message(count=0)


def test_messages_are_deleted_by_what_is_said_of_them(mailgun: Mailgun) -> None:
    mailgun.send(subject="Keep")
    mailgun.send(subject="Drop")
    assert mailgun.delete_messages(subject="Drop") == 1
    assert [each.subject for each in mailgun.messages] == ["Keep"]
    assert mailgun.delete_messages() == 1


def test_a_wait_ends_with_what_was_waited_for(mailgun: Mailgun) -> None:
    later = threading.Timer(0.05, mailgun.send, kwargs={"subject": "Late"})
    later.start()
    assert mailgun.wait_for_message(subject="Late").subject == "Late"
    later.join()


def test_a_wait_for_several_gives_them_in_their_order(mailgun: Mailgun) -> None:
    later = [threading.Thread(target=mailgun.send, kwargs={"subject": f"Of {number}"}) for number in range(3)]
    for each in later:
        each.start()
    found = mailgun.wait_for_message(count=3)
    assert sorted(each.subject for each in found) == ["Of 0", "Of 1", "Of 2"]
    assert found == mailgun.messages
    for each in later:
        each.join()


def test_waiting_since_an_instant_skips_what_was_before(mailgun: Mailgun) -> None:
    mailgun.clock.freeze("2026-01-01T00:00:00Z")
    mailgun.send(subject="Before")
    now = mailgun.clock.advance(60)
    with pytest.raises(AssertionError):
        mailgun.wait_for_message(since=now, timeout=0.01)
    mailgun.send(subject="After")
    assert mailgun.wait_for_message(since=now).subject == "After"


def test_an_event_is_waited_for(mailgun: Mailgun) -> None:
    sent = mailgun.send("deferred@example.com")
    assert mailgun.wait_for_event("failed", message=sent).severity == "temporary"
    mailgun.clock.advance(hours=1)
    delivered = mailgun.wait_for_event(["delivered", "opened"], recipient="deferred@example.com")
    assert (delivered.event, delivered.message_id, delivered.code) == ("delivered", sent.message_id, 250)


def test_events_are_found_by_what_is_said_of_them(mailgun: Mailgun) -> None:
    first = mailgun.send("ann@example.com", fields={"o:tag": "news", "v:a": "b"})
    mailgun.send("bounce@example.com")
    assert [each.event for each in mailgun.events()] == ["accepted", "delivered", "accepted", "failed"]
    assert [each.recipient for each in mailgun.events("failed", severity="permanent")] == [
        "bounce@example.com"
    ]
    assert [each.event for each in mailgun.events(message=first)] == ["accepted", "delivered"]
    (delivered,) = mailgun.events("delivered", tag="news")
    assert (delivered.tags, delivered.variables, delivered.url) == (["news"], {"a": "b"}, "")
    (failed,) = mailgun.events("failed")
    assert (failed.code, failed.reason, failed.severity) == (550, "bounce", "permanent")
    assert failed.description.startswith("5.1.1")
    assert repr(failed) == "<Event failed for bounce@example.com (permanent 550 bounce)>"


def test_headers_are_read_whatever_their_case() -> None:
    headers = Headers([("Received", "a"), ("received", "b"), ("To", "c")])
    assert (headers["RECEIVED"], headers.all("received"), headers.get("none")) == ("a", ["a", "b"], None)
    assert ("to" in headers, "cc" in headers, len(headers)) == (True, False, 2)


def test_many_messages_are_read_page_by_page(mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgun_emulator.testing.account_client.PAGE", 2)
    for number in range(5):
        mailgun.send(subject=str(number))
    assert [each.subject for each in mailgun.messages] == list("01234")
    assert len(mailgun.events()) == 10
    assert len(mailgun.requests()) == 5


def test_an_account_that_was_deleted_is_told(mailgun_server: Emulator) -> None:
    with mailgun_server.account() as gone:
        pass
    with pytest.raises(EmulatorError, match=f"There is no account {gone.id}"):
        gone.wait_for_message(timeout=1)
