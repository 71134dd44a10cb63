"""How commands end that did not do what they were asked for."""

from typing import NoReturn

import typer

from mailgun_emulator.cli import terminal

UNDONE = 1
"""Not found, not in time, refused."""
UNUSABLE = 2
"""A wrong command, or nothing that answers."""


def fail(message: object, code: int = UNUSABLE) -> NoReturn:
    typer.echo(f"mailgun-emulator: {terminal.plain(message)}", err=True)
    raise typer.Exit(code)
