"""What there was instead of a post to a webhook that was not made: the nearest ones, each with its first difference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from mailgun_emulator.state import webhook_deliveries
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhook_deliveries import Told, is_url
from mailgun_emulator.web.nearest import Near, Wanted, in_words, nearest, shown

MOST_COMPARED = 200
_ABOUT = {"recipient": "about", "message_id": "of message", "domain": "from", "url": "to"}


def list_near(tx: Tx, where: Mapping[str, Any]) -> list[Near[Told]]:
    """Of the same message, recipient and domain if there are any, else of all."""
    about = {name: value for name, value in where.items() if name in _ABOUT and name != "url"}
    found = webhook_deliveries.list_told(tx, about, MOST_COMPARED)
    found = found or webhook_deliveries.list_told(tx, {}, MOST_COMPARED)
    return nearest(list(_wanted(where)), found, _values_of)


def _wanted(where: Mapping[str, Any]) -> Iterator[Wanted]:
    """In the order in which differences are told."""
    for name in filter(where.__contains__, ("recipient", "message_id", "domain", "event", "url", "state")):
        met = is_url if name == "url" else str.__eq__
        yield Wanted(name, where[name], partial(_is_any, met, where[name]), few=name in ("event", "state"))
    yield Wanted("posted", "yes", lambda values: "yes" in values, few=True)


def _is_any(met: Callable[[str, str], bool], text: str, values: Sequence[str]) -> bool:
    return any(met(each, text) for each in values)


def _values_of(told: Told, name: str) -> list[str]:
    if name == "posted":
        return ["no" if told.attempts == "[]" else "yes"]
    return [told.webhook, told.event] if name == "event" else [getattr(told, name)]


def absence(where: Mapping[str, Any], came: int, count: int, seconds: float, near: list[Near[Told]]) -> str:
    """That it was not made, in a sentence, and what is nearest to it in another."""
    about = "".join(f" {word} {shown(where[name])}" for name, word in _ABOUT.items() if name in where)
    thing = " ".join(filter(None, (where.get("event"), "webhook post")))
    none = "None was to be made: nothing happened yet that a webhook is set up for."
    return in_words(thing, about, came, count, seconds, near, _brief, none)


def _brief(told: Told) -> str:
    return f"{told.webhook} of {told.recipient} to {told.url}"
