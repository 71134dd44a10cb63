"""Thresholds: figures that are watched (alerts), and those that may not be passed (limits) (facts/account.md, 10)."""

import operator
import re
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import Conflict, NotFound
from mailgun_emulator.mail.periods import DAY, HOUR
from mailgun_emulator.state import accounts, jobs
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.predicates import COMPARED, Predicate, holds
from mailgun_emulator.state.transaction import Tx

SUBACCOUNT = "subaccount"
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)


class ThresholdNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"threshold '{name}' not found")


class NameTaken(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"threshold with name '{name}' already exists")


class Kind(StrEnum):
    ALERT = "alert"
    LIMIT = "limit"


class Filter(NamedTuple):
    """Any of the values makes it true."""

    dimension: str
    comparator: str
    values: list[str]


class Threshold(SQLModel, table=True):
    """`alert_channels` and `filters` are JSON lists; `limit` is a number as it was given, `period` such as `1h`.

    Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "threshold"
    __table_args__ = (UniqueConstraint("account_id", "kind", "name"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    kind: str
    name: str
    metric: str
    comparator: str
    limit: str
    dimension: str
    period: str
    description: str | None = None
    alert_channels: str = "[]"
    filters: str = "[]"
    created_at: float
    updated_at: float | None = None
    last_checked: float | None = None

    def read_filters(self) -> list[Filter]:
        return [Filter(**each) for each in orjson.loads(self.filters)]

    def is_passed_by(self, figure: Fraction) -> bool:
        return _COMPARE[self.comparator](figure, Fraction(Decimal(self.limit)))

    def is_about(self, *names: str) -> bool:
        """`names` are an account's id and name: all filters let it pass."""
        return all(passes(each, *names) for each in self.read_filters())


_WATCHED = ("metric", "comparator", "limit", "dimension", "period", "filters")
"""What makes it another threshold when it is changed."""
_OPEN = "SELECT id, name FROM account WHERE :own IN (id, parent_id) AND status != :closed"
_SECONDS = {"h": HOUR, "d": DAY}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def create(tx: Tx, kind: Kind, given: Mapping[str, Any]) -> Threshold:
    """`given` are the columns that people choose. An alert counts as checked from the start, a limit does not."""
    _check_name(tx, kind, given["name"])
    at = tx.now if kind is Kind.ALERT else None
    made = tx.add(
        Threshold(
            id=tx.ids.uuid(),
            account_id=tx.account_id,
            kind=kind,
            created_at=tx.now,
            updated_at=at,
            last_checked=at,
            **given,
        )
    )
    tx.read_marks()
    return made


def list_all(tx: Tx, kind: Kind) -> list[Threshold]:
    """In the order they were made."""
    own = select(Threshold).where(Threshold.account_id == tx.account_id, Threshold.kind == kind)
    return list(tx.session.exec(own.order_by(col(Threshold.created_at), col(Threshold.id))))


def find(tx: Tx, kind: Kind, name: str) -> Threshold | None:
    own = select(Threshold).where(Threshold.account_id == tx.account_id, Threshold.kind == kind)
    return tx.session.exec(own.where(Threshold.name == name)).first()


def get(tx: Tx, kind: Kind, name: str) -> Threshold:
    found = find(tx, kind, name)
    if found is None:
        raise ThresholdNotFound(name)
    return found


def put(tx: Tx, kind: Kind, name: str, given: Mapping[str, Any]) -> bool:
    """All of it anew but its id and when it was made; whether something else is watched from now on."""
    threshold = get(tx, kind, name)
    if given["name"] != name:
        _check_name(tx, kind, given["name"])
    is_other = any(getattr(threshold, each) != given[each] for each in _WATCHED)
    for column, value in given.items():
        setattr(threshold, column, value)
    threshold.updated_at = tx.now
    return is_other


def delete(tx: Tx, kind: Kind, name: str) -> None:
    """With its hits."""
    tx.session.delete(get(tx, kind, name))
    tx.session.flush()
    tx.read_marks()


def limits_on(tx: Tx, metric: str) -> list[Threshold]:
    """Those that the account has to keep: its own, and its parent's for subaccounts."""
    owners = [each for each in (tx.account_id, tx.parent_id) if each]
    found = tx.session.exec(
        select(Threshold)
        .where(
            col(Threshold.account_id).in_(owners), Threshold.kind == Kind.LIMIT, Threshold.metric == metric
        )
        .order_by(col(Threshold.created_at), col(Threshold.id))
    )
    name = accounts.get(tx, tx.account_id).name
    return [each for each in found if each.is_about(tx.account_id, name)]


def list_bound(tx: Tx, limit: Threshold) -> list[str]:
    """The account and its subaccounts, as far as they have to keep the limit."""
    names = {"own": tx.account_id, "closed": accounts.AccountStatus.CLOSED.value}
    return [each for each, name in tx.read(_OPEN, names) if limit.is_about(each, name)]


def have_checked(tx: Tx, owners: Iterable[str]) -> None:
    """All thresholds of these accounts, as soon as it is now by their own clocks."""
    for owner in owners:
        with tx.speaking_for(owner):
            jobs.schedule(tx, Step.CHECK_THRESHOLDS, "")


def is_number(text: str) -> bool:
    """One that a limit can be: neither infinite nor of more digits than anybody counts."""
    return _NUMBER.fullmatch(text) is not None


def is_period(text: str, units: str) -> bool:
    """A number and one of the units `h`, `d` and `M` (months); at most a year."""
    number, unit = text[:-1], text[-1:]
    if unit not in units or not (number.isascii() and number.isdigit()) or len(number) > 4:
        return False
    return 0 < int(number) <= {"h": 8784, "d": 366, "M": 12}[unit]


def seconds_of(period: str) -> int:
    """Of one in hours or days."""
    return int(period[:-1]) * _SECONDS[period[-1]]


def span(period: str, at: float) -> tuple[float, float]:
    """Such periods follow one another from 1970 on: when the one that `at` is in begins, and when the next."""
    if period[-1] in _SECONDS:
        seconds = seconds_of(period)
        begin = at // seconds * seconds
        return begin, begin + seconds
    number, then = int(period[:-1]), datetime.fromtimestamp(at, UTC)
    first = ((then.year - 1970) * 12 + then.month - 1) // number * number
    return _month(first), _month(first + number)


def _month(number: int) -> int:
    """When it begins; January 1970 is the first, 0."""
    return timegm((1970 + number // 12, number % 12 + 1, 1, 0, 0, 0))


def passes(filter_: Filter, *texts: str) -> bool:
    """Of the texts, which are names of the same, one has what is wanted, and none what is not."""
    predicate = Predicate(filter_.dimension, filter_.comparator, tuple(filter_.values))
    if filter_.comparator in COMPARED:
        compare = _COMPARE[filter_.comparator]
        return any(compare(text.lower(), value.lower()) for text in texts for value in filter_.values)
    found = [holds(predicate, text) for text in texts]
    return all(found) if predicate.negated else any(found)


def _check_name(tx: Tx, kind: Kind, name: str) -> None:
    if find(tx, kind, name) is not None:
        raise NameTaken(name)
