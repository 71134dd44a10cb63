"""What in an e-mail's code some mail clients don't show, and what else is wrong with it.

Which client shows what is as the public tables of mail clients have it, in brief.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from mailgun_emulator.mail import extract, links, spam
from mailgun_emulator.mail.links import Element
from mailgun_emulator.mail.stored import StoredParts

CLIENTS = {
    "apple-mail": "desktop",
    "outlook-windows": "desktop",
    "gmail": "web",
    "outlook-com": "web",
    "yahoo": "web",
    "gmail-android": "mobile",
    "ios": "mobile",
    "samsung-email": "mobile",
}
"""With the type of application that each is."""
CLIPPED_BYTES = 102 * 1024
"""Gmail shows no more of a message."""
MOST_INSTANCES = 100
MOST_SHOWN = 200
_WORD = frozenset({"outlook-windows"})
_GMAIL = frozenset({"gmail", "gmail-android"})
_WEBMAIL = _GMAIL | {"outlook-com", "yahoo"}
_ALL = frozenset(CLIENTS)


class Feature(NamedTuple):
    """`missing` are the clients that don't show it; `partly` those that show some of it, or show it badly."""

    slug: str
    name: str
    category: str
    missing: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()

    def support(self) -> dict[str, list[str]]:
        """The clients by `y`, `a` and `n`: yes, almost, no."""
        bad = self.missing | self.partly
        by_kind = {"y": _ALL - bad, "a": self.partly, "n": self.missing}
        return {kind: sorted(clients) for kind, clients in by_kind.items()}


class Instance(NamedTuple):
    line: int
    code: str


_CSS = [
    (re.compile(pattern, re.IGNORECASE), Feature(slug, name, "css", missing, partly))
    for pattern, slug, name, missing, partly in (
        (r"\bdisplay\s*:\s*(?:inline-)?flex\b", "css-display-flex", "display: flex", _WORD, _GMAIL),
        (r"\bdisplay\s*:\s*(?:inline-)?grid\b", "css-display-grid", "display: grid", _WORD | _WEBMAIL, _ALL - _ALL),
        (r"\bposition\s*:\s*(?:absolute|fixed|sticky)", "css-position", "position", _WORD | _WEBMAIL, _ALL - _ALL),
        (r"\bborder-radius\s*:", "css-border-radius", "border-radius", _WORD, _ALL - _ALL),
        (r"\bbox-shadow\s*:", "css-box-shadow", "box-shadow", _WORD, _GMAIL),
        (r"\bbackground(?:-image)?\s*:[^:;}]{0,500}?url\(", "css-background-image", "background-image", _WORD, _GMAIL),
        (r"\bmax-width\s*:", "css-max-width", "max-width", _WORD, _ALL - _ALL),
        (r"\b(?:animation|transition)\s*:", "css-animation", "animation", _WORD | _GMAIL, frozenset({"yahoo"})),
        (r"\bvar\(\s*--", "css-variables", "CSS variables", _WORD | _WEBMAIL, _ALL - _ALL),
        (r"@media\b", "css-at-media", "@media", _WORD, _WEBMAIL),
        (r"@font-face\b", "css-at-font-face", "@font-face", _WORD | _WEBMAIL, _ALL - _ALL),
        (r"@import\b", "css-at-import", "@import", _WORD | _WEBMAIL, _ALL - _ALL),
    )
]  # fmt: skip
_TAGS = {
    tag: Feature(f"html-{tag}", f"<{tag}> element", "html", missing)
    for tag, missing in {
        "audio": _WORD | _WEBMAIL,
        "button": frozenset[str](),
        "form": _WORD | {"outlook-com"},
        "iframe": _ALL,
        "input": _WORD | {"outlook-com"},
        "object": _ALL,
        "script": _ALL,
        "svg": _WORD | _GMAIL,
        "video": _WORD | _WEBMAIL,
    }.items()
}
_NO_ALT = Feature(
    "image-alt", "Image without a text for those who can't see it", "accessibility", partly=_ALL
)
_NO_TARGET = Feature("link-target", "Link that leads nowhere", "links", partly=_ALL)
_INSECURE = Feature("link-insecure", "Link that is not encrypted", "links", partly=_ALL)
_NO_LANGUAGE = Feature("html-lang", "Language is not told", "accessibility", partly=_ALL)
_NO_TITLE = Feature("html-title", "Title is missing", "accessibility", partly=_ALL)
_NO_UNSUBSCRIBE = Feature("unsubscribe", "Nothing to unsubscribe by", "deliverability", partly=_ALL)
_CLIPPED = Feature("message-size", "So large that it is clipped", "deliverability", missing=_GMAIL)


