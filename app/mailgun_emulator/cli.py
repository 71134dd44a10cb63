"""Start it from a shell."""

import gc
import shlex
import sys
import time
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer

from mailgun_emulator import __version__
from mailgun_emulator.core.settings import BadSetting, Settings, option

if TYPE_CHECKING:
    from mailgun_emulator.app import Emulator

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104 - how it is shown, not listened on

main = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def fail(message: object) -> NoReturn:
    typer.echo(f"mailgun-emulator: {message}", err=True)
    sys.exit(2)


def load(given: dict[str, Any]) -> Settings:
    try:
        return Settings.load({name: value for name, value in given.items() if value not in (None, [])})
    except BadSetting as error:
        fail(error)


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
    """Mailgun's HTTP API on your own machine."""


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


@main.command()
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
    except (DatabaseUnusable, SmtpUnusable) as error:
        fail(error)

    def announce(port: int) -> None:
        emulator.base_url = base_url(settings.host, port)
        typer.echo(greeting(emulator, emulator.base_url))

    try:
        Server(app, settings.host, settings.port, announce).run_until_stopped()
    except CannotListen as error:
        fail(
            f"can't listen on {settings.host}:{settings.port}: {error}. "
            "Choose another with --port or --host (MAILGUN_EMULATOR_PORT, MAILGUN_EMULATOR_HOST)."
        )


def base_url(host: str, port: int) -> str:
    """Where a client on this machine finds it."""
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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


@main.command()
def ready(
    wait: Annotated[float, typer.Option(help="Keep trying for so many seconds.", metavar="SECONDS")] = 0,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where it is served [default: as `serve` would].",
            metavar="URL",
            envvar="MAILGUN_EMULATOR_URL",
        ),
    ] = None,
) -> None:
    """Exit with 0 when a running server answers, else with 1."""
    settings = load({})
    url = url or base_url(settings.host, settings.port)
    if not is_http(url):
        fail(f"--url can't be {url!r}: it begins with http:// or https://, as http://127.0.0.1:8025 does.")
    until = time.monotonic() + wait
    while not answers(url):
        if time.monotonic() >= until:
            typer.echo(f"mailgun-emulator: nothing answers at {url}", err=True)
            sys.exit(1)
        time.sleep(0.05)


def is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def answers(url: str) -> bool:
    """Never through a proxy, unlike `urllib.request`, which takes four times as long to import."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=2)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/_emulator/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@main.command()
def openapi() -> None:
    """Print the OpenAPI document of everything that is served."""
    from mailgun_emulator.openapi.document import as_text, document

    typer.echo(as_text(document()), nl=False)
