"""`inbox`."""

import sys
from typing import Annotated, Any

import orjson
import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command, with_session
from mailgun_emulator.cli.failing import UNUSABLE, fail

app = new_app(invoke_without_command=True)

PATH = "/_emulator/messages"


def words(help_: str, *names: str) -> Any:
    return typer.Option(*names, help=help_, metavar="TEXT")


To = Annotated[str, words("To whom: an address, a pattern with *, or a part of it.")]
From = Annotated[str, words("From whom, likewise.", "--from")]
Subject = Annotated[str, words("A part of the subject, or a pattern with *.")]
Text = Annotated[str, words("What subject, text and HTML say.")]
Tag = Annotated[str, words("One of its tags.")]
HasAttachment = Annotated[bool, typer.Option("--has-attachment", help="With an attachment.")]
Domain = Annotated[str, words("The domain that sends.")]
Since = Annotated[str, words("Not from before then: an instant, or 10m for ten minutes ago.")]
Before = Annotated[str, words("From before then.")]
Direction = Annotated[str, words("outgoing [the default], incoming or any.")]
Search = Annotated[
    str, words('In one line: `to:ann tag:welcome has:attachment -draft "a phrase"`.', "--query", "-q")
]


def filters(**given: Any) -> dict[str, Any]:
    """What is asked of the server."""
    asked = {name.rstrip("_"): value for name, value in given.items() if value}
    if asked.pop("has_attachment", False):
        asked["has"] = "attachment"
    return asked


@client_command(app, "list")
def list_(
    session: Session,
    to: To = "",
    from_: From = "",
    subject: Subject = "",
    text: Text = "",
    tag: Tag = "",
    has_attachment: HasAttachment = False,
    domain: Domain = "",
    since: Since = "",
    before: Before = "",
    direction: Direction = "",
    query: Search = "",
    limit: Annotated[int, typer.Option(help="So many at most.", min=1, max=1000)] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Tell those that come from now on.")] = False,
) -> None:
    """List messages, the newest first; show, follow or delete them."""
    asked = filters(
        to=to, from_=from_, subject=subject, text=text, tag=tag, has_attachment=has_attachment, domain=domain,
        since=since, before=before, direction=direction, query=query,
    )  # fmt: skip
    if follow:
        tell_as_they_come(session, asked)
        return
    page = session.get(PATH, {**asked, "limit": limit})
    session.tell(page, lambda: in_words(page))


app.callback()(with_session(list_))


def in_words(page: dict[str, Any]) -> str:
    if not page["items"]:
        return "No messages."
    more = page["total"] - len(page["items"])
    told = [terminal.message(each) for each in page["items"]]
    return "\n".join([*told, terminal.dim(f"and {more} more")] if more > 0 else told)


def tell_as_they_come(session: Session, asked: dict[str, Any]) -> None:
    """Each on its own, JSON one to a line, until the server ends or the user does."""
    wanted = {"kinds": "message", "account": None if session.api_key else session.account["id"]}
    try:
        for heard in session.client.stream("/_emulator/events/stream", wanted):
            if heard.kind == "listening":
                typer.echo("mailgun-emulator: waiting for messages; Ctrl-C ends it", err=True)
            elif heard.kind == "lost":
                typer.echo(
                    f"mailgun-emulator: {terminal.count(heard.data['lost'], 'message')} not shown", err=True
                )
            elif is_wanted(session, heard.data, asked):
                show_heard(session, heard.data)
    except KeyboardInterrupt:
        return
    fail(f"{session.url} has ended", UNUSABLE)


def is_wanted(session: Session, summary: dict[str, Any], asked: dict[str, Any]) -> bool:
    direction = asked.get("direction") or "outgoing"
    if set(asked) <= {"direction"}:
        return direction in ("any", summary["direction"])
    found = session.get(PATH, {**asked, "message_id": summary["message_id"], "limit": 1000})
    return any(each["id"] == summary["id"] for each in found["items"])


def show_heard(session: Session, summary: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(summary).decode() if session.as_json else terminal.message(summary))
    sys.stdout.flush()


