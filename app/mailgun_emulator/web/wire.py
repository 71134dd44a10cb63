"""Headers as they are on the wire."""

from itertools import chain

Header = tuple[bytes, bytes]

STANDARD: list[Header] = [
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-allow-headers", b"Content-Type, x-requested-with, Authorization"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"no-store"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-xss-protection", b"1; mode=block"),
]
"""What all of Mailgun's answers end with."""


def packed(headers: list[Header]) -> bytes:
    """In one piece; no header has a line end in it."""
    return b"\n".join(chain.from_iterable(headers))


def unpacked(text: bytes) -> list[Header]:
    parts = text.split(b"\n") if text else []
    return list(zip(parts[::2], parts[1::2], strict=True))
