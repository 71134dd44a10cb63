"""Reads the events of all of an account's domains, as Logs list them (facts/sending.md, 3.4)."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

import orjson

from mailgun_emulator.mail import bounce_rules
from mailgun_emulator.state.domains import of_accounts
from mailgun_emulator.state.event_conditions import Values
from mailgun_emulator.state.event_log import LAST_ID, Place, Position, sources
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.log_conditions import (
    CLASSIFIED,
    OF_DOMAIN,
    Kind,
    condition,
    hints,
    kinds_of,
    may_be,
)
from mailgun_emulator.state.predicates import Predicate, holds, text_condition
from mailgun_emulator.state.transaction import Tx


class LogSearch(NamedTuple):
    """Both ends are in seconds since 1970 and included.

    `kinds` are names that `log_conditions.kinds_of` knows; any of them will do, and all if there are none.
    """

    start: float
    end: float
    ascending: bool
    kinds: tuple[str, ...]
    predicates: tuple[Predicate, ...]
    limit: int
    subaccounts: bool = False

    @property
    def first(self) -> Place:
        return Place(self._outside(before=self.ascending), backwards=False)

    @property
    def last(self) -> Place:
        return Place(self._outside(before=not self.ascending), backwards=True)

    def _outside(self, *, before: bool) -> Position:
        return Position(self.start, 0) if before else Position(self.end, LAST_ID)


class Log(NamedTuple):
    at: float
    id: int
    payload: str

    @property
    def position(self) -> Position:
        return Position(self.at, self.id)


class LogPage(NamedTuple):
    """Some events, and where those after and before them are found, if there are any."""

    logs: list[Log]
    next: Place | None
    previous: Place | None


def read(tx: Tx, search: LogSearch, place: Place) -> LogPage:
    """Refuse filter values that make no sense."""
    tx.settle()
    _conditions(
        search, Values()
    )  # so that values that make no sense are refused, where there is nothing to read, too
    found = list(islice(_logs(tx, search, place), search.limit + 1))
    more, logs = len(found) > search.limit, found[: search.limit]
    if place.backwards:
        logs.reverse()
    if not logs:
        return LogPage([], None, None)
    following, preceding = Place(logs[-1].position, backwards=False), Place(logs[0].position, backwards=True)
    ahead, behind = (preceding, following) if place.backwards else (following, preceding)
    rest = next(_logs(tx, search, behind), None) is not None
    found_ahead, found_behind = ahead if more else None, behind if rest else None
    if place.backwards:
        return LogPage(logs, found_behind, found_ahead)
    return LogPage(logs, found_ahead, found_behind)


def total(tx: Tx, search: LogSearch) -> int:
    """How many there are on all pages."""
    tx.settle()
    if any(each.attribute in CLASSIFIED for each in search.predicates):
        return sum(1 for _ in _logs(tx, search, search.first))
    return sum(_count(tx, search, domain_id) for domain_id in _domain_ids(tx, search))


def _logs(tx: Tx, search: LogSearch, place: Place) -> Iterator[Log]:
    """From there on, in the order they are met. Each domain's are read in order and only as far as they are wanted."""
    upwards = search.ascending != place.backwards
    each_domain = [
        _read_domain(tx, search, domain_id, place.position, upwards) for domain_id in _domain_ids(tx, search)
    ]
    found = merge(*each_domain, key=lambda log: (log.at, log.id), reverse=not upwards)
    rules = [each for each in search.predicates if each.attribute in CLASSIFIED]
    return (log for log in found if all(_is_classified(each, log) for each in rules))


def _is_classified(predicate: Predicate, log: Log) -> bool:
    rule = bounce_rules.rule_of(orjson.loads(log.payload))
    return rule is not None and holds(predicate, getattr(rule, CLASSIFIED[predicate.attribute]))


def _domain_ids(tx: Tx, search: LogSearch) -> list[str]:
    values = Values(account=tx.account_id)
    about = [each for each in search.predicates if each.attribute in OF_DOMAIN]
    conditions = "".join(f" AND {text_condition(OF_DOMAIN[each.attribute], each, values)}" for each in about)
    whose = of_accounts(":account", subaccounts=search.subaccounts)
    sql = (
        f"SELECT id FROM domain WHERE {whose} AND NOT deleted{conditions}"  # noqa: S608 - what was given goes in as parameters
        " AND EXISTS (SELECT 1 FROM event WHERE domain_id = domain.id)"
    )
    return [domain_id for (domain_id,) in tx.read(sql, values.parameters)]


def _read_domain(tx: Tx, search: LogSearch, domain_id: str, from_: Position, upwards: bool) -> Iterator[Log]:
    order, beyond = ("ASC", ">") if upwards else ("DESC", "<")
    start, stop = (from_, search.end) if upwards else (from_, search.start)
    values = Values(domain=domain_id, at=start.at, id=start.id, stop=stop)
    within = "<=" if upwards else ">="
    selects = [
        f"SELECT {at} AS at, {row} AS id, payload FROM {source}"  # noqa: S608 - what was given goes in as parameters
        f" AND ({at}, {row}) {beyond} (:at, :id) AND {at} {within} :stop{_conditions(search, values)}"
        for source, at, row in sources(_types(search), hints(search.predicates), values)
    ]
    if selects:
        sql = f"{' UNION ALL '.join(selects)} ORDER BY at {order}, id {order}"
        yield from map(Log._make, tx.read(sql, values.parameters))


def _count(tx: Tx, search: LogSearch, domain_id: str) -> int:
    values = Values(domain=domain_id, start=search.start, end=search.end)
    found = sources(_types(search), hints(search.predicates), values)
    return sum(
        tx.read(
            f"SELECT count(*) FROM {source} AND {at} BETWEEN :start AND :end{_conditions(search, values)}",  # noqa: S608 - what was given goes in as parameters
            values.parameters,
        ).fetchone()[0]
        for source, at, _ in found
    )


def _types(search: LogSearch) -> list[EventType]:
    """Those that what is looked for can be of."""
    kinds = _kinds(search)
    return [
        type_
        for type_ in EventType
        if (not kinds or any(kind.type == type_ for kind in kinds)) and may_be(search.predicates, type_)
    ]


def _kinds(search: LogSearch) -> list[Kind]:
    return [kind for name in search.kinds for kind in kinds_of(name)]


def _conditions(search: LogSearch, values: Values) -> str:
    given = [
        condition(each, values)
        for each in search.predicates
        if each.attribute not in OF_DOMAIN and each.attribute not in CLASSIFIED
    ]
    kinds = _kinds(search)
    if any(kind.condition for kind in kinds):
        given.append(" OR ".join(f"(type = '{kind.type}' AND {kind.condition or 'TRUE'})" for kind in kinds))
    return "".join(f" AND ({each})" for each in given)
