import http.client
import time

import orjson
import pytest

from mailgun_emulator.mail.signing import sign
from mailgun_emulator.testing import Emulator, EmulatorError, File, Mailgun, Receiver
from mailgun_emulator.testing.webhooks import KINDS


def post(receiver: Receiver, body: bytes, kind: str = "application/json") -> int:
    host, _, port = receiver.url.removeprefix("http://").partition("/")[0].partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("POST", "/webhooks", body, {"Content-Type": kind})
    status = connection.getresponse().status
    connection.close()
    return status


def told(key: str, event: str = "opened", **more: object) -> bytes:
    signature = {"timestamp": "1767225600", "token": "t" * 50, "signature": sign(key, "1767225600", "t" * 50)}
    return orjson.dumps(
        {"signature": signature, "event-data": {"event": event, "recipient": "ann@example.com", **more}}
    )


def test_what_happens_is_posted_and_verified(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver()
    sent = mailgun.send()
    delivered = receiver.wait("delivered", message=sent)
    assert (delivered.verified, delivered.recipient, delivered.message_id) == (
        True,
        "ann@example.com",
        sent.message_id,
    )
    assert delivered.payload.event == "delivered"
    assert delivered.headers["user-agent"].startswith("mailgun/")
    assert [each.event for each in receiver.received] == ["accepted", "delivered"]
    assert (delivered.method, delivered.path) == ("POST", "/webhooks")


def test_each_is_given_out_once_in_the_order_it_came(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["delivered"])
    for subject in ("First", "Second"):
        mailgun.send(subject=subject)
        mailgun.drain()
    subjects = [receiver.wait().payload["message"]["headers"]["subject"] for _ in range(2)]
    assert subjects == ["First", "Second"]
    assert len(receiver.received) == 2
    receiver.clear()
    assert receiver.received == []


def test_only_the_events_that_are_named_are_posted(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["permanent_fail"])
    mailgun.send()
    mailgun.send("bounce@example.com")
    failed = receiver.wait("permanent_fail")
    assert (failed.event, failed.webhook) == ("failed", "permanent_fail")
    mailgun.drain()
    assert len(receiver.received) == 1


def test_what_is_not_signed_rightly_is_kept_and_marked(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(events=())
    assert post(receiver, told("another key")) == 200
    assert post(receiver, told(mailgun.signing_key)) == 200
    assert post(receiver, b"{") == post(receiver, b"[]") == post(receiver, b"", "text/plain") == 200
    assert [each.verified for each in receiver.received] == [False, True, False, False, False]
    assert [each.event for each in receiver.received] == ["opened", "opened", "", "", ""]
    assert repr(receiver.received[0]) == "<ReceivedWebhook opened for ann@example.com, not verified>"


def test_answers_are_as_they_were_asked_for_and_posts_are_tried_again(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["delivered"])
    receiver.answer(503, times=2)
    mailgun.send()
    mailgun.drain()
    mailgun.clock.advance(hours=1)
    (delivery,) = mailgun.webhooks.deliveries("delivered")
    assert (delivery.state, delivery.status, len(receiver.received)) == ("done", 200, 3)
    assert [each["response"]["status"] for each in delivery.attempts] == [503, 503, 200]


def test_an_answer_may_be_for_one_event_slow_or_none_at_all(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(events=())
    receiver.answer(406)
    receiver.answer(500, event="clicked", body="no")
    assert post(receiver, told("k")) == 406
    assert post(receiver, told("k", "clicked")) == 500
    receiver.answer(204, delay=0.05, times=1)
    begun = time.monotonic()
    assert post(receiver, told("k")) == 204
    assert time.monotonic() - begun >= 0.05
    receiver.answer(200)
    assert post(receiver, told("k")) == 200
    receiver.answer(0)
    with pytest.raises(http.client.RemoteDisconnected):
        post(receiver, told("k"))


def test_what_does_not_come_is_told_with_what_did(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["delivered", "opened"])
    with pytest.raises(AssertionError) as nothing:
        receiver.wait("opened", timeout=0.01)
    assert str(nothing.value) == (
        f"No webhook 'opened' came to {receiver.url} within 0.01 s.\n\n"
        "Nothing came.\n\nThe emulator has nothing to post to it."
    )
    receiver.answer(500)
    mailgun.send()
    mailgun.drain()
    with pytest.raises(AssertionError) as other:
        receiver.wait("opened", recipient="ann@example.com", timeout=0.01)
    assert str(other.value) == (
        f"No webhook 'opened' for ann@example.com came to {receiver.url} within 0.01 s.\n\n"
        "What came:\n  <ReceivedWebhook delivered for ann@example.com>\n\n"
        "The emulator's posts:\n"
        "  webhook    recipient        state    answered\n"
        "  delivered  ann@example.com  pending  500"
    )


def test_a_closed_receiver_is_registered_nowhere(mailgun: Mailgun) -> None:
    path = f"/v3/domains/{mailgun.domain}/webhooks"
    with mailgun.webhooks.receiver() as one:
        mailgun.webhooks.receiver("opened")
        hooks = mailgun.client.call("GET", path)["webhooks"]
        assert sorted(name for name, each in hooks.items() if one.url in each["urls"]) == sorted(KINDS)
    hooks = mailgun.client.call("GET", path)["webhooks"]
    assert [name for name, each in hooks.items() if each and each["urls"]] == ["opened"]
    one.close()


def test_a_registration_that_is_refused_leaves_no_receiver(mailgun: Mailgun) -> None:
    with pytest.raises(EmulatorError, match="event_type 'sent' is invalid"):
        mailgun.webhooks.receiver(["sent"])
    assert mailgun.webhooks._receivers == []


def test_containers_know_this_machine_by_another_name(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(host="localhost", path="/hooks/mailgun")
    assert receiver.url == f"http://localhost:{receiver.port}/hooks/mailgun"
    mailgun.send()
    assert receiver.wait("delivered").path == "/hooks/mailgun"


def test_a_port_that_is_taken_is_told(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(events=())
    with pytest.raises(
        EmulatorError, match=f"Can't listen on 127.0.0.1:{receiver.port}: Address already in use"
    ):
        mailgun.webhooks.receiver(port=receiver.port)


def test_mail_that_a_route_forwards_is_read_as_a_form(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(events=(), path="/mail")
    mailgun.client.call(
        "POST", "/v3/routes", [("expression", "catch_all()"), ("action", f'forward("{receiver.url}")')]
    )
    content = bytes(range(256))
    mailgun.receive(
        "bob@example.org",
        f"x@{mailgun.domain}",
        "Hëlp",
        "It is brøken.",
        attachments=[File("ä.bin", content)],
    )
    came = receiver.wait()
    assert came.verified
    assert (came.recipient, came.fields["subject"]) == (f"x@{mailgun.domain}", "Hëlp")
    assert came.fields["body-plain"].strip() == "It is brøken."
    assert [(each.filename, each.content) for each in came.files] == [("ä.bin", content)]


def test_a_post_is_waited_for_and_made_again(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["delivered"])
    sent = mailgun.send()
    delivery = mailgun.wait_for_webhook("delivered", message=sent)
    assert (delivery.url, delivery.recipient, delivery.webhook) == (
        receiver.url,
        "ann@example.com",
        "delivered",
    )
    assert mailgun.webhooks.resend(delivery).status == 200
    assert len(receiver.received) == 2
    assert mailgun.webhooks.deliveries(url="http://elsewhere/") == []


def test_what_is_signed_with_a_key_made_anew_is_verified(mailgun: Mailgun) -> None:
    first = mailgun.signing_key
    receiver = mailgun.webhooks.receiver("accepted")
    mailgun.send()
    assert receiver.wait("accepted").verified
    renewed = mailgun.client.call("POST", "/v5/accounts/http_signing_key")["http_signing_key"]
    assert first != mailgun.signing_key == renewed == mailgun.env["MAILGUN_WEBHOOK_SIGNING_KEY"]
    mailgun.send()
    assert receiver.wait("accepted").verified
    post(receiver, told(first))
    assert not receiver.wait("opened").verified


def test_a_subaccounts_webhooks_are_verified_by_its_own_key(
    mailgun_server: Emulator, mailgun: Mailgun
) -> None:
    with mailgun_server.account(parent=mailgun) as child:
        receiver = child.webhooks.receiver()
        child.send()
        assert receiver.wait("delivered").verified


def test_many_posts_at_once_are_taken(mailgun: Mailgun) -> None:
    receivers = [mailgun.webhooks.receiver(["delivered"]) for _ in range(3)]
    mailgun.send([f"user{number}@example.com" for number in range(50)])
    mailgun.drain()
    assert [len(each.received) for each in receivers] == [50] * 3
    assert all(each.verified for receiver in receivers for each in receiver.received)
