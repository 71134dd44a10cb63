"""When domains came into which dynamic IP pool, and why (facts/account.md, 5.5)."""

from collections.abc import Collection
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, col, func, select, text

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.domain_health import Health
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx


class NoHistory(NotFound):
    message = "no history for domain"


class PoolMove(SQLModel, table=True):
    """A band is empty where the domain was, or is, in none. It stays when the domain is deleted.

    `at` is in seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "dynamic_pool_move"
    __table_args__ = (Index("dynamic_pool_move_of_account", "account_id", "at"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    domain_id: str
    domain_name: str
    new_band: str
    prev_band: str
    reason: str
    bounce_rate: float
    complaint_rate: float
    processed_count: int
    initiated_by: str
    at: float


class Wanted(NamedTuple):
    """Which are listed; `after` and `before` are instants that are not included themselves."""

    account_ids: Collection[str]
    domain: str = ""
    after: float | None = None
    before: float | None = None
    moved_to: str = ""
    moved_from: str = ""


_NEWEST_FIRST = (col(PoolMove.at).desc(), text("dynamic_pool_move.rowid DESC"))


def add(
    tx: Tx, domain: Domain, before: str, after: str, reason: str, health: Health, initiated_by: str
) -> None:
    tx.add(
        PoolMove(
            id=tx.ids.object_id(),
            account_id=domain.account_id,
            domain_id=domain.id,
            domain_name=domain.name,
            new_band=after,
            prev_band=before,
            reason=reason,
            bounce_rate=health.bounce_rate.value,
            complaint_rate=health.complaint_rate.value,
            processed_count=int(health.processed_count.value),
            initiated_by=initiated_by,
            at=tx.now,
        )
    )


def get_last(tx: Tx, domain: Domain) -> PoolMove:
    """The domain's latest."""
    found = select(PoolMove).where(PoolMove.domain_id == domain.id).order_by(*_NEWEST_FIRST).limit(1)
    last = tx.session.exec(found).first()
    if last is None:
        raise NoHistory
    return last


def list_moves(tx: Tx, wanted: Wanted, skip: int, limit: int) -> tuple[list[PoolMove], int]:
    """One page, newest first, and how many there are."""
    found = select(PoolMove).where(col(PoolMove.account_id).in_(wanted.account_ids))
    named = {"domain_name": wanted.domain, "new_band": wanted.moved_to, "prev_band": wanted.moved_from}
    for column, value in named.items():
        if value:
            found = found.where(getattr(PoolMove, column) == value)
    if wanted.after is not None:
        found = found.where(PoolMove.at > wanted.after)
    if wanted.before is not None:
        found = found.where(PoolMove.at < wanted.before)
    total = tx.session.exec(select(func.count()).select_from(found.subquery())).one()
    return list(tx.session.exec(found.order_by(*_NEWEST_FIRST).offset(skip).limit(limit))), total
