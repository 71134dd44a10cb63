"""What addresses and rules ask for, and what follows a delivery; on a clock that stands still until it is moved."""

from typing import Any

import pytest
from tests.pipeline.test_life_of_a_message import DOMAIN, START, Story, tell

from mailgun_emulator.core.ids import Ids
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.pipeline import outcomes
from mailgun_emulator.pipeline.outcomes import Outcome, Security, outcome_for, reply
from mailgun_emulator.state import outcome_rules, suppressions
from mailgun_emulator.state.suppressions import Kind

SCHEDULE = (600, 600, 900, 1800, 3600, 7200, 14400)


async def listed(it: Story, address: str) -> set[str]:
    """The lists that the address is on."""
    async with it.database.begin(it.account_id) as tx:
        (domain_id,) = tx.read("SELECT id FROM domain WHERE name = :name", {"name": DOMAIN}).fetchone()
        return {each.kind for each in suppressions.list_of_address(tx, domain_id, address)}


async def rule(it: Story, wanted: dict[str, Any], outcome: dict[str, Any], times: int | None = None) -> str:
    async with it.database.begin(it.account_id) as tx:
        return outcome_rules.create(tx, wanted, outcome, times).id


async def counts(it: Story, rule_id: str) -> tuple[int, int]:
    async with it.database.begin(it.account_id) as tx:
        found = outcome_rules.get(tx, rule_id)
    return found.seen, found.hits


async def lasting(it: Story) -> None:
    """As long as retries can take."""
    for seconds in SCHEDULE:
        await it.later(seconds)


BOUNCED = ["accepted", "failed permanent"]
RETRIED = ["accepted", "failed temporary", "delivered"]
GIVEN_UP = ["accepted", *["failed temporary"] * 7, "failed permanent"]


TRIED: list[tuple[str, list[str], set[str]]] = [
    ("delivered@example.com", ["accepted", "delivered"], set()),
    ("ann@example.com", ["accepted", "delivered"], set()),
    ("bounce@example.com", BOUNCED, {"bounce"}),
    ("BOUNCE@simulator.test", BOUNCED, {"bounce"}),
    ("bounce+553@example.com", BOUNCED, {"bounce"}),
    ("bounce-7@example.com", BOUNCED, {"bounce"}),
    ("bounce+550-ann.smith@example.com", BOUNCED, {"bounce"}),
    ("bounce+552@example.com", BOUNCED, set()),
    ("bounce+554@example.com", BOUNCED, set()),
    ("bounce+421@example.com", GIVEN_UP, set()),
    ("bounce+250@example.com", ["accepted", "delivered"], set()),
    ("softbounce@example.com", RETRIED, set()),
    ("deferred@example.com", RETRIED, set()),
    ("deferred+0@example.com", ["accepted", "delivered"], set()),
    ("deferred+2@example.com", ["accepted", *["failed temporary"] * 2, "delivered"], set()),
    ("deferred+7@example.com", ["accepted", *["failed temporary"] * 7, "delivered"], set()),
    ("deferred+8@example.com", GIVEN_UP, set()),
    ("greylisted@example.com", RETRIED, set()),
    ("espblock@example.com", GIVEN_UP, set()),
    ("timeout@example.com", GIVEN_UP, set()),
    ("complaint@example.com", ["accepted", "delivered", "complained"], {"complaint"}),
    ("unsubscribe@example.com", ["accepted", "delivered", "unsubscribed"], {"unsubscribe"}),
    ("opened@example.com", ["accepted", "delivered", "opened"], set()),
    ("opened-7@example.com", ["accepted", "delivered", "opened"], set()),
    ("clicked@example.com", ["accepted", "delivered", "opened", "clicked"], set()),
    ("delayedbounce@example.com", ["accepted", "delivered", "failed permanent"], {"bounce"}),
    ("suppressed@example.com", BOUNCED, set()),
    ("suppressed-bounce@example.com", BOUNCED, set()),
    ("suppressed-unsubscribe-2@example.com", BOUNCED, set()),
    ("suppressed-complaint@example.com", BOUNCED, set()),
    ("opened@x.com", ["accepted", "delivered"], set()),
    ("opened+1@example.com", ["accepted", "delivered"], set()),
    ("openeds@example.com", ["accepted", "delivered"], set()),
]


