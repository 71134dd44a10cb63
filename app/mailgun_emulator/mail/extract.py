"""What a reader of a message can follow: its links, and the one to unsubscribe by."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from mailgun_emulator.mail import links

_URL = re.compile(
    r"(?!mailto:|tel:|sms:|javascript:|data:|cid:|about:)[a-z][a-z0-9+.-]*:\S", re.IGNORECASE
).match
_UNSUBSCRIBING = re.compile(
    r"unsubscri|opt[-_ ]?out|abmeld|abbestell|austragen|désabonn|desabonn|désinscri|desinscri|darse de baja|"
    r"dar de baja|cancelar (?:la )?suscrip|disiscri|annulla iscrizione|afmeld|uitschrijv|wypisz|rezygnuj|odhlásit|"
    r"leiratkoz|avregistrer|avmeld|avprenumer|afmeld|frameld|peruuta tilaus|отпис|відпис|退订|配信停止|수신거부",
    re.IGNORECASE,
).search
_IN_BRACKETS = re.compile(r"<\s*([^<>]*?)\s*>")


class Link(NamedTuple):
    """`text` is what is shown for it, the URL itself where it stands in plain text."""

    url: str
    text: str


def find_links(plain: str | None, html: str | None) -> list[Link]:
    """In the order they stand, each URL once: those of the HTML, then what the plain text has besides.

    All kinds that lead somewhere count, those into apps too; addresses and telephone numbers don't.
    """
    found: dict[str, str] = {}
    for url, shown in links.anchors(html or ""):
        if _URL(url):
            found[url] = found.get(url) or _visible(shown)
    for url in links.urls_in(plain or ""):
        found.setdefault(url, url)
    return [Link(url, text) for url, text in found.items()]


def is_to_unsubscribe(link: Link) -> bool:
    """By what it says, in one of some twenty languages."""
    return _UNSUBSCRIBING(link.text) is not None or _UNSUBSCRIBING(link.url) is not None


def list_unsubscribe(headers: Iterable[tuple[str, str]]) -> str | None:
    """The first web address of `List-Unsubscribe` (RFC 2369)."""
    for name, value in headers:
        if name.lower() == "list-unsubscribe":
            for url in _IN_BRACKETS.findall(value):
                joined = "".join(url.split())
                if links.is_http(joined):
                    return joined
    return None


def _visible(html: str) -> str:
    from mailgun_emulator.mail import replies

    return " ".join(replies.to_text(html).split())
