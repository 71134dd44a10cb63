"""Counts of events by the hour, written in the transaction of the events themselves."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


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
