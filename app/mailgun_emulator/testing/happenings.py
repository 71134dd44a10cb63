"""What recipients do with a message, done as they would: by the mail's own links where it has them."""

import re
from typing import Any
from urllib.parse import urlsplit

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.http_client import EmulatorError, is_told
from mailgun_emulator.testing.message import Message
from mailgun_emulator.testing.records import Event

__tracebackhide__ = is_told

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_PIXEL = re.compile(r'<img[^>]+src="(https?://[^"]+/o/[^"/]+)"')
_ONE_CLICK = [("List-Unsubscribe", "One-Click")]


def opened(client: AccountClient, message: Message, about: dict[str, Any]) -> Event:
    pixel = _PIXEL.findall(message.html)
    return _visit(client, message, "opened", pixel[-1] if pixel else None, about)


def clicked(client: AccountClient, message: Message, link: str | None, about: dict[str, Any]) -> Event:
    """`link` is a URL of the message, or the text of its link; the first one if none is given."""
    links = message.all_links
    found = next((each for each in links if link in (None, each.url, each.tracked, each.text)), None)
    if found is None:
        told = ", ".join(f"{each.url} ({each.text})" if each.text else each.url for each in links)
        wanted = "link" if link is None else f"link {link!r}"
        raise ValueError(f"{message!r} has no {wanted}; it has {told or 'none at all'}.")
    return _visit(client, message, "clicked", found.tracked, {"url": found.url, **about})


def unsubscribed(client: AccountClient, message: Message, about: dict[str, Any]) -> Event:
    return _visit(client, message, "unsubscribed", message.unsubscribe_url, about)


def happened(client: AccountClient, message: Message, event: str, about: dict[str, Any]) -> Event:
    """Made by the emulator; raise `EmulatorError` with why it can't happen if it can't."""
    client.drain()
    asked = {"event": event, "recipient": message.recipient, **about}
    given = {name: value for name, value in asked.items() if value is not None}
    return Event(client.post(f"/_emulator/messages/{message.id}/events", given))


def _visit(
    client: AccountClient, message: Message, event: str, url: str | None, about: dict[str, Any]
) -> Event:
    """By the link in the mail, if it has one, was delivered, and nothing is asked for that a visit can't tell."""
    about = {name: value for name, value in about.items() if value is not None}
    can_tell = not set(about) - {"user_agent", "url"}
    if url is not None and can_tell and _was_delivered(message) and _visited(client, event, url, about):
        found = client.get(
            "/_emulator/events",
            event=event,
            recipient=message.recipient,
            message_id=message.message_id,
            limit=1,
        )["items"]
        if found:
            return Event(found[0])
    return happened(client, message, event, about)


def _was_delivered(message: Message) -> bool:
    whom = message.recipient.lower()
    return any(each.event == "delivered" and each.recipient.lower() == whom for each in message.events)


def _visited(client: AccountClient, event: str, url: str, about: dict[str, Any]) -> bool:
    """At the emulator, whatever name the mail has for it; False if the link leads somewhere else."""
    path = "/".join(urlsplit(url).path.rsplit("/", 2)[-2:])
    headers = {"User-Agent": about.get("user_agent", BROWSER)}
    try:
        if event == "unsubscribed":
            return client.visit("POST", f"/{path}", headers, _ONE_CLICK).status < 400
        return client.visit("GET", f"/{path}", headers).status < 400
    except EmulatorError:
        return False
