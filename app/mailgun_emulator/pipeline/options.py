"""What senders ask of a message, by parameters or by header fields (facts/sending.md, 1.3 to 1.7)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, json_text
from mailgun_emulator.mail.periods import DAY, HOUR, LATEST

MOST_RECIPIENTS = 1000
MOST_TAGS = 10
TAG_LENGTH = 128
MOST_OPTION_BYTES = 16 * 1024

TEMPLATE = ("template", "template-version", "template-text", "template-variables")
"""Options that say what to make of the message, of no use once it is made."""
UNTOLD = "template-untold"
"""An option: the headers as the `accepted` event tells them, which those of a template come too late for (2.1)."""

_CHOICES = {
    **dict.fromkeys(("yes", "true", "1"), "yes"),
    **dict.fromkeys(("no", "false", "0", ""), "no"),
    "htmlonly": "htmlonly",
}
_WITHIN = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?", re.ASCII)
_PERIOD = re.compile(r"(\d{1,4})h", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})\s*(am|pm)?", re.ASCII | re.IGNORECASE)
_DKIM = re.compile(r"[\w.-]+\.[\w-]+/[\w-]+")


class TooManyRecipients(BadRequest):
    message = f"Too many recipients, max is {MOST_RECIPIENTS}"


class TooMuchInOptions(BadRequest):
    message = "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total"


class InvalidDeliveryTime(BadRequest):
    message = "invalid delivery time format"


def choice(value: object) -> str | None:
    """`yes`, `no` or `htmlonly` in any spelling; any other word leaves the choice to the domain's setting."""
    return _CHOICES.get(str(value).strip().lower())


def tags(given: Iterable[object]) -> list[str]:
    """ASCII only, 128 characters, no two that differ by case alone, the first ten."""
    kept: dict[str, str] = {}
    for tag in given:
        plain = str(tag).encode("ascii", "ignore").decode().strip()[:TAG_LENGTH]
        if plain:
            kept.setdefault(plain.lower(), plain)
    return list(kept.values())[:MOST_TAGS]


def variables(text: str) -> dict[str, str]:
    """What one `X-Mailgun-Variables` sets. Values are text, whatever was sent (facts/sending.md, trap 5)."""
    return {
        key: each if isinstance(each, str) else orjson.dumps(each).decode()
        for key, each in _object(text).items()
    }


def _object(text: str) -> dict[str, Any]:
    """What is no JSON object counts as an empty one."""
    try:
        found = json_text.read(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def recipient_variables(text: str | None) -> dict[str, dict[str, Any]] | None:
    if text is None:
        return None
    try:
        found = json_text.read(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise BadRequest("'recipient-variables' parameter is not a valid JSON")
    return found


def plain_variables(given: Iterable[str]) -> dict[str, Any]:
    """The option that keeps those of `X-Mailgun-Variables` that are numbers, true, false or null, for templates."""
    found: dict[str, Any] = {}
    for text in given:
        found.update(
            {key: each for key, each in _object(text).items() if not isinstance(each, str | list | dict)}
        )
    return {"plain-variables": found} if found else {}


def template(
    name: str, variables: str | None, version: str | None = None, text: str | None = None
) -> dict[str, Any]:
    """The options of a message that is made from a stored template; `text` is `yes` for a text made of it, too."""
    return {
        "template": name.lower(),
        "template-variables": variables or "",
        **({"template-version": version.lower()} if version else {}),
        **({"template-text": text} if text else {}),
    }


def delivery_time(text: str | None) -> float | None:
    """Seconds since 1970."""
    if not text:
        return None
    try:
        at = dates.parse(text)
    except ValueError:
        at = -1
    if not 0 <= at <= LATEST:
        raise BadRequest(f"{text} is not an RFC-2822 compliant date")
    return at


def check(options: Mapping[str, Any]) -> None:
    """Refuse what could not be done; `options` by their names without `o:`."""
    if within := options.get("deliver-within"):
        read_within(within)
    if period := options.get("deliverytime-optimize-period"):
        hours = _PERIOD.fullmatch(period)
        if hours is None or not 24 <= int(hours[1]) <= 72:
            raise InvalidDeliveryTime
    if time_of_day := options.get("time-zone-localize"):
        read_time_of_day(time_of_day)
    if not options.get("archive-to", "http://").lower().startswith(("http://", "https://")):
        raise BadRequest("Invalid parameter: o:archive-to is invalid")
    for name in (options.get("secondary-dkim"), options.get("secondary-dkim-public")):
        if name and not _DKIM.fullmatch(name):
            raise BadRequest(f"{name} is not a valid secondary dkim domain name")


def read_within(text: str) -> int:
    """Seconds of `1h30m`, `30m` or `24h`."""
    found = _WITHIN.fullmatch(text)
    seconds = int(found[1] or 0) * HOUR + int(found[2] or 0) * 60 if found else 0
    if not 5 * 60 <= seconds <= DAY:
        raise InvalidDeliveryTime
    return seconds


def read_time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of `14:30` or `02:30pm`."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None or int(found[2]) > 59 or (found[3] and not 1 <= int(found[1]) <= 12):
        raise BadRequest(f"{text} is not a valid time to send (value of 'o:time-zone-localize')")
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").lower()
    if hour > 23:
        raise BadRequest(f"{found[1]} invalid 24 hour time(value of 'o:time-zone-localize')")
    return (hour % 12 + (12 if half == "pm" else 0) if half else hour), minute
