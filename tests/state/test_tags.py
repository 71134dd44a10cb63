import asyncio
from collections.abc import Callable

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import Resolution
from mailgun_emulator.state import accounts, domains, statistics, tags
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.transaction import Tx


def in_tx(check: Callable[[Tx, str], None]) -> None:
    """With the id of a domain."""

    async def run() -> None:
        clock = Clock()
        clock.freeze(1_700_000_000.0)
        async with Database(Settings(database=":memory:"), clock).begin() as tx:
            tx.account_id = accounts.create(tx, domain_names=("mg.example.com",)).id
            check(tx, domains.get(tx, "mg.example.com").id)

    asyncio.run(run())


def test_a_tag_keeps_the_case_of_its_first_use() -> None:
    def check(tx: Tx, domain_id: str) -> None:
        tags.see(tx, domain_id, ["News"])
        tx.now += 60
        tags.see(tx, domain_id, ["NEWS", "sale"])
        tag = tags.get(tx, domain_id, "news")
        assert (tag.name, tag.last_seen - tag.first_seen) == ("News", 60)
        assert tags.count(tx, domain_id) == 2
        assert tags.names(tx) == {"news": "News", "sale": "sale"}

    in_tx(check)


def test_tags_are_listed_by_name_capitals_first() -> None:
    def check(tx: Tx, domain_id: str) -> None:
        tags.see(tx, domain_id, ["abtest", "You", "zebra", "Apple"])
        assert [tag.name for tag in tags.list_after(tx, domain_id, "", limit=9)] == [
            "Apple", "You", "abtest", "zebra",
        ]  # fmt: skip
        assert [tag.name for tag in tags.list_after(tx, domain_id, "You", limit=1)] == ["abtest"]
        assert [tag.name for tag in tags.list_before(tx, domain_id, "zebra", limit=2)] == ["abtest", "You"]
        assert [tag.name for tag in tags.list_after(tx, domain_id, "", prefix="A", limit=9)] == [
            "Apple", "abtest",
        ]  # fmt: skip

    in_tx(check)


def test_what_was_counted_for_a_tag_goes_with_it_and_the_rest_stays() -> None:
    def check(tx: Tx, domain_id: str) -> None:
        tags.see(tx, domain_id, ["News", "sale"])
        statistics.count(tx, domain_id, "accepted.outgoing", ["News", "sale"])
        tags.delete(tx, tags.get(tx, domain_id, "news"))
        with pytest.raises(tags.TagNotFound):
            tags.get(tx, domain_id, "News")
        today = periods.period(tx.now, tx.now, Resolution.DAY)
        by_tag = statistics.counts(tx, ["accepted"], today, by=statistics.By.TAG)
        assert by_tag == {"sale": {"accepted.outgoing": 1}}
        assert statistics.counts(tx, ["accepted"], today) == {today.start: {"accepted.outgoing": 1}}

    in_tx(check)
