"""`send`."""

import mimetypes
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command
from mailgun_emulator.cli.failing import UNDONE, fail
from mailgun_emulator.testing.http_client import File

app = new_app()

Field = tuple[str, "str | File"]
ENDS = ("delivered", "failed", "rejected")


def several(help_: str, metavar: str = "TEXT", name: str | None = None) -> Any:
    return typer.Option(*([name] if name else []), help=f"{help_} May be repeated.", metavar=metavar)


@client_command(app)
def send(
    session: Session,
    to: Annotated[list[str] | None, several("A recipient.", "ADDRESS")] = None,
    from_: Annotated[
        str, typer.Option("--from", help="Who sends [default: me@ the domain].", metavar="ADDRESS")
    ] = "",
    cc: Annotated[list[str] | None, several("A recipient of a copy.", "ADDRESS")] = None,
    bcc: Annotated[list[str] | None, several("A recipient that the others do not see.", "ADDRESS")] = None,
    subject: Annotated[str, typer.Option(help="The subject.")] = "",
    text: Annotated[
        str | None, typer.Option(help="The text, `@FILE`, or `-` for what comes in [default: what comes in].")
    ] = None,
    html: Annotated[str | None, typer.Option(help="The HTML, `@FILE`, or `-` for what comes in.")] = None,
    template: Annotated[str | None, typer.Option(help="A template of the domain.", metavar="NAME")] = None,
    variables: Annotated[
        list[str] | None,
        several("NAME=VALUE or a JSON object: for the template, else told in events.", "TEXT"),
    ] = None,
    tag: Annotated[list[str] | None, several("A tag.")] = None,
    attachment: Annotated[list[Path] | None, several("A file to attach.", "FILE")] = None,
    option: Annotated[
        list[str] | None, several("One of Mailgun's options, as testmode=yes.", "NAME=VALUE")
    ] = None,
    header: Annotated[list[str] | None, several("A header, as X-Order=17.", "NAME=VALUE")] = None,
    domain: Annotated[
        str | None,
        typer.Option(
            help="Which domain sends [default: the account's].", metavar="NAME", envvar="MAILGUN_DOMAIN"
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until each recipient has it or never will.")] = False,
    timeout: Annotated[float, typer.Option(help="So long.", metavar="SECONDS", min=0, max=300)] = 30,
) -> None:
    """Send a message as a client of Mailgun would, and tell its id.

    With --wait exit with 1 if a recipient never has it, or has it not in time.
    """
    if not to:
        fail("send needs at least one --to")
    domain = domain or session.account["domain"]
    fields: list[Field] = [("from", from_ or f"Me <me@{domain}>"), ("subject", subject)]
    for name, addresses in (("to", to), ("cc", cc), ("bcc", bcc)):
        fields += [(name, address) for address in addresses or ()]
    if text is None and html is None and template is None:
        text = "-"
    fields += [("text", content(text))] if text is not None else []
    fields += [("html", content(html))] if html is not None else []
    fields += [("o:tag", each) for each in tag or ()]
    fields += pairs("o:", option, "--option") + pairs("h:", header, "--header")
    fields += variable_fields(variables or [], template)
    fields += [("attachment", upload(path)) for path in attachment or ()]
    told = session.post_message(domain, fields)
    if wait:
        told["events"] = follow(session, told["id"], timeout)
    session.tell(told, lambda: in_words(told))
    if wait and not all(each["event"] == "delivered" for each in told["events"]):
        raise typer.Exit(UNDONE)


def content(given: str) -> str:
    try:
        if given == "-":
            return sys.stdin.read()
        return Path(given[1:]).read_text("utf-8") if given.startswith("@") else given
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{given} can't be read: {error}")


def pairs(prefix: str, given: list[str] | None, where: str) -> list[Field]:
    return [(f"{prefix}{name}", value) for name, value in (pair(each, where) for each in given or ())]


def pair(given: str, where: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not (name and sign):
        fail(f"{where} can't be {given!r}: write NAME=VALUE")
    return name, value


def variable_fields(given: list[str], template: str | None) -> list[Field]:
    told = dict(each for text in given for each in read_variables(text))
    if template is None:
        return [
            (f"v:{name}", value if isinstance(value, str) else orjson.dumps(value).decode())
            for name, value in told.items()
        ]
    fields: list[Field] = [("template", template)]
    return [*fields, ("t:variables", orjson.dumps(told).decode())] if told else fields


def read_variables(text: str) -> Iterator[tuple[str, Any]]:
    if not text.lstrip().startswith("{"):
        yield pair(text, "--variables")
        return
    try:
        yield from orjson.loads(text).items()
    except orjson.JSONDecodeError as error:
        fail(f"--variables can't be {text!r}: {error}")


def upload(path: Path) -> File:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        return File(path.name, path.read_bytes(), kind)
    except OSError as error:
        fail(f"{path} can't be attached: {error.strerror}")


def follow(session: Session, message_id: str, seconds: float) -> list[dict[str, Any]]:
    """What became of it, an event for each recipient in their order."""
    accepted = session.get(
        "/_emulator/events", {"message_id": message_id, "event": "accepted", "limit": 1000}
    )
    whom = list(dict.fromkeys(each["recipient"] for each in reversed(accepted["items"])))
    asked = {"message_id": message_id, "event": list(ENDS)}
    found: dict[str, dict[str, Any]] = {}
    seen = 0
    until = deadline(seconds)
    while not (whom and found.keys() >= set(whom)):
        session.wait("/_emulator/events/wait", {**asked, "count": seen + 1}, until(), terminal.event)
        items = session.get("/_emulator/events", {**asked, "limit": 1000})["items"]
        seen = len(items)
        found = {each["recipient"]: each for each in items if each.get("severity") != "temporary"}
        whom = whom or list(found)
    return [found[each] for each in whom]


def deadline(seconds: float) -> Any:
    """Tells how many of the seconds are left."""
    import time

    end = time.monotonic() + seconds
    return lambda: max(end - time.monotonic(), 0.0)


def in_words(told: dict[str, Any]) -> str:
    lines = [f"{told['message']} {terminal.bold(told['id'])}"]
    return "\n".join([*lines, *(f"  {terminal.event(each)}" for each in told.get("events", ()))])
