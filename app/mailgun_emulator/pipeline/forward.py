"""Posts of messages that routes forward to URLs, and of notices that one is stored (facts/sending.md, 8.4 to 8.7)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import routed, stored
from mailgun_emulator.mail.forms import Encoded
from mailgun_emulator.mail.routed import Envelope, Signature
from mailgun_emulator.mail.signing import sign
from mailgun_emulator.pipeline.outgoing import TAKEN, UNWANTED, Answer, Outgoing
from mailgun_emulator.pipeline.record import record
from mailgun_emulator.pipeline.routing import told_of, told_of_target
from mailgun_emulator.state import accounts, jobs, messages
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

RETRY_AFTER = (600, 900, 1800, 3600, 7200, 14400)
"""Seconds from one failed post to the next: eight hours in all (facts/sending.md, 8.7)."""
TOKEN_LENGTH = 50
BOUNDARY_LENGTH = 32
TOO_OLD = 602
UNREACHABLE_CODE = 499

log = logging.getLogger(__name__)


class Letter(NamedTuple):
    """A message as it is to be posted. `url` is where to, `recipient` whom it came in for."""

    message: SentMessage
    mime: bytes
    recipient: str
    url: str
    signature: Signature
    boundary: str

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.message.sender, self.recipient, self.message.domain_name)


async def forward(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """Its end, and each failure on the way, is an event."""
    letter = await _read(database, job)
    answer = None if letter is None else await _post(database, outgoing, job, letter, _forwarded)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and letter is not None and answer is not None:
            after = _retry(tx, job, Step.FORWARD, answer)
            _record(tx, letter, job.attempt, answer, after)


async def notify_of_stored(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """That it is stored was told when it was; of the notice there are no events."""
    letter = await _read(database, job)
    answer = None if letter is None else await _post(database, outgoing, job, letter, _noticed)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and letter is not None and answer is not None:
            after = _retry(tx, job, Step.STORE_NOTIFY, answer)
            if after is None and answer.status != TAKEN:
                log.warning("Gave up telling %s of a stored message: %s", letter.url, _said(answer))


async def _read(database: Database, job: DueJob) -> Letter | None:
    """Each attempt is signed anew."""
    row, recipient, url = orjson.loads(job.subject)
    async with database.begin(job.account_id) as tx:
        message, mime = messages.find_sent(tx, row), messages.find_mime(tx, row)
        if message is None or mime is None:
            return None
        timestamp, token = str(int(tx.now)), tx.ids.hex(TOKEN_LENGTH)
        key = accounts.get(tx, job.account_id).signing_key
        signature = Signature(timestamp, token, sign(key, timestamp, token))
        return Letter(message, mime, recipient, url, signature, tx.ids.hex(BOUNDARY_LENGTH))


async def _post(
    database: Database, outgoing: Outgoing, job: DueJob, letter: Letter, write: Callable[[Letter], Encoded]
) -> Answer:
    """Taking a large message apart takes its time."""
    form = await asyncio.to_thread(write, letter)
    headers = {"Content-Type": form.content_type}
    return await outgoing.post_for(database, job, letter.url, data=form.body, headers=headers)


def _forwarded(letter: Letter) -> Encoded:
    parts = stored.read(letter.mime)
    if letter.url.endswith(routed.RAW_SUFFIX):
        return routed.raw(parts, letter.mime, letter.envelope, letter.signature)
    return routed.parsed(parts, letter.envelope, letter.signature, letter.boundary)


def _noticed(letter: Letter) -> Encoded:
    return routed.notice(stored.read(letter.mime), letter.message.url, letter.envelope, letter.signature)


def _retry(tx: Tx, job: DueJob, step: Step, answer: Answer) -> int | None:
    """Seconds until it is posted again; None if it is not."""
    if answer.is_final or job.attempt > len(RETRY_AFTER):
        return None
    after = RETRY_AFTER[job.attempt - 1]
    jobs.schedule(
        tx,
        step,
        job.subject,
        domain_id=job.domain_id,
        after=after,
        attempt=job.attempt + 1,
        lane=job.lane,
    )
    return after


def _record(tx: Tx, letter: Letter, attempt: int, answer: Answer, after: int | None) -> None:
    told = {
        **told_of(letter.message, routed=True),
        **told_of_target(letter.message, letter.url),
        "recipient-provider": "Other",
        "campaigns": [],
    }
    if answer.status == TAKEN:
        told["delivery-status"] = _status(answer, attempt)
        record(tx, EventType.DELIVERED, letter.message, letter.url, told)
        return
    told.update(_failure(answer, attempt, after))
    record(tx, EventType.FAILED, letter.message, letter.url, told)


def _failure(answer: Answer, attempt: int, after: int | None) -> dict[str, Any]:
    status = _status(answer, attempt)
    if after is not None:
        status["retry-seconds"] = after
        return {"severity": "temporary", "reason": "generic", "log-level": "warn", "delivery-status": status}
    failed = {"severity": "permanent", "log-level": "error"}
    if answer.status == UNWANTED:
        return {**failed, "reason": "generic", "delivery-status": status}
    last = {"last-code": status["code"], "last-message": status["message"]}
    return {
        **failed,
        "reason": "old",
        "delivery-status": {**status, "code": TOO_OLD, "message": "Too old", **last},
    }


def _status(answer: Answer, attempt: int) -> dict[str, Any]:
    return {
        "attempt-no": attempt,
        "code": answer.status or UNREACHABLE_CODE,
        "message": "OK" if answer.status == TAKEN else _said(answer),
        "description": "",
        "session-seconds": round(answer.seconds, 3),
    }


def _said(answer: Answer) -> str:
    from http import HTTPStatus

    if answer.error:
        return answer.error
    try:
        return HTTPStatus(answer.status).phrase
    except ValueError:
        return f"Status {answer.status}"
