"""JSON that others wrote."""

from typing import Any

import orjson

MOST_NESTED = 100
"""More than anybody means; what is written of it in turn can hold 254 levels."""


def read(text: str | bytes) -> Any:
    """Raise ValueError for what is no JSON, or nested too deeply to be written again as a part of something else."""
    found = orjson.loads(text)
    level = [found]
    for _ in range(MOST_NESTED):
        level = [each for holder in level for each in _within(holder) if isinstance(each, dict | list)]
        if not level:
            return found
    raise ValueError("nested too deeply")


def _within(holder: Any) -> Any:
    return holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ()
