"""A preview of a message as SVG: the frame of a mail client, the subject, and what its HTML has to say.

No browser lays it out and nothing is loaded: images are told by their alternative texts.
"""

import re
from html import escape
from textwrap import wrap

from mailgun_emulator.mail import links, replies
from mailgun_emulator.mail.preview_clients import MOBILE, PreviewClient

LONGEST = 250_000
"""In characters. What comes after, nobody reads."""
MOST_LINES = 120
LINE = 20
THUMBNAIL = 160
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_empty(html: str) -> bool:
    """Neither words nor images."""
    shown = html[:LONGEST]
    return not replies.to_text(shown).strip() and not any(tag.name == "img" for tag in links.tags(shown))


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
    shown = html[: client.clips] if clipped else html[:LONGEST]
    text = replies.to_text(_with_images_told(shown, images=images))
    lines = [part for line in text.splitlines() for part in wrap(line, columns) or [""]]
    if clipped or len(lines) > MOST_LINES or len(html) > LONGEST:
        return [*lines[:MOST_LINES], "[Message clipped] View entire message" if clipped else "[...]"]
    return lines


def _with_images_told(html: str, *, images: bool) -> str:
    """By what stands for them in words."""
    pieces, position = [], 0
    for tag in links.tags(html):
        if tag.name == "img" and not tag.closes:
            alt = next((each.value for each in tag.attributes if each.name == "alt"), "")
            text = links.unescape_attribute(alt)
            told = f"[image: {text or 'no text'}]" if images else text
            pieces += [html[position : tag.start], escape(told)]
            position = tag.end
    return "".join([*pieces, html[position:]])


def _shown(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))
