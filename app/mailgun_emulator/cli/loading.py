"""The settings as they were given."""

from typing import Any

from mailgun_emulator.cli.failing import fail
from mailgun_emulator.core.settings import BadSetting, Settings


def load(given: dict[str, Any]) -> Settings:
    try:
        return Settings.load({name: value for name, value in given.items() if value not in (None, [])})
    except BadSetting as error:
        fail(error)
