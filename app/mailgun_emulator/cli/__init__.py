"""The command line. Each command is imported when it is called: a server is not to start later for all the others."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mailgun_emulator import __version__
from mailgun_emulator.cli.apps import new_app

MODULES = {
    "serve": "serving",
    "ready": "readiness",
    "send": "sending",
    "inbox": "inbox",
    "wait": "waiting",
    "clock": "clock",
    "outcomes": "outcomes",
    "faults": "faults",
    "reset": "resetting",
    "export": "fixture_files",
    "import": "fixture_files",
    "snapshot": "snapshots",
    "openapi": "openapi",
}
"""The commands in the order of their help, and the modules that have them as `app`."""


class Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the name it overrides
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the name it overrides
        if cmd_name not in MODULES:
            return None
        found = typer.main.get_command(import_module(f"{__name__}.{MODULES[cmd_name]}").app)
        if isinstance(found, TyperGroup) and cmd_name in found.commands:
            return found.commands[cmd_name]
        return found


main = new_app(cls=Commands, no_args_is_help=True)


def tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mailgun-emulator {__version__}")
        raise typer.Exit


@main.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=tell_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Mailgun's HTTP API on your own machine: the server, and commands for one that runs.

    Commands write for people on a terminal and JSON elsewhere; --json and --no-json decide otherwise. They exit with 0
    when it is done, with 1 when something was not found, did not come in time or was refused, and with 2 when the
    command is wrong or nothing answers.
    """
