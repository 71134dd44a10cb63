"""What a reply adds to the message it answers: text without quotations and without its signature."""

import re
from html.parser import HTMLParser

_QUOTED_LINE = re.compile(r"\s*>").match
_SIGNATURE = re.compile(r"--[ \t]*|_{2,}[ \t]*|Sent from my \S.*", re.IGNORECASE).fullmatch
_ATTRIBUTION = re.compile(r"^[ \t]*On\b[^\n]*(?:\n[^\n>]*)?\bwrote:[ \t]*$", re.MULTILINE)
_FORWARDED = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*Original Message[ \t]*-{2,}|_{20,}[ \t]*\nFrom:.*|From:[^\n]*\n(?:Sent|Date):.*)$",
    re.MULTILINE | re.IGNORECASE,
)
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
    stripper = _QuoteStripper()
    stripper.feed(html)
    stripper.close()
    return "".join(stripper.kept)


def to_text(html: str) -> str:
    """What a reader sees of `html`, a line for each block, line ends CRLF."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").replace("\n", "\r\n")


def _without_signature(text: str) -> tuple[str, str]:
    """The signature begins at the first line that announces one, unless nothing stands before it."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _SIGNATURE(line) and any(map(str.strip, lines[:index])):
            return "\n".join(lines[:index]).rstrip("\n"), "\n".join(lines[index:]).rstrip("\n")
    return text, ""


class _QuoteStripper(HTMLParser):
    """Keeps the source as it is, but for quoting elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._inside: str = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._inside:
            self._depth += tag == self._inside
        elif tag not in _VOID and _quotes(tag, attrs):
            self._inside, self._depth = tag, 1
        else:
            self.kept.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _quotes(tag, attrs):
            self._keep(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if not self._inside:
            self.kept.append(f"</{tag}>")
        elif tag == self._inside:
            self._depth -= 1
            if self._depth == 0:
                self._inside = ""

    def handle_data(self, data: str) -> None:
        self._keep(data)

    def handle_entityref(self, name: str) -> None:
        self._keep(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._keep(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._keep(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._keep(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self._keep(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self._keep(f"<![{data}]>")

    def _keep(self, source: str) -> None:
        if not self._inside:
            self.kept.append(source)


def _quotes(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    marks = " ".join(value or "" for name, value in attrs if name in {"class", "id"})
    return tag == "blockquote" or bool(_QUOTE_MARKS.search(marks))


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self._break_at(tag)
        if tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._break_at(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(re.sub(r"\s+", " ", data))

    def _break_at(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")
