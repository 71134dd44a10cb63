"""What there was instead of an event that did not come: the nearest ones, each with its first difference."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from mailgun_emulator.mail import dates
from mailgun_emulator.state import account_events
from mailgun_emulator.state.account_events import EventSearch, is_met
from mailgun_emulator.state.event_conditions import plain_id
from mailgun_emulator.state.event_log import EVER
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.nearest import Near, Wanted, in_words, nearest, shown, wanted_times

MOST_COMPARED = 200
Payload = dict[str, Any]


def list_near(tx: Tx, search: EventSearch) -> list[Near[Payload]]:
    """Of the same message, recipient, tag and domain if there are any, else of all."""
    about = search._replace(events=(), severity="", since=0.0, before=EVER)
    found = account_events.list_newest(tx, about, MOST_COMPARED)
    found = found or account_events.list_newest(tx, EventSearch(), MOST_COMPARED)
    return nearest(list(_wanted(search)), [orjson.loads(event.payload) for event in found], _values_of)


def _wanted(search: EventSearch) -> Iterator[Wanted]:
    """In the order in which differences are told."""
    texts = {"recipient": search.recipient, "message_id": plain_id(search.message_id), "tag": search.tag}
    for name, text in {**texts, "domain": search.domain}.items():
        if text:
            yield Wanted(name, text, partial(_is_any, text, exact=name != "recipient"))
    if search.events:
        yield Wanted("event", " or ".join(search.events), lambda values: values[0] in search.events, few=True)
    if search.severity:
        yield Wanted("severity", search.severity, lambda values: search.severity in values, few=True)
    yield from wanted_times(search.since, search.before)


def _is_any(text: str, values: Sequence[str], *, exact: bool) -> bool:
    return any(is_met(text, each, exact=exact) for each in values)


def _values_of(payload: Payload, name: str) -> list[str]:
    match name:
        case "tag":
            return payload.get("tags") or []
        case "message_id":
            found = ((payload.get("message") or {}).get("headers") or {}).get("message-id")
        case "domain":
            found = (payload.get("domain") or {}).get("name")
        case "since" | "before":
            found = dates.rfc3339_ms(payload["timestamp"])
        case _:
            found = payload.get(name)
    return [found] if found else []


def absence(search: EventSearch, came: int, count: int, seconds: float, near: list[Near[Payload]]) -> str:
    """That it did not come, in a sentence, and what is nearest to it in another."""
    said = {
        "to": search.recipient,
        "of message": search.message_id,
        "tagged": search.tag,
        "from": search.domain,
    }
    about = "".join(f" {word} {shown(text)}" for word, text in said.items() if text)
    thing = " ".join(filter(None, (search.severity, " or ".join(search.events), "event")))
    return in_words(thing, about, came, count, seconds, near, _brief, "There are no events at all.")


def _brief(payload: Payload) -> str:
    whom = f" to {payload['recipient']}" if payload.get("recipient") else ""
    if payload["event"] != "failed":
        return f"{payload['event']}{whom}"
    code = (payload.get("delivery-status") or {}).get("code")
    why = " ".join(str(each) for each in (payload.get("severity"), code, payload.get("reason")) if each)
    return f"failed{whom} ({why})"
