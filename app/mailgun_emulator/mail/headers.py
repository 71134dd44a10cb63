"""Header fields: written folded and encoded (RFC 5322, RFC 2047), taken apart and read back."""

import re
from contextlib import suppress
from typing import NamedTuple

from mailgun_emulator.mail import addresses, encoded_words

FOLD_AT = 78
LONGEST_LINE = 998

_ADDRESS_FIELDS = frozenset(
    {"from", "to", "cc", "sender", "reply-to", "resent-from", "resent-to", "resent-cc"}
)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)(?:\r\n|\Z)").match
ADDRESSEES = ("to", "cc")
_NAMING = re.compile(rb"^(to|cc)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_LINE_ENDS = re.compile(r"[\r\n]+[ \t]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FOLDING_BLANK = re.compile(r"(?<=\S)[ \t](?=\S)")
_NOT_IN_NAME = re.compile(r"[^!-9;-~]+")


class Field(NamedTuple):
    """`raw` is the whole field with its line end, folded as it came."""

    name: str
    value: str
    raw: bytes


def write(name: str, value: str) -> str:
    """The field with its line end: encoded if it is not ASCII, folded if it is long, line ends in it made blanks."""
    if len(name) + len(value) <= FOLD_AT - 2 and value.isascii() and value.isprintable():
        return f"{name}: {value}\r\n"
    value = _CONTROL.sub("", _LINE_ENDS.sub(" ", value)).strip()
    room = max(40, FOLD_AT - len(name) - 4)
    text = value if value.isascii() else _encoded(name, value, room)
    lines = _folded(name, text)
    if max(map(_octets, lines)) > LONGEST_LINE:
        lines = _folded(name, encoded_words.encode(value, room))
    return "\r\n".join(lines) + "\r\n"


def clean_name(name: str) -> str:
    """A field name without what cannot stand in one."""
    return _NOT_IN_NAME.sub("", name)[: FOLD_AT - 2]


def spelled(name: str) -> str:
    """As Mailgun spells names of fields, however they were written: `Mime-Version`, `X-Google-Dkim-Signature`."""
    return "-".join(map(str.capitalize, name.split("-")))


def crlf(data: bytes) -> bytes:
    """All line ends made CRLF."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def split(mime: bytes) -> tuple[list[Field], bytes]:
    """The fields and the body of a message whose line ends are CRLF. A line that is no field begins the body."""
    position = mime.find(b"\r\n") + 2 if mime.startswith(b"From ") else 0
    fields = []
    while match := _FIELD(mime, position):
        fields.append(Field(match[1].decode(), _unfolded(match[2]), match[0].removesuffix(b"\r\n") + b"\r\n"))
        position = match.end()
    blank = mime.startswith(b"\r\n", position)
    return fields, mime[position + 2 if blank else position :]


def read(mime: bytes) -> list[tuple[str, str]]:
    """Every field in order, unfolded and with its encoded words read. Line ends may be LF or CRLF."""
    head = re.split(rb"\r?\n\r?\n", mime, maxsplit=1)[0]
    return [(field.name, encoded_words.decode(field.value)) for field in split(crlf(head))[0]]


def addressees(mime: bytes) -> list[list[str]]:
    """Whom `To` and whom `Cc` name, each as it is spelled there; what is no address is there as it stands."""
    named: dict[str, list[str]] = {name: [] for name in ADDRESSEES}
    head = b"" if mime.startswith(b"\r\n") else mime.partition(b"\r\n\r\n")[0]
    for name, raw in _NAMING.findall(head):
        value = _unfolded(raw)
        if value:
            named[name.decode().lower()] += _addresses_in(value)
    return list(named.values())


def _addresses_in(text: str) -> list[str]:
    try:
        return [str(each) for each in addresses.parse_list((text,))]
    except addresses.NotAnAddress:
        return [encoded_words.decode(text)]


def _unfolded(raw: bytes) -> str:
    joined = raw.replace(b"\r\n", b"").strip()
    try:
        return joined.decode()
    except UnicodeDecodeError:
        return joined.decode("latin-1")


def _encoded(name: str, value: str, room: int) -> str:
    if name.lower() in _ADDRESS_FIELDS:
        with suppress(addresses.NotAnAddress):
            return ", ".join(_encoded_address(address, room) for address in addresses.parse_list((value,)))
    return encoded_words.encode(value, room)


def _encoded_address(address: addresses.Address, room: int) -> str:
    local, _, domain = address.email.rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):  # beyond IDNA 2003 it stands as it is, as RFC 6532 allows
            domain = domain.encode("idna").decode()
    email = f"{local}@{domain}"
    if address.name.isascii():
        return str(addresses.Address(address.name, email))
    return f"{encoded_words.encode(address.name, room, phrase=True)} <{email}>"


def _octets(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode("utf-8", "replace"))


def _folded(name: str, value: str) -> list[str]:
    """Lines of at most 78 characters where a blank allows it; unfolding gives the very same text."""
    line = f"{name}: {value}"
    lines = []
    start, first = 0, len(name) + 2
    while len(line) - start > FOLD_AT:
        cut = _cut(line, max(start + 1, first), start + FOLD_AT)
        if cut < 0:
            break
        lines.append(line[start:cut])
        start = cut
    return [*lines, line[start:]]


def _cut(line: str, first: int, last: int) -> int:
    """The last blank between words up to there or, if there is none, the first behind it; -1 if nowhere is one."""
    cut = last + 1
    while (cut := max(line.rfind(" ", first, cut), line.rfind("\t", first, cut))) >= 0:
        if not (line[cut - 1].isspace() or line[cut + 1 : cut + 2].isspace()):
            return cut
    found = _FOLDING_BLANK.search(line, max(first, last + 1))
    return found.start() if found else -1
