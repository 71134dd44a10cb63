"""Faults that messages and posts to the outside meet."""

import asyncio
from math import ceil

from mailgun_emulator.core.errors import BadRequest, Forbidden, TooManyRequests
from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline.outgoing import UNREACHABLE, Answer, Outgoing
from mailgun_emulator.pipeline.reasons import REASONS, RETRY_AFTER, filled
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import faults
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.faults import Fault, Quota
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.transaction import Tx


class LimitExceeded(TooManyRequests):
    """A quota of the domain's is used up: `what` it is of (facts/sending.md, 1.7 and 10.4)."""

    def __init__(self, domain: str, what: str, quota: Quota, now: float) -> None:
        again = dates.rfc2822(ceil(quota.until), "UTC")
        super().__init__(
            f"Domain {domain} is not allowed to send: {what} limit exceeded, try again after {again}",
            hint=hint("Refused", quota.id),
        )
        self._headers = refused_by(quota, now)

    def headers(self) -> dict[str, str]:
        return self._headers


async def meet_submission(database: Database, account_id: str, domain: str) -> None:
    """Raise what is told to who sends by SMTP, if a fault refuses it; requests to the API are met in `web.faults`."""
    async with database.begin(account_id) as tx:
        fault, now = faults.meet_submission(tx, domain), tx.now
    if fault is None:
        return
    reason = REASONS[fault.does["reason"]]
    text = filled(reason.text, domain, now, fault.does.get("retry_after", RETRY_AFTER))
    refused_with = {each.status: each for each in (BadRequest, Forbidden, TooManyRequests)}[reason.status]
    raise refused_with(fault.does.get("message", text), hint=hint("Refused", fault.id))


def hint(what: str, fault_id: str) -> str:
    """So that nobody takes it for real: `what` was done, in a word or two."""
    return f"{what} by a fault: DELETE /_emulator/faults/{fault_id} ends it"


def refused_by(quota: Quota, now: float) -> dict[str, str]:
    """What a refusal says of when to come again; the reset in seconds, as Go's client reads it."""
    return {
        "Retry-After": str(ceil(quota.until - now)),
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset": str(ceil(quota.until)),
    }


def refusal_of(tx: Tx, domain: str, submission: Submission) -> LimitExceeded | None:
    """Why a message may not be sent now, if so; else its recipients are counted. It goes to all of them or to none."""
    quotas = [quota.at(tx.now) for quota in faults.message_quotas(tx, domain)]
    if not quotas:
        return None
    recipients = submission.reach
    for quota in quotas:
        if recipients > quota.remaining:
            tx.undo()  # the message may have made its domain
            faults.use(tx, quota, recipients)
            return LimitExceeded(domain, "recipient", quota, tx.now)
    for quota in quotas:
        faults.use(tx, quota, recipients)
    return None


async def post(
    outgoing: Outgoing, database: Database, job: DueJob, url: str, data: bytes, headers: dict[str, str]
) -> Answer:
    """As `outgoing.post`; but if a fault stands in for the receiver, nobody is posted to unless it says `after`."""
    async with database.begin(job.account_id) as tx:
        fault = faults.meet_post(tx, url, job.domain_id)
    if fault is None:
        return await outgoing.post(url, data=data, headers=headers)
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(fault.does.get("delay", 0.0))
    stands_in = _stands_in(fault)
    if stands_in is None or fault.does.get("after"):
        posted = await outgoing.post(url, data=data, headers=headers)
    answer = stands_in or posted
    return answer._replace(seconds=asyncio.get_running_loop().time() - begun)


def _stands_in(fault: Fault) -> Answer | None:
    """What is taken for the receiver's answer."""
    if "status" in fault.does:
        told = {"X-Mailgun-Emulator-Hint": hint("Answered", fault.id)}
        return Answer(fault.does["status"], told, fault.does.get("message", ""), "", 0.0)
    if fault.does.get("cut"):
        return Answer(UNREACHABLE, {}, "", hint("Cut off", fault.id), 0.0)
    return None
