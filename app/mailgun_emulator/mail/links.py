"""Finds the links of HTML and text and puts others in their place; every other character stays as it is."""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from html.entities import html5
from typing import NamedTuple

Change = Callable[[str], str]
"""From a URL to the one that takes its place, or to the same."""

_OPT_OUT = "disable-tracking"
_SPACE = " \f"
_DROPPED = str.maketrans("", "", "\t\n\r")
"""From anywhere in a URL, as browsers do."""
_OPENING = re.compile(r"<(?:(/?)([a-zA-Z][^\s/>]*+)|!--|[!?/])")
# An attribute's value is quoted or ends at a blank; possessive, so that no input takes more than one pass.
_VALUE = r"""\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+))"""
_ATTRIBUTE = re.compile(rf"[\s/]*+([^\s/>][^\s/>=]*+)(?:{_VALUE}|\s*+=)?+")
_CLOSING = re.compile(r"[\s/]*+>")
_RAW_TEXT = frozenset(
    {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"}
)
_MARKS = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))|<(?:[!?]|/(?![a-zA-Z]))[^>]*+>?+", re.DOTALL)
"""What is between tags and no text: comments, declarations."""
_ENDLESS = re.compile(r"&#[0-9]{1000,};?")
_REFERENCE = re.compile(r"&(#\d+|#[xX][\da-fA-F]+|[a-zA-Z][a-zA-Z\d]*)(;?)(=?)")
_IS_HTTP = re.compile(r"https?://[^/\s]", re.IGNORECASE).match
_BARE_URL = re.compile(r"""\bhttps?://[^\s<>"\x00-\x1f\x7f]+""", re.IGNORECASE)
_AFTER_URL = ".,;:!?'*\u2019\u201d\u00bb\u2026"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Attribute(NamedTuple):
    """`start` and `end` are where its value stands, without quotes."""

    name: str
    value: str
    start: int
    end: int


class Element(NamedTuple):
    """Of its `attributes`, by name, what they say and where that stands; `text` follows up to the next tag."""

    name: str
    attributes: dict[str, tuple[str, int]]
    start: int
    end: int
    text: str

    def get(self, name: str) -> str:
        """Empty if it has no such attribute."""
        return self.attributes[name][0] if name in self.attributes else ""


class Tag(NamedTuple):
    name: str
    closes: bool
    attributes: list[Attribute]
    start: int
    end: int


def is_http(url: str) -> bool:
    return _IS_HTTP(url) is not None


def rewrite_html(html: str, change: Change) -> str:
    """Change where `<a>` and `<area>` lead to, if that is http or https and they don't say `disable-tracking=true`."""
    pieces = []
    position = 0
    for tag in tags(html):
        href = _followed(tag)
        if href is None:
            continue
        old = unescape_attribute(href.value).translate(_DROPPED).strip(_SPACE)
        new = change(old) if is_http(old) else old
        if new != old:
            pieces += [html[position : href.start], escape(new)]
            position = href.end
    return "".join([*pieces, html[position:]])


def rewrite_text(text: str, change: Change) -> str:
    """Change the URLs that stand in plain text. The punctuation behind one is not part of it."""

    def changed(match: re.Match[str]) -> str:
        url = _without_punctuation(match[0])
        return change(url) + match[0][len(url) :] if is_http(url) else match[0]

    return _BARE_URL.sub(changed, text)


def anchors(html: str) -> Iterator[tuple[str, str]]:
    """Where each `<a>` and `<area>` leads to, whatever kind of URL that is, and the HTML that is shown for it."""
    shown_from, href = 0, ""
    for tag in tags(html):
        if tag.name not in ("a", "area"):
            continue
        if href:
            yield href, html[shown_from : tag.start]
        href = ""
        if not tag.closes:
            found = next((each.value for each in tag.attributes if each.name == "href"), "")
            shown_from, href = tag.end, unescape_attribute(found).translate(_DROPPED).strip(_SPACE)
        if href and tag.name == "area":
            yield href, next((each.value for each in tag.attributes if each.name == "alt"), "")
            href = ""
    if href:
        yield href, html[shown_from:]


def elements(html: str) -> Iterator[Element]:
    """Those a browser would see, in their order."""
    before: Tag | None = None
    for tag in tags(html):
        if before is not None:
            yield _element(html, before, tag.start)
        before = None if tag.closes else tag
    if before is not None:
        yield _element(html, before, len(html))


