"""Members that are put on a mailing list in the background, and the events that tell of it (facts/sending.md, 3.2)."""

from collections.abc import Iterable
from typing import Any

import orjson

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.pipeline.record import About, record
from mailgun_emulator.state import list_members, list_uploads, mailing_lists, sending
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.list_members import Given
from mailgun_emulator.state.list_uploads import Part, Progress
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.state.transaction import Tx


class _Reporter:
    """Tells of one upload, under the domain of the list; if the account has no such domain, to nobody."""

    def __init__(self, tx: Tx, listed: ListDetails, task_id: str) -> None:
        self._tx = tx
        self._domain = sending.find(tx, listed.address.rpartition("@")[2])
        self._common = {"task-id": task_id, "mailing-list": {"address": listed.spelled}}

    def tell(self, kind: EventType, **told: Any) -> None:
        if self._domain is not None:
            about = About(self._domain.id, self._domain.name)
            given = {name.replace("_", "-"): value for name, value in told.items()}
            record(self._tx, kind, about, "", {**self._common, **given})


def upload_members(tx: Tx, job: DueJob) -> None:
    """One part, then a job for the next, so that neither deliveries nor requests wait for a large file."""
    progress = list_uploads.progress_of(job)
    part = list_uploads.take(tx, progress)
    listed = part and mailing_lists.find_by_id(tx, part.mailing_list_id)
    if part is None or listed is None:
        return
    reporter = _Reporter(tx, listed, progress.task_id)
    items = orjson.loads(part.items)
    members = list(_read(reporter, part, items))
    wanted = members if part.upsert else _new(tx, listed, members)
    list_members.put_many(tx, listed, wanted, upsert=part.upsert)
    for each in wanted:
        told = {"address": each.spelled, "name": each.name or "", "subscribed": each.subscribed}
        reporter.tell(EventType.LIST_MEMBER_UPLOADED, member=told)
    failed = progress.failed + len(items) - len(members)
    _go_on(
        tx,
        reporter,
        part,
        Progress(progress.task_id, progress.number + 1, progress.upserted + len(wanted), failed),
    )


def _go_on(tx: Tx, reporter: _Reporter, part: Part, progress: Progress) -> None:
    if not part.last:
        list_uploads.go_on(tx, progress)
        return
    reporter.tell(
        EventType.LIST_UPLOADED,
        format=part.format,
        subscribed=bool(part.subscribed),
        is_upsert=bool(part.upsert),
        upserted_count=progress.upserted,
        failed_count=progress.failed,
    )


def _read(reporter: _Reporter, part: Part, items: list[Any]) -> Iterable[Given]:
    """What would be refused as a request is passed over."""
    for item in items:
        try:
            member = list_members.read(item)
        except BadRequest as refusal:
            reporter.tell(
                EventType.LIST_MEMBER_UPLOAD_ERROR,
                log_level="error",
                format=part.format,
                error={"message": str(refusal)},
                member_description=_description(part, item),
            )
        else:
            known = member.subscribed is not None
            yield member if known else member._replace(subscribed=bool(part.subscribed))


def _description(part: Part, item: Any) -> str:
    """As it was written."""
    if part.format == list_uploads.CSV:
        return str(item["row"])
    return item if isinstance(item, str) else orjson.dumps(item).decode()


def _new(tx: Tx, listed: ListDetails, members: list[Given]) -> list[Given]:
    """Without those who are members already."""
    known = list_members.known_among(tx, listed, [each.address for each in members])
    wanted = {each.address: each for each in reversed(members) if each.address not in known}
    return list(reversed(wanted.values()))
