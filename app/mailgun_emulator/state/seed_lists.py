"""Seed lists: the addresses that inbox placement tests are sent to, and what came of them (facts/account.md, 11.4)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.expressions import patterns
from mailgun_emulator.mail import seeds
from mailgun_emulator.mail.addresses import OF_SEED_LISTS
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.mail.seeds import Seed
from mailgun_emulator.state.transaction import Tx

ALL = ".*"
EACH = 3
"""Seeds at each provider, unless it is said how many there may be at most."""
MOST_EACH = 10
GOOD_FOR = 30 * DAY
"""Seconds after which new seeds had better be made."""
AUTOMATIC_NAME = "Auto generated seed list"


class SeedListNotFound(NotFound):
    """Mailgun's own texts here are not known."""

    message = "seed list not found"


class InvalidSeedFilter(BadRequest):
    message = "seed_filter is not a valid regular expression"


class UnknownProvider(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"provider '{name}' is not supported")


class NoSeeds(BadRequest):
    message = "no seeds match the given filters"


class SeedList(SQLModel, table=True):
    """`seeds` is a list of address, first and last name; those of before are in `previous`, with commas between.

    `sending_domains` are those whose mail to the list is a test; none are all. One that is `deleted` only holds tests
    that count for limits.
    """

    __tablename__: ClassVar[Any] = "seed_list"
    kid: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    name: str = ""
    target_email: str = Field(index=True)
    sending_domains: str = "[]"
    seed_filter: str = ALL
    provider_filter: str = "[]"
    max_seeds_per_provider: int = 0
    remote_id: str = ""
    automatic: bool = False
    deleted: bool = False
    seeds: str
    previous: str = ""
    created_at: float
    updated_at: float
    grown_at: float

    @property
    def members(self) -> list[Seed]:
        return [Seed(*each) for each in orjson.loads(self.seeds)]

    @property
    def mailing_list(self) -> str:
        """Whom to send to: the target, without which no test is run, and the seeds."""
        return ",".join([self.target_email, *(seed.email for seed in self.members)])

    @property
    def regen_at(self) -> float:
        return self.grown_at + GOOD_FOR


def list_all(tx: Tx) -> list[SeedList]:
    """The latest first."""
    own = select(SeedList).where(SeedList.account_id == tx.account_id, ~col(SeedList.deleted))
    return list(tx.session.exec(own.order_by(col(SeedList.created_at).desc(), col(SeedList.kid).desc())))


def find(tx: Tx, name: str) -> SeedList | None:
    """By its target address, its id or its name."""
    own = select(SeedList).where(SeedList.account_id == tx.account_id, ~col(SeedList.deleted))
    wanted = name.strip()
    for column, value in (
        (SeedList.target_email, wanted.lower()),
        (SeedList.kid, wanted),
        (SeedList.name, wanted),
    ):
        found = tx.session.exec(own.where(column == value).order_by(col(SeedList.created_at))).first()
        if found is not None:
            return found
    return None


def get(tx: Tx, name: str) -> SeedList:
    found = find(tx, name)
    if found is None:
        raise SeedListNotFound
    return found


def create(
    tx: Tx,
    *,
    name: str = "",
    sending_domains: Sequence[str] = (),
    seed_filter: str = "",
    provider_filter: Sequence[str] = (),
    max_seeds_per_provider: int = 0,
    remote_id: str = "",
    automatic: bool = False,
) -> SeedList:
    made = SeedList(
        kid=tx.ids.object_id(),
        account_id=tx.account_id,
        name=name,
        target_email=f"{OF_SEED_LISTS}{tx.ids.uuid()}@{seeds.DOMAIN}",
        sending_domains=orjson.dumps(sending_domains).decode(),
        seed_filter=seed_filter or ALL,
        provider_filter=orjson.dumps(provider_filter).decode(),
        max_seeds_per_provider=max_seeds_per_provider,
        remote_id=remote_id,
        automatic=automatic,
        seeds="[]",
        created_at=tx.now,
        updated_at=tx.now,
        grown_at=tx.now,
    )
    made.seeds = grow(tx, made)
    return tx.add(made)


def automatic(tx: Tx) -> SeedList:
    """For tests that name no list; made by the first of them."""
    own = select(SeedList).where(
        SeedList.account_id == tx.account_id, col(SeedList.automatic), ~col(SeedList.deleted)
    )
    found = tx.session.exec(own).first()
    return found or create(tx, name=AUTOMATIC_NAME, automatic=True)


def change(tx: Tx, kept: SeedList, *, regenerate: bool = False, **given: Any) -> None:
    """Set what is given. Other filters, another number and `regenerate` give the list new seeds."""
    before = _filters(kept)
    for name, value in given.items():
        setattr(kept, name, value if isinstance(value, str | int) else orjson.dumps(value).decode())
    if regenerate or before != _filters(kept):
        kept.previous, kept.seeds, kept.grown_at = kept.mailing_list, grow(tx, kept), tx.now
    kept.updated_at = tx.now
    tx.session.add(kept)


def _filters(kept: SeedList) -> tuple[str, str, int]:
    return kept.seed_filter, kept.provider_filter, kept.max_seeds_per_provider


def checked_providers(names: Sequence[str]) -> list[str]:
    """Those that there are; refuse others."""
    given = [name.lower() for name in names]
    for name in given:
        if name not in seeds.BY_DOMAIN:
            raise UnknownProvider(name)
    return list(dict.fromkeys(given))


def grow(tx: Tx, kept: SeedList) -> str:
    """New seeds for a list, as it keeps them."""
    wanted = orjson.loads(kept.provider_filter) or list(seeds.BY_DOMAIN)
    grown = dict.fromkeys(seeds.grow(wanted, kept.max_seeds_per_provider or EACH, tx.ids.hex))
    try:
        chosen = frozenset(patterns.found_in(kept.seed_filter, [seed.email for seed in grown]))
    except patterns.BadPattern as error:
        raise InvalidSeedFilter(hint=str(error)) from None
    found = [list(seed) for seed in grown if kept.seed_filter == ALL or seed.email in chosen]
    if not found:
        raise NoSeeds
    return orjson.dumps(found).decode()
