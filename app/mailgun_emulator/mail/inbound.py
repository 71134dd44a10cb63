"""What Mailgun writes into a message that comes in (facts/sending.md, 8.3)."""

from collections.abc import Iterable, Sequence

from mailgun_emulator.mail import headers

OURS = frozenset(
    {
        "x-envelope-from",
        "x-mailgun-incoming",
        "x-mailgun-sflag",
        "x-mailgun-sscore",
        "x-mailgun-spf",
        "x-mailgun-spam-rules",
        "x-mailgun-dkim-check-result",
    }
)


def stamp(mime: bytes, own: Sequence[tuple[str, str]], missing: Iterable[tuple[str, str]]) -> bytes:
    """The message with our `own` fields in front. What pretends to be ours goes; those that are `missing` are added.
    What stays keeps its bytes; line ends become CRLF.
    """
    fields, body = headers.split(headers.crlf(mime))
    kept = [field for field in fields if field.name.lower() not in OURS]
    known = {field.name.lower() for field in kept}
    added = [*own, *((name, value) for name, value in missing if name.lower() not in known)]
    head = "".join(headers.write(name, value) for name, value in added).encode("utf-8", "replace")
    return head + b"".join(field.raw for field in kept) + b"\r\n" + body


def hops(mime: bytes) -> int:
    """How many servers the message has come through."""
    return sum(name.lower() == "received" for name, _ in headers.read(mime))
