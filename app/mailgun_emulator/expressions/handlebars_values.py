"""The values in templates: the JSON of variables as Mailgun's engine, in Go, sees it (facts/sending.md, 2.4)."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

MISSING: Any = object()
"""What a path gives that leads nowhere; None is a value."""
_ESCAPED = str.maketrans({"&": "&amp;", "'": "&apos;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity)|nan", re.IGNORECASE)


class TemplateError(Exception):
    """A template that can't be parsed or rendered; the message says why."""


def escape(text: str) -> str:
    return text.translate(_ESCAPED)


def given(value: Any) -> Any:
    """A value of the context: JSON's numbers are all floats."""
    return float(value) if type(value) is int else value


def is_true(value: Any) -> bool:
    """All but false, null, 0 and what is empty; the text `false` is true."""
    return bool(value)


def number(value: Any) -> float | None:
    """The value as a number, if it is one or reads like one."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return None


def text(value: Any) -> str:
    """As it is printed: numbers in full and as short as they can be, the items of a list without anything between."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _decimal(value)
        case list():
            return "".join(map(text, value))
        case dict():
            return _map(value)
        case _:
            return str(value)


def field(value: Any, name: str) -> Any:
    """One step of a path; `length` is that of what has no field of that name, of text in bytes."""
    found = MISSING
    if isinstance(value, dict):
        found = value.get(name, MISSING)
    elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        found = value[int(name)]
    if found is not MISSING:
        return given(found)
    if name == "length" and isinstance(value, dict | list | str):
        return len(value.encode()) if isinstance(value, str) else len(value)
    return MISSING


def has(value: Any, parts: list[str]) -> bool:
    """Whether the path leads to something, be it null."""
    for part in parts:
        value = field(value, part)
        if value is MISSING:
            return False
    return True


def _decimal(value: float) -> str:
    if math.isfinite(value):
        shortest = format(Decimal(repr(value)), "f")
        return shortest.removesuffix(".0")
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _map(values: dict[str, Any]) -> str:
    """As Go prints a map where it was asked for text."""
    return f"map[{' '.join(f'{key}:{_inner(values[key])}' for key in sorted(values))}]"


def _inner(value: Any) -> str:
    match value:
        case None:
            return "%!s(<nil>)"
        case bool():
            return f"%!s(bool={text(value)})"
        case int() | float():
            return f"%!s(float64={value:g})"
        case list():
            return f"[{' '.join(map(_inner, value))}]"
        case _:
            return text(value)


def reach(value: Any, parts: list[str]) -> tuple[Any, bool]:
    """What a path leads to, and whether it got anywhere. On a list it is followed from each of its items."""
    if isinstance(value, list):
        return list(_reach_each(value, parts)), False
    return _reach(value, parts)


def _reach(value: Any, parts: list[str]) -> tuple[Any, bool]:
    resolved = False
    for part in parts:
        value = field(value, part)
        if value is MISSING:
            return None, resolved
        resolved = True
    return value, resolved


def _reach_each(items: list[Any], parts: list[str]) -> Iterator[Any]:
    for item in items:
        found = given(item)
        for part in parts:
            found = field(found, part)
            if found is MISSING:
                break
        else:
            yield found