@pytest.mark.parametrize(("address", "seen", "lists"), TRIED)
def test_an_address_gets_what_it_asks_for(address: str, seen: list[str], lists: set[str]) -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send(address)
        await it.worker.drain()
        await lasting(it)
        assert await it.seen() == seen
        assert await listed(it, address) == lists

    tell(story)


def test_every_documented_address_is_tried_above() -> None:
    words = {str(address).partition("@")[0].partition("+")[0] for address, _, _ in TRIED}
    missing = set(outcomes.ADDRESSES) - words - {"notls", "badcert", "suppressed-unsubscribe"}
    assert not missing
    table = outcomes.documented()
    assert all(f"`{word}@`" in table for word in outcomes.ADDRESSES)


def test_what_is_suppressed_by_address_has_the_codes_of_the_lists() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        for word in ("suppressed", "suppressed-unsubscribe", "suppressed-complaint"):
            await it.send(f"{word}@example.com")
        failed = [event for event in await it.events() if event["event"] == "failed"]
        assert [(event["reason"], event["delivery-status"]["code"]) for event in failed] == [
            ("suppress-bounce", 605),
            ("suppress-unsubscribe", 606),
            ("suppress-complaint", 607),
        ]

    tell(story)


def test_other_domains_can_be_set_aside_and_case_does_not_matter() -> None:
    settings = Settings(simulator_domain=("mine.test",))
    assert outcome_for("bounce@Mine.test", Security(), settings).code == 550
    assert outcome_for("bounce@sub.mine.test", Security(), settings).code == 250
    assert outcome_for("bounce@mine.test", Security(), Settings()).code == 250


def test_only_who_is_not_there_bounces_hard() -> None:
    codes = {code: reply(code).hard for code in (550, 551, 552, 553, 554, 521)}
    assert codes == {550: True, 551: True, 552: False, 553: True, 554: False, 521: True}
    assert reply(550, "5.2.1").hard
    assert not reply(550, "5.2.2").hard
    assert not reply(450).hard


def test_a_reply_is_completed_from_what_is_said_of_it() -> None:
    assert reply(550, text="5.7.1 Go away")[:3] == (550, "5.7.1", "5.7.1 Go away")
    assert reply(550, "5.4.4")[:3] == (550, "5.4.4", f"5.4.4 {reply(550).text[6:]}")
    assert reply(451, text="4.7.1 Greylisted for 5 minutes").reason == "greylisted"
    assert reply(499, domain="x.com").text == "Unable to connect to MX servers: [x.com]"
    assert reply(252) == Outcome(252, "", "OK")


def test_a_server_that_is_not_reached_has_no_name_and_no_tls() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send("timeout@example.com")
        failed = (await it.events())[1]
        assert (failed["severity"], failed["reason"], failed["log-level"]) == ("temporary", "generic", "warn")
        assert failed["delivery-status"] == {
            "attempt-no": 1,
            "message": "Unable to connect to MX servers: [example.com]",
            "code": 499,
            "description": "",
            "session-seconds": 0.0,
            "retry-seconds": 600,
        }

    tell(story)


def test_the_reasons_of_temporary_failures_are_told() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        for word in ("greylisted", "espblock", "deferred"):
            await it.send(f"{word}@example.com")
        failed = [event for event in await it.events() if event["event"] == "failed"]
        assert [event["reason"] for event in failed] == ["greylisted", "espblock", "generic"]

    tell(story)


