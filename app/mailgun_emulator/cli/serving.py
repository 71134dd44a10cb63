"""`serve`."""

import gc
import shlex
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import typer

from mailgun_emulator import __version__
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.failing import fail
from mailgun_emulator.cli.loading import load
from mailgun_emulator.core.settings import BadSetting, Settings, option
from mailgun_emulator.testing.http_client import base_url

if TYPE_CHECKING:
    from mailgun_emulator.app import Emulator

app = new_app()


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each setting, as text: `Settings` checks the value, from wherever it comes."""
    parameters = []
    for name, field in Settings.model_fields.items():
        is_flag, is_list = field.annotation is bool, isinstance(field.default, tuple)
        default = ",".join(field.default) if is_list else field.default
        shown = "" if default in (None, "", False) else f" [default: {default}]"
        offered = typer.Option(
            None,
            f"{option(name)}/--lenient" if name == "strict" else option(name),
            help=f"{field.description}{shown}",
            metavar=None if is_flag else "TEXT",
        )
        kind = bool | None if is_flag else list[str] | None if is_list else str | None
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=offered, annotation=kind))
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # functions take it, their types don't
    return command


@app.command()
@settings_options
def serve(**given: Any) -> None:
    """Serve until stopped. Each option is also an environment variable: MAILGUN_EMULATOR_PORT and so on."""
    gc.set_threshold(20_000, 20, 100)  # a server makes little that only the collector can free
    settings = load(given)
    from mailgun_emulator.app import create_app
    from mailgun_emulator.server import CannotListen, Server, log_to_stderr
    from mailgun_emulator.smtp.listener import SmtpUnusable
    from mailgun_emulator.state.lock import DatabaseUnusable

    log_to_stderr(settings.log_level)
    try:
        app, emulator = create_app(settings)
    except (BadSetting, DatabaseUnusable, SmtpUnusable) as error:
        fail(error)

    def announce(port: int) -> None:
        emulator.base_url = base_url(settings.host, port)
        typer.echo(greeting(emulator, emulator.base_url))

    try:
        Server(app, settings.host, settings.port, announce, emulator.stopping.set).run_until_stopped()
    except CannotListen as error:
        fail(
            f"can't listen on {settings.host}:{settings.port}: {error}. "
            "Choose another with --port or --host (MAILGUN_EMULATOR_PORT, MAILGUN_EMULATOR_HOST)."
        )


def greeting(emulator: "Emulator", url: str) -> str:
    """All that is needed to use it, the base URL at the end of the first line, a command to paste at the end."""
    settings = emulator.settings
    domain = settings.domain[0]
    command = ["curl", "-s", "--user", f"api:{settings.api_key}", f"{url}/v3/{domain}/messages"]
    for field in (f"from=Me <me@{domain}>", "to=you@example.org", "subject=Hello", "text=It works."):
        command += ["-F", field]
    return (
        f"Mailgun emulator {__version__} at {url}\n"
        f"API key:      {settings.api_key}\n"
        f"Signing key:  {emulator.signing_key()}\n"
        f"Domains:      {', '.join(settings.domain)}\n"
        f"State:        {emulator.database.where()}\n"
        f"{smtp(emulator)}"
        f"Try it:       {shlex.join(command)}"
    )


def smtp(emulator: "Emulator") -> str:
    """Where mail is taken by SMTP, and who may log in there."""
    settings, port = emulator.settings, emulator.smtp.port
    if port is None:
        return ""
    moved = "" if settings.smtp_port in (0, port) else f" ({settings.smtp_port} is taken)"
    where = base_url(settings.host, port).removeprefix("http://")
    who = "credentials of a domain" if settings.strict else f"postmaster@{settings.domain[0]}, any password"
    return f"SMTP:         {where}{moved}, login: {who}\n"
