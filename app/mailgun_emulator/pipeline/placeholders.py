"""Placeholders, and what each recipient's copy has in their place (facts/sending.md, 1.9 and 1.10)."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from mailgun_emulator.mail import addresses, bodies, encoded_words, headers
from mailgun_emulator.mail.addresses import Address, NotAnAddress

Fill = Callable[[str], str]

_BEGIN = "%recipient"
OF_VARIABLES = "%recipient."
"""What those begin with that `of_values` makes."""
_OF_VARIABLE = re.compile(r"%recipient\.[^%\s]{1,60}%")


def of_recipient(to: Address) -> dict[str, str]:
    """The built-in ones."""
    first, _, last = to.name.partition(" ")
    return {
        "%recipient%": str(to),
        "%recipient_email%": to.email,
        "%recipient_name%": to.name,
        "%recipient_fname%": first,
        "%recipient_lname%": last.rpartition(" ")[2],
    }


def of_values(values: Mapping[str, Any]) -> dict[str, str]:
    """`%recipient.KEY%` for each, what is no text as JSON."""
    return {
        f"%recipient.{key}%": value if isinstance(value, str) else orjson.dumps(value).decode()
        for key, value in values.items()
    }


def are_in(text: str | None) -> bool:
    return text is not None and _BEGIN in text


def of_variables(text: str) -> list[str]:
    """Those in it of variables that a recipient may have."""
    return _OF_VARIABLE.findall(text)


def fill(text: str, marks: Mapping[str, str]) -> str:
    """Unknown ones stay as they are."""
    if _BEGIN in text:
        for mark, value in marks.items():
            text = text.replace(mark, value)
    return text


def fill_addresses(text: str, fill: Fill) -> str:
    """A header's addresses: a name is put in quotes if what is filled in needs them."""
    if _BEGIN not in text:
        return text
    try:
        found = addresses.parse_list([text])
    except NotAnAddress:
        return fill(text)
    return ", ".join(str(Address(fill(each.name), fill(each.email))) for each in found)


def fill_mime(mime: bytes, fill: Fill) -> bytes:
    """In its header fields and its texts, whatever these are encoded in. Line ends have to be CRLF."""
    fields, body = headers.split(bodies.change_texts(mime, lambda _, text: fill(text)))
    return b"".join([*(_filled_field(field, fill) for field in fields), b"\r\n", body])


def texts_of(mime: bytes) -> list[str]:
    """All that placeholders are filled in."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    fill_mime(mime, note)
    return found


def fill_for(mime: bytes, recipient: str) -> bytes:
    """With the built-in ones filled in; the recipient's name is the one in `To` or `Cc`."""
    own: list[Address] = []

    def personal(text: str) -> str:
        if _BEGIN not in text:
            return text
        if not own:
            own.append(_named(mime, recipient))
        return fill(text, of_recipient(own[0]))

    return fill_mime(mime, personal)


def _named(mime: bytes, recipient: str) -> Address:
    named = [field.value for field in headers.split(mime)[0] if field.name.lower() in ("to", "cc")]
    with suppress(NotAnAddress):
        for each in addresses.parse_list(named):
            if each.email.lower() == recipient.lower():
                return each
    return Address("", recipient)


def _filled_field(field: headers.Field, fill: Fill) -> bytes:
    value = encoded_words.decode(field.value)
    new = fill(value)
    return field.raw if new == value else headers.write(field.name, new).encode()
