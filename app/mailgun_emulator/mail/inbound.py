"""What Mailgun writes into a message that comes in (facts/sending.md, 8.3)."""

from collections.abc import Iterable, Sequence

from mailgun_emulator.mail import headers


def stamp(mime: bytes, own: Sequence[tuple[str, str]], missing: Iterable[tuple[str, str]]) -> bytes:
    """The message with our `own` fields in front. Others of their names go, but for `Received`; nobody else may write
    them. Those that are `missing` are added. What stays keeps its bytes; line ends become CRLF.
    """
    fields, body = headers.split(headers.crlf(mime))
    forged = {name.lower() for name, _ in own} - {"received"}
    kept = [field for field in fields if field.name.lower() not in forged]
    known = {field.name.lower() for field in kept}
    added = [*own, *((name, value) for name, value in missing if name.lower() not in known)]
    head = "".join(headers.write(name, value) for name, value in added).encode("utf-8", "replace")
    return head + b"".join(field.raw for field in kept) + b"\r\n" + body


def hops(mime: bytes) -> int:
    """How many servers the message has come through."""
    return sum(name.lower() == "received" for name, _ in headers.read(mime))
