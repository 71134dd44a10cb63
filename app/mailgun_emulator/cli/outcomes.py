"""`outcomes`."""

from typing import Annotated, Any

import typer

from mailgun_emulator.cli import terminal
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command, with_session
from mailgun_emulator.cli.options import given, said

app = new_app(invoke_without_command=True)

PATH = "/_emulator/outcomes"
RuleId = Annotated[str, typer.Argument(help="As it is listed.", metavar="ID")]


@app.callback()
@with_session
def outcomes(session: Session) -> None:
    """List the rules that say what becomes of deliveries, in their order; add and delete them."""
    tell_all(session)


@client_command(app, "list")
def list_(session: Session) -> None:
    """List the rules in their order."""
    tell_all(session)


@client_command(app)
def add(
    session: Session,
    recipient: Annotated[str, given("Of deliveries to this address; * and ? stand for anything.")] = "",
    recipient_domain: Annotated[str, given("To addresses of this domain.")] = "",
    domain: Annotated[str, given("From this domain.")] = "",
    sender: Annotated[str, given("From this address.")] = "",
    tag: Annotated[str, given("With this tag.")] = "",
    subject: Annotated[str, given("With this subject.")] = "",
    nth: Annotated[int | None, given("Only of that one, counted from 1.", "N")] = None,
    every: Annotated[int | None, given("Only of every so many.", "N")] = None,
    probability: Annotated[float | None, given("By chance, from 0 to 1.", "P")] = None,
    code: Annotated[
        int | None, given("The server replies with it: 550, 421 … [default: 250].", "CODE")
    ] = None,
    enhanced_code: Annotated[str, given("As 5.1.1.", "CODE")] = "",
    text: Annotated[str, given("The server says this.")] = "",
    reason: Annotated[str, given("Mailgun's reason for the failure: bounce, espblock …")] = "",
    delay: Annotated[str, given("An attempt takes so long.", "SPAN")] = "",
    attempts: Annotated[int | None, given("So many fail before one succeeds.", "N")] = None,
    then: Annotated[
        list[str] | None,
        given("What follows a delivery: opened, clicked:5m after five minutes … May be repeated.", "EVENT"),
    ] = None,
    times: Annotated[int | None, given("So often at most.", "N")] = None,
) -> None:
    """Add a rule after those there are; the first that fits a delivery is applied."""
    match = {
        "recipient": recipient, "recipient_domain": recipient_domain, "domain": domain, "sender": sender, "tag": tag,
        "subject": subject, "nth": nth, "every": every, "probability": probability,
    }  # fmt: skip
    outcome = {
        "code": code, "enhanced_code": enhanced_code, "text": text, "reason": reason, "delay": delay,
        "attempts": attempts, "then": [follow_up(each) for each in then or ()], "times": times,
    }  # fmt: skip
    told = session.post(PATH, {"match": said(match), **said(outcome)})
    session.tell(told, lambda: in_words(told))


def follow_up(text: str) -> dict[str, Any]:
    event, _, after = text.partition(":")
    return said({"event": event, "after": after})


@client_command(app)
def delete(session: Session, rule_id: RuleId) -> None:
    """Delete a rule."""
    told = session.delete(f"{PATH}/{rule_id}")
    session.confirm(told)


@client_command(app)
def clear(session: Session) -> None:
    """Delete all rules."""
    told = session.delete(PATH)
    session.confirm(told)


def tell_all(session: Session) -> None:
    told = session.get(PATH)
    session.tell(told, lambda: "\n".join(map(in_words, told["items"])) or "No rules.")


def in_words(rule: dict[str, Any]) -> str:
    """`<id> recipient=*@x.com → 550 …, applied to 3 of 4`."""
    match = " ".join(f"{name}={terminal.line(value)}" for name, value in rule["match"].items())
    code = rule["code"]
    colour = "green" if code < 300 else "yellow" if code < 500 else "red"
    more = [
        f"{name} {terminal.line(rule[name])}"
        for name in ("enhanced_code", "text", "reason", "delay", "attempts", "times")
        if rule.get(name) is not None
    ]
    then = [f"then {each['event']}" for each in rule.get("then", ())]
    outcome = ", ".join([terminal.styled(str(code), fg=colour), *more, *then])
    return f"{terminal.dim(rule['id'])} {match or 'all'} → {outcome}; applied to {rule['hits']} of {rule['seen']}"
