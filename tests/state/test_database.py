import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state import accounts, domains, jobs, sending, statistics
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.lock import DatabaseUnusable
from mailgun_emulator.state.notices import Notice
from mailgun_emulator.state.transaction import Tx


def run(
    story: Callable[[Database], Awaitable[None]], path: str = ":memory:", seed: int | None = None
) -> None:
    async def main() -> None:
        database = Database(Settings(database=path, seed=seed), Clock())
        await story(database)
        database.close()

    asyncio.run(main())


async def new_domain(database: Database, name: str = "mg.example.com") -> Domain:
    async with database.begin() as tx:
        account = accounts.create(tx, domain_names=())
        return domains.create(tx, name, account.id)


def counted(tx: Tx) -> int:
    tx.settle()
    (total,) = tx.execute("SELECT coalesce(sum(count), 0) FROM hour_count", {}).fetchone()
    return int(total)


def test_what_raises_leaves_nothing_behind_and_does_not_disturb_its_neighbours() -> None:
    async def story(database: Database) -> None:
        domain = await new_domain(database)

        async def one(fail: bool) -> None:
            async with database.begin(domain.account_id) as tx:
                jobs.schedule(tx, Step.DELIVER, "1 a@x.com", domain_id=domain.id, after=1000)
                statistics.count(tx, domain.id, "accepted.outgoing", [])
                assert counted(tx) >= 1
                if fail:
                    raise ValueError

        outcomes = await asyncio.gather(*(one(n % 2 == 0) for n in range(10)), return_exceptions=True)
        assert [isinstance(outcome, ValueError) for outcome in outcomes] == [True, False] * 5
        async with database.begin() as tx:
            assert (jobs.count(tx), counted(tx)) == (5, 5)

    run(story)


def test_all_that_ends_in_one_turn_is_committed_at_once(tmp_path: Path) -> None:
    async def story(database: Database) -> None:
        domain = await new_domain(database)
        commits: list[str] = []
        database.connection.set_trace_callback(
            lambda sql: commits.append(sql) if sql.startswith("COMMIT") else None
        )

        async def one() -> None:
            async with database.begin(domain.account_id) as tx:
                jobs.schedule(tx, Step.DELIVER, "1 a@x.com", domain_id=domain.id, after=1000)

        await asyncio.gather(*(one() for _ in range(20)))
        assert len(commits) == 1

    run(story, str(tmp_path / "state.db"))


def test_a_domain_can_go_in_the_turn_that_counted_for_it() -> None:
    async def story(database: Database) -> None:
        domain = await new_domain(database)

        async def count() -> None:
            async with database.begin(domain.account_id) as tx:
                statistics.count(tx, domain.id, "accepted.outgoing", ["tag"])

        async def delete() -> None:
            async with database.begin(domain.account_id) as tx:
                accounts.delete_account(tx, domain.account_id)

        await asyncio.gather(count(), delete())
        async with database.begin() as tx:
            assert domains.list_owned(tx) == []
            assert counted(tx) == 0

    run(story)


def test_nothing_may_be_awaited_while_a_transaction_is_open() -> None:
    async def story(database: Database) -> None:
        async def slow() -> None:
            async with database.begin():
                await asyncio.sleep(0)

        outcomes = await asyncio.gather(slow(), slow(), return_exceptions=True)
        assert any(isinstance(outcome, RuntimeError) for outcome in outcomes)

    run(story)


def test_a_file_of_another_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        Database(Settings(database=str(path)), Clock()).close()
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DatabaseUnusable, match="schema version 99"):
        Database(Settings(database=str(path)), Clock())


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    before = path.read_bytes()
    with pytest.raises(DatabaseUnusable, match="another program"):
        Database(Settings(database=str(path)), Clock())
    assert path.read_bytes() == before


def test_a_seed_gives_other_ids_on_the_next_start_on_the_same_file(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")

    def first_id(where: str) -> str:
        with closing(Database(Settings(database=where, seed=7), Clock())) as database:
            return database.ids.object_id()

    first, second = ([first_id(where) for where in (path, ":memory:")] for _ in range(2))
    assert first[0] == first[1] == second[1]
    assert second[0] != first[0]


linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="files are locked on Linux alone")


@linux_alone
def test_a_file_in_use_is_refused_until_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    with (
        closing(Database(Settings(database=path), Clock())),
        pytest.raises(DatabaseUnusable, match="is in use by another emulator"),
    ):
        Database(Settings(database=path), Clock())
    Database(Settings(database=path), Clock()).close()


@linux_alone
def test_a_refusal_and_a_reader_leave_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    reader = (
        "import sqlite3, sys; file = sqlite3.connect(sys.argv[1]); "
        "print(file.execute('SELECT count(*) FROM start').fetchone()[0]); file.close()"
    )
    command = [sys.executable, "-c", reader, str(path)]
    with closing(Database(Settings(database=str(path)), Clock())) as database:
        with pytest.raises(DatabaseUnusable):
            Database(Settings(database=str(path)), Clock())
        read = subprocess.run(command, capture_output=True, text=True, check=True)
        assert read.stdout == "1\n"
        # A reader that saw no lock would have taken itself for the last, and cleared this away.
        assert path.with_name("state.db-wal").exists()
        assert database.reachable()


def test_a_refused_file_can_be_used_once_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Database(Settings(database=str(path)), Clock()).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE start RENAME TO begin")
        with pytest.raises(DatabaseUnusable, match="no such table"):
            Database(Settings(database=str(path)), Clock())
        connection.execute("ALTER TABLE begin RENAME TO start")
    Database(Settings(database=str(path)), Clock()).close()


def test_emulators_in_memory_live_side_by_side() -> None:
    databases = [Database(Settings(database=":memory:"), Clock()) for _ in range(2)]
    for database in databases:
        assert database.reachable()
        database.close()


def test_the_signing_key_is_that_of_the_oldest_account() -> None:
    async def story(database: Database) -> None:
        assert database.signing_key() is None
        for key in ("first", "second"):
            async with database.begin() as tx:
                accounts.create(tx, signing_key=key)
        assert database.signing_key() == "first"

    run(story)


def test_what_was_looked_up_is_forgotten_when_something_is_written() -> None:
    async def story(database: Database) -> None:
        domain = await new_domain(database)

        async def ttl() -> int:
            async with database.begin(domain.account_id) as tx:
                found = sending.find(tx, domain.name)
                assert found is not None
                return found.message_ttl

        async def change_and_fail() -> None:
            async with database.begin(domain.account_id) as tx:
                domains.get(tx, domain.name).message_ttl = 60
                changed = sending.find(tx, domain.name)
                assert changed is not None
                assert changed.message_ttl == 60
                raise LookupError

        assert await ttl() == 0
        with pytest.raises(LookupError):
            await change_and_fail()
        assert await ttl() == 0
        async with database.begin(domain.account_id) as tx:
            domains.get(tx, domain.name).message_ttl = 60
        assert await ttl() == 60

    run(story)


def test_a_listener_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def story(database: Database) -> None:
        heard: list[Notice] = []

        def fail(_: Notice) -> None:
            raise LookupError("broken")

        database.listeners |= {fail, heard.append}
        database.next_due = 2.0
        async with database.begin("a") as tx:
            tx.tell("message", "one")
            tx.tell("message", "two")
            database.wake_at(1.0)
        assert [each.subject for each in heard] == ["one", "two"]
        assert database.changed.is_set()

    run(story)
    assert "A listener failed" in caplog.text