def test_the_first_link_is_clicked_html_before_text() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        html = (
            '<p><a class="x" href="%unsubscribe_url%">no</a> <a href="https://x.com/?a=1&amp;b=2">yes</a></p>'
        )
        await it.send("clicked@example.com", html=html)
        await it.worker.drain()
        *_, opened, clicked = await it.events()
        assert clicked["url"] == "https://x.com/?a=1&b=2"
        assert opened["client-info"]["client-type"] == "browser"
        assert clicked["message"]["headers"]["message-id"] == opened["message"]["headers"]["message-id"]

    async def without(it: Story) -> None:
        await it.begin()
        await it.send("clicked@example.com")
        await it.worker.drain()
        assert (await it.events())[-1]["url"] == f"https://{DOMAIN}/"

    tell(story)
    tell(without)


def test_a_bounce_that_comes_back_later_is_told_as_such() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send("delayedbounce@example.com")
        await it.worker.drain()
        bounce = (await it.events())[-1]
        assert (bounce["reason"], bounce["flags"], bounce["envelope"]) == (
            "generic",
            {"is-delayed-bounce": True},
            {},
        )
        assert bounce["delivery-status"]["bounce-code"] == "5.1.1"
        assert bounce["delivery-status"]["message"].startswith("smtp; 550 5.1.1 ")
        await it.send("delayedbounce@example.com")
        assert (await it.events())[-1]["delivery-status"]["code"] == 605

    tell(story)


def test_test_mode_asks_no_address_and_no_rule() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        made = await rule(it, {}, {"code": 550})
        await it.send("bounce@example.com", options={"testmode": "yes"})
        assert (await it.events())[-1]["delivery-status"]["code"] == 650
        assert await counts(it, made) == (0, 0)

    tell(story)


def test_who_is_gone_after_some_time_is_given_up_before_the_next_attempt() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await it.send("timeout@example.com", options={"deliver-until": str(START + 1500)})
        await lasting(it)
        assert await it.seen() == ["accepted", "failed temporary", "failed temporary", "failed permanent"]
        last = (await it.events())[-1]
        assert (last["reason"], last["timestamp"]) == ("old", START + 1200)

    tell(story)


def test_the_first_rule_that_fits_goes_before_the_address() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await rule(it, {"recipient_domain": "y.com"}, {"code": 551})
        one = await rule(
            it, {"recipient": "B*@X.com"}, {"code": 552, "text": "Full up", "mx_host": "mx1.x.com"}
        )
        two = await rule(it, {}, {"code": 250})
        await it.send("bob@x.com")
        await it.send("bounce@example.com")
        _, failed, _, delivered = await it.events()
        status = failed["delivery-status"]
        assert (status["code"], status["enhanced-code"], status["message"]) == (552, "5.2.2", "Full up")
        assert (status["mx-host"], status["bounce-type"]) == ("mx1.x.com", "soft")
        assert delivered["event"] == "delivered"
        assert await counts(it, one) == (1, 1)
        assert await counts(it, two) == (1, 1)

    tell(story)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"tag": "news*"}, True),
        ({"tag": "other"}, False),
        ({"sender": "a@x.com"}, True),
        ({"sender": f"postmaster@{DOMAIN}"}, True),
        ({"domain": DOMAIN}, True),
        ({"domain": "*.net"}, False),
        ({"subject": "*welcome*"}, True),
        ({"subject": "welcome"}, False),
        ({"recipient_domain": "x.*", "tag": "none"}, False),
    ],
)
def test_a_rule_fits_when_all_its_conditions_do(wanted: dict[str, Any], fits: bool) -> None:
    async def story(it: Story) -> None:
        await it.begin()
        made = await rule(it, wanted, {"code": 550})
        await it.send("bob@x.com", tags=["Newsletter"], subject="A Welcome to you")
        assert await counts(it, made) == (int(fits), int(fits))
        assert (await it.seen())[-1] == ("failed permanent" if fits else "delivered")

    tell(story)


