"""Features that are turned on and off: each parameter is `{"enabled": true}` as JSON text (facts/account.md, 8)."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import json_text
from mailgun_emulator.web.forms import as_flag


class NoValidUpdates(BadRequest):
    message = "No valid updates provided"


def read_switch(value: Any) -> bool:
    """In a body that is JSON the object need not be text."""
    try:
        told = json_text.read(value) if isinstance(value, str) else value
    except ValueError:
        raise NoValidUpdates from None
    enabled = as_flag(told.get("enabled")) if isinstance(told, dict) else None
    if not isinstance(enabled, bool):
        raise NoValidUpdates
    return enabled


Switched = Annotated[bool | None, BeforeValidator(read_switch)]
"""None where a feature is not named."""
