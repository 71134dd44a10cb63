"""What webhooks leave out for accounts that keep personal data to themselves (facts/account.md, 9.1).

Mailgun does not say what it leaves out. Here it is who a message was for and where they are: local parts and names,
the subject, IP addresses and places. The recipient's domain and the sender's own variables stay.
"""

import re
from typing import Any

import orjson

from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import NotAnAddress

REDACTED = "redacted"


def redacted(payload: str) -> str:
    """The JSON of an event without them, wherever an address stands: a mail server's answer may repeat it."""
    event = orjson.loads(payload)
    headers = event.get("message", {}).get("headers", {})
    envelope = event.get("envelope", {})
    named = _addresses(headers.get("to", ""))
    people = {event.get("recipient", ""), *_addresses(envelope.get("targets", "")), *named}
    _hide(event, "ip", "originating-ip")
    _hide(headers, "subject")
    _hide(event.get("geolocation", {}), "city", "region", "country")
    if "to" in headers:
        headers["to"] = ", ".join(named) or REDACTED
    text = orjson.dumps(event).decode()
    for address in sorted(filter(None, people), key=len, reverse=True):
        domain = address.rpartition("@")[2]
        written = re.escape(orjson.dumps(address).decode()[1:-1])
        text = re.sub(written, f"{REDACTED}@{domain}".replace("\\", ""), text, flags=re.IGNORECASE)
    return text


def _addresses(text: str) -> list[str]:
    try:
        return [each.email for each in addresses.parse_list([text])] if text else []
    except NotAnAddress:
        return []


def _hide(told: dict[str, Any], *names: str) -> None:
    for name in names:
        if name in told:
            told[name] = REDACTED
