"""Counts of events by the hour, written in the transaction of the events themselves."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel

from mailgun_emulator.mail import periods, providers
from mailgun_emulator.mail.periods import DAY, HOUR, Period, Resolution
from mailgun_emulator.state.domains import of_accounts
from mailgun_emulator.state.event_conditions import Values, contains
from mailgun_emulator.state.predicates import EQUAL, Predicate, holds, signed, text_condition
from mailgun_emulator.state.statements import Tally
from mailgun_emulator.state.transaction import Tx

EVER = Period(0, periods.floor(periods.LATEST, Resolution.DAY), Resolution.DAY)
BETWEEN_TAGS = "\n"


class HourCount(SQLModel, table=True):
    """`hour` begins at that many seconds since 1970; `metric` is such as `accepted.outgoing`.

    The first word of a metric is the event. Those with dots add up to it; those with a plus, such as
    `opened+unique`, are counted besides, of some of the same events: `pipeline.tally` lists them.
    """

    __tablename__: ClassVar[Any] = "hour_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    metric: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    count: int


class DimensionCount(SQLModel, table=True):
    """The same broken down: one row per hour and all that messages, recipients and their devices have in common.

    `tags` are all the message's in lower case and in order, each between two line feeds; so any condition about
    them can be counted.
    """

    __tablename__: ClassVar[Any] = "dimension_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    hour: int = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    tags: str = Field(primary_key=True)
    recipient_domain: str = Field(primary_key=True)
    ip: str = Field(primary_key=True)
    ip_pool: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    bot: str = Field(primary_key=True)
    count: int


class By(StrEnum):
    """What Stats and Tags tell counts apart by."""

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
    tags: Sequence[str],
    *,
    recipient_domain: str = "",
    ip: str = "",
    ip_pool: str = "",
    country: str = "",
    device: str = "",
    bot: str = "",
) -> None:
    """One event more, now; a tag counts once, however often it is written."""
    hour = int(tx.now) // HOUR * HOUR
    _COUNT_HOUR.later(tx, domain_id=domain_id, metric=metric, hour=hour)
    _COUNT_DIMENSIONS.later(
        tx,
        domain_id=domain_id,
        hour=hour,
        metric=metric,
        tags=_joined(tuple(tags)) if tags else "",
        recipient_domain=recipient_domain,
        ip=ip,
        ip_pool=ip_pool,
        country=country,
        device=device,
        bot=bot,
    )


def _key(tag: str) -> str:
    return tag.lower().replace(BETWEEN_TAGS, " ")


@lru_cache(maxsize=1024)
def _joined(tags: tuple[str, ...]) -> str:
    return BETWEEN_TAGS.join(["", *sorted({_key(tag) for tag in tags}), ""])


def split_tags(joined: str) -> list[str]:
    return joined[1:-1].split(BETWEEN_TAGS) if joined else []


def _words(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


_PROVIDER = " ".join(
    f"WHEN recipient_domain IN ({_words(domains)}) THEN '{group}'"
    for group, domains in providers.GROUPS.items()
)
_OF_DOMAIN = {"domain": "domain.name", "subaccount": "domain.account_id"}
_COLUMNS = {
    "tag": "tags",
    "ip": "ip",
    "ip_pool": "ip_pool",
    "country": "country",
    "device": "device",
    "bot": "bot",
    "recipient_domain": "recipient_domain",
    "recipient_provider": f"CASE WHEN recipient_domain = '' THEN '' {_PROVIDER} ELSE 'Other' END",
}
_IN_STATS = {
    By.PROVIDER: f"CASE WHEN recipient_domain IN ({_words(providers.KNOWN)}) THEN recipient_domain ELSE 'other' END",
    By.COUNTRY: "CASE country WHEN '' THEN 'unknown' ELSE lower(country) END",
    By.DEVICE: "CASE WHEN device IN ('desktop', 'mobile', 'tablet') THEN device ELSE 'unknown' END",
}
"""Stats have no nothing: they call it unknown, or other."""

DIMENSIONS = ("time", *_OF_DOMAIN, *_COLUMNS)
"""What metrics can be told apart by."""


class Question(NamedTuple):
    """What is to be counted: all of the account, with its `subaccounts` or without, or of one domain, or of what the
    predicates are true of.
    """

    period: Period
    events: frozenset[str] = frozenset()
    """All, if there are none."""
    predicates: tuple[Predicate, ...] = ()
    domain_id: str = ""
    subaccounts: bool = False


def measure(
    tx: Tx, dimensions: Sequence[str], asked: Question, more: Mapping[str, str] | None = None
) -> dict[tuple[Any, ...], Counts]:
    """How many of each metric, by the values of the dimensions, empty where an event has none.

    Time is the beginning of the bucket; each tag of a message is told, unless the predicates exclude it. `more` are
    dimensions besides the usual ones, as SQL.
    """
    tx.settle()
    spoken = {**_COLUMNS, **(more or {})}
    names = {*dimensions, *(each.attribute for each in asked.predicates)}
    table = "hour_count" if names.isdisjoint(spoken) else "dimension_count"
    expressions = {"time": f"hour - hour % {_step(asked.period)}", **_OF_DOMAIN, **spoken}
    values = Values()
    sql = _sql(table, [expressions[each] for each in dimensions], _where(tx, asked, expressions, values))
    found: dict[tuple[Any, ...], Counts] = {}
    for *key, metric, number in tx.read(sql, values.parameters):
        for each in _keys(dimensions, key, asked):
            at_key = found.setdefault(each, {})
            at_key[metric] = at_key.get(metric, 0) + number
    return found


def _step(period: Period) -> int:
    """Months are added up from days."""
    return HOUR if period.resolution is Resolution.HOUR else DAY


def _sql(table: str, keys: list[str], conditions: list[str]) -> str:
    columns = [*keys, "metric"]
    places = ", ".join(str(place) for place, _ in enumerate(columns, 1))
    return (
        f"SELECT {', '.join(columns)}, sum(count) FROM domain CROSS JOIN {table} ON domain_id = domain.id"  # noqa: S608 - what was given goes in as parameters
        f" WHERE {' AND '.join(conditions)} GROUP BY {places}"
    )


def _where(tx: Tx, asked: Question, expressions: Mapping[str, str], values: Values) -> list[str]:
    if asked.domain_id:
        whose = f"domain.id = {values.put(asked.domain_id)}"
    else:
        whose = of_accounts(values.put(tx.account_id), subaccounts=asked.subaccounts)
    conditions = [whose, "NOT domain.deleted"]
    conditions += [f"hour >= {values.put(asked.period.start)}", f"hour < {values.put(asked.period.past)}"]
    if asked.events:
        past_last = f"{max(asked.events)}/"  # the character that comes next after the dot, and after the plus
        conditions += [f"metric >= {values.put(min(asked.events))}", f"metric < {values.put(past_last)}"]
    for each in asked.predicates:
        about_tag = each.attribute == "tag"
        conditions.append(
            _tag_condition(each, values)
            if about_tag
            else text_condition(f"({expressions[each.attribute]})", each, values)
        )
    return conditions


def _tag_condition(predicate: Predicate, values: Values) -> str:
    if predicate.comparator in EQUAL:
        whole = (f"{BETWEEN_TAGS}{_key(each)}{BETWEEN_TAGS}" for each in predicate.values)
        return signed(predicate, " OR ".join(f"instr(tags, {values.put(each)})" for each in whole))
    return signed(predicate, " OR ".join(contains(values, "tags", _key(each)) for each in predicate.values))


def _keys(dimensions: Sequence[str], key: list[Any], asked: Question) -> list[tuple[Any, ...]]:
    keys = [key]
    for place, name in enumerate(dimensions):
        if name == "time" and asked.period.resolution is Resolution.MONTH:
            key[place] = periods.floor(key[place], Resolution.MONTH)
        elif name == "tag":
            about = [each for each in asked.predicates if each.attribute == "tag"]
            told = [tag for tag in split_tags(key[place]) if all(holds(each, tag) for each in about)]
            keys = [[*key[:place], tag, *key[place + 1 :]] for tag in told or [""]]
    return [tuple("" if each is None else each for each in key) for key in keys]


def counts(
    tx: Tx, events: Iterable[str], period: Period, *, by: By = By.TIME, where: Mapping[str, str] | None = None
) -> dict[Any, Counts]:
    """How many of each metric of these events, by the key; keys that nothing was counted for are left out.

    `by=TIME` has the beginnings of the period's buckets for keys. `where` names a `domain_id` or members of `By`;
    without `domain_id` the domains of the account are counted together, and where they are told apart those of its
    subaccounts. Tags are keyed in lower case.
    """
    wanted = frozenset(events)
    given = dict(where or {})
    domain_id = given.pop("domain_id", "")
    predicates = tuple(Predicate(name, "=", (value,)) for name, value in given.items())
    asked = Question(period, wanted, predicates, domain_id, by is By.SUBACCOUNT or By.SUBACCOUNT in given)
    found = measure(
        tx, () if by is By.TOTAL else (by,), asked, {by.value: sql for by, sql in _IN_STATS.items()}
    )
    told: dict[Any, Counts] = {}
    for key, numbers in found.items():
        own = {metric: number for metric, number in numbers.items() if event_of(metric) in wanted}
        if own and key != ("",):
            told[key[0] if key else ""] = own
    return told


def event_of(metric: str) -> str:
    return metric.partition("+")[0].partition(".")[0]


def total_of(counts: Counts, beginning: str) -> int:
    """Of the metrics that begin so."""
    return sum(number for metric, number in counts.items() if metric.startswith(beginning))


def ratio(part: float, whole: float) -> float:
    """A part of one; of nothing it is 0."""
    return round(part / whole, 6) if whole else 0.0


def forget_tag(tx: Tx, domain_id: str, tag: str) -> None:
    """What was counted for a tag; not what was counted for all mail and for the other tags."""
    tx.settle()
    columns = ", ".join(DimensionCount.model_fields)
    about = {"domain_id": domain_id, "tag": f"{BETWEEN_TAGS}{_key(tag)}{BETWEEN_TAGS}"}
    where = "FROM dimension_count WHERE domain_id = :domain_id AND instr(tags, :tag)"
    rows = tx.read(f"SELECT {columns} {where}", about).fetchall()
    tx.execute(f"DELETE {where}", about)
    for row in rows:
        kept = dict(zip(DimensionCount.model_fields, row, strict=True))
        left = [each for each in split_tags(kept["tags"]) if each != _key(tag)]
        _COUNT_DIMENSIONS.run(tx, **{**kept, "tags": _joined(tuple(left)) if left else ""})
