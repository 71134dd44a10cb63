"""The messages of an account, found by what is in them: stored copies of what was sent, and of what came in."""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from math import inf
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.expressions.message_search import ANYWHERE, BODY, Pattern, Word, addresses_in
from mailgun_emulator.mail import body_search, stored
from mailgun_emulator.state import messages
from mailgun_emulator.state.event_conditions import Values, contains
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

DELETED_AT_ONCE = 500
EVER = inf
_IS_PLAIN = re.compile(r"[ !#-\[\]-~]+").fullmatch
"""What stands in JSON as it is."""
_INCOMING = """options LIKE '%"incoming":%' AND json_extract(options, '$.incoming') IS NOT NULL"""


class Direction(StrEnum):
    OUTGOING = "outgoing"
    INCOMING = "incoming"
    ANY = "any"


class Search(NamedTuple):
    """What is looked for: all `words` must hold. `since` is included, `before` is not; seconds since 1970."""

    words: tuple[Word, ...] = ()
    since: float = 0.0
    before: float = EVER
    direction: Direction = Direction.OUTGOING


class _Field(NamedTuple):
    """The columns that a field is read from, as text or JSON, and how."""

    columns: tuple[str, ...]
    read: Callable[..., list[str]]


def _recipients(recipients: str, addressees: str) -> list[str]:
    """The addresses of the envelope; what To and Cc say, and the addresses in that."""
    shown = [each for named in orjson.loads(addressees) for each in named]
    return list(dict.fromkeys([*orjson.loads(recipients), *_with_addresses(shown)]))


def _author(headers: str) -> list[str]:
    return _with_addresses([orjson.loads(headers).get("from", "")])


def _with_addresses(texts: list[str]) -> list[str]:
    return [
        *texts,
        *(address for text in texts if "<" in text or "," in text for address in addresses_in(text)),
    ]


def _subject(headers: str) -> list[str]:
    return [orjson.loads(headers).get("subject", "")]


def _anywhere(recipients: str, addressees: str, headers: str) -> list[str]:
    return [*_recipients(recipients, addressees), *_author(headers), *_subject(headers)]


def _files(attachments: str) -> list[str]:
    return [] if attachments == "[]" else ["attachment"]


_FIELDS = {
    "to": _Field(("recipients", "addressees"), _recipients),
    "from": _Field(("headers",), _author),
    "subject": _Field(("headers",), _subject),
    "tag": _Field(("tags",), orjson.loads),
    "message-id": _Field(("message_id",), lambda message_id: [message_id]),
    "has": _Field(("attachments",), _files),
    BODY: _Field(("headers",), _subject),
    ANYWHERE: _Field(("recipients", "addressees", "headers"), _anywhere),
}
"""What can be told without the MIME. Those of `_DEEP` are looked for there, too, if they are not met before."""
_DEEP = (BODY, ANYWHERE, "has")
_MIME = "mime"
_COLUMNS = ("recipients", "addressees", "headers", "tags", "message_id", "attachments", _MIME)


class _Condition:
    def __init__(self, word: Word) -> None:
        self.word = word
        self.pattern = Pattern(word)
        self.columns, self._read = _FIELDS[word.field]
        self._places = [_COLUMNS.index(column) for column in self.columns]

    def fails(self, row: tuple[Any, ...]) -> bool | None:
        """None if it takes the MIME to tell."""
        met = any(map(self.pattern.meets, self._read(*(row[place] for place in self._places))))
        if met or self.word.field not in _DEEP:
            return met == self.word.negated
        return None

    def holds_in(self, mime: bytes) -> bool:
        if self.word.field == "has":
            return stored.has_files(mime) != self.word.negated
        piece = self.pattern.longest_piece
        met = body_search.holds(mime, piece) and any(map(self.pattern.meets, body_search.texts(mime)))
        return met != self.word.negated


def find(tx: Tx, search: Search, above: int = 0, up_to: int | None = None) -> list[int]:
    """The rows of the messages that meet it, the newest first; of those `above` a row and up to another."""
    tx.settle()
    conditions = [_Condition(word) for word in search.words if word.field != "domain"]
    values = Values(now=tx.now, since=search.since, before=search.before, above=above, up_to=up_to)
    sql = _select(_domain_ids(tx, search), search, conditions, values)
    found = [row[-1] for row in tx.read(sql, values.parameters) if _holds(conditions, row)]
    return sorted(found, reverse=True)


def last_row(tx: Tx) -> int:
    """Of all accounts; later messages have higher ones, until the state is reset."""
    tx.settle()
    (last,) = tx.read("SELECT coalesce(max(id), 0) FROM message", {}).fetchone()
    return int(last)


def first_row(tx: Tx) -> int:
    """Of the account's; 0 if it has none."""
    tx.settle()
    sql = (
        "SELECT coalesce(min(message.id), 0) FROM message JOIN domain ON domain.id = domain_id"
        " WHERE account_id = :account"
    )
    (first,) = tx.read(sql, {"account": tx.account_id}).fetchone()
    return int(first)


