"""Lists of addresses that are validated as a whole: CSV files, packed or not (facts/account.md, 11.2)."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.core.errors import BadRequest

MOST_MIB = 25
MOST_UNPACKED_BYTES = 10 * MOST_MIB * 2**20
AT_ONCE = 25
"""Addresses are validated so many at a time, which takes a few milliseconds."""
HEADERS = ("email", "email_address")
RESULT_COLUMNS = (
    "address", "did_you_mean", "is_disposable_address", "is_role_address", "reason", "result", "risk", "root_address",
    "last_seen", "engaging", "is_bot", "behavior",
)  # fmt: skip
_GZIP = b"\x1f\x8b"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


class FileTooBig(BadRequest):
    """Mailgun's own text is not known; this is how it words it for suppressions."""

    message = f"CSV file is too big, max allowed size is {MOST_MIB} MB"


class UnreadableFile(BadRequest):
    """Mailgun's own text is not known."""

    message = "file can't be read, it has to be CSV or gzip in UTF-8"


class NoEmailColumn(BadRequest):
    """Mailgun's own text is not known."""

    message = "file has to have a column 'email' or 'email_address'"


class AddressList(NamedTuple):
    """`quantity` addresses, of which `size` are different; each of `parts` has `AT_ONCE` of those, in JSON."""

    quantity: int = 0
    size: int = 0
    parts: tuple[str, ...] = ()
    refusal: BadRequest | None = None


def read(data: bytes) -> AddressList:
    """A large file takes a while: call it in a thread."""
    if len(data) > MOST_MIB * 2**20:
        return AddressList(refusal=FileTooBig())
    try:
        text = _unpacked(data).decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip().lower() for name in next(rows, [])]
        column = next((header.index(name) for name in HEADERS if name in header), None)
        if column is None:
            return AddressList(refusal=NoEmailColumn())
        found = [row[column].strip() for row in rows if len(row) > column and row[column].strip()]
    except BadRequest as refusal:
        return AddressList(refusal=refusal)
    except (UnicodeDecodeError, zlib.error, csv.Error) as error:
        return AddressList(refusal=UnreadableFile(hint=str(error)))
    return of(found)


def of(addresses: Iterable[str]) -> AddressList:
    """The first of each, whatever their case."""
    found, different = list(addresses), dict[str, str]()
    for address in found:
        different.setdefault(address.lower(), address)
    return AddressList(len(found), len(different), tuple(in_parts(different.values())))


def in_parts(items: Iterable[Any]) -> Iterator[str]:
    rest = iter(items)
    while part := list(islice(rest, AT_ONCE)):
        yield orjson.dumps(part).decode()


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    unpacking = zlib.decompressobj(wbits=31)
    unpacked = unpacking.decompress(data, MOST_UNPACKED_BYTES)
    if unpacking.unconsumed_tail:
        raise FileTooBig
    if not unpacking.eof:
        raise UnreadableFile(hint="The gzip file ends in the middle.")
    return unpacked


def as_json(parts: Iterable[str]) -> bytes:
    """Results, all in one array."""
    return f"[{','.join(part[1:-1] for part in parts)}]".encode()


def as_csv(parts: Iterable[str]) -> bytes:
    """Results, one a row; several reasons are in one field, with commas between them."""
    written = io.StringIO(newline="")
    rows = csv.DictWriter(written, RESULT_COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    rows.writerows(_row(result) for part in parts for result in orjson.loads(part))
    return written.getvalue().encode()


def _row(result: Mapping[str, Any]) -> dict[str, Any]:
    told = {**result, **result.get("engagement", {}), "reason": ",".join(result["reason"])}
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in told.items()
        if name in RESULT_COLUMNS
    }


def packed(name: str, content: bytes) -> bytes:
    """An archive with one file, as results are downloaded; the same for the same content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
