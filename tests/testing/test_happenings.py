import pytest
from tests.receiver import Receiver

from mailgun_emulator.testing import EmulatorError, File, Mailgun

HTML = '<html><body><a href="https://shop.example/a">First</a> <a href="https://shop.example/b">Second</a></body></html>'
TRACKED = {"o:tracking": "yes", "o:tracking-clicks": "yes", "o:tracking-opens": "yes"}


@pytest.mark.parametrize("fields", [{}, TRACKED], ids=["on demand", "by its own links"])
def test_a_recipient_opens_and_clicks(mailgun: Mailgun, fields: dict[str, str]) -> None:
    sent = mailgun.send(html=HTML, fields=fields)
    assert mailgun.open(sent).event == "opened"
    assert mailgun.click(sent).url == "https://shop.example/a"
    assert mailgun.click(sent, "Second").url == "https://shop.example/b"
    clicked = mailgun.click(sent.message_id, "https://shop.example/b", user_agent="curl/8")
    assert clicked["client-info"]["client-type"] == "library"
    assert [each.event for each in sent.events] == ["accepted", "delivered", "opened", *["clicked"] * 3]


def test_the_pixel_is_really_fetched_and_the_link_really_followed(mailgun: Mailgun) -> None:
    sent = mailgun.send(html=HTML, fields=TRACKED)
    assert sent.all_links[0].tracked is not None
    opened, clicked = mailgun.open(sent), mailgun.click(sent)
    assert opened["client-info"]["client-name"] == clicked["client-info"]["client-name"] == "Chrome"
    assert opened.recipient == clicked.recipient == "ann@example.com"


def test_what_a_visit_can_not_tell_is_made_on_demand(mailgun: Mailgun) -> None:
    sent = mailgun.send(html=HTML, fields=TRACKED)
    opened = mailgun.open(sent, ip="198.51.100.7", geolocation={"country": "DE"})
    assert (opened["ip"], opened["geolocation"]["country"]) == ("198.51.100.7", "DE")


def test_each_recipient_does_it_for_himself(mailgun: Mailgun) -> None:
    sent = mailgun.send(
        ["ann@example.com", "bob@example.com"], html=HTML, fields={**TRACKED, "recipient-variables": "{}"}
    )
    assert mailgun.open(sent, "bob@example.com").recipient == "bob@example.com"
    assert mailgun.click(sent, recipient="bob@example.com").recipient == "bob@example.com"
    assert mailgun.complain(sent, "ann@example.com").recipient == "ann@example.com"


def test_a_link_that_is_not_there_is_told_with_those_that_are(mailgun: Mailgun) -> None:
    with pytest.raises(
        ValueError, match=r"has no link 'Third'; it has https://shop.example/a \(First\), https://"
    ):
        mailgun.click(mailgun.send(html=HTML), "Third")
    with pytest.raises(
        ValueError, match=r"<Message 'Hello' to ann@example.com> has no link; it has none at all\."
    ):
        mailgun.click(mailgun.send())


@pytest.mark.parametrize("fields", [{}, TRACKED], ids=["on demand", "by one click"])
def test_a_recipient_unsubscribes_and_is_not_sent_to_again(mailgun: Mailgun, fields: dict[str, str]) -> None:
    mailgun.client.call(
        "PUT", f"/v3/domains/{mailgun.domain}/tracking/unsubscribe", [("active", "yes" if fields else "no")]
    )
    sent = mailgun.send(html=HTML, fields=fields)
    assert bool(sent.unsubscribe_url) is bool(fields)
    assert mailgun.unsubscribe(sent).event == "unsubscribed"
    with pytest.raises(AssertionError, match="is on the list of unsubscribes of"):
        mailgun.assert_delivered(mailgun.send(subject="Again"))


def test_a_complaint_and_a_bounce_are_made(mailgun: Mailgun) -> None:
    assert mailgun.complain(mailgun.send()).event == "complained"
    bounced = mailgun.bounce(mailgun.send("bob@example.com"), code=552, text="Full")
    assert (bounced.code, bounced.description, bounced.severity) == (552, "smtp; 552 Full", "permanent")


def test_a_message_that_waits_for_its_time_is_delivered_at_once(mailgun: Mailgun) -> None:
    message = mailgun.send(fields={"o:deliverytime": f"{mailgun.clock.now + 7200:.0f}"})
    assert mailgun.deliver(message).recipient == "ann@example.com"
    mailgun.assert_delivered(message)


def test_what_can_not_happen_says_why(mailgun: Mailgun) -> None:
    with pytest.raises(EmulatorError, match="The message failed for good to bounce@"):
        mailgun.open(mailgun.send("bounce@example.com", html=HTML, fields=TRACKED))
    assert [each.event for each in mailgun.events()] == ["accepted", "failed"]


def test_mail_comes_in_and_is_told_by_the_routes(mailgun: Mailgun, receiver: Receiver) -> None:
    mailgun.client.call(
        "POST",
        "/v3/routes",
        [("expression", "catch_all()"), ("action", f'forward("{receiver.url("/mail")}")')],
    )
    told = mailgun.receive(
        "bob@example.org",
        f"support@{mailgun.domain}",
        "Help",
        "It is broken.",
        attachments=[File("photo.jpg", b"\xff\xd8", "image/jpeg")],
        headers={"X-Own": "yes"},
    )
    assert told["message"] == "Received for 1 of 1 recipients"
    (came,) = receiver.wait_for(1, "/mail")
    assert b"It is broken." in came.body
    assert [each.subject for each in mailgun.find_messages(direction="incoming")] in (["Help"], [])


def test_a_whole_mail_comes_in(mailgun: Mailgun) -> None:
    mailgun.client.call("POST", "/v3/routes", [("expression", "catch_all()"), ("action", "store()")])
    mime = f"From: bob@example.org\r\nTo: x@{mailgun.domain}\r\nSubject: Raw\r\n\r\nHi\r\n"
    mailgun.receive(mime=mime)
    mailgun.receive(mime=mime.encode(), recipient=f"other@{mailgun.domain}", sender="")
    found = mailgun.find_messages(direction="incoming")
    assert [each.subject for each in found] == ["Raw", "Raw"]
    assert found[1].recipients == [f"other@{mailgun.domain}"]


def test_mail_that_nobody_takes_is_refused_with_why(mailgun: Mailgun) -> None:
    with pytest.raises(EmulatorError, match="Nobody takes this message"):
        mailgun.receive("bob@example.org", f"x@{mailgun.domain}", "Hi", "Hi")