def _element(html: str, tag: Tag, text_end: int) -> Element:
    first = {each.name: each for each in reversed(tag.attributes)}
    values = {name: (unescape_attribute(each.value), each.start) for name, each in first.items()}
    return Element(tag.name, values, tag.start, tag.end, html[tag.end : text_end])


def urls_in(text: str) -> Iterator[str]:
    """The URLs that stand in plain text."""
    for match in _BARE_URL.finditer(text):
        url = _without_punctuation(match[0])
        if is_http(url):
            yield url


def append_html(html: str, fragment: str) -> str:
    """At the end of the body."""
    ends = {tag.name: tag.start for tag in tags(html) if tag.closes and tag.name in ("body", "html")}
    at = ends.get("body", ends.get("html", len(html)))
    return html[:at] + fragment + html[at:]


def prepend_html(html: str, fragment: str) -> str:
    """At the beginning of the body."""
    at = next((tag.end for tag in tags(html) if tag.name == "body" and not tag.closes), 0)
    return html[:at] + fragment + html[at:]


def closes_itself(html: str, tag: Tag) -> bool:
    """As `<br/>`. The slash of `<a href=x/>` is part of the value."""
    return html[tag.end - 2] == "/" and not (tag.attributes and tag.attributes[-1].end == tag.end - 1)


def text_of(source: str) -> str:
    """What is read of what stands between two tags."""
    return unescape_text(_MARKS.sub("", source) if "<" in source else source)


def unescape_text(text: str) -> str:
    """Python makes no number of thousands of digits."""
    try:
        return unescape(text)
    except ValueError:
        return unescape(_ENDLESS.sub("\ufffd", text))


def unescape_attribute(value: str) -> str:
    """As browsers read it: `&copy=1` in a query string is no copyright sign."""

    def read(match: re.Match[str]) -> str:
        name, semicolon, equals = match.groups()
        known = name.startswith("#") or name + semicolon in html5
        if not known or (equals and not semicolon and not name.startswith("#")):
            return match[0]
        return unescape_text(f"&{name}{semicolon}") + equals

    return _REFERENCE.sub(read, value) if "&" in value else value


def _followed(tag: Tag) -> Attribute | None:
    """The attribute that says where a link leads to. Of several of one name the first counts."""
    if tag.closes or tag.name not in ("a", "area"):
        return None
    first = {each.name: each for each in reversed(tag.attributes)}
    opted_out = _OPT_OUT in first and first[_OPT_OUT].value.strip().lower() == "true"
    return None if opted_out else first.get("href")


def tags(html: str) -> Iterator[Tag]:
    """Those a browser would see, in one pass whatever is wrong with them: not the ones in comments and scripts.

    What is not finished ends it.
    """
    position = 0
    while opening := _OPENING.search(html, position):
        name = (opening[2] or "").lower()
        if not name:
            position = _after(html, "-->" if opening[0] == "<!--" else ">", opening.end())
            continue
        attributes, end = _attributes(html, opening.end())
        if end < 0:
            return
        yield Tag(name, opening[1] == "/", attributes, opening.start(), end)
        position = end if opening[1] or name not in _RAW_TEXT else _after_raw_text(html, name, end)


def _attributes(html: str, position: int) -> tuple[list[Attribute], int]:
    """All of a tag, and where it ends; -1 if it doesn't."""
    found: list[Attribute] = []
    while True:
        closing = _CLOSING.match(html, position)
        if closing:
            return found, closing.end()
        attribute = _ATTRIBUTE.match(html, position)
        if attribute is None:
            return found, -1
        value = next((number for number in (2, 3, 4) if attribute[number] is not None), 0)
        start, end = attribute.span(value) if value else (attribute.end(), attribute.end())
        found.append(Attribute(attribute[1].lower(), html[start:end], start, end))
        position = attribute.end()


def _after(html: str, mark: str, position: int) -> int:
    """`<!-->` is a comment, too."""
    if mark == "-->" and html.startswith((">", "->"), position):
        return html.index(">", position) + 1
    at = html.find(mark, position)
    return len(html) if at < 0 else at + len(mark)


def _after_raw_text(html: str, name: str, position: int) -> int:
    end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, position)
    return end.start() if end else len(html)


def _without_punctuation(url: str) -> str:
    """A closing bracket belongs to it if it opened one."""
    counts = {bracket: url.count(bracket) for pair in _BRACKETS.items() for bracket in pair}
    end = len(url)
    while end:
        last = url[end - 1]
        if last in _BRACKETS and counts[last] > counts[_BRACKETS[last]]:
            counts[last] -= 1
        elif last not in _AFTER_URL:
            break
        end -= 1
    return url[:end]
