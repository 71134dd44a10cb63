"""Forms as they are posted: urlencoded, or multipart where there are files."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from mailgun_emulator.mail.mime import Part

_NOT_IN_QUOTES = re.compile(r'[\r\n"]')
_ESCAPED = {"\r": "%0D", "\n": "%0A", '"': "%22"}


class Encoded(NamedTuple):
    content_type: str
    body: bytes


def urlencoded(fields: Sequence[tuple[str, str | bytes]]) -> Encoded:
    return Encoded("application/x-www-form-urlencoded", urlencode(fields, errors="replace").encode())


def multipart(
    fields: Sequence[tuple[str, str | bytes]], files: Sequence[tuple[str, Part]], boundary: str
) -> Encoded:
    pieces = []
    for name, value in fields:
        pieces.append(_head(boundary, f'name="{_quoted(name)}"'))
        pieces.append(value if isinstance(value, bytes) else value.encode("utf-8", "replace"))
    for name, part in files:
        place = f'name="{_quoted(name)}"; filename="{_quoted(part.filename)}"'
        pieces.append(_head(boundary, f"{place}\r\nContent-Type: {_line(part.content_type)}"))
        pieces.append(part.data)
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return Encoded(f"multipart/form-data; boundary={boundary}", b"".join(pieces)[2:])


def _head(boundary: str, disposition: str) -> bytes:
    return f"\r\n--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode(
        "utf-8", "replace"
    )


def _quoted(text: str) -> str:
    """As browsers write names."""
    return _NOT_IN_QUOTES.sub(lambda found: _ESCAPED[found[0]], text)


def _line(text: str) -> str:
    return " ".join(text.split())
