"""Lists are validated a part at a time: what was done is done, whenever the process is killed."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail import validation_lists
from mailgun_emulator.mail.validation_lists import AT_ONCE
from mailgun_emulator.pipeline import validating
from mailgun_emulator.state import accounts, jobs, mailing_lists, validation_jobs
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.validation_jobs import (
    JobNotFound,
    Kind,
    NameTaken,
    Status,
    TooManyJobs,
    ValidationJob,
)

ACCOUNT = "5f" * 12
SOME = validation_lists.of(f"user{number}@example.org" for number in range(AT_ONCE * 2 + 1))

Result = TypeVar("Result")


def do(database: Database, verb: Callable[[Tx], Result]) -> Result:
    async def run() -> Result:
        async with database.begin(ACCOUNT) as tx:
            return verb(tx)

    return asyncio.run(run())


def opened(path: str = ":memory:") -> Database:
    clock = Clock()
    clock.freeze(1_700_000_000.0)
    return Database(Settings(database=path, seed=1), clock)


def do_one_job(tx: Tx) -> int:
    due = jobs.list_due(tx, 1)
    for job in due:
        jobs.complete(tx, job)
        validating.validate_some(tx, job)
    return len(due)


def progress(database: Database, kind: Kind = Kind.BULK, name: str = "list") -> tuple[str, int]:
    job = do(database, lambda tx: validation_jobs.get(tx, kind, name))
    return job.status, job.records_processed


def create(kind: Kind, name: str) -> Callable[[Tx], ValidationJob]:
    return lambda tx: validation_jobs.create(tx, kind, name, SOME)


def test_what_is_done_stays_done_when_the_process_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")
    with closing(opened(path)) as database:
        do(database, lambda tx: accounts.create(tx, id=ACCOUNT))
        do(database, create(Kind.BULK, "list"))
        assert progress(database) == (Status.CREATED, 0)
        assert do(database, do_one_job) == 1
        assert progress(database) == (Status.PROCESSING, AT_ONCE)
    with closing(opened(path)) as database:
        while do(database, do_one_job):
            pass
        assert progress(database) == (Status.UPLOADED, SOME.size)
        job = do(database, lambda tx: validation_jobs.get(tx, Kind.BULK, "list"))
        assert len(do(database, lambda tx: validation_jobs.results(tx, job))) == 3


def test_no_more_than_ten_lists_are_validated_at_once() -> None:
    with closing(opened()) as database:
        do(database, lambda tx: accounts.create(tx, id=ACCOUNT))
        for number in range(10):
            do(database, create(Kind.BULK, f"list{number}"))
        with pytest.raises(TooManyJobs, match="max number of validation jobs in parallel is 10"):
            do(database, create(Kind.BULK, "another"))
        do(database, create(Kind.PREVIEW, "another"))
        with pytest.raises(NameTaken):
            do(database, create(Kind.BULK, "list0"))
        while do(database, do_one_job):
            pass
        do(database, create(Kind.BULK, "another"))
        assert progress(database, name="another") == (Status.CREATED, 0)


def test_the_validation_of_an_earlier_list_is_in_nobodys_way() -> None:
    with closing(opened()) as database:
        do(database, lambda tx: accounts.create(tx, id=ACCOUNT))
        first = do(database, lambda tx: mailing_lists.create(tx, "news@example.com"))
        do(database, lambda tx: validation_jobs.create_of_list(tx, first))
        with pytest.raises(NameTaken):
            do(database, lambda tx: validation_jobs.create_of_list(tx, first))
        do(database, lambda tx: mailing_lists.delete_list(tx, first))
        database.clock.advance(1)
        second = do(database, lambda tx: mailing_lists.create(tx, "news@example.com"))
        with pytest.raises(JobNotFound):
            do(database, lambda tx: validation_jobs.get_of_list(tx, second))
        do(database, lambda tx: validation_jobs.create_of_list(tx, second))
        while do(database, do_one_job):
            pass
        assert do(database, lambda tx: validation_jobs.get_of_list(tx, second)).status == Status.UPLOADED


def test_a_sample_is_spread_over_the_list() -> None:
    many = validation_lists.of(f"user{number}@example.org" for number in range(AT_ONCE * 90))
    with closing(opened()) as database:
        do(database, lambda tx: accounts.create(tx, id=ACCOUNT))
        job = do(database, lambda tx: validation_jobs.create(tx, Kind.PREVIEW, "list", many))
        assert job.stride == 3
        while do(database, do_one_job):
            pass
        assert progress(database, Kind.PREVIEW) == (Status.UPLOADED, AT_ONCE * 30)
