"""`faults`."""

from typing import Annotated, Any

import orjson
import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command, with_session
from mailgun_emulator.cli.failing import fail
from mailgun_emulator.cli.options import given, said

app = new_app(invoke_without_command=True)

PATH = "/_emulator/faults"


@app.callback()
@with_session
def faults(session: Session) -> None:
    """List what goes wrong with requests and webhooks because it was asked for; add and delete such faults."""
    tell_all(session)


@client_command(app, "list")
def list_(session: Session) -> None:
    """List the faults."""
    tell_all(session)


@client_command(app)
def add(
    session: Session,
    method: Annotated[str, given("Of requests with this method.")] = "",
    path: Annotated[str, given("To this path; * stands for anything.")] = "",
    operation: Annotated[str, given("Of this operation, as send_message.", "NAME")] = "",
    domain: Annotated[str, given("About this domain.", "NAME")] = "",
    webhook: Annotated[str, given("Of posts to webhooks at this URL; * stands for anything.", "URL")] = "",
    nth: Annotated[int | None, given("Only of that one, counted from 1.", "N")] = None,
    probability: Annotated[float | None, given("By chance, from 0 to 1.", "P")] = None,
    times: Annotated[int | None, given("So often at most.", "N")] = None,
    status: Annotated[int | None, given("Answer this instead: 401, 402, 429, 500, 503.", "CODE")] = None,
    retry_after: Annotated[int | None, given("With 429: when to try again.", "SECONDS")] = None,
    message: Annotated[str, given("With a status: the message.")] = "",
    delay: Annotated[str, given("Answer so much later.", "SPAN")] = "",
    slow: Annotated[str, given("Take so long to send the body.", "SPAN")] = "",
    cut: Annotated[bool, typer.Option("--cut", help="Cut the connection.")] = False,
    malformed: Annotated[bool, typer.Option("--malformed", help="Send a body that can't be read.")] = False,
    quota: Annotated[
        str, given("No more than that: 100/hour of messages, 300/minute:requests of requests.", "QUOTA")
    ] = "",
) -> None:
    """Add a fault, as `faults add --status 429 --retry-after 30 --times 2`."""
    match = {
        "method": method, "path": path, "operation": operation, "domain": domain, "webhook": webhook, "nth": nth,
        "probability": probability,
    }  # fmt: skip
    does = {
        "status": status, "retry_after": retry_after, "message": message, "delay": delay, "slow": slow,
        "cut": cut, "malformed": malformed, "quota": read_quota(quota),
    }  # fmt: skip
    told = session.post(PATH, {"match": said(match), "do": said(does), **said({"times": times})})
    session.tell(told, lambda: in_words(told))


def read_quota(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    rate, _, things = text.partition(":")
    number, sign, per = rate.partition("/")
    if not (number.isdecimal() and sign and per):
        fail(f"--quota can't be {text!r}: write 100/hour or 300/minute:requests")
    return {things or "messages": int(number), "per": per}


@client_command(app)
def delete(
    session: Session, fault_id: Annotated[str, typer.Argument(help="As it is listed.", metavar="ID")]
) -> None:
    """Delete a fault."""
    told = session.delete(f"{PATH}/{fault_id}")
    session.confirm(told)


@client_command(app)
def clear(session: Session) -> None:
    """Delete all faults."""
    told = session.delete(PATH)
    session.confirm(told)


def tell_all(session: Session) -> None:
    told = session.get(PATH)
    session.tell(told, lambda: "\n".join(map(in_words, told["items"])) or "No faults.")


def in_words(fault: dict[str, Any]) -> str:
    match = " ".join(f"{name}={terminal.line(value)}" for name, value in said(fault["match"]).items())
    does = ", ".join(f"{name} {as_text(value)}" for name, value in said(fault["do"]).items())
    left = f" of {fault['times']}" if fault.get("times") else ""
    what = terminal.styled(does, fg="red")
    return f"{terminal.dim(fault['id'])} {match or 'all'} → {what}; met {fault['hits']}{left}"


def as_text(value: Any) -> str:
    return terminal.line(value if isinstance(value, str) else orjson.dumps(value).decode())
