"""Text beyond ASCII in header fields, as encoded words (RFC 2047)."""

from collections.abc import Sequence

_TEXT = [chr(b) if 33 <= b <= 126 and chr(b) not in "=?_" else f"={b:02X}" for b in range(256)]
_PHRASE = [chr(b) if b < 128 and (chr(b).isalnum() or chr(b) in "!*+-/") else f"={b:02X}" for b in range(256)]
_TEXT[32] = _PHRASE[32] = "_"


def encode(text: str, longest: int, *, phrase: bool = False) -> str:
    """Words of at most `longest` characters with blanks between; in a `phrase`, a display name, less stands bare."""
    table = _PHRASE if phrase else _TEXT
    words = [""]
    for character in text:
        piece = "".join([table[byte] for byte in character.encode("utf-8", "replace")])
        if len(words[-1]) + len(piece) > longest - len("=?UTF-8?q??="):
            words.append("")
        words[-1] += piece
    return " ".join(f"=?UTF-8?q?{word}?=" for word in words)


def whole(text: str) -> str:
    """Without the halves of characters that some charsets let through and no JSON can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def decode(text: str) -> str:
    """The text with its encoded words read; as it is where they make no sense."""
    if "=?" not in text:
        return text
    from email.errors import HeaderParseError
    from email.header import decode_header

    try:
        pieces: Sequence[tuple[str | bytes, str | None]] = decode_header(text)
        return whole(
            "".join(
                piece if isinstance(piece, str) else piece.decode(charset or "raw-unicode-escape", "replace")
                for piece, charset in pieces
            )
        )
    except (HeaderParseError, LookupError, ValueError):
        return text
