"""`wait`."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command
from mailgun_emulator.cli.failing import fail

app = new_app()


class Wanted(NamedTuple):
    """What can be waited for: where, what each option is called there, and how it is told to people."""

    things: str
    path: str
    names: dict[str, str]
    in_words: Callable[[dict[str, Any]], str]

    def params(self, given: dict[str, Any]) -> dict[str, Any]:
        for name, value in given.items():
            if value and name not in self.names:
                fail(f"{name} is not for {self.things}; what is: {', '.join(self.names)}")
        return {self.names[name]: value for name, value in given.items() if value}


_ANY = {"--message": "message_id", "--domain": "domain"}
_SINCE = {"--tag": "tag", "--since": "since"}
MESSAGE = Wanted(
    "messages",
    "/_emulator/messages/wait",
    {
        **{f"--{name}": name for name in ("to", "from", "subject", "text")},
        "--has-attachment": "has",
        **_SINCE,
        **_ANY,
    },
    terminal.message,
)
EVENT = Wanted(
    "events",
    "/_emulator/events/wait",
    {"--event": "event", "--to": "recipient", "--severity": "severity", **_SINCE, **_ANY},
    terminal.event,
)
WEBHOOK = Wanted(
    "webhooks",
    "/_emulator/webhooks/deliveries/wait",
    {"--event": "event", "--webhook-url": "url", "--to": "recipient", **_ANY},
    terminal.delivery,
)


def text(help_: str, *names: str, metavar: str = "TEXT") -> Any:
    return typer.Option(*names, help=help_, metavar=metavar)


@client_command(app)
def wait(
    session: Session,
    to: Annotated[str, text("To whom: an address, a pattern with *, or a part of it.")] = "",
    from_: Annotated[str, text("From whom, likewise.", "--from")] = "",
    subject: Annotated[str, text("A part of the subject, or a pattern with *.")] = "",
    body: Annotated[str, text("What text or HTML say, likewise.", "--text")] = "",
    tag: Annotated[str, text("One of its tags.")] = "",
    has_attachment: Annotated[bool, typer.Option("--has-attachment", help="With an attachment.")] = False,
    event: Annotated[
        list[str] | None,
        text("Wait for an event of this kind: delivered, failed, opened … May be repeated.", metavar="KIND"),
    ] = None,
    webhook: Annotated[
        bool,
        typer.Option("--webhook", help="Wait until it is posted to a webhook: the event of --event, or any."),
    ] = False,
    hook: Annotated[
        str, text("The webhook's URL; * stands for anything.", "--webhook-url", metavar="URL")
    ] = "",
    severity: Annotated[str, text("Of failures: permanent or temporary.")] = "",
    message: Annotated[str, text("The message's id, as it was answered.", metavar="ID")] = "",
    domain: Annotated[str, text("The domain that sends.", metavar="NAME")] = "",
    since: Annotated[str, text("Not from before then: an instant, or 10m for ten minutes ago.")] = "",
    count: Annotated[int, typer.Option(help="So many of them.", min=1, max=1000)] = 1,
    timeout: Annotated[float, typer.Option(help="So long at most.", metavar="SECONDS", min=0, max=300)] = 30,
) -> None:
    """Wait for a message, an event or a post to a webhook, and tell it; what is there already counts.

    Exit with 1, and tell what was there instead, when the time is over.
    """
    given: dict[str, Any] = {
        "--to": to, "--from": from_, "--subject": subject, "--text": body, "--tag": tag,
        "--has-attachment": "attachment" if has_attachment else "", "--severity": severity, "--message": message,
        "--domain": domain, "--since": since, "--event": event or [], "--webhook-url": hook,
    }  # fmt: skip
    wanted = WEBHOOK if webhook or hook else EVENT if event else MESSAGE
    if wanted is WEBHOOK and len(event or ()) > 1:
        fail("with --webhook there can be one --event")
    items = session.wait(wanted.path, {**wanted.params(given), "count": count}, timeout, wanted.in_words)
    session.tell({"items": items}, lambda: "\n".join(map(wanted.in_words, items)))
