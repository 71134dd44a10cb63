"""Puts the rules of style sheets into the elements that they are about, as some mail clients need it.

Rules that no style attribute can hold, such as `@media` and `:hover`, stay in their `<style>`.
"""

import re
from html import escape
from html.parser import HTMLParser
from typing import NamedTuple

_STYLE = re.compile(r"<style\b[^>]*+>(.*?)</style\s*+>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_COMPOUND = re.compile(r"(?P<tag>\*|[a-zA-Z][\w-]*+)?(?P<rest>(?:[.#][\w-]++)*+)")
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - reads better
)
Attributes = list[tuple[str, str | None]]


class Element(NamedTuple):
    tag: str
    id: str
    classes: frozenset[str]


class Compound(NamedTuple):
    """What one element is to be like; `child` if it is to stand right below the one before."""

    tag: str
    ids: frozenset[str]
    classes: frozenset[str]
    child: bool

    @property
    def mark(self) -> str:
        """Whatever it fits has this: one of its ids or classes, or its tag."""
        named = [*(f"#{name}" for name in self.ids), *(f".{name}" for name in self.classes), self.tag]
        return named[0]

    def fits(self, element: Element) -> bool:
        return self.tag in ("*", element.tag) and self.classes <= element.classes and self.ids <= {element.id}


class Rule(NamedTuple):
    """`weight` is the specificity, then the place among all rules."""

    weight: tuple[int, int, int, int]
    selector: tuple[Compound, ...]
    declarations: str


def inline(html: str) -> str:
    rules: list[Rule] = []

    def kept(found: re.Match[str]) -> str:
        """What can't be put into elements."""
        rest = _read(found[1], rules)
        return f"<style>{rest}</style>" if rest else ""

    without = _STYLE.sub(kept, html)
    if not rules:
        return without
    inliner = _Inliner(rules)
    inliner.feed(without)
    inliner.close()
    return "".join(inliner.pieces)


def _read(css: str, rules: list[Rule]) -> str:
    """Add the sheet's rules; the rest of it."""
    rest: list[str] = []
    for head, body in _blocks(_COMMENT.sub("", css)):
        if head.startswith("@"):
            rest.append(f"{head}{{{body}}}" if body is not None else f"{head};")
            continue
        for text in head.split(","):
            selector = _selector(text.strip())
            if selector is None:
                rest.append(f"{text.strip()}{{{body}}}")
            else:
                rules.append(Rule((*_specificity(selector), len(rules)), selector, (body or "").strip()))
    return "".join(rest)


def _blocks(css: str) -> list[tuple[str, str | None]]:
    """Each head with what stands in its braces, which may have braces in it; none for `@import …;`."""
    found: list[tuple[str, str | None]] = []
    start = depth = opened = 0
    head = ""
    for place, character in enumerate(css):
        if character == "{":
            depth += 1
            if depth == 1:
                head, opened = css[start:place].strip(), place + 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                found.append((head, css[opened:place]))
                start = place + 1
        elif character == ";" and not depth:
            if css[start:place].strip():
                found.append((css[start:place].strip(), None))
            start = place + 1
    return [each for each in found if each[0]]


def _selector(text: str) -> tuple[Compound, ...] | None:
    """None if it asks for what is not known here."""
    found: list[Compound] = []
    child = False
    for part in text.replace(">", " > ").split():
        if part == ">":
            child = True
            continue
        compound = _COMPOUND.fullmatch(part)
        if compound is None:
            return None
        names = re.findall(r"[.#][\w-]+", compound["rest"])
        found.append(
            Compound(
                (compound["tag"] or "*").lower(),
                frozenset(name[1:] for name in names if name[0] == "#"),
                frozenset(name[1:] for name in names if name[0] == "."),
                child,
            )
        )
        child = False
    return tuple(found) if found and not child else None


def _specificity(selector: tuple[Compound, ...]) -> tuple[int, int, int]:
    return (
        sum(len(each.ids) for each in selector),
        sum(len(each.classes) for each in selector),
        sum(each.tag != "*" for each in selector),
    )


def _matches(selector: tuple[Compound, ...], path: list[Element]) -> bool:
    """The last element of the path, by those above it: `places` are where the part looked at last may stand."""
    places = [len(path) - 1]
    for compound in reversed(selector):
        places = [place for place in places if compound.fits(path[place])]
        if not places:
            return False
        if compound is not selector[0]:
            places = [place - 1 for place in places if place] if compound.child else list(range(places[-1]))
    return True


class _Inliner(HTMLParser):
    """All that it does not change stays as it was written."""

    def __init__(self, rules: list[Rule]) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.selector[-1].mark, []).append(rule)
        self._path: list[Element] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._open(tag, attrs, closed=False)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self._open(tag, attrs, closed=True)

    def _open(self, tag: str, attrs: Attributes, *, closed: bool) -> None:
        own = {name: value or "" for name, value in attrs}
        element = Element(tag, own.get("id", ""), frozenset(own.get("class", "").split()))
        path = [*self._path, element]
        marks = ["*", tag, *(f".{name}" for name in element.classes), f"#{element.id}"]
        near = sorted(rule for mark in marks for rule in self._rules.get(mark, ()))
        met = [rule.declarations for rule in near if _matches(rule.selector, path)]
        source = self.get_starttag_text() or ""
        self.pieces.append(
            _with_style(tag, attrs, _merged([*met, own.get("style", "")]), closed) if met else source
        )
        if not closed and tag not in _VOID:
            self._path = path

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(f"</{tag}>")
        for place in range(len(self._path) - 1, -1, -1):
            if self._path[place].tag == tag:
                self._path = self._path[:place]
                break

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.pieces.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.pieces.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.pieces.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.pieces.append(f"<![{data}]>")


def _merged(styles: list[str]) -> str:
    """Later declarations win, unless an earlier one is important."""
    found: dict[str, tuple[str, bool]] = {}
    for style in styles:
        for declaration in style.split(";"):
            name, colon, value = declaration.partition(":")
            if not colon or not value.strip():
                continue
            key, important = name.strip().lower(), _IMPORTANT.search(value) is not None
            if important or not found.get(key, ("", False))[1]:
                found.pop(key, None)
                found[key] = _IMPORTANT.sub("", value).strip(), important
    return " ".join(f"{name}: {value};" for name, (value, _) in found.items())


def _with_style(tag: str, attrs: Attributes, style: str, closed: bool) -> str:
    kept = [(name, value) for name, value in attrs if name != "style"]
    written = "".join(
        f" {name}" if value is None else f' {name}="{escape(value)}"'
        for name, value in [*kept, ("style", style)]
    )
    return f"<{tag}{written}{' /' if closed else ''}>"
