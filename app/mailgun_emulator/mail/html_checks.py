"""What in an e-mail's code some mail clients don't show, and what else is wrong with it.

Which client shows what is as the public tables of mail clients have it, in brief.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

from mailgun_emulator.mail import extract, links, spam
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
        (r"\bbackground(?:-image)?\s*:[^;}]*url\(", "css-background-image", "background-image", _WORD, _GMAIL),
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


class _Reader(HTMLParser):
    """Gathers what a document has."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[Feature, Instance]] = []
        self.has_language = self.has_title = self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in reversed(attrs)}
        self._in_style = tag == "style"
        self.has_language |= tag == "html" and bool(own.get("lang"))
        self.has_title |= tag == "title"
        if tag in _TAGS:
            self._note(_TAGS[tag])
        if tag == "img" and "alt" not in own:
            self._note(_NO_ALT)
        if tag == "a" and "name" not in own:
            self._look_at_link(own.get("href", "").strip())
        self._look_at_css(own.get("style", ""))

    def handle_endtag(self, _: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._look_at_css(data)

    def _look_at_link(self, href: str) -> None:
        if href in ("", "#"):
            self._note(_NO_TARGET)
        elif href.lower().startswith("http://"):
            self._note(_INSECURE, href)

    def _look_at_css(self, css: str) -> None:
        for pattern, feature in _CSS if css else ():
            for match in pattern.finditer(css):
                line = css.count("\n", 0, match.start())
                self._note(feature, match[0], line)

    def _note(self, feature: Feature, code: str | None = None, line: int = 0) -> None:
        code = self.get_starttag_text() if code is None else code
        self.found.append((feature, Instance(self.getpos()[0] + line, (code or "")[:MOST_SHOWN])))


def analyse(html: str, parts: StoredParts | None = None) -> list[dict[str, Any]]:
    """What was found, by feature: with its `support` and where it stands. `parts` are the message's, if it is one."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    by_feature: dict[Feature, list[Instance]] = {}
    for feature, instance in (*reader.found, *_of_the_whole(html, reader, parts)):
        by_feature.setdefault(feature, []).append(instance)
    return [
        {
            "slug": feature.slug,
            "name": feature.name,
            "category": feature.category,
            "support": feature.support(),
            "instances": [each._asdict() for each in instances[:MOST_INSTANCES]],
        }
        for feature, instances in sorted(by_feature.items())
    ]


def _of_the_whole(
    html: str, reader: _Reader, parts: StoredParts | None
) -> Iterator[tuple[Feature, Instance]]:
    whole = Instance(1, "")
    if not reader.has_language:
        yield _NO_LANGUAGE, whole
    if not reader.has_title:
        yield _NO_TITLE, whole
    if len(html.encode()) > CLIPPED_BYTES:
        yield _CLIPPED, whole
    headers = parts.headers if parts else ()
    leading = (extract.Link(*each) for each in links.anchors(html))
    if extract.list_unsubscribe(headers) is None and not any(map(extract.is_to_unsubscribe, leading)):
        yield _NO_UNSUBSCRIBE, whole
    judged = spam.judge(parts) if parts else None
    rules = judged.rules if judged else ("GTUBE",) if spam.GTUBE in html else ()
    for rule in rules:
        yield (
            Feature(f"spam-{rule.lower().replace('_', '-')}", f"Spam rule {rule}", "spam", partly=_ALL),
            whole,
        )
