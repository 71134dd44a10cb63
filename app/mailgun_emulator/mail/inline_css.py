"""Puts the rules of style sheets into the elements that they are about, as some mail clients need it.

Rules that no style attribute can hold, such as `@media` and `:hover`, stay in their `<style>`.
"""

import re
from collections import Counter
from html import escape
from typing import NamedTuple

from mailgun_emulator.mail import links
from mailgun_emulator.mail.links import Tag

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_COMPOUND = re.compile(r"(?P<tag>\*|[a-zA-Z][\w-]*+)?(?P<rest>(?:[.#][\w-]++)*+)")
_IMPORTANT = re.compile(r"(?<!\s)\s*+!\s*+important\s*+$", re.IGNORECASE)
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - reads better
)
MOST_STEPS = 1_500_000
"""What it may cost, half a second or so, ten times what a long newsletter takes; what comes after stays as it is."""


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
    pieces: list[str] = []
    position, sheet = 0, None
    for tag in links.tags(html):
        if sheet is not None:
            rest = _read(html[sheet.end : tag.start], rules)
            pieces += [html[position : sheet.start], f"<style>{rest}</style>" if rest else ""]
            position, sheet = tag.end, None
        elif tag.name == "style" and not tag.closes:
            sheet = tag
    without = "".join([*pieces, html[position:]])
    return _Inliner(rules).inline(without) if rules else without


def _read(css: str, rules: list[Rule]) -> str:
    """Add the sheet's rules; the rest of it."""
    rest: list[str] = []
    for head, body in _blocks(_COMMENT.sub("", css)):
        if head.startswith("@"):
            rest.append(f"{head}{{{body}}}" if body is not None else f"{head};")
            continue
        declarations, unknown = (body or "").strip(), []
        for text in map(str.strip, head.split(",")):
            selector = _selector(text)
            if selector is None:
                unknown.append(text)
            else:
                rules.append(Rule((*_specificity(selector), len(rules)), selector, declarations))
        if unknown:
            rest.append(f"{','.join(unknown)}{{{body}}}")
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


class _Inliner:
    """All that it does not change stays as it was written."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.selector[-1].mark, []).append(rule)
        self._path: list[Element] = []
        self._open: Counter[str] = Counter()
        self._steps = MOST_STEPS

    def inline(self, html: str) -> str:
        pieces: list[str] = []
        position = 0
        for tag in links.tags(html):
            if tag.closes:
                self._leave(tag.name)
                continue
            own = {each.name: links.unescape_attribute(each.value) for each in reversed(tag.attributes)}
            self._path.append(Element(tag.name, own.get("id", ""), frozenset(own.get("class", "").split())))
            self._open[tag.name] += 1
            if met := self._met():
                style = _merged([*met, own.get("style", "")])
                pieces += [html[position : tag.start], _with_style(html, tag, style)]
                position = tag.end
            if tag.name in _VOID or links.closes_itself(html, tag):
                self._leave(tag.name)
            if self._steps < 0:
                break
        return "".join([*pieces, html[position:]])

    def _leave(self, name: str) -> None:
        while self._open[name]:
            left = self._path.pop().tag
            self._open[left] -= 1
            if left == name:
                return

    def _met(self) -> list[str]:
        """What the rules say that are about the innermost element, the weightiest last."""
        element = self._path[-1]
        marks = ["*", element.tag, *(f".{name}" for name in element.classes), f"#{element.id}"]
        near = sorted(rule for mark in marks for rule in self._rules.get(mark, ()))
        met = []
        for rule in near:
            self._steps -= 1 if len(rule.selector) == 1 else len(rule.selector) * len(self._path)
            if self._steps < 0:
                return []
            if _matches(rule.selector, self._path):
                met.append(rule.declarations)
                self._steps -= 4 + len(rule.declarations) // 8
        return met


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


def _with_style(html: str, tag: Tag, style: str) -> str:
    written = "".join(
        f' {each.name}="{escape(links.unescape_attribute(each.value))}"'
        if each.value or html[each.start - 1] in "\"'"
        else f" {each.name}"
        for each in tag.attributes
        if each.name != "style"
    )
    end = " /" if links.closes_itself(html, tag) else ""
    return f'<{tag.name}{written} style="{escape(style)}"{end}>'
