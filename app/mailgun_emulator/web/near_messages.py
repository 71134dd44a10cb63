"""What there was instead of a message that did not come: the nearest ones, each with its first difference."""

from collections.abc import Iterator, Sequence
from functools import partial

import orjson

from mailgun_emulator.expressions.message_search import ANYWHERE, Word, is_address
from mailgun_emulator.mail import dates
from mailgun_emulator.state import inbox
from mailgun_emulator.state.inbox import Direction, Search
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.nearest import Near, Wanted, in_words, nearest, shown, wanted_times

MOST_COMPARED = 200
MOST_RECIPIENTS = 3
_ASKED_AS = {ANYWHERE: "query", "message-id": "message_id"}
_SAID = {
    "to": "to {}",
    "from": "from {}",
    "subject": "with subject '{}'",
    "tag": "tagged '{}'",
    "has": "with an {}",
    "domain": "of {}",
    "message-id": "with id {}",
}


def list_near(tx: Tx, search: Search) -> list[Near[SentMessage]]:
    """Of the newest of either direction."""
    rows = inbox.find(tx, Search(direction=Direction.ANY))[:MOST_COMPARED]
    wanted = list(_wanted(search))
    words = {_name_of(word): word for word in search.words}

    def values_of(message: SentMessage, name: str) -> Sequence[str]:
        if name == "direction":
            return ["incoming" if "incoming" in orjson.loads(message.options) else "outgoing"]
        if name in ("since", "before"):
            return [dates.rfc3339_ms(message.accepted_at)]
        return _compared(words[name], inbox.values_of(tx, message, words[name].field))

    return nearest(wanted, inbox.list_sent(tx, rows), values_of)


def _wanted(search: Search) -> Iterator[Wanted]:
    """In the order in which differences are told."""
    if search.direction != Direction.ANY:
        yield Wanted("direction", search.direction, lambda values: search.direction in values)
    for word in search.words:
        yield Wanted(_name_of(word), word.text, partial(_fits, word), word.negated)
    yield from wanted_times(search.since, search.before)


def _compared(word: Word, values: list[str]) -> list[str]:
    """Who looks for an address needs no names."""
    return list(filter(is_address, values)) if is_address(word.text) else values


def _fits(word: Word, values: Sequence[str]) -> bool:
    return word.fits(values)


def _name_of(word: Word) -> str:
    return _ASKED_AS.get(word.field, word.field)


def absence(search: Search, came: int, count: int, seconds: float, near: list[Near[SentMessage]]) -> str:
    """That it did not come, in a sentence, and what is nearest to it in another."""
    thing = "incoming message" if search.direction == Direction.INCOMING else "message"
    about = "".join(f" {_said(word)}" for word in search.words)
    return in_words(thing, about, came, count, seconds, near, _brief, "There are no messages at all.")


def _said(word: Word) -> str:
    said = _SAID.get(word.field, "with '{}' in it").format(shown(word.text))
    return f"not {said}" if word.negated else said


def _brief(message: SentMessage) -> str:
    subject = orjson.loads(message.headers).get("subject", "")
    whom = ", ".join(orjson.loads(message.recipients)[:MOST_RECIPIENTS])
    return f"'{shown(subject)}' to {whom}"
