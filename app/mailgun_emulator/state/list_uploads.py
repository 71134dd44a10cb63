"""Members handed over many at a time, put on their list in the background (facts/sending.md, 9)."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import bindparam, delete, insert, select
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses
from mailgun_emulator.state import jobs
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

MOST_CSV_BYTES = 5 * 2**20
ITEMS_AT_ONCE = 200
CSV, JSON = "text", "json"
"""Formats by their names in events."""
_COLUMNS = ("address", "name", "vars", "subscribed")
_ADDRESS_COLUMNS = ("email", "e-mail", "email address", "email_address")


class CsvTooBig(BadRequest):
    message = "CSV file is too big, max allowed size is 5 MB"


class UnreadableCsv(BadRequest):
    """Mailgun's own text is not known."""

    message = "CSV file can't be read"


class Format(NamedTuple):
    """What the events of an upload say of it; `subscribed` is for members that don't say themselves. In `CSV` each
    member has its `row` besides.
    """

    name: str
    subscribed: bool
    upsert: bool


class ListUpload(SQLModel, table=True):
    """At most `ITEMS_AT_ONCE` members of an upload, as they were given, in JSON. Gone once they are on their list."""

    __tablename__: ClassVar[Any] = "list_upload"
    task_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    mailing_list_id: str = Field(foreign_key="mailing_list.id", ondelete="CASCADE", index=True)
    format: str
    subscribed: bool
    upsert: bool
    last: bool
    items: str


class Part(NamedTuple):
    """`last` of its upload or not."""

    mailing_list_id: str
    format: str
    subscribed: bool
    upsert: bool
    last: bool
    items: str


class Progress(NamedTuple):
    """Where an upload is: what is next, and how many members were and were not put on the list so far."""

    task_id: str
    number: int = 0
    upserted: int = 0
    failed: int = 0


class CsvFile(NamedTuple):
    """A file's rows as members in JSON, `ITEMS_AT_ONCE` in each of `parts`; or why it is refused."""

    parts: tuple[str, ...] = ()
    refusal: BadRequest | None = None


_OF_PART = (
    col(ListUpload.task_id) == bindparam("task_id"),
    col(ListUpload.number) == bindparam("number"),
)
_INSERT = Statement(insert(ListUpload))
_PART = Query(select(*columns(ListUpload, Part._fields)).where(*_OF_PART), Part)
_DELETE = Statement(delete(ListUpload).where(*_OF_PART))


def start(tx: Tx, listed: ListDetails, parts: Iterable[str], how: Format) -> str:
    """Return the id of the task."""
    task_id = tx.ids.hex(32)
    texts = list(parts) or ["[]"]
    for number, items in enumerate(texts):
        part = ListUpload(
            task_id=task_id,
            number=number,
            mailing_list_id=listed.id,
            format=how.name,
            subscribed=how.subscribed,
            upsert=how.upsert,
            last=number == len(texts) - 1,
            items=items,
        )
        _INSERT.run(tx, **part.model_dump())
    go_on(tx, Progress(task_id))
    return task_id


def go_on(tx: Tx, progress: Progress) -> None:
    jobs.schedule(tx, Step.UPLOAD_MEMBERS, " ".join(map(str, progress)))


def progress_of(job: jobs.DueJob) -> Progress:
    task_id, *numbers = job.subject.split()
    return Progress(task_id, *map(int, numbers))


def take(tx: Tx, progress: Progress) -> Part | None:
    """What is next, which is then gone. None: its list was deleted."""
    place = {"task_id": progress.task_id, "number": progress.number}
    part = _PART.find(tx, **place)
    _DELETE.run(tx, **place)
    return part


def in_parts(items: Iterable[Any]) -> tuple[str, ...]:
    rest = iter(items)
    return tuple(orjson.dumps(part).decode() for part in iter(lambda: list(islice(rest, ITEMS_AT_ONCE)), []))


def read_csv(data: bytes) -> CsvFile:
    """The first row may name the columns; else they are address, name, vars. Other columns become `vars`.

    A large file takes a while: call it in a thread.
    """
    import csv
    import io

    if len(data) > MOST_CSV_BYTES:
        return CsvFile(refusal=CsvTooBig())
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    try:
        filled = [row for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        return CsvFile(refusal=UnreadableCsv(hint=f"Line {rows.line_num}: {error}"))
    header = _header(filled[0]) if filled else None
    names = header or _COLUMNS[:3]
    return CsvFile(in_parts(_item(names, row) for row in filled[1 if header else 0 :]))


def _header(row: list[str]) -> tuple[str, ...] | None:
    names = tuple(name.strip() for name in row)
    plain = tuple(
        "address" if name.lower() in _ADDRESS_COLUMNS else name.lower() if name.lower() in _COLUMNS else name
        for name in names
    )
    return plain if "address" in plain or not any(map(_is_address, row)) else None


def _is_address(text: str) -> bool:
    try:
        return len(addresses.parse_list((text,))) == 1
    except addresses.NotAnAddress:
        return False


def _item(names: tuple[str, ...], row: list[str]) -> dict[str, Any]:
    given = dict(zip(names, row, strict=False))
    member: dict[str, Any] = {name: given[name] for name in _COLUMNS if name in given}
    member["row"] = ",".join(row)
    others = {name: value for name, value in given.items() if name and name not in _COLUMNS}
    if others and "vars" not in member:
        member["vars"] = others
    return member
