"""What a reply adds to the message it answers: text without quotations and without its signature."""

import re

from mailgun_emulator.mail import links

_QUOTED_LINE = re.compile(r"\s*>").match
_SIGNATURE = re.compile(r"--[ \t]*|_{2,}[ \t]*|Sent from my \S.*", re.IGNORECASE).fullmatch
_ATTRIBUTION = re.compile(r"^[ \t]*On\b[^\n]*(?:\n[^\n>]*)?\bwrote:[ \t]*$", re.MULTILINE)
_FORWARDED = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*Original Message[ \t]*-{2,}|_{20,}[ \t]*\nFrom:.*|From:[^\n]*\n(?:Sent|Date):.*)$",
    re.MULTILINE | re.IGNORECASE,
)
_BLANKS = re.compile(r"\s+")
_QUOTE_MARKS = re.compile(
    r"gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg", re.IGNORECASE
)
_BLOCKS = frozenset(
    {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol"}
)
_UNSEEN = frozenset({"head", "script", "style", "title", "template"})
_VOID = frozenset(
    {"br", "hr", "img", "input", "link", "meta", "area", "base", "col", "embed", "source", "track", "wbr"}
)


def strip_text(text: str) -> tuple[str, str]:
    """What is new, and the signature, with the line ends of `text`. Without either `text` comes back as it is."""
    lines = text.replace("\r\n", "\n")
    forwarded = _FORWARDED.search(lines)
    new = lines[: forwarded.start()] if forwarded else lines
    if forwarded or any(map(_QUOTED_LINE, new.split("\n"))):
        new = _ATTRIBUTION.sub("", new)
        new = "\n".join(line for line in new.split("\n") if not _QUOTED_LINE(line)).strip("\n")
    new, signature = _without_signature(new)
    if new == lines:
        return text, ""
    return new.replace("\n", "\r\n"), signature.replace("\n", "\r\n")


def strip_html(html: str) -> str:
    """`html` without the elements that mail programs put quotations in."""
    if "blockquote" not in html.lower() and not _QUOTE_MARKS.search(html):
        return html
    kept: list[str] = []
    inside, depth, position = "", 0, 0
    for tag in links.tags(html):
        if tag.name in _VOID or (inside and tag.name != inside):
            continue
        is_whole = not tag.closes and links.closes_itself(html, tag)
        if inside:
            depth += 0 if is_whole else -1 if tag.closes else 1
            if not depth:
                inside, position = "", tag.end
        elif not tag.closes and _quotes(tag):
            kept.append(html[position : tag.start])
            inside, depth, position = ("", 0, tag.end) if is_whole else (tag.name, 1, position)
    return "".join([*kept, "" if inside else html[position:]])


def to_text(html: str) -> str:
    """What a reader sees of `html`, a line for each block, line ends CRLF."""
    pieces: list[str] = []
    unseen = position = 0
    for tag in links.tags(html):
        if not unseen:
            pieces.append(_BLANKS.sub(" ", links.text_of(html[position : tag.start])))
        position = tag.end
        is_whole = links.closes_itself(html, tag)
        if tag.name in _UNSEEN and not (is_whole and tag.name in ("head", "template")):
            unseen = max(0, unseen + (-1 if tag.closes else 1))
        if tag.name in _BLOCKS:
            pieces.append("\n\n" if is_whole else "\n")
        elif tag.name == "img" and not unseen:
            alt = next((each.value for each in tag.attributes if each.name == "alt"), "")
            pieces.append(_BLANKS.sub(" ", links.unescape_attribute(alt)))
    if not unseen:
        pieces.append(_BLANKS.sub(" ", links.text_of(html[position:])))
    lines = [" ".join(line.split()) for line in "".join(pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").replace("\n", "\r\n")


def _quotes(tag: links.Tag) -> bool:
    marks = " ".join(each.value for each in tag.attributes if each.name in ("class", "id"))
    return tag.name == "blockquote" or _QUOTE_MARKS.search(marks) is not None


def _without_signature(text: str) -> tuple[str, str]:
    """The signature begins at the first line that announces one, unless nothing stands before it."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _SIGNATURE(line) and any(map(str.strip, lines[:index])):
            return "\n".join(lines[:index]).rstrip("\n"), "\n".join(lines[index:]).rstrip("\n")
    return text, ""
