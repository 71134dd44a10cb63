import asyncio
from collections.abc import Callable
from contextlib import closing

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state import accounts, keys
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.keys import Role
from mailgun_emulator.state.transaction import Tx


def in_account(*steps: Callable[[Tx], None], clock: Clock | None = None) -> None:
    """Each step in a transaction of its own, all in one new account."""

    async def run() -> None:
        with closing(Database(Settings(database=":memory:", seed=1), clock or Clock())) as database:
            async with database.begin() as tx:
                account_id = accounts.create(tx, domain_names=()).id
            for step in steps:
                async with database.begin(account_id) as tx:
                    step(tx)

    asyncio.run(run())


def test_a_key_opens_nothing_once_it_has_expired() -> None:
    clock = Clock()
    clock.freeze(1_700_000_000.0)

    def make(tx: Tx) -> None:
        keys.create(tx, tx.account_id, secret="short-lived", lifetime=60)
        assert keys.find_by_secret(tx, "short-lived") is not None
        clock.advance(60)

    def look(tx: Tx) -> None:
        assert keys.find_by_secret(tx, "short-lived") is None
        assert keys.is_known(tx, "short-lived")

    in_account(make, look, clock=clock)


def test_a_key_that_is_disabled_opens_nothing() -> None:
    def make(tx: Tx) -> None:
        keys.create(tx, tx.account_id, secret="leaked", disabled_reason="found in a public place")
        assert keys.find_by_secret(tx, "leaked") is None

    in_account(make)


def test_a_deleted_key_opens_nothing_until_it_is_made_again() -> None:
    def rotate(tx: Tx) -> None:
        keys.delete(tx, keys.create(tx, tx.account_id, secret="old").id)
        assert keys.find_by_secret(tx, "old") is None
        assert keys.is_known(tx, "old")
        assert "old" not in [key.secret for key in keys.list_keys(tx)]
        keys.create(tx, tx.account_id, secret="old")
        assert keys.find_by_secret(tx, "old") is not None

    in_account(rotate)


def test_an_account_has_so_many_keys_and_no_more() -> None:
    def fill(tx: Tx) -> None:
        for _ in range(keys.MOST_KEYS - 1):
            keys.check_limit(tx)
            keys.create(tx, tx.account_id)
        with pytest.raises(keys.TooManyKeys, match="could not create key, account limit reached"):
            keys.check_limit(tx)
        keys.delete(tx, keys.list_keys(tx)[-1].id)
        keys.check_limit(tx)

    in_account(fill)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v4/domains", {Role.ADMIN, Role.DEVELOPER, Role.BASIC}),
        ("POST", "/v4/domains", {Role.ADMIN, Role.DEVELOPER}),
        ("DELETE", "/v3/mg.example.com/bounces", {Role.ADMIN, Role.DEVELOPER}),
        ("POST", "/v3/mg.example.com/messages", {Role.ADMIN, Role.DEVELOPER, Role.SENDING}),
        ("POST", "/v3/mg.example.com/messages.mime", {Role.ADMIN, Role.DEVELOPER, Role.SENDING}),
        ("POST", "/v1/analytics/metrics", {Role.ADMIN, Role.DEVELOPER, Role.BASIC}),
        ("PUT", "/v1/analytics/tags", {Role.ADMIN, Role.DEVELOPER}),
        ("GET", "/v1/keys", {Role.ADMIN, Role.DEVELOPER, Role.BASIC}),
        ("POST", "/v1/keys", {Role.ADMIN}),
        ("DELETE", "/v1/keys/f2153fd0-f1277777", {Role.ADMIN}),
        ("POST", "/v2/ip_whitelist", {Role.ADMIN}),
        ("POST", "/v5/accounts/subaccounts", {Role.ADMIN}),
    ],
)
def test_a_role_does_what_it_may(method: str, path: str, allowed: set[Role]) -> None:
    assert {role for role in Role if keys.allows(role, method, path)} == allowed
