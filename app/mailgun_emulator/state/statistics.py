"""Counts of events by the hour, written in the transaction of the events themselves."""

from typing import Any, ClassVar

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel

from mailgun_emulator.state.database import Statement, Tx

HOUR = 3600


class HourCount(SQLModel, table=True):
    """`hour` begins at that many seconds since 1970; `metric` is such as `accepted.outgoing`."""

    __tablename__: ClassVar[Any] = "hour_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    metric: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    count: int


class DimensionCount(SQLModel, table=True):
    """The same broken down: one row per hour, tag (empty for all mail), provider, IP, country and device."""

    __tablename__: ClassVar[Any] = "dimension_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    tag: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    ip: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    count: int


def _one_more(table: type[SQLModel]) -> Statement:
    keys = [name for name in table.model_fields if name != "count"]
    added = insert(table).values({"count": 1, **{name: bindparam(name) for name in keys}})
    return Statement(
        added.on_conflict_do_update(index_elements=keys, set_={"count": table.__table__.c.count + 1})  # type: ignore[attr-defined]  # SQLModel does not declare __table__
    )


_COUNT_HOUR = _one_more(HourCount)
_COUNT_DIMENSIONS = _one_more(DimensionCount)


def count(
    tx: Tx,
    domain_id: str,
    metric: str,
    tags: list[str],
    *,
    provider: str = "",
    ip: str = "",
    country: str = "",
    device: str = "",
) -> None:
    """One event more, now; once for all mail and once for each of its tags."""
    hour = int(tx.now) // HOUR * HOUR
    _COUNT_HOUR.run(tx, domain_id=domain_id, metric=metric, hour=hour)
    for tag in ("", *tags):
        _COUNT_DIMENSIONS.run(
            tx,
            domain_id=domain_id,
            tag=tag.lower(),
            hour=hour,
            metric=metric,
            provider=provider,
            ip=ip,
            country=country,
            device=device,
        )
