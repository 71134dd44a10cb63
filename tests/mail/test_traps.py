import sqlite3
from contextlib import closing

import pytest

from mailgun_emulator.mail import traps

ADDRESSES = {
    "spamtrap@example.com": "pristine",
    "honeypot@example.com": "pristine",
    "SpamTrap-7@example.com": "pristine",
    "spamtrap+recycled@example.com": "recycled",
    "honeypot+harvested-a@example.com": "harvested",
    "spamtrap+typo@example.com": "typo",
    "bob@gmial.com": "typo",
    "bob@Hotmal.com": "typo",
    "spamtrap+other@example.com": None,
    "spamtraps@example.com": None,
    "my.spamtrap@example.com": None,
    "bob@gmail.com": None,
}


@pytest.mark.parametrize(("address", "kind"), ADDRESSES.items())
def test_a_trap_is_known_by_its_address(address: str, kind: str | None) -> None:
    assert traps.kind_of(address) == kind


def test_the_condition_in_sql_leaves_none_out() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for address, kind in ADDRESSES.items():
            sql = f"SELECT {traps.condition('a')} FROM (SELECT ? AS a)"  # noqa: S608 - a condition of our own
            (found,) = connection.execute(sql, (address.lower(),)).fetchone()
            assert found or kind is None, address
