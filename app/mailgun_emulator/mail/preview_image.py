"""A preview of a message as SVG: the frame of a mail client, the subject, and what its HTML has to say.

No browser lays it out and nothing is loaded: images are told by their alternative texts.
"""

import re
from html import escape
from textwrap import wrap

from mailgun_emulator.mail import replies
from mailgun_emulator.mail.links import unescape_attribute
from mailgun_emulator.mail.preview_clients import MOBILE, PreviewClient

MOST_LINES = 120
LINE = 20
THUMBNAIL = 160
_IMAGE = re.compile(r"<img\b(?P<attributes>[^>]*+)>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]++))""", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_empty(html: str) -> bool:
    """Neither words nor images."""
    return _IMAGE.search(html) is None and not replies.to_text(html).strip()


def draw(client: PreviewClient, subject: str, html: str, *, images: bool = True, width: int = 0) -> str:
    """As high as the text is long; `width` scales the whole of it down."""
    across = 390 if client.category == MOBILE else 800
    lines = _lines(client, html, across // 8 - 4, images=images)
    high = 96 + LINE * (len(lines) + 1)
    paper, ink, bar = ("#1e1e1e", "#e8e8e8", "#333333") if client.dark else ("#ffffff", "#202124", "#f1f3f4")
    size = f'width="{width or across}" height="{high * (width or across) // across}"'
    body = "".join(
        f'<text x="16" y="{96 + LINE * number}" xml:space="preserve">{_shown(line)}</text>'
        for number, line in enumerate(lines, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {across} {high}">'
        f"<title>{_shown(subject)} - {_shown(client.display_name)}</title>"
        f'<rect width="{across}" height="{high}" fill="{paper}" stroke="#999999"/>'
        f'<rect width="{across}" height="36" fill="{bar}"/>'
        f'<g fill="{ink}" font-family="sans-serif" font-size="14">'
        f'<text x="16" y="24">{_shown(f"{client.display_name}, {client.os}")}</text>'
        f'<text x="16" y="70" font-size="20" font-weight="bold">{_shown(subject)}</text>'
        f"{body}</g></svg>"
    )


def _lines(client: PreviewClient, html: str, columns: int, *, images: bool) -> list[str]:
    clipped = bool(client.clips) and len(html.encode()) > client.clips
    shown = html[: client.clips] if clipped else html

    def told(found: re.Match[str]) -> str:
        alt = _ALT.search(found["attributes"])
        text = unescape_attribute(next(filter(None, alt.groups()), "")) if alt else ""
        return escape(f"[image: {text or 'no text'}]" if images else text)

    text = replies.to_text(_IMAGE.sub(told, shown))
    lines = [part for line in text.splitlines() for part in wrap(line, columns) or [""]]
    if clipped or len(lines) > MOST_LINES:
        return [*lines[:MOST_LINES], "[Message clipped] View entire message" if clipped else "[...]"]
    return lines


def _shown(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))
