import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state import accounts, domain_removal, domains, jobs, suppressions
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.suppression_entries import CsvFile, read_csv
from mailgun_emulator.state.suppressions import Kind, Suppressed
from mailgun_emulator.state.transaction import Tx

ACCOUNT = "5f" * 12
START = 1_700_000_000.0

Result = TypeVar("Result")


class World:
    """One account with one domain; each `do` is a transaction of its own."""

    def __init__(self, path: str = ":memory:") -> None:
        clock = Clock()
        clock.freeze(START)
        self.database = Database(Settings(database=path, seed=1), clock)
        self.domain_id = self.do(domain_of_account)

    def do(self, verb: Callable[[Tx], Result]) -> Result:
        async def run() -> Result:
            async with self.database.begin(ACCOUNT) as tx:
                return verb(tx)

        return asyncio.run(run())

    def put(self, address: str, kind: Kind = Kind.BOUNCE, **fields: str) -> None:
        self.do(lambda tx: suppressions.put(tx, self.domain_id, address, kind, **fields))

    def addresses(
        self, kind: Kind = Kind.BOUNCE, term: str = "", after: str = "", before: str = ""
    ) -> list[str]:
        found = self.do(
            lambda tx: suppressions.list_entries(
                tx, self.domain_id, kind, term=term, after=after, before=before, limit=3000
            )
        )
        return [entry.spelled for entry in found]

    def work(self) -> int:
        """Do one job, if there is one."""
        return self.do(do_one_job)


def domain_of_account(tx: Tx) -> str:
    if not domains.find(tx, "mg.example.com"):
        accounts.create(tx, id=ACCOUNT, domain_names=("mg.example.com",))
    return domains.get(tx, "mg.example.com").id


def do_one_job(tx: Tx) -> int:
    due = jobs.list_due(tx, 1)
    for job in due:
        jobs.complete(tx, job)
        suppressions.do_import(tx, job)
    return len(due)


def remove_some(tx: Tx, job: jobs.DueJob) -> None:
    jobs.complete(tx, job)
    domain_removal.remove_some(tx, job)


def csv_of(rows: int) -> CsvFile:
    return read_csv(("address\n" + "".join(f"a{number:04}@x.com\n" for number in range(rows))).encode())


def test_an_address_is_found_on_all_its_lists_whatever_its_case() -> None:
    world = World()
    with closing(world.database):
        world.put("Ann@x.com", Kind.BOUNCE)
        world.put("ann@X.com", Kind.UNSUBSCRIBE, tags='["news"]')
        found = world.do(lambda tx: suppressions.list_of_address(tx, world.domain_id, "ANN@x.com"))
        assert sorted(found) == [Suppressed("bounce", '["*"]'), Suppressed("unsubscribe", '["news"]')]


def test_what_is_put_again_is_replaced_by_its_defaults_too() -> None:
    world = World()
    with closing(world.database):
        world.put("Ann@x.com", code="552", error="Full")
        world.put("ann@x.com")
        found = world.do(lambda tx: suppressions.get(tx, world.domain_id, Kind.BOUNCE, "ann@x.com"))
        assert (found.spelled, found.code, found.error) == ("ann@x.com", "550", "")


def test_tags_of_an_unsubscribed_address_add_up() -> None:
    world = World()
    with closing(world.database):
        world.put("a@x.com", Kind.UNSUBSCRIBE, tags='["news"]')
        world.put("a@x.com", Kind.UNSUBSCRIBE, tags='["offers"]')
        found = world.do(lambda tx: suppressions.get(tx, world.domain_id, Kind.UNSUBSCRIBE, "a@x.com"))
        assert found.tags == '["news","offers"]'


def test_a_page_begins_right_behind_one_address_and_ends_right_before_another() -> None:
    world = World()
    with closing(world.database):
        for address in ("a@x.com", "a@x.com.au", "B@x.com", "c@x.com"):
            world.put(address)
        world.put("b@x.com", Kind.COMPLAINT)
        assert world.addresses(after="A@x.com") == ["a@x.com.au", "B@x.com", "c@x.com"]
        assert world.addresses(after="a@x.com", before="C@x.com") == ["a@x.com.au", "B@x.com"]
        assert world.addresses(term="a@x.com") == ["a@x.com", "a@x.com.au"]
        assert world.addresses(term="b", after="a@x.com") == ["B@x.com"]
        assert world.addresses(Kind.COMPLAINT) == ["b@x.com"]


def test_a_page_of_a_short_list_does_not_run_through_a_long_one() -> None:
    sql = suppressions._FORWARDS._compiled[0]
    world = World()
    with closing(world.database):
        asked = dict.fromkeys(("domain_id", "kind", "least", "below", "limit", "param_1"), "1")
        plan = world.database.connection.execute(f"EXPLAIN QUERY PLAN {sql}", asked).fetchall()
        assert [step[3].partition("(")[0] for step in plan] == [
            "SEARCH suppression USING INDEX suppression_list "
        ]


@pytest.mark.parametrize(("rows", "parts"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (2000, 2)])
def test_a_file_is_cut_into_parts_of_a_thousand_rows(rows: int, parts: int) -> None:
    assert len(csv_of(rows).parts) == parts


def test_a_file_is_not_cut_inside_a_row() -> None:
    text = "address,error\n" + 'a@x.com,"one\ntwo"\n' * 1500
    file = read_csv(text.encode())
    assert [part.count("a@x.com") for part in file.parts] == [1000, 500]
    assert "address,error\n" + "".join(file.parts) == text


@pytest.mark.parametrize("data", [b"", b"\x1f\x8bnot gzip", b'address\n"' + b"a" * 200_000])
def test_what_can_t_be_read_has_no_header(data: bytes) -> None:
    assert read_csv(data).header == ()


def test_an_import_that_is_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    world = World(path)
    with closing(world.database):
        world.do(lambda tx: suppressions.start_import(tx, world.domain_id, Kind.BOUNCE, csv_of(2500)))
        assert world.work() == 1
        assert len(world.addresses()) == 1000
    world = World(path)
    with closing(world.database):
        while world.work():
            pass
        assert len(world.addresses()) == 2500
        assert world.do(lambda tx: tx.execute("SELECT count(*) FROM suppression_import", {}).fetchone()) == (
            0,
        )


def test_what_is_left_of_an_import_goes_with_its_domain() -> None:
    world = World()
    with closing(world.database):
        world.do(lambda tx: suppressions.start_import(tx, world.domain_id, Kind.BOUNCE, csv_of(1500)))
        world.work()
        world.do(lambda tx: domain_removal.delete(tx, domains.get(tx, "mg.example.com")))
        while due := world.do(lambda tx: jobs.list_due(tx, 1)):
            assert due[0].step == jobs.Step.DELETE_DOMAIN
            world.do(lambda tx: remove_some(tx, due[0]))
        left = "SELECT (SELECT count(*) FROM suppression) + (SELECT count(*) FROM suppression_import)"
        assert world.database.connection.execute(left).fetchone() == (0,)
