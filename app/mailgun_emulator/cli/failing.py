"""How commands end that did not do what they were asked for."""

from typing import NoReturn

import typer

UNDONE = 1
"""Not found, not in time, refused."""
UNUSABLE = 2
"""A wrong command, or nothing that answers."""


def fail(message: object, code: int = UNUSABLE) -> NoReturn:
    typer.echo(f"mailgun-emulator: {message}", err=True)
    raise typer.Exit(code)
