import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.pipeline.worker import Worker
from mailgun_emulator.state import accounts, dns_records, domain_keys, domain_removal, domains, jobs
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.domains import Domain, Finding, State
from mailgun_emulator.state.transaction import Tx

DAY = 86400
NAME = "mg.example.com"


class World:
    """A database with an account and its verified domain, and a clock that stands still."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(1_800_000_000)
        self.database = Database(Settings(database=":memory:"), self.clock)
        self.worker = Worker(self.database)
        self.account_id = ""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[tuple[Tx, Domain]]:
        async with self.database.begin(self.account_id) as tx:
            yield tx, domains.get(tx, NAME)


def run(story: Callable[[World], Awaitable[None]]) -> None:
    async def tell() -> None:
        world = World()
        async with world.database.begin() as tx:
            world.account_id = accounts.create(tx, domain_names=(NAME,)).id
        await story(world)
        world.database.close()

    asyncio.run(tell())


def active_key(tx: Tx, domain: Domain) -> domain_keys.DomainKey:
    (key,) = (key for key in domain_keys.list_keys(tx, domain) if key.active)
    return key


def test_keys_are_replaced_each_time_the_interval_has_passed() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            domains.update(tx, domain, use_automatic_sender_security=True)
            dns_records.check(tx, domain)
            domain_keys.set_rotation(tx, domain, enabled=True, interval=5 * DAY)
            first = active_key(tx, domain).public
        world.clock.advance(5 * DAY - 1)
        await world.worker.drain()
        async with world.begin() as (tx, domain):
            assert active_key(tx, domain).selector == "pdk1"
        seen = [first]
        for selector in ("pdk2", "pdk1", "pdk2"):
            world.clock.advance(5 * DAY)
            await world.worker.drain()
            async with world.begin() as (tx, domain):
                key = active_key(tx, domain)
                assert key.selector == selector
                seen.append(key.public)
        assert len(set(seen)) == 4
        async with world.begin() as (tx, domain):
            domain_keys.set_rotation(tx, domain, enabled=False, interval=5 * DAY)
            assert jobs.next_due(tx) is None

    run(story)


def test_rotation_ends_with_automatic_sender_security() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            domains.update(tx, domain, use_automatic_sender_security=True)
            domain_keys.set_rotation(tx, domain, enabled=True, interval=5 * DAY)
            domains.update(tx, domain, use_automatic_sender_security=False)
            assert (domain.rotation_enabled, jobs.next_due(tx)) == (False, None)

    run(story)


def test_a_domain_disabled_for_a_time_comes_back_by_itself() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            domains.disable(tx, domain, {"reason": "for a day"}, until=tx.now + DAY)
        world.clock.advance(DAY - 1)
        await world.worker.drain()
        async with world.begin() as (tx, domain):
            assert domain.state == State.DISABLED
        world.clock.advance(1)
        await world.worker.drain()
        async with world.begin() as (tx, domain):
            assert (domain.state, domain.disabled) == (State.ACTIVE, None)

    run(story)


def test_ten_checks_a_second_are_allowed() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            left = [dns_records.allow_check(tx, domain).remaining for _ in range(10)]
            assert left == list(range(9, -1, -1))
            with pytest.raises(dns_records.TooManyChecks) as refused:
                dns_records.allow_check(tx, domain)
            assert refused.value.headers()["X-Request-Reset"] == "1800000001000"
        world.clock.advance(1)
        async with world.begin() as (tx, domain):
            assert dns_records.allow_check(tx, domain).remaining == 9

    run(story)


def test_the_old_key_signs_until_the_new_ones_are_found() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            domain_keys.ensure(tx, domain)
            domains.update(tx, domain, use_automatic_sender_security=True)
            dns_records.put_zone(tx, domain, {"dkim": Finding.MISSING})
            dns_records.check(tx, domain)
            assert (active_key(tx, domain).selector, domain.state) == ("mx", State.UNVERIFIED)
            dns_records.put_zone(tx, domain, {f"pdk2._domainkey.{NAME}": Finding.MISSING})
            dns_records.check(tx, domain)
            assert (active_key(tx, domain).selector, domain.state) == ("pdk1", State.UNVERIFIED)
            dns_records.put_zone(tx, domain, {})
            dns_records.check(tx, domain)
            assert domain.state == State.ACTIVE

    run(story)


def test_a_subdomain_is_verified_by_the_record_of_its_root() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, _):
            root = domains.create(tx, "example.com")
            sub = domains.create(
                tx, "sub.example.com", authority=domains.authority_of_new(tx, "sub.example.com")
            )
            root, sub = domains.get(tx, root.name), domains.get(tx, sub.name)
            dns_records.put_zone(tx, root, {"dkim": Finding.WRONG})
            dns_records.check(tx, sub)
            assert sub.state == State.UNVERIFIED
            dns_records.put_zone(tx, root, {})
            dns_records.check(tx, sub)
            assert (sub.state, root.state) == (State.ACTIVE, State.UNVERIFIED)

    run(story)


def test_what_hangs_on_a_deleted_domain_goes_with_it() -> None:
    async def story(world: World) -> None:
        async with world.begin() as (tx, domain):
            domain_keys.ensure(tx, domain)
            jobs.schedule(tx, jobs.Step.DELIVER, 1, domain_id=domain.id)
            domain_removal.delete(tx, domain)
            assert jobs.count(tx) == 1
            assert domains.find(tx, NAME) is None
            assert domains.was_deleted(tx, NAME)
            domains.create(tx, NAME)
            assert not domains.was_deleted(tx, NAME)
        await world.worker.drain()
        async with world.begin() as (tx, domain):
            assert domain_keys.list_keys(tx, domain) == []
            assert len(domains.list_owned(tx)) == 2

    run(story)
