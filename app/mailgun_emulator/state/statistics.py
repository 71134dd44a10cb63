"""Counts of events by the hour, written in the transaction of the events themselves."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Integer, bindparam, delete, func, literal, select
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import DAY, HOUR, Period, Resolution
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statements import Statement, Tally

UNKNOWN = "unknown"
OTHER = "other"
EVER = Period(0, periods.floor(periods.LATEST, Resolution.DAY), Resolution.DAY)


class HourCount(SQLModel, table=True):
    """`hour` begins at that many seconds since 1970; `metric` is such as `accepted.outgoing`.

    The first word of a metric is the event. Metrics of one event add up to it, but for `opened.unique` and
    `clicked.unique`, which are counted besides `opened` and `clicked` when it is the recipient's first.
    """

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


class By(StrEnum):
    """What counts can be told apart by."""

    TOTAL = "total"
    TIME = "time"
    DOMAIN = "domain"
    IP = "ip"
    PROVIDER = "provider"
    TAG = "tag"
    COUNTRY = "country"
    DEVICE = "device"
    SUBACCOUNT = "subaccount"
    IP_POOL = "ip_pool"


Counts = dict[str, int]
"""How many of each metric."""


def _one_more(table: type[SQLModel]) -> Tally:
    keys = [name for name in table.model_fields if name != "count"]
    added = insert(table).values({name: bindparam(name) for name in table.model_fields})
    return Tally(
        added.on_conflict_do_update(
            index_elements=keys,
            set_={"count": table.__table__.c.count + added.excluded.count},  # type: ignore[attr-defined]  # SQLModel does not declare __table__
        )
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
    """One event more, now; once for all mail and once for each of its tags, however often it is written."""
    hour = int(tx.now) // HOUR * HOUR
    _COUNT_HOUR.later(tx, domain_id=domain_id, metric=metric, hour=hour)
    for tag in {"", *map(str.lower, tags)}:
        _COUNT_DIMENSIONS.later(
            tx,
            domain_id=domain_id,
            tag=tag,
            hour=hour,
            metric=metric,
            provider=provider,
            ip=ip,
            country=country,
            device=device,
        )


def _or_else(column: Any, default: str) -> Any:
    return func.coalesce(func.nullif(col(column), ""), default)


_DOMAIN_COLUMNS: dict[str, Any] = {
    By.DOMAIN: col(Domain.name),
    By.SUBACCOUNT: col(Domain.account_id),
    By.IP_POOL: col(Domain.pool_id),
}
_DIMENSIONS: dict[str, Any] = {
    By.IP: func.nullif(col(DimensionCount.ip), ""),
    By.PROVIDER: _or_else(DimensionCount.provider, OTHER),
    By.TAG: col(DimensionCount.tag),
    By.COUNTRY: func.lower(_or_else(DimensionCount.country, UNKNOWN)),
    By.DEVICE: _or_else(DimensionCount.device, UNKNOWN),
}


@cache
def _select(by: By, where: frozenset[str]) -> Statement:
    """Key, metric and sum, of one domain if `where` has `domain_id`, else of all of the account."""
    broken_down = by in _DIMENSIONS or not where.isdisjoint(_DIMENSIONS)
    table: Any = DimensionCount if broken_down else HourCount
    key = _key(by, table)
    found = select(key, col(table.metric), func.sum(col(table.count)))
    if "domain_id" in where:
        found = found.where(col(table.domain_id) == bindparam("domain_id"))
    if "domain_id" not in where or by in _DOMAIN_COLUMNS or not where.isdisjoint(_DOMAIN_COLUMNS):
        found = found.join(Domain, col(Domain.id) == table.domain_id)
        found = found.where(col(Domain.account_id) == bindparam("account_id"), col(Domain.deleted).is_(False))
    for name in where & (_DOMAIN_COLUMNS.keys() | _DIMENSIONS.keys()):
        found = found.where((_DOMAIN_COLUMNS | _DIMENSIONS)[name] == bindparam(name))
    if broken_down and By.TAG not in where:
        tag = col(DimensionCount.tag)
        found = found.where(tag != "" if by is By.TAG else tag == "")
    found = found.where(
        col(table.metric) >= bindparam("first"),
        col(table.metric) < bindparam("past_last"),
        col(table.hour) >= bindparam("start"),
        col(table.hour) < bindparam("past"),
    )
    return Statement(found.group_by(key, col(table.metric)))


def _key(by: By, table: Any) -> Any:
    if by is By.TOTAL:
        return literal("")
    if by is By.TIME:
        return col(table.hour) - col(table.hour) % bindparam("step", type_=Integer)
    return (_DOMAIN_COLUMNS | _DIMENSIONS)[by]


def counts(
    tx: Tx, events: Iterable[str], period: Period, *, by: By = By.TIME, where: Mapping[str, str] | None = None
) -> dict[Any, Counts]:
    """How many of each metric of these events, by the key; keys that nothing was counted for are left out.

    `by=TIME` has the beginnings of the period's buckets for keys. `where` names a `domain_id` or members of `By`;
    without `domain_id` the domains of the account are counted together. Tags are keyed in lower case.
    """
    tx.settle()
    wanted = frozenset(events)
    step = HOUR if period.resolution is Resolution.HOUR else DAY
    monthly = by is By.TIME and period.resolution is Resolution.MONTH
    rows = _select(by, frozenset(where or ())).run(
        tx,
        **(where or {}),
        account_id=tx.account_id,
        first=min(wanted),
        past_last=f"{max(wanted)}/",  # the character that comes next after the dot
        start=period.start,
        past=period.past,
        step=step,
    )
    found: dict[Any, Counts] = {}
    for each, metric, number in rows:
        if each is not None and metric.partition(".")[0] in wanted:
            key = periods.floor(each, Resolution.MONTH) if monthly else each
            at_key = found.setdefault(key, {})
            at_key[metric] = at_key.get(metric, 0) + number
    return found


_FORGET_TAG = Statement(
    delete(DimensionCount).where(
        col(DimensionCount.domain_id) == bindparam("domain_id"), col(DimensionCount.tag) == bindparam("tag")
    )
)


def forget_tag(tx: Tx, domain_id: str, tag: str) -> None:
    """What was counted for a tag; not what was counted for all mail."""
    tx.settle()
    _FORGET_TAG.run(tx, domain_id=domain_id, tag=tag.lower())
