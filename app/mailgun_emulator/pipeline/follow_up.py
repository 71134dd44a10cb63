"""What happens to a message after it was delivered, made by nobody but asked for by an address, a rule or a test."""

from typing import Any

import orjson

from mailgun_emulator.mail import links, stored
from mailgun_emulator.pipeline import bounces, outcomes
from mailgun_emulator.pipeline.outcomes import FollowUp
from mailgun_emulator.pipeline.track import (
    Client,
    record_click,
    record_complaint,
    record_open,
    record_unsubscribe,
)
from mailgun_emulator.state import jobs, messages
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

IP = "203.0.113.7"
"""Of readers: no address of anybody's (RFC 5737)."""
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)


def schedule(tx: Tx, message: SentMessage, recipient: str, what: FollowUp) -> None:
    """The job's subject holds the message, because it may be stored no longer by then."""
    if what.event == EventType.CLICKED and not what.url:
        what = what._replace(url=first_link(tx, message))
    subject = {"message": message._asdict(), "recipient": recipient, "what": what._asdict()}
    told = orjson.dumps(subject).decode()
    jobs.schedule(tx, Step.FOLLOW_UP, told, domain_id=message.domain_id, after=what.after)


def follow_up(tx: Tx, job: DueJob) -> None:
    told = orjson.loads(job.subject)
    make(tx, SentMessage(**told["message"]), told["recipient"], FollowUp(**told["what"]))


def make(tx: Tx, message: SentMessage, recipient: str, what: FollowUp) -> dict[str, Any]:
    """It happens now, whether or not opens and clicks are tracked; the event that tells so."""
    client = Client(what.ip or IP, what.user_agent or USER_AGENT, what.geolocation)
    match what.event:
        case EventType.OPENED:
            return record_open(tx, message, recipient, client)
        case EventType.CLICKED:
            return record_click(tx, message, recipient, what.url or first_link(tx, message), client)
        case EventType.UNSUBSCRIBED:
            return record_unsubscribe(tx, message, recipient, client, tags=what.tags)
        case EventType.COMPLAINED:
            return record_complaint(tx, message, recipient)
        case _:
            answer = outcomes.reply(what.code, what.enhanced_code, what.text)
            return bounces.record_delayed(tx, message, recipient, answer)


def first_link(tx: Tx, message: SentMessage) -> str:
    """The first of the message, of its HTML before its text; if it has none, the home page of its domain."""
    found: list[str] = []

    def keep(url: str) -> str:
        found.append(url)
        return url

    mime = messages.find_mime(tx, message.id)
    if mime is not None:
        parts = stored.read(mime)
        links.rewrite_html(parts.body_html, keep)
        links.rewrite_text(parts.body_plain, keep)
    return found[0] if found else f"https://{message.domain_name}/"
