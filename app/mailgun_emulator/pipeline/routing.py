"""What routes do with a message that has come in: forward it, store it (facts/sending.md, 8.3)."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from mailgun_emulator.expressions import route_actions
from mailgun_emulator.expressions.route_actions import Forward, Stop, Store
from mailgun_emulator.mail import addresses
from mailgun_emulator.pipeline.record import record, storage
from mailgun_emulator.state import jobs
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.routes import Match, Rule
from mailgun_emulator.state.transaction import Tx

BAD_ADDRESS_CODE = 501


class Done(NamedTuple):
    """`action` is forward, store or stop; `target` the URL or address it went to, if any. What a mailing list does
    has no route.
    """

    route: Rule | None
    action: str
    target: str = ""


def carry_out(tx: Tx, message: SentMessage, recipient: str, matches: Iterable[Match]) -> Iterator[Done]:
    """All actions of all routes that took it; those that speak to the outside are scheduled."""
    for match in matches:
        for action in match.actions:
            match action:
                case Forward(targets):
                    for each in targets:
                        target = route_actions.fill(each, match.captures)
                        _forward(tx, message, recipient, match.rule, target)
                        yield Done(match.rule, "forward", target)
                case Store(notify):
                    url = route_actions.fill(notify or "", match.captures)
                    _store(tx, message, recipient, url)
                    yield Done(match.rule, "store", url)
                case Stop():
                    yield Done(match.rule, "stop")


def told_of(message: SentMessage, *, routed: bool) -> dict[str, Any]:
    """What the events of a message that came in tell alike."""
    options = orjson.loads(message.options)
    flags = {"is-routed": routed, "is-authenticated": False, "is-test-mode": False}
    if "encrypted" in options:
        flags["is-encrypted"] = True
    return {
        "flags": flags,
        "message": {
            "attachments": orjson.Fragment(message.attachments),
            "size": message.size,
            "headers": orjson.Fragment(message.headers),
        },
        "storage": storage(message),
    }


def told_of_target(message: SentMessage, target: str) -> dict[str, Any]:
    """Where a routed copy goes; the domain of a URL is its host."""
    if not route_actions.is_url(target):
        return {"envelope": {"sender": message.sender, "transport": "smtp", "targets": target}}
    return {
        "envelope": {"sender": message.sender, "transport": "http", "targets": target},
        "recipient-domain": host_of(target),
    }


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _forward(tx: Tx, message: SentMessage, recipient: str, rule: Rule, target: str) -> None:
    told = {
        "method": "smtp",
        **told_of(message, routed=True),
        **told_of_target(message, target),
        "routes": [
            {
                "id": rule.id,
                "expression": rule.expression,
                "priority": rule.priority,
                "description": rule.description,
                "match": {"recipient": recipient},
            }
        ],
    }
    record(tx, EventType.ACCEPTED, message, target, told)
    if route_actions.is_url(target):
        _schedule_post(tx, Step.FORWARD, message, recipient, target)
    elif _is_address(target):
        jobs.schedule(tx, Step.DELIVER, f"{message.id} {target}", domain_id=message.domain_id)
    else:
        _record_bad_address(tx, message, target)


def _store(tx: Tx, message: SentMessage, recipient: str, notify: str) -> None:
    told = told_of(message, routed=False)
    told["message"]["recipients"] = [recipient]
    told["campaigns"] = []
    record(tx, EventType.STORED, message, "", told)
    if notify:
        _schedule_post(tx, Step.STORE_NOTIFY, message, recipient, notify)


def _schedule_post(tx: Tx, step: Step, message: SentMessage, recipient: str, url: str) -> None:
    subject = orjson.dumps([message.id, recipient, url]).decode()
    jobs.schedule(tx, step, subject, domain_id=message.domain_id, lane=url)


def _is_address(target: str) -> bool:
    try:
        return addresses.parse(target).email.lower() == target.lower()
    except addresses.NotAnAddress:
        return False


def _record_bad_address(tx: Tx, message: SentMessage, target: str) -> None:
    """Nobody checks targets when a route is made (facts/sending.md, 8.1)."""
    told = {
        **told_of(message, routed=True),
        **told_of_target(message, target),
        "severity": "permanent",
        "reason": "generic",
        "log-level": "error",
        "delivery-status": {
            "attempt-no": 1,
            "code": BAD_ADDRESS_CODE,
            "message": f"{target} is neither an address nor a URL",
            "description": "",
            "session-seconds": 0.0,
        },
    }
    record(tx, EventType.FAILED, message, target, told)
