"""`clock`."""

from typing import Annotated, Any

import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command, with_session

app = new_app(invoke_without_command=True)

PATH = "/_emulator/clock"
PATIENCE_SECONDS = 600.0
"""All that falls due on the way is done before the answer comes."""


@app.callback()
@with_session
def clock(session: Session) -> None:
    """Tell an account's time; move it on, stop it, let it run."""
    tell(session, session.get(PATH))


@client_command(app)
def advance(
    session: Session,
    by: Annotated[str, typer.Argument(help="How far: 90s, 15m, 8h, 3d, 1h30m.", metavar="SPAN")],
) -> None:
    """Move the time on; what falls due on the way is done."""
    set_to(session, advance=by)


@client_command(app)
def freeze(
    session: Session,
    at: Annotated[str, typer.Argument(help="Where: an instant as 2026-01-01T00:00:00Z, or now.")] = "now",
) -> None:
    """Stop the time."""
    set_to(session, freeze=at)


@client_command(app)
def resume(session: Session) -> None:
    """Let the time run on from where it stands."""
    set_to(session, resume=True)


@client_command(app)
def reset(session: Session) -> None:
    """Go back to real time."""
    set_to(session, reset=True)


def set_to(session: Session, **asked: Any) -> None:
    tell(session, session.client.request("POST", PATH, json=asked, timeout=PATIENCE_SECONDS))


def tell(session: Session, told: dict[str, Any]) -> None:
    session.tell(told, lambda: in_words(told))


def in_words(told: dict[str, Any]) -> str:
    notes = [terminal.styled("stopped", fg="yellow")] if told["frozen"] else []
    offset = round(told["offset"])
    if abs(offset) >= 1:
        notes.append(f"{span(abs(offset))} {'ahead of' if offset > 0 else 'behind'} real time")
    return f"{told['iso']}{''.join(f', {note}' for note in notes)}"


def span(seconds: int) -> str:
    """`1d 3h 5m`."""
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        parts += [f"{number}{unit}"] if number else []
    return " ".join(parts)
