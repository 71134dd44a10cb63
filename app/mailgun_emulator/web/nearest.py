"""What was there instead of something that was looked for: the nearest first, each with its first difference."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

MOST_SHOWN = 10
LONGEST_SHOWN = 80
LONGEST_COMPARED = 200
MOST_VALUES = 3

Item = TypeVar("Item")


class Wanted(NamedTuple):
    """A condition: what it is about, in the words it was asked in, and whether the values of an item meet it."""

    name: str
    text: str
    fits: Callable[[Sequence[str]], bool]
    negated: bool = False


def nearest(
    wanted: Sequence[Wanted],
    items: Iterable[Item],
    values_of: Callable[[Item, str], Sequence[str]],
    most: int = MOST_SHOWN,
) -> list[tuple[Item, str]]:
    """Those that meet most conditions, among them those whose first unmet one is most nearly met, else in the order
    given; with the first difference in words, empty if there is none.

    `values_of` gives what an item has where a condition of that name looks.
    """
    ranked = []
    for item in items:
        values = {each.name: values_of(item, each.name) for each in wanted}
        unmet = [each for each in wanted if not each.fits(values[each.name])]
        first = unmet[0] if unmet else None
        likeness = _likeness(first, values[first.name]) if first else 1.0
        ranked.append((len(unmet), -likeness, item, difference(first, values[first.name]) if first else ""))
    ranked.sort(key=lambda each: each[:2])
    return [(item, text) for _, _, item, text in ranked[:most]]


def difference(wanted: Wanted, values: Sequence[str]) -> str:
    """`subject: 'Hi' instead of 'Hello'`."""
    shown = [f"'{_short(each)}'" for each in values[:MOST_VALUES]]
    if len(values) > MOST_VALUES:
        shown.append(f"{len(values) - MOST_VALUES} more")
    there = ", ".join(shown) or "none"
    if wanted.negated:
        return f"{wanted.name}: {there}, though not '{wanted.text}'"
    return f"{wanted.name}: {there} instead of '{wanted.text}'"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _likeness(wanted: Wanted, values: Sequence[str]) -> float:
    """Of the value that is most like the text; from 0 to 1."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=wanted.text.lower()[:LONGEST_COMPARED], autojunk=False)
    best = 0.0
    for value in values:
        matcher.set_seq1(value.lower()[:LONGEST_COMPARED])
        best = max(best, matcher.ratio())
    return best
