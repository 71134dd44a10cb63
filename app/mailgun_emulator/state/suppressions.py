"""The four lists of a domain: bounces, complaints, unsubscribes, allowlist (facts/sending.md, 6)."""

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Index, bindparam, tuple_
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state import jobs, suppression_entries
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.suppression_entries import MOST_CSV_BYTES, ROWS_AT_ONCE, CsvFile, Entry, Given
from mailgun_emulator.state.transaction import Tx

log = logging.getLogger(__name__)


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    ALLOW = "allow"


class BounceNotFound(NotFound):
    message = "Address not found in bounces table"


class ComplaintNotFound(NotFound):
    message = "No spam complaints found for this address"


class UnsubscribeNotFound(NotFound):
    """`unsubscribers` is how the wire spells it."""

    message = "Address not found in unsubscribers table"


class TagNotFound(NotFound):
    message = "Unsubscribe event for this tag does not exist"


class AllowlistEntryNotFound(NotFound):
    message = "Address/Domain not found in allowlist table"


class NoCsvHeader(BadRequest):
    message = "while reading csv header"


class CsvTooBig(BadRequest):
    message = "CSV file is too big, max allowed size is 25 MB"


NOT_FOUND: Mapping[Kind, type[NotFound]] = {
    Kind.BOUNCE: BounceNotFound,
    Kind.COMPLAINT: ComplaintNotFound,
    Kind.UNSUBSCRIBE: UnsubscribeNotFound,
    Kind.ALLOW: AllowlistEntryNotFound,
}


READERS: Mapping[Kind, Callable[[Given], Entry]] = {
    Kind.BOUNCE: suppression_entries.bounce,
    Kind.COMPLAINT: suppression_entries.complaint,
    Kind.UNSUBSCRIBE: suppression_entries.unsubscribe,
    Kind.ALLOW: suppression_entries.allowed,
}


class Suppression(SQLModel, table=True):
    """`address` in lower case is the key, `spelled` as it was given. Deliveries use the key, lists the index.

    Bounces have `code` and `error`, unsubscribes `tags` (JSON), the allowlist `reason`, and `is_domain` where its
    entry is a whole domain. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "suppression"
    __table_args__ = (
        Index("suppression_list", "domain_id", "kind", "address"),
        {"sqlite_with_rowid": False},
    )
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    spelled: str
    code: str = "550"
    error: str = ""
    tags: str = '["*"]'
    reason: str = ""
    is_domain: bool = False
    created_at: float


class ImportPart(SQLModel, table=True):
    """At most `ROWS_AT_ONCE` rows of an uploaded CSV file; `header` (JSON) names their columns. Gone once imported."""

    __tablename__: ClassVar[Any] = "suppression_import"
    import_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", index=True)
    kind: str
    header: str
    rows: str


class Suppressed(NamedTuple):
    """What delivery asks of an address."""

    kind: str
    tags: str


class _Part(NamedTuple):
    kind: str
    header: str
    rows: str


_DEFAULTS = Entry._field_defaults
_KEY = ("domain_id", "address", "kind")
_OF_LIST = (
    col(Suppression.domain_id) == bindparam("domain_id"),
    col(Suppression.kind) == bindparam("kind"),
)
_ONE = (*_OF_LIST, col(Suppression.address) == bindparam("address"))
# Compared as one, or SQLite takes the key and runs through all lists to find the entries of one.
_place = tuple_(col(Suppression.kind), col(Suppression.address))
_ENTRY = columns(Suppression, Entry._fields)
_BETWEEN = (
    select(*_ENTRY)
    .where(
        col(Suppression.domain_id) == bindparam("domain_id"),
        _place >= tuple_(bindparam("kind"), bindparam("least")),
        _place < tuple_(bindparam("kind"), bindparam("below")),
    )
    .limit(bindparam("limit"))
)
_FORWARDS = Query(_BETWEEN.order_by(col(Suppression.kind), col(Suppression.address)), Entry)
_BACKWARDS = Query(_BETWEEN.order_by(col(Suppression.kind).desc(), col(Suppression.address).desc()), Entry)
_FIND = Query(select(*_ENTRY).where(*_ONE), Entry)
_OF_ADDRESS = Query(
    select(Suppression.kind, Suppression.tags).where(
        col(Suppression.domain_id) == bindparam("domain_id"),
        col(Suppression.address) == bindparam("address"),
    ),
    Suppressed,
)
_ANY = Query(
    select(Suppression.kind, Suppression.tags)
    .where(col(Suppression.domain_id) == bindparam("domain_id"))
    .limit(1),
    Suppressed,
)
_ADDED = insert(Suppression).values({name: bindparam(name) for name in (*_KEY, *Entry._fields)})
_PUT = Statement(
    _ADDED.on_conflict_do_update(
        index_elements=_KEY, set_={name: _ADDED.excluded[name] for name in Entry._fields}
    )
)
_DELETE = Statement(delete_from(Suppression).where(*_ONE))
_CLEAR = Statement(delete_from(Suppression).where(*_OF_LIST))

_OF_PART = (
    col(ImportPart.import_id) == bindparam("import_id"),
    col(ImportPart.number) == bindparam("number"),
)
_ADD_PART = Statement(insert(ImportPart))
_PART = Query(select(ImportPart.kind, ImportPart.header, ImportPart.rows).where(*_OF_PART), _Part)
_DELETE_PART = Statement(delete_from(ImportPart).where(*_OF_PART))

_AFTER = "\x01"
"""Before all that an address can go on with: what stands behind one address begins here."""
_HIGHEST = "\U0010ffff"


def list_of_address(tx: Tx, domain_id: str, address: str) -> list[Suppressed]:
    """The lists that hold an address; `address` may also be a whole domain, for the allowlist."""
    if _ANY.recall(tx, domain_id=domain_id) is None:
        return []
    return _OF_ADDRESS.list(tx, domain_id=domain_id, address=address.lower())


def put(tx: Tx, domain_id: str, address: str, kind: Kind, **fields: Any) -> None:
    """Add or replace; `fields` are the columns that differ from their defaults.

    Only unsubscribes are not replaced: their tags join those that the address is unsubscribed from already.
    """
    row = {**_DEFAULTS, "spelled": address, "created_at": tx.now, **fields}
    if kind == Kind.UNSUBSCRIBE:
        known = find(tx, domain_id, kind, address)
        tags = orjson.loads(known.tags) if known else []
        row["tags"] = suppression_entries.joined(tags, orjson.loads(row["tags"]))
    _PUT.run(tx, domain_id=domain_id, kind=kind.value, address=address.lower(), **row)


def read(tx: Tx, kind: Kind, parameters: Mapping[str, Any]) -> Entry:
    """The same for forms, JSON and CSV. Raise `BadRequest` for what the list can't hold."""
    return READERS[kind](Given(parameters, tx.now))


