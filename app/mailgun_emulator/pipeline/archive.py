"""Copies of delivered messages, posted to where `archive_to` says (facts/sending.md, 1.3)."""

import asyncio
import logging

from mailgun_emulator.state import jobs, messages
from mailgun_emulator.state.database import Database, Tx
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage

CONTENT_TYPE = "application/mime"
TIMEOUT_SECONDS = 10
RETRY_AFTER = (300, 600, 900, 3600, 7200, 14400)
"""Seconds from one failed post to the next, as Mailgun retries its webhooks (facts/sending.md, 4.5)."""
TAKEN, UNWANTED, UNREACHABLE = 200, 406, 0

log = logging.getLogger(__name__)


def schedule(tx: Tx, message: SentMessage, url: str) -> None:
    jobs.schedule(tx, Step.ARCHIVE, f"{message.id} {url}", domain_id=message.domain_id)


async def archive(database: Database, job: DueJob) -> None:
    """Read in one transaction, post outside any, write in another."""
    row, _, url = job.subject.partition(" ")
    async with database.begin(job.account_id) as tx:
        mime = messages.find_mime(tx, int(row))
    status = UNWANTED if mime is None else await asyncio.to_thread(_post, url, mime)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and status not in (TAKEN, UNWANTED):
            _retry(tx, job, url, status)


def _retry(tx: Tx, job: DueJob, url: str, status: int) -> None:
    if job.attempt > len(RETRY_AFTER):
        log.warning("Gave up archiving to %s, which answered %s", url, status or "nothing")
        return
    after = RETRY_AFTER[job.attempt - 1]
    log.info("Archiving to %s again in %s seconds; it answered %s", url, after, status or "nothing")
    jobs.schedule(
        tx, Step.ARCHIVE, job.subject, domain_id=job.domain_id, after=after, attempt=job.attempt + 1
    )


def _post(url: str, mime: bytes) -> int:
    """The status of the answer, or `UNREACHABLE`."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    request = Request(url, mime, {"Content-Type": CONTENT_TYPE}, method="POST")  # noqa: S310 - http and https alone are accepted
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (OSError, HTTPException, ValueError):
        return UNREACHABLE
