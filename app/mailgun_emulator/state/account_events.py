"""The events of all of an account's domains, the newest first, by what is told of a message in plain words."""

import re
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

from mailgun_emulator.expressions.event_filter import Term
from mailgun_emulator.state.event_conditions import FIELDS, Values, contains, is_address, plain_id
from mailgun_emulator.state.event_log import EVER, Hints, Position, sources
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.transaction import Tx

_TAGS = "SELECT 1 FROM json_each(payload, '$.tags') WHERE lower(value)"


class EventSearch(NamedTuple):
    """What is looked for; what is empty is not asked for. Upper and lower case are the same.

    `events` are types of which any will do. In texts `*` stands for anything; without it a whole address, an id, a
    tag and a domain are met by themselves alone, and any other `recipient` by those it is a part of. `since` is
    included, `before` is not: seconds since 1970.
    """

    events: tuple[str, ...] = ()
    recipient: str = ""
    message_id: str = ""
    tag: str = ""
    domain: str = ""
    severity: str = ""
    since: float = 0.0
    before: float = EVER


class FoundEvent(NamedTuple):
    """`payload` is JSON."""

    at: float
    id: int
    payload: str

    @property
    def position(self) -> Position:
        return Position(self.at, self.id)


def list_newest(
    tx: Tx, search: EventSearch, most: int, older_than: Position | None = None
) -> list[FoundEvent]:
    """Each domain's are read in order, and only as far as they are wanted."""
    tx.settle()
    start = min(older_than or Position(search.before, 0), Position(search.before, 0))
    each_domain = [_read_domain(tx, search, domain_id, start) for domain_id in _domain_ids(tx, search)]
    newest_first = merge(*each_domain, key=lambda event: event.position, reverse=True)
    return list(islice(newest_first, most))


def total(tx: Tx) -> int:
    """How many events the account has."""
    tx.settle()
    ids = _domain_ids(tx, EventSearch())
    count = "SELECT count(*) FROM event WHERE domain_id = :domain"
    return sum(tx.read(count, {"domain": domain_id}).fetchone()[0] for domain_id in ids)


def _domain_ids(tx: Tx, search: EventSearch) -> list[str]:
    values = Values(account=tx.account_id)
    named = f" AND {text_condition('name', search.domain, values, exact=True)}" if search.domain else ""
    sql = (
        f"SELECT id FROM domain WHERE account_id = :account AND NOT deleted{named}"  # noqa: S608 - texts are parameters
        " AND EXISTS (SELECT 1 FROM event WHERE domain_id = domain.id)"
    )
    return [domain_id for (domain_id,) in tx.read(sql, values.parameters)]


def _read_domain(tx: Tx, search: EventSearch, domain_id: str, start: Position) -> Iterator[FoundEvent]:
    values = Values(domain=domain_id, at=start.at, id=start.id, stop=search.since)
    conditions = "".join(f" AND ({each})" for each in _conditions(search, values))
    selects = [
        f"SELECT {at} AS at, {row} AS id, payload FROM {source}"  # noqa: S608 - texts are parameters
        f" AND ({at}, {row}) < (:at, :id) AND {at} >= :stop{conditions}"
        for source, at, row in sources(search.events or tuple(EventType), _hints(search), values)
    ]
    sql = f"{' UNION ALL '.join(selects)} ORDER BY at DESC, id DESC"
    yield from map(FoundEvent._make, tx.read(sql, values.parameters))


def _hints(search: EventSearch) -> Hints:
    return Hints(
        message=bool(search.message_id) and "*" not in search.message_id,
        recipient=is_address(search.recipient) and "*" not in search.recipient,
        tag="" if "*" in search.tag else search.tag,
    )


def _conditions(search: EventSearch, values: Values) -> Iterator[str]:
    if search.recipient:
        yield text_condition("recipient", search.recipient, values)
    if search.message_id:
        yield text_condition("message_id", plain_id(search.message_id), values, exact=True)
    if search.severity:
        yield f"json_extract(payload, '$.severity') = {values.put(search.severity)}"
    if "*" in search.tag:
        yield f"EXISTS ({_TAGS} GLOB {values.put(_glob(search.tag))})"
    elif search.tag:
        yield FIELDS["tags"](values, Term(search.tag))


def text_condition(subject: str, text: str, values: Values, *, exact: bool = False) -> str:
    """About a column that is in lower case; `exact` texts need not be addresses to be met by themselves alone."""
    if "*" in text:
        return f"{subject} GLOB {values.put(_glob(text))}"
    if exact or is_address(text):
        return f"{subject} = {values.put(text.lower())}"
    return contains(values, subject, text)


def is_met(text: str, value: str, *, exact: bool = False) -> bool:
    """As `text_condition`, of what is at hand."""
    wanted, there = text.lower(), value.lower()
    if "*" in wanted:
        return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), there, re.DOTALL) is not None
    return wanted == there if exact or is_address(wanted) else wanted in there


def _glob(text: str) -> str:
    """Nothing but `*` is special."""
    return text.lower().replace("[", "[[]").replace("?", "[?]")
