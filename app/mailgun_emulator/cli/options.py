"""What commands with many options have in common."""

from typing import Any

import typer


def given(help_: str, metavar: str = "TEXT") -> Any:
    """An option that is told by its parameter's name."""
    return typer.Option(help=help_, metavar=metavar)


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Without those that the command line does not have."""
    return {name: value for name, value in values.items() if value not in (None, "", False, [])}