class _Found:
    """Gathers what a document has, and where."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._ends = [match.start() for match in re.finditer("\n", html)]
        self._by_feature: dict[Feature, list[Instance]] = {}

    def note(self, feature: Feature, start: int = 0, end: int = 0) -> None:
        """At that place in the document; without one it is about all of it."""
        instances = self._by_feature.setdefault(feature, [])
        if len(instances) < MOST_INSTANCES:
            code = self._html[start : min(end, start + MOST_SHOWN)]
            instances.append(Instance(bisect_left(self._ends, start) + 1, code))

    def note_css(self, css: str, place: int) -> None:
        for pattern, feature in _CSS if css else ():
            for match in pattern.finditer(css):
                self.note(feature, place + match.start(), place + match.end())

    def tell(self) -> list[dict[str, Any]]:
        return [
            {
                "slug": feature.slug,
                "name": feature.name,
                "category": feature.category,
                "support": feature.support(),
                "instances": [each._asdict() for each in instances],
            }
            for feature, instances in sorted(self._by_feature.items())
        ]


def analyse(html: str, parts: StoredParts | None = None) -> list[dict[str, Any]]:
    """What was found, by feature: with its `support` and where it stands. `parts` are the message's, if it is one."""
    found = _Found(html)
    names = set()
    for element in links.elements(html):
        names |= {element.name} | ({"lang"} if element.name == "html" and element.get("lang") else set())
        _look_at(found, element)
    for feature in _of_the_whole(html, names, parts):
        found.note(feature)
    return found.tell()


def _look_at(found: _Found, element: Element) -> None:
    if element.name in _TAGS:
        found.note(_TAGS[element.name], element.start, element.end)
    if element.name == "style":
        found.note_css(element.text, element.end)
    if element.name == "img" and "alt" not in element.attributes:
        found.note(_NO_ALT, element.start, element.end)
    if element.name == "a" and "name" not in element.attributes:
        href = element.get("href").strip()
        if href in ("", "#"):
            found.note(_NO_TARGET, element.start, element.end)
        elif href.lower().startswith("http://"):
            found.note(_INSECURE, element.start, element.end)
    css, place = element.attributes.get("style", ("", 0))
    found.note_css(css, place)


def _of_the_whole(html: str, names: set[str], parts: StoredParts | None) -> Iterator[Feature]:
    if "lang" not in names:
        yield _NO_LANGUAGE
    if "title" not in names:
        yield _NO_TITLE
    if len(html.encode()) > CLIPPED_BYTES:
        yield _CLIPPED
    headers = parts.headers if parts else ()
    leading = (extract.Link(*each) for each in links.anchors(html))
    if extract.list_unsubscribe(headers) is None and not any(map(extract.is_to_unsubscribe, leading)):
        yield _NO_UNSUBSCRIBE
    judged = spam.judge(parts) if parts else None
    rules = judged.rules if judged else ("GTUBE",) if spam.GTUBE in html else ()
    for rule in rules:
        yield Feature(f"spam-{rule.lower().replace('_', '-')}", f"Spam rule {rule}", "spam", partly=_ALL)
