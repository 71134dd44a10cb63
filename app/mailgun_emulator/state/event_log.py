"""Reads the events, page by page, in the order of their time (facts/sending.md, 3.3)."""

from collections.abc import Iterable
from typing import NamedTuple

from mailgun_emulator.expressions import event_filter
from mailgun_emulator.expressions.event_filter import Expression, Or, Term
from mailgun_emulator.state.event_conditions import FIELDS, Values, condition, is_address
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.transaction import Tx

EVER = 253402300799.0
"""The end of the year 9999."""

LAST_ID = 2**53 - 1
"""No event's row has a higher one."""


class Position(NamedTuple):
    """Where an event stands among the others: its time, and its row among those of the same instant."""

    at: float
    id: int


class Place(NamedTuple):
    """The events that follow a position in the order of a search or, `backwards`, those that precede it."""

    position: Position
    backwards: bool


class Search(NamedTuple):
    """What is looked for, in time's order, or against it if `end` is before `begin`.

    Both are in seconds since 1970 and included. `filters` are filter expressions by the field they are about; all of
    them must hold.
    """

    begin: float
    end: float
    filters: dict[str, list[str]]
    limit: int

    @property
    def ascending(self) -> bool:
        return self.begin <= self.end

    @property
    def first(self) -> Place:
        return Place(Position(self.begin, 0 if self.ascending else LAST_ID), backwards=False)

    @property
    def last(self) -> Place:
        return Place(Position(self.end, LAST_ID if self.ascending else 0), backwards=True)


class Page(NamedTuple):
    """The payloads of some events, and where those after and before them are found."""

    payloads: list[str]
    next: Place
    previous: Place


class _Row(NamedTuple):
    payload: str
    at: float
    id: int


def read(tx: Tx, domain_id: str, search: Search, place: Place) -> Page:
    """Refuse malformed filter expressions."""
    tx.settle()
    upwards = search.ascending != place.backwards
    rows = _select(tx, domain_id, search, place.position, upwards)
    if not rows:
        return _nothing(place, upwards)
    if place.backwards:
        rows.reverse()
    first, last = rows[0], rows[-1]
    return Page(
        [row.payload for row in rows],
        next=Place(Position(last.at, last.id), backwards=False),
        previous=Place(Position(first.at, first.id), backwards=True),
    )


def _nothing(place: Place, upwards: bool) -> Page:
    """On from here is here, for what may come yet; the other way begins with the event that is here."""
    at, row = place.position
    turned = Place(Position(at, row + 1 if upwards else row - 1), not place.backwards)
    return Page([], next=turned, previous=place) if place.backwards else Page([], next=place, previous=turned)


def _select(tx: Tx, domain_id: str, search: Search, position: Position, upwards: bool) -> list[_Row]:
    """As many as fit on a page from there on, in the order they are met."""
    types, wanted = _parse(search.filters)
    low, high = sorted((search.begin, search.end))
    if upwards:
        start, stop, beyond, within, order = max(position, Position(low, 0)), high, ">", "<=", "ASC"
    else:
        start, stop, beyond, within, order = min(position, Position(high, LAST_ID)), low, "<", ">=", "DESC"
    values = Values(domain=domain_id, at=start.at, id=start.id, stop=stop, limit=search.limit)
    conditions = "".join(f" AND {condition(field, each, values)}" for field, each in wanted)
    selects = [
        f"SELECT payload, {at} AS at, {row} AS id FROM {source}"  # noqa: S608 - what was given goes in as parameters
        f" AND ({at}, {row}) {beyond} (:at, :id) AND {at} {within} :stop{conditions}"
        for source, at, row in _sources(types, wanted, values)
    ]
    if not selects:
        return []
    sql = f"{' UNION ALL '.join(selects)} ORDER BY at {order}, id {order} LIMIT :limit"
    return [_Row._make(row) for row in tx.read(sql, values.parameters)]


def _parse(filters: dict[str, list[str]]) -> tuple[list[EventType], list[tuple[str, Expression]]]:
    """The types that are wanted, and what else must hold, each with the field it is about."""
    parsed = [
        (field, expression)
        for field in ("event", *FIELDS)
        for text in filters.get(field, ())
        if (expression := event_filter.parse(text)) is not None
    ]
    about_types = [expression for field, expression in parsed if field == "event"]
    types = [each for each in EventType if all(_is_of(expression, each) for expression in about_types)]
    wanted = [
        (field, each)
        for field, expression in parsed
        if field != "event"
        for each in event_filter.conjuncts(expression)
    ]
    return types, wanted


def _is_of(expression: Expression, type_: EventType) -> bool:
    return event_filter.holds(expression, lambda atom: atom.text.lower() == type_)


class Source(NamedTuple):
    """Rows to choose from, met in the order of two columns."""

    rows: str
    at: str = "at"
    id: str = "id"


class Hints(NamedTuple):
    """What all events that are looked for have in common, if it leaves few rows to look at."""

    message: bool = False
    recipient: bool = False
    tag: str = ""


def _sources(types: list[EventType], wanted: list[tuple[str, Expression]], values: Values) -> list[Source]:
    words = [(field, found) for field, each in wanted if (found := _any_of(each))]
    hints = Hints(
        message=any(field == "message-id" for field, _ in words),
        recipient=any(field == "recipient" and all(map(is_address, found)) for field, found in words),
        tag=next((found[0] for field, found in words if field == "tags" and len(found) == 1), ""),
    )
    return sources(types, hints, values)


def sources(types: Iterable[str], hints: Hints, values: Values) -> list[Source]:
    """What leaves few rows to look at. SQLite has no statistics and would often walk through all of the domain's.

    Of several types each is read in its own order, and SQLite merges them, so that a rare one is found at once.
    """
    placeholders = [values.put(str(each)) for each in types]
    if not placeholders:
        return []
    among = f" AND type IN ({', '.join(placeholders)})"
    if hints.message:
        return [Source(f"event INDEXED BY ix_event_message_id WHERE domain_id = :domain{among}")]
    if hints.recipient:
        return [Source(f"event INDEXED BY event_recipient WHERE domain_id = :domain{among}")]
    if hints.tag:
        tagged = f"event_tag.domain_id = :domain AND tag = {values.put(hints.tag.lower())}"
        rows = f"event_tag CROSS JOIN event ON event.id = event_id WHERE {tagged}{among}"
        return [Source(rows, "event_tag.at", "event_id")]
    return [Source(f"event WHERE domain_id = :domain AND type = {place}") for place in placeholders]


def _any_of(expression: Expression) -> list[str]:
    """The words of which one must be told, if that is all there is to it."""
    operands = expression.operands if isinstance(expression, Or) else (expression,)
    words = [each.text for each in operands if isinstance(each, Term)]
    return words if len(words) == len(operands) else []