@client_command(app)
def show(
    session: Session,
    message_id: Annotated[
        str, typer.Argument(help="Its id, as it was answered or is listed; else the newest.", metavar="[ID]")
    ] = "",
    recipient: Annotated[str, words("As whom it is seen, if it went to several.")] = "",
    html: Annotated[bool, typer.Option("--html", help="Nothing but the HTML.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Nothing but the text.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Nothing but the message as MIME.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Nothing but the headers.")] = False,
    attachment: Annotated[
        int | None, typer.Option(help="Nothing but this attachment, counted from 0.", metavar="INDEX")
    ] = None,
) -> None:
    """Show a message as it went out, with its links, one-time codes and what became of it."""
    if sum((html, text, raw, headers, attachment is not None)) > 1:
        fail("name one of --html, --text, --raw, --headers and --attachment")
    path = f"{PATH}/{quoted(message_id) if message_id else newest(session)}"
    params = {"recipient": recipient or None}
    if raw or attachment is not None:
        where = f"{path}/raw" if raw else f"{path}/attachments/{attachment}"
        answer = session.client.fetch("GET", where, params=params)
        session.decoded("GET", where, answer) if answer.status >= 400 else None
        sys.stdout.buffer.write(answer.body)
        return
    told = session.get(path, params)
    if html or text:
        typer.echo(told["html" if html else "text"] or "", nl=False)
    elif headers:
        typer.echo("\n".join(f"{name}: {terminal.line(value)}" for name, value in told["headers"]))
    else:
        session.tell(told, lambda: message_in_words(told))


def quoted(message_id: str) -> str:
    from urllib.parse import quote

    return quote(message_id.strip("<>"), safe="@")


def newest(session: Session) -> str:
    found = session.get(PATH, {"limit": 1, "direction": "any"})["items"]
    if not found:
        fail("there are no messages", 1)
    return str(found[0]["id"])


def message_in_words(told: dict[str, Any]) -> str:
    """The headers that people look at, the text, and what is to be found in it."""
    parts = {
        "From": terminal.line(told["from"]),
        "To": terminal.line(", ".join(told["to"])),
        "Cc": terminal.line(", ".join(told["cc"])),
        "Subject": terminal.bold(terminal.line(told["subject"])),
        "At": terminal.when(told["at"]),
        "Tags": terminal.line(", ".join(told["tags"])),
        "Variables": terminal.line(orjson.dumps(told["variables"]).decode()) if told["variables"] else "",
        "Id": told["id"],
    }
    head = [f"{terminal.dim(f'{name}:'.ljust(10))} {value}" for name, value in parts.items() if value]
    return "\n".join([*head, "", body_in_words(told), *found_in(told)])


def body_in_words(told: dict[str, Any]) -> str:
    if told["text"]:
        return terminal.plain(told["text"]).rstrip()
    return terminal.dim("(HTML alone: see --html)" if told["html"] else "(empty)")


def found_in(told: dict[str, Any]) -> list[str]:
    attached = [
        f"{each['index']}: {terminal.line(each['filename'])} ({each['content_type']}, {each['size']} bytes)"
        for each in told["attachments"]
    ]
    sections = {
        "Links": [terminal.line(each["url"]) for each in told["links"]],
        "Codes": list(map(terminal.line, told["codes"])),
        "Attachments": attached,
        "Events": [terminal.event(each) for each in told["events"]],
    }
    return [
        f"\n{terminal.dim(f'{name}:')}\n" + "\n".join(f"  {each}" for each in items)
        for name, items in sections.items()
        if items
    ]


@client_command(app)
def delete(
    session: Session,
    message_ids: Annotated[
        list[str] | None, typer.Argument(help="Their ids, as they are listed.", metavar="[ID]...")
    ] = None,
    to: To = "",
    from_: From = "",
    subject: Subject = "",
    text: Text = "",
    tag: Tag = "",
    has_attachment: HasAttachment = False,
    domain: Domain = "",
    since: Since = "",
    before: Before = "",
    direction: Direction = "",
    query: Search = "",
    everything: Annotated[bool, typer.Option("--all", help="All messages of the account.")] = False,
) -> None:
    """Delete messages by their ids or by what is looked for, or all."""
    asked = filters(
        to=to, from_=from_, subject=subject, text=text, tag=tag, has_attachment=has_attachment, domain=domain,
        since=since, before=before, direction=direction, query=query,
    )  # fmt: skip
    if bool(message_ids) + bool(asked) + everything != 1:
        fail("say what to delete: ids, what to look for, or --all")
    if message_ids:
        for each in message_ids:
            told = session.delete(f"{PATH}/{quoted(each)}")
            session.confirm(told)
        return
    told = session.delete(PATH, asked)
    session.confirm(told)
