"""What webhooks leave out for accounts that keep personal data to themselves (facts/account.md, 9.1).

Mailgun does not say what it leaves out. Here it is who a message was for and where they are: local parts and names,
the subject, IP addresses and places. The recipient's domain and the sender's own variables stay.
"""

import re
from typing import Any
from urllib.parse import quote

import orjson

from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import NotAnAddress

REDACTED = "redacted"
_WHOLE = r"(?:(?<![\w.+-])|(?<=%[0-9a-f]{{2}}))(?:{})(?![\w-]|\.\w)"
"""No part of a longer address; in a URL what stands before it may be quoted."""


def redacted(payload: str) -> str:
    """The JSON of an event without them, wherever its recipient stands: answers and URLs may repeat it."""
    event = orjson.loads(payload)
    headers = event.get("message", {}).get("headers", {})
    envelope = event.get("envelope", {})
    people = {event.get("recipient", ""), *_addresses(envelope.get("targets", ""))}
    _hide(event, "ip", "originating-ip")
    _hide(headers, "subject")
    _hide(event.get("geolocation", {}), "city", "region", "country")
    if "to" in headers:
        headers["to"] = ", ".join(map(_nameless, _addresses(headers["to"]))) or REDACTED
    text = orjson.dumps(event).decode()
    for address in sorted(filter(None, people), key=len, reverse=True):
        text = re.sub(_pattern_of(address), _nameless(address), text, flags=re.IGNORECASE)
    return text


def _nameless(address: str) -> str:
    return f"{REDACTED}@{address.rpartition('@')[2]}".replace("\\", "")


def _pattern_of(address: str) -> str:
    """As JSON writes it, and as a URL does."""
    written = (orjson.dumps(address).decode()[1:-1], quote(address, safe=""))
    return _WHOLE.format("|".join(map(re.escape, written)))


def _addresses(text: str) -> list[str]:
    try:
        return [each.email for each in addresses.parse_list([text])] if text else []
    except NotAnAddress:
        return []


def _hide(told: dict[str, Any], *names: str) -> None:
    for name in names:
        if name in told:
            told[name] = REDACTED
