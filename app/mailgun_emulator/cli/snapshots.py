"""`snapshot`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command, with_session
from mailgun_emulator.cli.failing import fail

app = new_app(invoke_without_command=True)

PATH = "/_emulator/snapshots"
PATIENCE_SECONDS = 300.0
Name = Annotated[str, typer.Argument(help="As it is listed.", metavar="NAME")]
File = Annotated[Path, typer.Argument(help="A file that holds a snapshot.")]


@app.callback()
@with_session
def snapshot(session: Session) -> None:
    """Keep how everything stands, or the account of --api-key, and go back to it; list what is kept."""
    tell_all(session)


@client_command(app)
def take(
    session: Session, name: Annotated[str, typer.Argument(help="What to call it.", metavar="[NAME]")] = ""
) -> None:
    """Keep how it stands now."""
    told = session.client.request("POST", PATH, json={"name": name} if name else {}, timeout=PATIENCE_SECONDS)
    session.tell(told, lambda: in_words(told))


@client_command(app, "list")
def list_(session: Session) -> None:
    """List what is kept."""
    tell_all(session)


@client_command(app)
def restore(session: Session, name: Name) -> None:
    """Go back to how it stood."""
    told = session.client.request("POST", f"{PATH}/{quoted(name)}/restore", timeout=PATIENCE_SECONDS)
    session.confirm(told)


@client_command(app)
def delete(session: Session, name: Name) -> None:
    """Delete a snapshot."""
    told = session.delete(f"{PATH}/{quoted(name)}")
    session.confirm(told)


@client_command(app)
def download(session: Session, name: Name, file: File) -> None:
    """Write a snapshot to a file."""
    path = f"{PATH}/{quoted(name)}"
    answer = session.client.fetch("GET", path, timeout=PATIENCE_SECONDS)
    if answer.status >= 400:
        session.decoded("GET", path, answer)
    try:
        file.write_bytes(answer.body)
    except OSError as error:
        fail(f"{file} can't be written: {error.strerror}")


@client_command(app)
def upload(session: Session, name: Name, file: File) -> None:
    """Take in a snapshot from a file, to be restored by that name."""
    try:
        content = file.read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")
    headers = {"Content-Type": "application/octet-stream"}
    path = f"{PATH}/{quoted(name)}"
    told = session.client.request("PUT", path, body=content, headers=headers, timeout=PATIENCE_SECONDS)
    session.tell(told, lambda: in_words(told))


def quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def tell_all(session: Session) -> None:
    told = session.get(PATH)
    session.tell(told, lambda: "\n".join(map(in_words, told["items"])) or "No snapshots.")


def in_words(told: dict[str, Any]) -> str:
    whose = f"account {told['account']}" if told.get("account") else "everything"
    kept = f"{terminal.when(told['at'])}, {whose}, {told['size']} bytes"
    return f"{terminal.bold(terminal.line(told['name']))}  {terminal.dim(kept)}"
