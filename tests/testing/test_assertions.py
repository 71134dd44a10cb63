import re

import pytest
from tests.receiver import dead_url

from mailgun_emulator.testing import Emulator, EmulatorError, Mailgun

IDS = re.compile(r"BA[\w-]{32}")


def failure(call: object, *arguments: object, **more: object) -> str:
    """What the call fails with; ids of messages are no two times the same."""
    assert callable(call)
    with pytest.raises(AssertionError) as failed:
        call(*arguments, **more)
    return "\n".join(line.rstrip() for line in IDS.sub("ID", str(failed.value)).splitlines())


@pytest.fixture(autouse=True)
def _at_new_year(mailgun: Mailgun) -> None:
    mailgun.clock.freeze("2026-01-01T00:00:00Z")


def test_what_was_not_sent_is_told_with_what_was(mailgun: Mailgun) -> None:
    mailgun.send("bob@example.com", "Hello")
    mailgun.clock.advance(seconds=90)
    mailgun.send("ann@example.com", "Welcom", fields={"o:tag": ["shop", "new"]})
    assert failure(mailgun.assert_sent, to="ann@example.com", subject="Welcome") == (
        "No message with to='ann@example.com', subject='Welcome' was sent.\n"
        "\n"
        "The nearest is 'Welcom' to ann@example.com:\n"
        "  subject: 'Welcom' instead of 'Welcome'\n"
        "\n"
        "2 messages were sent:\n"
        "  to               subject   tags       at                   id\n"
        "  ann@example.com  'Welcom'  shop, new  2026-01-01 00:01:30  ID\n"
        "  bob@example.com  'Hello'              2026-01-01 00:00:00  ID"
    )


def test_where_nothing_was_sent_it_says_so(mailgun: Mailgun) -> None:
    with pytest.raises(EmulatorError):
        mailgun.send("no address")
    assert failure(mailgun.assert_sent, to="ann@example.com") == (
        "No message with to='ann@example.com' was sent.\n"
        "\n"
        "Nothing was sent at all.\n"
        "\n"
        "Requests that failed:\n"
        f"  POST /v3/{mailgun.domain}/messages: 400 to parameter is not a valid address. please check documentation"
    )


def test_requests_that_came_with_another_key_are_the_usual_reason() -> None:
    with Emulator() as emulator, emulator.account() as mailgun:
        assert failure(mailgun.assert_sent) == (
            "No message was sent.\n\nNothing was sent at all.\n\nNo request came with this account's key."
        )
        emulator.default.send()
        assert failure(mailgun.assert_sent) == (
            "No message was sent.\n\nNothing was sent at all.\n\n"
            "No request came with this account's key, but these did with others:\n"
            "  POST /v3/mg.example.com/messages: 200"
        )


def test_what_did_not_come_in_time_is_told(mailgun: Mailgun) -> None:
    mailgun.send()
    assert failure(mailgun.wait_for_message, subject="Bye", timeout=0.01).startswith(
        "No message with subject='Bye' came within 0.01 s.\n\nThe nearest is 'Hello' to ann@example.com:\n"
    )
    assert failure(mailgun.wait_for_message, count=2, timeout=0.01).startswith(
        "1 message came within 0.01 s instead of 2.\n\n1 message was sent:\n"
    )


def test_one_that_is_there_is_given(mailgun: Mailgun) -> None:
    mailgun.send(subject="First")
    mailgun.send(subject="Second")
    assert mailgun.assert_sent(to="ann@example.com").subject == "Second"
    assert [each.subject for each in mailgun.assert_sent(count=2)] == ["First", "Second"]
    assert [each.subject for each in mailgun.assert_sent(count=1, subject="First")] == ["First"]


def test_too_many_are_told(mailgun: Mailgun) -> None:
    mailgun.send()
    mailgun.send()
    assert failure(mailgun.assert_sent, count=1, to="ann@example.com") == (
        "2 messages with to='ann@example.com' were sent instead of 1.\n"
        "\n"
        "  to               subject  at                   id\n"
        "  ann@example.com  'Hello'  2026-01-01 00:00:00  ID\n"
        "  ann@example.com  'Hello'  2026-01-01 00:00:00  ID"
    )
    assert failure(mailgun.assert_sent, count=3, to="ann@example.com").startswith(
        "2 messages with to='ann@example.com' were sent instead of 3.\n"
    )


def test_what_should_not_have_been_sent_is_told(mailgun: Mailgun) -> None:
    mailgun.assert_not_sent()
    mailgun.send(subject="Secret")
    mailgun.assert_not_sent(to="bob@example.com")
    assert failure(mailgun.assert_not_sent, to="*@example.com") == (
        "1 message with to='*@example.com' was sent, and none should have been.\n"
        "\n"
        "  to               subject   at                   id\n"
        "  ann@example.com  'Secret'  2026-01-01 00:00:00  ID"
    )


