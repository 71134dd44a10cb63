"""`export` and `import`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command
from mailgun_emulator.cli.failing import fail

app = new_app()

KINDS = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
CONTENT_TYPES = {"json": "application/json", "yaml": "application/yaml"}
PATIENCE_SECONDS = 300.0


@client_command(app)
def export(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="Where to write it; else it is printed.")] = None,
    format_: Annotated[
        str, typer.Option("--format", help="json or yaml [default: as the file is called, else yaml].")
    ] = "",
) -> None:
    """Write all accounts, or that of --api-key, as one readable file that `import` and `serve --fixture` take."""
    kind = format_ or (KINDS.get(file.suffix.lower(), "yaml") if file else "yaml")
    path = "/_emulator/export"
    answer = session.client.fetch("GET", path, params={"format": kind}, timeout=PATIENCE_SECONDS)
    if answer.status >= 400:
        session.decoded("GET", path, answer)
    if file is None:
        sys.stdout.buffer.write(answer.body)
        return
    try:
        file.write_bytes(answer.body)
    except OSError as error:
        fail(f"{file} can't be written: {error.strerror}")
    typer.echo(f"{file} written", err=True)


@client_command(app, "import")
def import_(
    session: Session,
    file: Annotated[Path, typer.Argument(help="JSON or YAML; `-` is what comes in.")],
) -> None:
    """Take in what `export` wrote; with --api-key into that key's account."""
    content = read(file)
    kind = KINDS.get(file.suffix.lower()) or ("json" if content.lstrip()[:1] == b"{" else "yaml")
    headers = {"Content-Type": CONTENT_TYPES[kind]}
    told = session.client.request(
        "POST", "/_emulator/import", body=content, headers=headers, timeout=PATIENCE_SECONDS
    )
    session.tell(told, lambda: in_words(told))


def read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")


def in_words(told: dict[str, Any]) -> str:
    return str(told["message"])
