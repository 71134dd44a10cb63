"""What there was instead of an event that did not come: the nearest ones, and what keeps each from being it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import dates
from mailgun_emulator.state import account_events
from mailgun_emulator.state.account_events import EventSearch, is_met
from mailgun_emulator.state.event_conditions import plain_id
from mailgun_emulator.state.event_log import EVER
from mailgun_emulator.state.transaction import Tx

MOST_SHOWN = 10
MOST_COMPARED = 200


class Near(NamedTuple):
    """An event's payload, and in which ways it is another than the one that was looked for."""

    payload: dict[str, Any]
    differences: tuple[str, ...]


def list_near(tx: Tx, search: EventSearch) -> list[Near]:
    """Of the same message, recipient, tag and domain if there are any, else of all; the nearest first."""
    about = search._replace(events=(), severity="", since=0.0, before=EVER)
    found = account_events.list_newest(tx, about, MOST_COMPARED)
    found = found or account_events.list_newest(tx, EventSearch(), MOST_COMPARED)
    payloads = [orjson.loads(event.payload) for event in found]
    near = [Near(payload, tuple(_differences(payload, search))) for payload in payloads]
    return sorted(near, key=lambda each: len(each.differences))[
        :MOST_SHOWN
    ]  # else they stay the newest first


def _differences(payload: dict[str, Any], search: EventSearch) -> Iterator[str]:
    if search.events and payload["event"] not in search.events:
        yield _instead("event", payload["event"], " or ".join(search.events))
    if search.severity and payload.get("severity") != search.severity:
        yield _instead("severity", payload.get("severity"), search.severity)
    yield from _other_texts(payload, search)
    at = payload["timestamp"]
    if not search.since <= at < search.before:
        yield f"it happened at {dates.rfc3339_ms(at)}"


def _other_texts(payload: dict[str, Any], search: EventSearch) -> Iterator[str]:
    recipient = payload.get("recipient") or ""
    if search.recipient and not is_met(search.recipient, recipient):
        yield _instead("recipient", recipient, search.recipient)
    message_id = ((payload.get("message") or {}).get("headers") or {}).get("message-id") or ""
    if search.message_id and not is_met(plain_id(search.message_id), message_id, exact=True):
        yield _instead("message_id", message_id, search.message_id)
    tags = payload.get("tags") or []
    if search.tag and not any(is_met(search.tag, tag, exact=True) for tag in tags):
        yield _instead("tag", ", ".join(tags), search.tag)
    domain = (payload.get("domain") or {}).get("name") or ""
    if search.domain and not is_met(search.domain, domain, exact=True):
        yield _instead("domain", domain, search.domain)


def _instead(name: str, there: str | None, wanted: str) -> str:
    return f"{name}: '{there}' instead of '{wanted}'" if there else f"{name}: none instead of '{wanted}'"


def brief(payload: dict[str, Any]) -> str:
    """An event in a few words."""
    whom = f" to {payload['recipient']}" if payload.get("recipient") else ""
    if payload["event"] != "failed":
        return f"{payload['event']}{whom}"
    code = (payload.get("delivery-status") or {}).get("code")
    why = " ".join(str(each) for each in (payload.get("severity"), code, payload.get("reason")) if each)
    return f"failed{whom} ({why})"


def absence(search: EventSearch, came: int, count: int, seconds: float, near: list[Near]) -> str:
    """That it did not come, in a sentence, and what there was in another."""
    kinds = f"{search.severity} {' or '.join(search.events)}".strip()
    about = "".join(
        f" {word} {text}"
        for word, text in (
            ("to", search.recipient),
            ("of message", search.message_id),
            ("tagged", search.tag),
            ("from", search.domain),
        )
        if text
    )
    many, event = (f"Only {came} of {count}", "events") if came else ("No", "event")
    what = " ".join(filter(None, (many, kinds, event)))
    told = ", ".join(brief(each.payload) for each in near)
    there = f"There is: {told}." if told else "There are no events at all."
    return f"{what}{about} came within {seconds:g} s. {there}"
