"""Words for people, on a terminal with colours unless NO_COLOR is set (https://no-color.org)."""

import os
import re
import time
from typing import Any

import typer

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = {
    "accepted": "cyan",
    "delivered": "green",
    "opened": "green",
    "clicked": "green",
    "stored": "cyan",
    "failed": "red",
    "rejected": "red",
    "complained": "red",
    "unsubscribed": "yellow",
}


def styled(text: str, **how: Any) -> str:
    return text if os.environ.get("NO_COLOR") else typer.style(text, **how)


def bold(text: str) -> str:
    return styled(text, bold=True)


def dim(text: str) -> str:
    return styled(text, dim=True)


def plain(text: Any) -> str:
    """What somebody wrote, unable to tell the terminal anything."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(text).replace("\r\n", "\n"))


def line(text: Any) -> str:
    """The same, on one line."""
    return " ".join(plain(text).split())


def when(at: float) -> str:
    """The local time of an instant, by the account's clock."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def event(payload: dict[str, Any]) -> str:
    """`delivered ann@example.com`, with when it was and why it failed."""
    kind = payload["event"]
    colour = "yellow" if payload.get("severity") == "temporary" else _COLOURS.get(kind)
    parts = [dim(when(payload["timestamp"])), styled(kind, fg=colour), line(payload.get("recipient") or "")]
    status = payload.get("delivery-status") or {}
    if kind == "failed":
        said = status.get("message") or status.get("description") or ""
        parts.append(line(f"{payload.get('severity')}, {payload.get('reason')}: {status.get('code')} {said}"))
    if kind == "clicked":
        parts.append(line(payload.get("url") or ""))
    return " ".join(filter(None, parts))


def delivery(told: dict[str, Any]) -> str:
    """What was posted to a webhook, and what it answered."""
    status = told["status"]
    answered = "not yet posted" if status is None else f"answered {status}" if status else "nobody answered"
    colour = "green" if status and 200 <= status < 300 else "red"
    return (
        f"{dim(when(told['created_at']))} {told['webhook']} {line(told['recipient'])} to {line(told['url'])}: "
        f"{styled(answered, fg=colour)} ({told['state']}, {count(told['attempts'], 'attempt')})"
    )


def message(summary: dict[str, Any]) -> str:
    """A message in two lines, the second with its id."""
    notes = [f"#{line(tag)}" for tag in summary.get("tags") or ()]
    attached = len(summary.get("attachments") or ())
    notes += [count(attached, "attachment")] if attached else []
    notes += ["incoming"] if summary.get("direction") == "incoming" else []
    notes += ["test mode"] if summary.get("test_mode") else []
    told = ", ".join(map(line, summary.get("recipients") or summary.get("to") or ()))
    subject = line(summary.get("subject") or "") or "(no subject)"
    return (
        f"{bold(subject)}  {dim(when(summary['at']))}\n"
        f"  {styled(told, fg='cyan')} from {line(summary.get('from') or '')}"
        f"{''.join(f'  {note}' for note in notes)}  {dim(summary['id'])}"
    )