@pytest.mark.parametrize(
    ("wanted", "times", "failed"),
    [
        ({"nth": 2}, None, [2]),
        ({"every": 3}, None, [3, 6]),
        ({}, 2, [1, 2]),
        ({"every": 2}, 1, [2]),
        ({"probability": 1}, None, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_rule_can_be_for_some_of_what_it_fits(
    wanted: dict[str, Any], times: int | None, failed: list[int]
) -> None:
    async def story(it: Story) -> None:
        await it.begin()
        made = await rule(it, wanted, {"code": 554}, times)
        for number in range(6):
            await it.send(f"r{number + 1}@x.com")
        gone = [event["recipient"] for event in await it.events() if event["event"] == "failed"]
        assert gone == [f"r{number}@x.com" for number in failed]
        assert await counts(it, made) == (6, len(failed))

    tell(story)


def test_chance_is_the_same_with_the_same_seed() -> None:
    def run() -> list[str]:
        seen: list[str] = []

        async def story(it: Story) -> None:
            it.database.ids = Ids(7)
            await it.begin()
            await rule(it, {"probability": 0.5}, {"code": 554})
            for number in range(20):
                await it.send(f"r{number}@x.com")
            seen.extend(await it.seen())

        tell(story)
        return seen

    first = run()
    assert first == run()
    assert {"delivered", "failed permanent"} < set(first)


def test_a_rule_stays_with_a_delivery_until_it_is_deleted() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        made = await rule(it, {}, {"code": 452, "attempts": 2}, 1)
        await it.send("bob@x.com")
        await it.later(600)
        assert await it.seen() == ["accepted", "failed temporary", "failed temporary"]
        await it.later(600)
        assert (await it.seen())[-1] == "delivered"
        assert await counts(it, made) == (1, 1)

    async def deleted(it: Story) -> None:
        await it.begin()
        made = await rule(it, {}, {"code": 452})
        await it.send("bob@x.com")
        async with it.database.begin(it.account_id) as tx:
            outcome_rules.delete_rule(tx, made)
        await it.later(600)
        assert await it.seen() == ["accepted", "failed temporary", "delivered"]

    tell(story)
    tell(deleted)


def test_an_attempt_can_take_its_time() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        await rule(it, {}, {"code": 450, "attempts": 1, "delay": 90.0})
        await it.send("bob@x.com")
        assert await it.later(89) == 0
        assert await it.later(1) == 1
        assert await it.seen() == ["accepted", "failed temporary"]
        assert (await it.events())[-1]["delivery-status"]["session-seconds"] == 90.0
        assert await it.later(689) == 0
        await it.later(1)
        assert (await it.seen())[-1] == "delivered"

    tell(story)


def test_what_follows_comes_at_its_time_even_if_the_message_is_stored_no_longer() -> None:
    async def story(it: Story) -> None:
        await it.begin()
        then = [
            {"event": "opened", "after": 3600.0, "user_agent": "curl/8", "ip": "198.51.100.9"},
            {"event": "clicked", "after": 7200.0, "url": "https://x.com/a"},
            {"event": "unsubscribed", "after": 7200.0, "tags": ["news"]},
            {"event": "complained", "after": 500_000.0},
        ]
        await rule(it, {}, {"then": then})
        await it.send("bob@x.com")
        assert await it.later(3599) == 0
        await it.later(1)
        opened = (await it.events())[-1]
        assert (opened["event"], opened["ip"], opened["timestamp"]) == (
            "opened",
            "198.51.100.9",
            START + 3600,
        )
        assert opened["client-info"]["user-agent"] == "curl/8"
        await it.later(3600)
        *_, clicked, unsubscribed = await it.events()
        assert (clicked["url"], unsubscribed["tags"]) == ("https://x.com/a", ["news"])
        it.database.connection.execute("DELETE FROM message")
        await it.later(500_000)
        assert (await it.events())[-1]["event"] == "complained"
        assert await listed(it, "bob@x.com") == {Kind.UNSUBSCRIBE, Kind.COMPLAINT}

    tell(story)
