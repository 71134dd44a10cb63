"""Copies of delivered messages, posted to where `archive_to` says (facts/sending.md, 1.3)."""

import logging

import orjson

from mailgun_emulator.pipeline.finish import finished
from mailgun_emulator.pipeline.outgoing import TAKEN, Answer, Outgoing, retry_after
from mailgun_emulator.state import jobs, messages, statistics
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

CONTENT_TYPE = "application/mime"
METRIC = "usage.archived"

log = logging.getLogger(__name__)


def schedule(tx: Tx, message: SentMessage, recipient: str, url: str) -> None:
    subject = orjson.dumps([message.id, recipient, url]).decode()
    jobs.schedule(tx, Step.ARCHIVE, subject, domain_id=message.domain_id, lane=url)


async def archive(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """Read in one transaction, post outside any, write in another."""
    row, recipient, url = orjson.loads(job.subject)
    async with database.begin(job.account_id) as tx:
        mime = _copy(tx, row, recipient)
    answer = None
    if mime is not None:
        headers = {"Content-Type": CONTENT_TYPE}
        answer = await outgoing.post_for(database, job, url, data=mime, headers=headers)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and answer is not None:
            if not answer.is_final:
                _retry(tx, job, url, answer)
            elif answer.status == TAKEN and job.domain_id is not None:
                statistics.count(tx, job.domain_id, METRIC, [])


def _copy(tx: Tx, row: int, recipient: str) -> bytes | None:
    message, mime = messages.find_sent(tx, row), messages.find_mime(tx, row)
    return None if message is None or mime is None else finished(tx, message, mime, recipient)


def _retry(tx: Tx, job: DueJob, url: str, answer: Answer) -> None:
    after, said = retry_after(job), answer.error or f"it answered {answer.status}"
    if after is None:
        log.warning("Gave up archiving to %s: %s", url, said)
        return
    log.info("Archiving to %s again in %s seconds: %s", url, after, said)
    jobs.schedule(
        tx, Step.ARCHIVE, job.subject, domain_id=job.domain_id, after=after, attempt=job.attempt + 1, lane=url
    )
