"""What a failed assertion tells: what was looked for, what there is, and what keeps the nearest from being it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.filters import described
from mailgun_emulator.testing.http_client import EmulatorError
from mailgun_emulator.testing.records import ApiRequest, Event, brief

MOST_SHOWN = 10
MOST_FAILED = 3
WIDEST = 40

_ON_LIST = {
    "suppress-bounce": "is on the bounce list of {domain}",
    "suppress-unsubscribe": "is on the list of unsubscribes of {domain}",
    "suppress-complaint": "is on the list of complaints of {domain}",
}


def messages_missing(
    client: AccountClient,
    filters: Mapping[str, Any],
    error: EmulatorError,
    *,
    seconds: float | None,
    count: int,
) -> str:
    """`seconds` is how long they were waited for, None if they weren't."""
    told = error.answer
    there, total = told["there"], told["total"]
    when = "sent" if seconds is None else f"within {seconds:g} s"
    fitting = sum(not each["difference"] for each in there)
    if fitting:
        verb = "were" if seconds is None else "came"
        first = f"{counted(fitting, 'message')}{described(filters)} {verb} {when} instead of {count}."
    else:
        verb = "was" if seconds is None else "came"
        first = f"No message{described(filters)} {verb} {when}."
    nearest = next((each for each in there if each["difference"]), None)
    return "\n\n".join(
        filter(
            None,
            [first, _nearest(nearest), _all_sent(there, total), failed_requests(client) or strays(client)],
        )
    )


def wrong_count(
    client: AccountClient, filters: Mapping[str, Any], found: Sequence[Mapping[str, Any]], count: int
) -> str:
    """There are more or fewer of them than there should be."""
    first = (
        f"{counted(len(found), 'message')}{described(filters)} {_were(len(found))} sent instead of {count}."
    )
    return "\n\n".join(filter(None, [first, message_table(found[:MOST_SHOWN]), failed_requests(client)]))


