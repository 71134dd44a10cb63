"""What is told of an account when a test has failed."""

from typing import TYPE_CHECKING, Any

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.assertions import (
    counted,
    instant,
    message_table,
    refused,
    strays,
    table,
    what_is_told,
)
from mailgun_emulator.testing.http_client import EmulatorError
from mailgun_emulator.testing.records import ApiRequest, Event

if TYPE_CHECKING:
    from mailgun_emulator.testing.account import Mailgun

MOST_MESSAGES = 10
MOST_EVENTS = 20
MOST_REQUESTS = 5
SECONDS = 5.0


def report_on(mailgun: "Mailgun") -> str:
    """Its messages, its events, and the requests that failed; never fails itself."""
    client = mailgun.client
    try:
        parts = [_messages(client), _events(client), _requests(client)]
    except EmulatorError as error:
        return str(error)
    return "\n\n".join(filter(None, [f"account {mailgun.id}, domain {mailgun.domain}", *parts]))


def _messages(client: AccountClient) -> str:
    found = _ask(client, "/_emulator/messages", limit=MOST_MESSAGES, direction="any")
    if not found["items"]:
        return "no messages"
    return f"{_count(found, 'message')}:\n{message_table(found['items'][::-1])}"


def _events(client: AccountClient) -> str:
    found = _ask(client, "/_emulator/events", limit=MOST_EVENTS)
    if not found["items"]:
        return ""
    events = [Event(each) for each in reversed(found["items"])]
    rows = [[instant(each.timestamp), each.event, each.recipient, what_is_told(each)] for each in events]
    return f"{_count(found, 'event')}:\n{table(['at', 'event', 'recipient', ''], rows)}"


def _requests(client: AccountClient) -> str:
    found = _ask(client, "/_emulator/requests", limit=MOST_REQUESTS, failed=True)
    if not found["items"]:
        return strays(client)
    lines = [f"  {refused(ApiRequest(client, each))}" for each in reversed(found["items"])]
    return "\n".join([f"{_count(found, 'failed request')}:", *lines])


def _ask(client: AccountClient, path: str, **params: Any) -> dict[str, Any]:
    told: dict[str, Any] = client.ask("GET", path, params=params, timeout=SECONDS)
    return told


def _count(found: dict[str, Any], what: str) -> str:
    shown = len(found["items"])
    total = found.get("total", shown)
    if total > shown:
        return f"the last {shown} of {counted(total, what)}"
    return f"the last {counted(shown, what)}" if found["next"] else counted(shown, what)
