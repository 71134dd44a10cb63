"""Inbox placement tests, and where each seed's copy was found (facts/account.md, 11.4)."""

from typing import Any, ClassVar, NamedTuple

import orjson
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.mail.seeds import Seed
from mailgun_emulator.state import jobs
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.seed_lists import SeedList
from mailgun_emulator.state.transaction import Tx

SHARED_FOR = 30 * DAY
"""Seconds that a shared result can be seen by anybody."""


class ResultNotFound(NotFound):
    """Mailgun's own text is not known."""

    message = "result not found"


class SeedTest(SQLModel, table=True):
    """What was sent under `message_id`, in lower case, from a domain of the account to the seeds of a list.

    `seeds` are those that the list had then, `content` what the message scored, empty as long as none was stored.
    `results` is what became of each seed, once that is settled; until then it is read from the events.
    One that is `deleted` only counts for limits.
    """

    __tablename__: ClassVar[Any] = "seed_test"
    result_id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    seed_list_kid: str = Field(foreign_key="seed_list.kid", ondelete="CASCADE", index=True)
    rid: str
    domain_name: str
    message_id: str = Field(index=True)
    sender: str
    subject: str
    seeds: str
    content: str = ""
    results: str = ""
    deleted: bool = False
    sharing_id: str = Field(default="", index=True)
    sharing_enabled: bool = False
    sharing_expires_at: float = 0.0
    created_at: float
    updated_at: float

    @property
    def members(self) -> list[Seed]:
        return [Seed(*each) for each in orjson.loads(self.seeds)]


class Happening(NamedTuple):
    """An event of the message, at seconds since 1970."""

    type: str
    at: float
    recipient: str
    payload: str


_OF_MESSAGE = (
    "SELECT event.type, event.at, event.recipient, event.payload FROM event INDEXED BY ix_event_message_id "
    "JOIN domain ON domain.id = event.domain_id "
    "WHERE event.message_id = :message_id AND domain.account_id = :account_id ORDER BY event.at, event.id"
)


def create(
    tx: Tx,
    seed_list: SeedList,
    *,
    domain_name: str,
    message_id: str,
    sender: str,
    subject: str,
    seeds: list[Seed],
) -> SeedTest:
    return tx.add(
        SeedTest(
            result_id=tx.ids.uuid(),
            account_id=tx.account_id,
            seed_list_kid=seed_list.kid,
            rid=tx.ids.object_id(),
            domain_name=domain_name,
            message_id=message_id.lower(),
            sender=sender,
            subject=subject,
            seeds=orjson.dumps([list(seed) for seed in seeds]).decode(),
            created_at=tx.now,
            updated_at=tx.now,
        )
    )


def list_all(tx: Tx, seed_list: SeedList | None = None) -> list[SeedTest]:
    """The latest first; those of a list, if one is named."""
    own = select(SeedTest).where(SeedTest.account_id == tx.account_id, ~col(SeedTest.deleted))
    if seed_list is not None:
        own = own.where(SeedTest.seed_list_kid == seed_list.kid)
    return list(tx.session.exec(own.order_by(col(SeedTest.created_at).desc(), col(SeedTest.rid).desc())))


def last_of(tx: Tx, seed_list: SeedList) -> float:
    """When the list's last test was run; 0 if none was."""
    own = select(func.max(SeedTest.created_at)).where(
        SeedTest.seed_list_kid == seed_list.kid, ~col(SeedTest.deleted)
    )
    return tx.session.exec(own).one() or 0.0


def find(tx: Tx, result_id: str) -> SeedTest | None:
    test = tx.session.get(SeedTest, result_id)
    return test if test is not None and test.account_id == tx.account_id and not test.deleted else None


def get(tx: Tx, result_id: str) -> SeedTest:
    test = find(tx, result_id)
    if test is None:
        raise ResultNotFound
    return test


def find_of_message(tx: Tx, message_id: str) -> SeedTest | None:
    """Also one that is deleted: a message is one test."""
    own = select(SeedTest).where(SeedTest.account_id == tx.account_id)
    return tx.session.exec(own.where(SeedTest.message_id == message_id.lower())).first()


def get_shared(tx: Tx, sharing_id: str) -> SeedTest:
    """Whoever's it is: the transaction speaks for its owner from now on."""
    shared = select(SeedTest).where(SeedTest.sharing_id == sharing_id, col(SeedTest.sharing_enabled))
    test = tx.session.exec(shared).first() if sharing_id else None
    if test is None or test.deleted or tx.now_of(test.account_id) >= test.sharing_expires_at:
        raise ResultNotFound
    tx.account_id = test.account_id
    return test


def share(tx: Tx, test: SeedTest, *, enabled: bool) -> None:
    """Each time it is enabled there is a new URL."""
    test.sharing_enabled = enabled
    if enabled:
        test.sharing_id, test.sharing_expires_at = tx.ids.hex(32), tx.now + SHARED_FOR


def delete(tx: Tx, test: SeedTest) -> None:
    """What is left of it counts for limits."""
    test.deleted, test.content, test.results, test.seeds = True, "", "", "[]"
    test.sharing_id, test.sharing_enabled = "", False
    jobs.hasten(tx, Step.PLACE, test.result_id)  # there is nothing left to wait for


def delete_list(tx: Tx, seed_list: SeedList) -> None:
    """With the results of its tests; mail to it is a test no longer."""
    for test in list_all(tx, seed_list):
        delete(tx, test)
    seed_list.deleted, seed_list.seeds, seed_list.previous = True, "[]", ""


def withdraw(tx: Tx, test: SeedTest) -> None:
    """It was never run."""
    tx.session.delete(test)


def happenings(tx: Tx, message_id: str) -> list[Happening]:
    """What happened to a message, in order."""
    tx.settle()
    about = {"message_id": message_id.lower(), "account_id": tx.account_id}
    return [Happening(*row) for row in tx.read(_OF_MESSAGE, about)]


def count_since(tx: Tx, at: float) -> int:
    """How many tests the account has run since then, for limits."""
    own = select(func.count()).where(SeedTest.account_id == tx.account_id, SeedTest.created_at >= at)
    return tx.session.exec(own).one()