def messages_unwanted(filters: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    first = f"{counted(len(found), 'message')}{described(filters)} {_were(len(found))} sent, and none should have been."
    return f"{first}\n\n{message_table(found[:MOST_SHOWN])}"


def event_missing(
    event: Sequence[str], filters: Mapping[str, Any], error: EmulatorError, seconds: float
) -> str:
    told = error.answer
    there, total = told["there"], told["total"]
    wanted = " or ".join(map(repr, event)) or "event"
    first = f"No {wanted}{described(filters)} came within {seconds:g} s."
    if not there:
        return f"{first} There are no events at all."
    shown = f"The nearest of {total} events:" if total > len(there) else "What there is, the nearest first:"
    rows = [[instant(each["timestamp"]), brief(Event(each)), each["difference"]] for each in there]
    return f"{first}\n\n{shown}\n{table(['at', 'event', 'but'], rows)}"


def webhook_missing(filters: Mapping[str, Any], error: EmulatorError, seconds: float) -> str:
    there = error.answer["there"]
    first = f"No webhook{described(filters)} was posted within {seconds:g} s."
    if not there:
        return f"{first} Nothing goes to any webhook: is one registered?"
    rows = [
        [each["webhook"], each["recipient"], each["url"], _fate(each), each["difference"]] for each in there
    ]
    head = ["webhook", "recipient", "url", "answered", "but"]
    return f"{first}\n\nWhat there is, the nearest first:\n{table(head, rows)}"


def not_delivered(subject: str, domain: str, recipient: str, events: Sequence[Event]) -> str:
    """`events` are those of one message to one recipient, the oldest first."""
    first = f"{subject!r} was not delivered to {recipient}: {_why(events, domain, recipient)}."
    rows = [[instant(each.timestamp), each.event, what_is_told(each)] for each in events]
    return f"{first}\n\n{table(['at', 'event', ''], rows)}" if rows else first


def message_table(messages: Sequence[Mapping[str, Any]]) -> str:
    """A line for each."""
    rows = [
        [
            ", ".join(each["recipients"]),
            repr(each["subject"]),
            ", ".join(each["tags"]),
            instant(each["at"]),
            each["id"],
        ]
        for each in messages
    ]
    return table(["to", "subject", "tags", "at", "id"], rows)


def failed_requests(client: AccountClient, most: int = MOST_FAILED) -> str:
    """The last requests that were refused, if there are any."""
    try:
        found = client.get("/_emulator/requests", failed=True, limit=most)["items"]
    except EmulatorError:  # the failure itself is what counts
        return ""
    lines = [f"  {refused(ApiRequest(client, each))}" for each in reversed(found)]
    return "\n".join(["Requests that failed:", *lines]) if lines else ""


def strays(client: AccountClient, most: int = MOST_FAILED) -> str:
    """Requests that another key came with, if none came with the account's: the usual reason why nothing is there."""
    try:
        if client.get("/_emulator/requests", limit=1)["items"]:
            return ""
        others = client.http.request(
            "GET", "/_emulator/requests", params={"since": client.age(), "limit": most}
        )["items"]
    except EmulatorError:
        return ""
    if not others:
        return "No request came with this account's key."
    lines = [f"  {each['method']} {each['path']}: {each['status']}" for each in reversed(others)]
    return "\n".join(["No request came with this account's key, but these did with others:", *lines])


def refused(request: ApiRequest) -> str:
    """In a line."""
    hints = f" ({'; '.join(request.hints)})" if request.hints else ""
    return f"{request.method} {request.path}: {request.status} {_cut(_said(request), 200)}{hints}"


def _said(request: ApiRequest) -> str:
    body = str(request.response.get("body") or "").strip()
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    return str(told.get("message") or told.get("error") or body) if isinstance(told, dict) else body


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be; empty ones are left out, and the last is never cut."""
    kept = [number for number in range(len(head)) if any(row[number] for row in rows)]
    lines = [
        [row[number] if number == kept[-1] else _cut(row[number]) for number in kept] for row in [head, *rows]
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(kept))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _nearest(message: Mapping[str, Any] | None) -> str:
    if message is None:
        return ""
    whom = ", ".join(message["recipients"])
    return f"The nearest is {message['subject']!r} to {whom}:\n  {message['difference']}"


def _all_sent(there: Sequence[Mapping[str, Any]], total: int) -> str:
    if not total:
        return "Nothing was sent at all."
    if total > len(there):
        return f"The nearest {len(there)} of {total} messages:\n{message_table(there)}"
    return f"{counted(total, 'message')} {_were(total)} sent:\n{message_table(there)}"


def _why(events: Sequence[Event], domain: str, recipient: str) -> str:
    last = next((each for each in reversed(events) if each.event == "failed"), None)
    if last is None:
        scheduled = next((each.get("message", {}).get("scheduled-for") for each in events), None)
        return f"it is scheduled for {instant(float(scheduled))}" if scheduled else "nobody has tried to yet"
    if last.reason in _ON_LIST:
        return f"{recipient} {_ON_LIST[last.reason].format(domain=domain)}"
    if last.severity == "permanent":
        return f"it failed for good with {last.code}, {last.description!r}"
    after = last.get("delivery-status", {}).get("retry-seconds")
    again = f"; it is tried again {after} s after that" if after else ""
    return f"it failed with {last.code}, {last.description!r}{again}"


def what_is_told(event: Event) -> str:
    """Of a failure: why."""
    if event.event != "failed":
        return ""
    why = " ".join(str(each) for each in (event.severity, event.code, event.reason) if each)
    return f"{why}: {event.description}" if event.description else why


def _fate(delivery: Mapping[str, Any]) -> str:
    return "not yet" if delivery["status"] is None else str(delivery["status"] or "by nobody")


def instant(at: float) -> str:
    """In UTC, to the second."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cut(text: str, most: int = WIDEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
