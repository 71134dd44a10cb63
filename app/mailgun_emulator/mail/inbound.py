"""What Mailgun writes into a message that comes in (facts/sending.md, 8.3)."""

from collections.abc import Iterable, Sequence

from mailgun_emulator.mail import headers

HERE = "mxa.mailgun.org"
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


def hops(mime: bytes) -> tuple[int, int]:
    """How many servers the message has come through, and how often through this one."""
    ways = [value for name, value in headers.read(mime) if name.lower() == "received"]
    return len(ways), sum(f"by {HERE} with" in way for way in ways)
