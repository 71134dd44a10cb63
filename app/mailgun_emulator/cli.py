"""Start it from a shell."""

import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailgun_emulator import __version__

if TYPE_CHECKING:
    from mailgun_emulator.core.settings import Settings

main = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

DEFAULT_URL = "http://127.0.0.1:8025"


def fail(message: str) -> typer.Exit:
    typer.echo(f"mailgun-emulator: {message}", err=True)
    return typer.Exit(2)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailgun-emulator {__version__}")
        raise typer.Exit


@main.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False,
) -> None:
    """Mailgun's HTTP API on your own machine."""


@main.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one [default: 8025].")] = None,
    database: Annotated[str | None, typer.Option(help="A file, or :memory: [default: :memory:].")] = None,
    strict: Annotated[
        bool | None, typer.Option("--strict/--lenient", help="Refuse what Mailgun refuses.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Makes ids, tokens and keys the same on every run.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(help="API key of the default account.")] = None,
    signing_key: Annotated[
        str | None, typer.Option(help="Webhook signing key of the default account.")
    ] = None,
    domain: Annotated[list[str] | None, typer.Option(help="A verified domain; may be repeated.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve until stopped."""
    from pydantic import ValidationError

    from mailgun_emulator.core.settings import Settings

    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "database": database,
        "strict": strict,
        "seed": seed,
        "api_key": api_key,
        "signing_key": signing_key,
        "domain": tuple(domain) if domain else None,
        "log_level": log_level,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise fail(f"--{name.replace('_', '-')} (MAILGUN_EMULATOR_{name.upper()}): {first['msg']}") from None
    run(settings)


def run(settings: "Settings") -> None:
    import uvicorn

    from mailgun_emulator.app import create_app
    from mailgun_emulator.state.database import DatabaseUnusable

    try:
        app, emulator = create_app(settings)
    except DatabaseUnusable as error:
        raise fail(str(error)) from None

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                port = self.servers[0].sockets[0].getsockname()[1]
                typer.echo(f"Mailgun emulator {__version__} at http://{settings.host}:{port}")
                typer.echo(f"State: {emulator.database.where()}")
                sys.stdout.flush()

    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    try:
        Server(config).run()
    except SystemExit:
        raise fail(f"can't listen on {settings.host}:{settings.port}; choose another with --port") from None


@main.command()
def ready(
    wait: Annotated[float, typer.Option(help="Keep trying for so many seconds.")] = 0,
    url: Annotated[
        str, typer.Option(envvar="MAILGUN_EMULATOR_URL", help="Where it is served.")
    ] = DEFAULT_URL,
) -> None:
    """Exit with 0 when a running server answers, else with 1."""
    until = time.monotonic() + wait
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_emulator/health", timeout=2) as answer:  # noqa: S310 - the user's own URL
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            pass
        if time.monotonic() >= until:
            typer.echo(f"mailgun-emulator: nothing answers at {url}", err=True)
            raise typer.Exit(1)
        time.sleep(0.05)
