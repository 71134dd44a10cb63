"""What the links in mail carry: a signed query string, compressed, in URL-safe base64 (facts/sending.md, 5.2)."""

import hmac
import re
import zlib
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

Field = tuple[str, str]

MOST_CHARACTERS = 16 * 1024
MOST_PLAIN = 64 * 1024
MOST_FIELDS = 1000
_URL_SAFE = re.compile(r"[\w-]+", re.ASCII).fullmatch
_SIGNATURE = "h"
_HEX_DIGITS = 32


class BadToken(ValueError):
    """It is none, was altered, or belongs to something else."""


class TooLong(ValueError):
    """It would be longer than what is read."""


class Token(NamedTuple):
    """What is inside, not to be trusted before it is checked."""

    fields: list[Field]
    signature: str

    def first(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def check(self, purpose: str, key: bytes) -> None:
        """Raise `BadToken` unless it was made with the key, for that purpose."""
        if not hmac.compare_digest(_sign(purpose, self.fields, key).encode(), self.signature.encode()):
            raise BadToken


def make(purpose: str, fields: Iterable[Field], key: bytes) -> str:
    """Raise `TooLong` for what `read` would not take."""
    plain = _signed(purpose, list(fields), key)
    token = urlsafe_b64encode(zlib.compress(plain)).rstrip(b"=").decode()
    if len(token) > MOST_CHARACTERS or len(plain) > MOST_PLAIN:
        raise TooLong
    return token


def read(token: str) -> Token:
    """Raise `BadToken` for what can't be one; what grows too large when it is unpacked is not unpacked."""
    if len(token) > MOST_CHARACTERS or not _URL_SAFE(token):
        raise BadToken
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(urlsafe_b64decode(token + "=" * (-len(token) % 4)), MOST_PLAIN)
    except (ValueError, zlib.error):
        raise BadToken from None
    if not unpacking.eof or unpacking.unused_data:
        raise BadToken
    return _parsed(plain)


def make_local_part(purpose: str, fields: Iterable[Field], key: bytes) -> str:
    """For a mail address: base32 in lower case, not compressed (facts/sending.md, 1.10)."""
    return b32encode(_signed(purpose, list(fields), key)).decode().rstrip("=").lower()


def read_local_part(text: str) -> Token:
    """In any case: mail servers may change it. Raise `BadToken`."""
    if len(text) > MOST_CHARACTERS:
        raise BadToken
    try:
        return _parsed(b32decode(text.upper() + "=" * (-len(text) % 8)))
    except ValueError:
        raise BadToken from None


def _signed(purpose: str, fields: list[Field], key: bytes) -> bytes:
    return _query([*fields, (_SIGNATURE, _sign(purpose, fields, key))]).encode()


def _sign(purpose: str, fields: list[Field], key: bytes) -> str:
    return hmac.digest(key, f"{purpose}\n{_query(fields)}".encode(), "sha256").hex()[:_HEX_DIGITS]


def _query(fields: list[Field]) -> str:
    return urlencode(sorted(fields, key=lambda field: field[0]))


def _parsed(plain: bytes) -> Token:
    try:
        fields = parse_qsl(
            plain.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise BadToken from None
    signatures = [value for name, value in fields if name == _SIGNATURE]
    if len(signatures) != 1:
        raise BadToken
    return Token([field for field in fields if field[0] != _SIGNATURE], signatures[0])