def add(tx: Tx, domain_id: str, kind: Kind, entry: Entry) -> None:
    put(tx, domain_id, entry.spelled, kind, **entry._asdict())


def find(tx: Tx, domain_id: str, kind: Kind, address: str) -> Entry | None:
    return _FIND.find(tx, domain_id=domain_id, kind=kind.value, address=address.lower())


def get(tx: Tx, domain_id: str, kind: Kind, address: str) -> Entry:
    found = find(tx, domain_id, kind, address)
    if found is None:
        raise NOT_FOUND[kind]
    return found


def list_entries(
    tx: Tx,
    domain_id: str,
    kind: Kind,
    *,
    term: str = "",
    after: str = "",
    before: str = "",
    limit: int = 100,
    backwards: bool = False,
) -> list[Entry]:
    """Those that begin with `term`, from behind `after` up to `before`; `backwards`: the last ones, last first."""
    query = _BACKWARDS if backwards else _FORWARDS
    term = term.lower()
    return query.list(
        tx,
        domain_id=domain_id,
        kind=kind.value,
        least=max(term, after.lower() + _AFTER if after else ""),
        below=min(term + _HIGHEST, before.lower() or _HIGHEST),
        limit=limit,
    )


def delete(tx: Tx, domain_id: str, kind: Kind, address: str) -> None:
    gone = _DELETE.run(tx, domain_id=domain_id, kind=kind.value, address=address.lower())
    if not gone.rowcount:
        raise NOT_FOUND[kind]


def delete_tag(tx: Tx, domain_id: str, address: str, tag: str) -> None:
    """Mail with this tag is sent again; an address that is unsubscribed from nothing else leaves the list."""
    entry = get(tx, domain_id, Kind.UNSUBSCRIBE, address)
    tags = orjson.loads(entry.tags)
    kept = [each for each in tags if each.lower() != tag.lower()]
    if len(kept) == len(tags):
        raise TagNotFound
    delete(tx, domain_id, Kind.UNSUBSCRIBE, address)
    if kept:
        add(tx, domain_id, Kind.UNSUBSCRIBE, entry._replace(tags=orjson.dumps(kept).decode()))


def clear(tx: Tx, domain_id: str, kind: Kind) -> None:
    """Take all from the list."""
    _CLEAR.run(tx, domain_id=domain_id, kind=kind.value)


def start_import(tx: Tx, domain_id: str, kind: Kind, file: CsvFile) -> None:
    """Put a file's rows on a list, in the background. Raise `CsvTooBig` or `NoCsvHeader`."""
    if file.size > MOST_CSV_BYTES:
        raise CsvTooBig
    wanted = ("address", "domain") if kind is Kind.ALLOW else ("address",)
    if not set(wanted) & set(file.header):
        raise NoCsvHeader(hint=f"The first row has to name the columns, among them {' or '.join(wanted)}.")
    if not file.parts:
        return
    import_id, header = tx.ids.object_id(), orjson.dumps(file.header).decode()
    for number, rows in enumerate(file.parts):
        part = ImportPart(
            import_id=import_id, number=number, domain_id=domain_id, kind=kind, header=header, rows=rows
        )
        _ADD_PART.run(tx, **part.model_dump())
    jobs.schedule(tx, Step.IMPORT, f"{import_id} 0", domain_id=domain_id)


def do_import(tx: Tx, job: DueJob) -> None:
    """One part, then a job for the next, so that neither deliveries nor requests wait for a large file."""
    import_id, _, number = job.subject.partition(" ")
    part = _PART.find(tx, import_id=import_id, number=int(number))
    if part is None or job.domain_id is None:
        return
    _import_rows(tx, job.domain_id, part, first=int(number) * ROWS_AT_ONCE + 1)
    _DELETE_PART.run(tx, import_id=import_id, number=int(number))
    jobs.schedule(tx, Step.IMPORT, f"{import_id} {int(number) + 1}", domain_id=job.domain_id)


def _import_rows(tx: Tx, domain_id: str, part: _Part, first: int) -> None:
    """A row that would be refused as a request is passed over."""
    kind, rows = Kind(part.kind), suppression_entries.read_rows(orjson.loads(part.header), part.rows)
    for number, parameters in enumerate(rows, first):
        if not parameters:
            continue
        try:
            add(tx, domain_id, kind, read(tx, kind, parameters))
        except BadRequest as refusal:
            log.warning(
                "Row %d of an import of kind %s is passed over: %s", number, kind, refusal.hint or refusal
            )
