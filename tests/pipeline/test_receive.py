"""Mail that comes in without HTTP: from the account itself, in circles, and to unsubscribe."""

import asyncio
import re
from typing import Any

from tests.pipeline.test_life_of_a_message import DOMAIN, START, Story

from mailgun_emulator.pipeline import receive
from mailgun_emulator.pipeline.finish import finished
from mailgun_emulator.pipeline.receive import Incoming, Received
from mailgun_emulator.state import jobs, messages, routes, suppressions
from mailgun_emulator.state.jobs import Step

TEAM = f"team@{DOMAIN}"


class Inbox(Story):
    async def add_route(self, *actions: str, expression: str = "catch_all()") -> None:
        async with self.database.begin(self.account_id) as tx:
            routes.create(tx, priority=0, description="", expression=expression, actions=actions)

    async def come_in(
        self, *recipients: str, mime: bytes = b"From: b@x.com\nSubject: Hi\n\nHello\n"
    ) -> Received:
        mail = Incoming(sender="b@x.com", recipients=recipients, mime=mime, base_url="http://here")
        async with self.database.begin(self.account_id) as tx:
            return receive.receive(tx, mail)

    async def takes(self, recipient: str) -> bool:
        async with self.database.begin(self.account_id) as tx:
            refusal = receive.refusal_of(tx, recipient)
            taken = receive.takes(tx, recipient)
        assert taken is (refusal is None)
        return taken


def run(story: Any) -> None:
    async def tell() -> None:
        inbox = Inbox()
        try:
            await inbox.begin(unsubscribe_active=True)
            await story(inbox)
        finally:
            await inbox.worker.stop()
            inbox.database.close()

    asyncio.run(tell())


def test_what_may_be_taken_is_known_before_the_header_comes() -> None:
    async def story(inbox: Inbox) -> None:
        assert not await inbox.takes(TEAM)
        await inbox.add_route("store()", expression="match_recipient('team@') and match_header('a', 'b')")
        assert await inbox.takes(TEAM)
        assert await inbox.takes(TEAM.upper())
        assert not await inbox.takes(f"sales@{DOMAIN}")
        assert not await inbox.takes("team@x.com")
        received = await inbox.come_in(TEAM)
        assert str(received.refused[TEAM]) == f"550 5.1.0 Recipient rejected: <{TEAM}>"

    run(story)


def test_what_the_account_sends_to_itself_comes_in_again() -> None:
    async def story(inbox: Inbox) -> None:
        await inbox.add_route("store()")
        message_id = await inbox.send(TEAM)
        await inbox.worker.drain()
        told = await inbox.events()
        assert [each["event"] for each in told] == ["accepted", "delivered", "accepted", "stored"]
        sent, came = told[0], told[2]
        assert {each["message"]["headers"]["message-id"] for each in told} == {message_id}
        assert (came["flags"]["is-authenticated"], came["recipient"]) == (False, TEAM)
        assert came["storage"]["key"] != sent["storage"]["key"]
        async with inbox.database.begin(inbox.account_id) as tx:
            stored = messages.get_stored(tx, _domain_id(tx), came["storage"]["key"])
        assert stored.mime.index(b"X-Mailgun-Incoming: Yes") < stored.mime.index(b"DKIM-Signature:")

    run(story)


def test_signatures_of_the_account_are_checked() -> None:
    async def story(inbox: Inbox) -> None:
        inbox.clock.freeze(START - 10**8)
        await inbox.add_route("store()")
        async with inbox.database.begin(inbox.account_id) as tx:
            tx.execute("UPDATE domain SET spam_action = 'tag'", {})
        await inbox.send(TEAM)
        await inbox.worker.drain()
        async with inbox.database.begin(inbox.account_id) as tx:
            mime = messages.find_mime(tx, 2)
        assert mime is not None
        result = b"X-Mailgun-Dkim-Check-Result: "
        assert result + b"Pass" in mime
        for changed, told in (
            (mime.replace(b"Subject:", b"Subject: Re:"), result + b"Fail"),
            (mime.replace(b"d=mg.example.com", b"d=x.example.org"), None),
        ):
            message = (await inbox.come_in(TEAM, mime=changed)).taken[TEAM].message
            assert message is not None
            async with inbox.database.begin(inbox.account_id) as tx:
                found = messages.find_mime(tx, message.id) or b""
            assert told in found if told else result not in found

    run(story)


def test_a_message_that_is_gone_comes_in_no_more() -> None:
    async def story(inbox: Inbox) -> None:
        async with inbox.database.begin(inbox.account_id) as tx:
            jobs.schedule(tx, Step.RECEIVE, f"99 {TEAM}")
            jobs.schedule(
                tx, Step.FORWARD, f'[99, "{TEAM}", "http://127.0.0.1:9/"]', lane="http://127.0.0.1:9/"
            )
        await inbox.worker.drain()
        assert inbox.database.pending_jobs() == 0
        assert await inbox.events() == []

    run(story)


def test_mail_does_not_go_round_in_circles_for_ever() -> None:
    async def story(inbox: Inbox) -> None:
        await inbox.add_route(f'forward("{TEAM}")')
        await inbox.come_in(TEAM)
        await inbox.worker.drain()
        rounds = [each for each in await inbox.events() if each["event"] == "accepted"]
        assert len(rounds) == 2 * receive.MOST_ROUNDS

    run(story)


def test_mail_that_doubles_on_its_way_comes_to_an_end() -> None:
    async def story(inbox: Inbox) -> None:
        await inbox.add_route(f'forward("a@{DOMAIN}, b@{DOMAIN}")')
        await inbox.come_in(TEAM)
        await inbox.worker.drain()
        came_in = [
            each
            for each in await inbox.events()
            if each["event"] == "accepted" and not each["flags"]["is-routed"]
        ]
        assert len(came_in) == 2**receive.MOST_ROUNDS - 1

    run(story)


def test_mail_unsubscribes_who_got_the_address() -> None:
    async def story(inbox: Inbox) -> None:
        await inbox.send("bob@x.com", html="<a href='mailto:%unsubscribe_email%'>no more</a>")
        async with inbox.database.begin(inbox.account_id) as tx:
            message, mime = messages.find_sent(tx, 1), messages.find_mime(tx, 1)
            assert message is not None
            assert mime is not None
            found = re.search(rb"mailto:(u\+[^@']+@[^']+)'", finished(tx, message, mime, "bob@x.com"))
        assert found is not None
        address = found[1].decode().replace("=\r\n", "")
        assert await inbox.takes(address)
        received = await inbox.come_in(address)
        assert [each.action for each in received.taken[address].done] == ["unsubscribe"]
        assert received.taken[address].message is None
        async with inbox.database.begin(inbox.account_id) as tx:
            listed = suppressions.list_of_address(tx, _domain_id(tx), "bob@x.com")
        assert [str(each.kind) for each in listed] == ["unsubscribe"]
        forged = f"u+{'a' * 20}@{DOMAIN}"
        assert not await inbox.takes(forged)
        assert forged in (await inbox.come_in(forged)).refused

    run(story)


def _domain_id(tx: Any) -> str:
    (found,) = tx.execute("SELECT id FROM domain WHERE name = :name", {"name": DOMAIN}).fetchone()
    return str(found)
