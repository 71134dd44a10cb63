"""`multipart/mailgun-variables`: a message and what is known of its recipients, in one (facts/sending.md, 1.9)."""

from mailgun_emulator.mail.stored import parsed

_TYPE = "multipart/mailgun-variables"


def unpack(mime: bytes) -> tuple[str | None, bytes]:
    """The JSON text of the variables and the message as it stands there; what is no container stays as it is."""
    if _TYPE.encode() not in mime[:65_536].lower():
        return None, mime
    outer = parsed(mime)
    boundary = (outer.get_boundary() or "").encode("ascii", "replace")
    if outer.get_content_type() != _TYPE or not boundary:
        return None, mime
    variables, message = None, b""
    for piece in mime.split(b"\n--" + boundary)[1:-1]:
        part = parsed(piece.partition(b"\n")[2])
        if part.get_content_type() == "message/rfc822":
            message = _body(piece.partition(b"\n")[2])
        elif variables is None:
            payload = part.get_payload(decode=True)
            variables = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None
    return variables, message.lstrip(b"\r\n") or mime


def _body(part: bytes) -> bytes:
    """What stands behind the blank line, without the line end that belongs to the next boundary."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        if blank in part:
            return part.partition(blank)[2].removesuffix(b"\r")
    return b""
