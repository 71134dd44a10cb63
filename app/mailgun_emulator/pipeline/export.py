"""Makes the files that `/v3/exports` is asked for (facts/account.md, 12)."""

import asyncio

import orjson

from mailgun_emulator.pipeline.outgoing import Outgoing
from mailgun_emulator.state import event_log, exports
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.event_log import Search
from mailgun_emulator.state.jobs import DueJob, complete
from mailgun_emulator.state.transaction import Tx


async def export(database: Database, _: Outgoing, job: DueJob) -> None:
    """Page by page, each in a transaction of its own, so that nobody waits for a large one."""
    with database.reading(job.account_id) as tx:
        asked = _asked(tx, job.subject)
    payloads: list[str] = []
    if asked is not None:
        domain_id, search = asked
        place = search.first
        while True:
            with database.reading(job.account_id) as tx:
                page = event_log.read(tx, domain_id, search, place)
            if not page.payloads:
                break
            payloads += page.payloads
            place = page.next
            await asyncio.sleep(0)
    content = None if asked is None else await asyncio.to_thread(_written, payloads)
    async with database.begin(job.account_id) as tx:
        if complete(tx, job):
            exports.finish(tx, job.subject, content)


def _asked(tx: Tx, export_id: str) -> tuple[str, Search] | None:
    """None if the domain or the export is gone."""
    sql = (
        "SELECT export.domain_id, export.search FROM export JOIN domain ON domain.id = export.domain_id"
        " WHERE export.id = :id AND NOT domain.deleted"
    )
    row = tx.read(sql, {"id": export_id}).fetchone()
    return None if row is None else (row[0], Search(*orjson.loads(row[1])))


def _written(payloads: list[str]) -> bytes:
    return orjson.dumps({"items": [orjson.Fragment(payload) for payload in payloads]})