def test_what_was_delivered_is_given(mailgun: Mailgun) -> None:
    sent = mailgun.send(["ann@example.com", "bounce@example.com"])
    assert mailgun.assert_delivered(to="ann@example.com") == sent
    assert mailgun.assert_delivered(sent, recipient="ANN@example.com") == sent
    assert mailgun.assert_delivered(sent.message_id, recipient="ann@example.com") == sent
    assert failure(mailgun.assert_delivered, sent).startswith(
        "'Hello' was not delivered to bounce@example.com: "
    )
    assert failure(mailgun.assert_delivered, sent, recipient="eve@example.com") == (
        "<Message 'Hello' to ann@example.com, bounce@example.com> does not go to eve@example.com."
    )


def test_a_refusal_for_good_is_explained(mailgun: Mailgun) -> None:
    mailgun.send("bounce@example.com")
    assert failure(mailgun.assert_delivered, to="bounce@example.com") == (
        "'Hello' was not delivered to bounce@example.com: it failed for good with 550, "
        "'5.1.1 The email account that you tried to reach does not exist'.\n"
        "\n"
        "  at                   event\n"
        "  2026-01-01 00:00:00  accepted\n"
        "  2026-01-01 00:00:00  failed    permanent 550 bounce: "
        "5.1.1 The email account that you tried to reach does not exist"
    )


def test_a_suppression_is_explained_by_its_list(mailgun: Mailgun) -> None:
    mailgun.bounce(mailgun.send())
    mailgun.send(subject="Again")
    assert failure(mailgun.assert_delivered, subject="Again") == (
        f"'Again' was not delivered to ann@example.com: ann@example.com is on the bounce list of {mailgun.domain}.\n"
        "\n"
        "  at                   event\n"
        "  2026-01-01 00:00:00  accepted\n"
        "  2026-01-01 00:00:00  failed    permanent 605 suppress-bounce: Not delivering to previously bounced address"
    )


def test_what_only_time_will_bring_is_explained(mailgun: Mailgun) -> None:
    mailgun.send("deferred@example.com")
    assert failure(mailgun.assert_delivered, to="deferred@example.com").startswith(
        "'Hello' was not delivered to deferred@example.com: it failed with 450, "
    )
    assert "; it is tried again 600 s after that.\n" in failure(
        mailgun.assert_delivered, to="deferred@example.com"
    )
    mailgun.send("bob@example.com", fields={"o:deliverytime": "Thu, 01 Jan 2026 10:00:00 +0000"})
    assert failure(mailgun.assert_delivered, to="bob@example.com").startswith(
        "'Hello' was not delivered to bob@example.com: it is scheduled for 2026-01-01 10:00:00.\n"
    )
    mailgun.clock.advance(hours=10)
    mailgun.assert_delivered(to="deferred@example.com")
    mailgun.assert_delivered(to="bob@example.com")


def test_an_event_that_did_not_happen_is_told_with_those_that_did(mailgun: Mailgun) -> None:
    assert failure(mailgun.wait_for_event, "opened", timeout=0.01) == (
        "No 'opened' came within 0.01 s. There are no events at all."
    )
    mailgun.send()
    mailgun.drain()
    assert failure(mailgun.wait_for_event, "opened", recipient="ann@example.com", timeout=0.01) == (
        "No 'opened' with recipient='ann@example.com' came within 0.01 s.\n"
        "\n"
        "What there is, the nearest first:\n"
        "  at                   event                          but\n"
        "  2026-01-01 00:00:00  delivered for ann@example.com  event: 'delivered' instead of 'opened'\n"
        "  2026-01-01 00:00:00  accepted for ann@example.com   event: 'accepted' instead of 'opened'"
    )


def test_a_webhook_that_was_not_posted_is_told_with_those_that_were(mailgun: Mailgun) -> None:
    assert failure(mailgun.wait_for_webhook, "opened", timeout=0.01) == (
        "No webhook with event='opened' was posted within 0.01 s. "
        "Nothing goes to any webhook: is one registered?"
    )
    with dead_url() as url:
        mailgun.client.call(
            "POST", f"/v3/domains/{mailgun.domain}/webhooks", [("id", "delivered"), ("url", url)]
        )
        mailgun.send()
        mailgun.drain()
        assert failure(mailgun.wait_for_webhook, "opened", timeout=0.01) == (
            "No webhook with event='opened' was posted within 0.01 s.\n"
            "\n"
            "What there is, the nearest first:\n"
            "  webhook    recipient        url                      answered   but\n"
            f"  delivered  ann@example.com  {url}  by nobody  event: 'delivered' instead of 'opened'"
        )


def test_a_long_subject_is_cut_in_the_table_and_nowhere_else(mailgun: Mailgun) -> None:
    long = "Long " * 30
    mailgun.send(subject=long)
    told = failure(mailgun.assert_not_sent)
    assert "'Long Long Long Long Long Long Long Lon…  2026" in told
    assert all(len(line) < 130 for line in told.splitlines())