def find_by_key(tx: Tx, storage_key: str) -> SentMessage | None:
    """One of the account's."""
    tx.settle()
    sql = (
        "SELECT message.id FROM message JOIN domain ON domain.id = domain_id"
        " WHERE storage_key = :key AND account_id = :account"
    )
    row = tx.read(sql, {"key": storage_key, "account": tx.account_id}).fetchone()
    return None if row is None else messages.find_sent(tx, row[0])


def list_sent(tx: Tx, rows: Iterable[int]) -> list[SentMessage]:
    """Those that are still there."""
    return [found for row in rows if (found := messages.find_sent(tx, row)) is not None]


def count(tx: Tx) -> int:
    """How many there are, of either direction."""
    return len(find(tx, Search(direction=Direction.ANY)))


def delete(tx: Tx, rows: list[int]) -> None:
    """To whom they are not delivered yet, they never will be."""
    for start in range(0, len(rows), DELETED_AT_ONCE):
        some = orjson.dumps(rows[start : start + DELETED_AT_ONCE]).decode()
        tx.execute("DELETE FROM message WHERE id IN (SELECT value FROM json_each(:rows))", {"rows": some})


def list_events(tx: Tx, message: SentMessage, recipient: str | None = None) -> list[dict[str, Any]]:
    """What happened to a copy, oldest first: to one of its recipients, or to all."""
    tx.settle()
    everyone = [recipient] if recipient else orjson.loads(message.recipients)
    is_for_all = "incoming" in orjson.loads(message.options) and not recipient
    sql = (
        "SELECT payload FROM event INDEXED BY ix_event_message_id"
        " WHERE message_id = :message_id AND domain_id = :domain_id"
        " AND (:all OR recipient IN (SELECT value FROM json_each(:whom))) ORDER BY at, id"
    )
    about = {
        "message_id": message.message_id.lower(),
        "domain_id": message.domain_id,
        "all": is_for_all,
        "whom": orjson.dumps([each.lower() for each in everyone]).decode(),
    }
    found = [orjson.loads(payload) for (payload,) in tx.read(sql, about)]
    return [event for event in found if _is_of(message, event)]


def values_of(tx: Tx, message: SentMessage, field: str) -> list[str]:
    """What the message has in a field of words, as these are held against it."""
    if field == "domain":
        return [message.domain_name]
    columns, read = _FIELDS[field]
    found = read(*(getattr(message, column) for column in columns))
    if field not in _DEEP or (field == "has" and found):
        return found
    mime = messages.find_mime(tx, message.id) or b""
    if field == "has":
        return ["attachment"] if stored.has_files(mime) else []
    return [*found, *body_search.texts(mime)]


def _select(domain_ids: list[str], search: Search, conditions: list[_Condition], values: Values) -> str:
    """The rows that may be meant, chosen by what SQLite can tell; it takes ASCII letters alone for the same."""
    among = values.put(orjson.dumps(domain_ids).decode())
    where = [f"domain_id IN (SELECT value FROM json_each({among}))", "expires_at > :now"]  # noqa: S608 - a parameter's name
    where += ["accepted_at >= :since"] if search.since > 0 else []
    where += ["accepted_at < :before"] if search.before < EVER else []
    where += ["id > :above"] if values.parameters["above"] else []
    where += ["id <= :up_to"] if values.parameters["up_to"] is not None else []
    if search.direction != Direction.ANY:
        where.append(_INCOMING if search.direction == Direction.INCOMING else f"NOT ({_INCOMING})")
    for each in conditions:
        piece = each.pattern.longest_piece
        if not each.word.negated and each.word.field not in _DEEP and _IS_PLAIN(piece):
            where.append(f"({' OR '.join(contains(values, column, piece) for column in each.columns)})")
    needed = {column for each in conditions for column in each.columns}
    needed |= {_MIME} if any(each.word.field in _DEEP for each in conditions) else set()
    columns = ", ".join(column if column in needed else "NULL" for column in _COLUMNS)
    return f"SELECT {columns}, id FROM message WHERE {' AND '.join(where)}"  # noqa: S608 - texts are parameters


def _domain_ids(tx: Tx, search: Search) -> list[str]:
    words = [word for word in search.words if word.field == "domain"]
    sql = "SELECT id, name FROM domain WHERE account_id = :account AND NOT deleted"
    found = tx.read(sql, {"account": tx.account_id})
    return [domain_id for domain_id, name in found if all(word.fits([name]) for word in words)]


def _holds(conditions: list[_Condition], row: tuple[Any, ...]) -> bool:
    """What can be told from the columns first."""
    open_ones = []
    for each in conditions:
        fails = each.fails(row)
        if fails:
            return False
        if fails is None:
            open_ones.append(each)
    return all(each.holds_in(row[_COLUMNS.index(_MIME)]) for each in open_ones)


def _is_of(message: SentMessage, event: dict[str, Any]) -> bool:
    """Of opens and clicks only the recipient tells which copy they are of."""
    return bool(event.get("storage", {}).get("key", message.storage_key) == message.storage_key)
