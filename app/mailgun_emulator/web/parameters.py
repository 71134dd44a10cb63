"""Parameters that are text until their section has looked at them: choices, whole numbers, instants."""

import re
from collections.abc import Iterable

from mailgun_emulator.core.errors import BadRequest, MailgunError
from mailgun_emulator.mail import dates
from mailgun_emulator.web.forms import LARGEST

_WHOLE = re.compile(r"\d{1,18}", re.ASCII).fullmatch


class Missing(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Missing mandatory parameter: {name}")


def one_of(name: str, value: str, possible: Iterable[str], refusal: type[MailgunError] = BadRequest) -> None:
    """An empty one may be possible, which is not told."""
    if value not in (known := list(possible)):
        raise refusal(f"{name} must be one of {', '.join(filter(None, known))}")


def whole(name: str, text: str, refusal: type[MailgunError], least: int = 0, most: int = LARGEST) -> int:
    if not _WHOLE(text) or not least <= int(text) <= most:
        raise refusal(f"{name} is invalid")
    return int(text)


def instant(name: str, text: str, otherwise: float, style: str) -> float:
    """In seconds since 1970. Other styles of dates are read as well; `style` is what a refusal asks for."""
    try:
        return dates.parse(text) if text else otherwise
    except ValueError:
        raise BadRequest(f"{name} must be a timestamp in {style} format") from None
