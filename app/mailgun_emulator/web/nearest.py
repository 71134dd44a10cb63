"""What was there instead of something that was looked for: the nearest first, each with its first difference."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple, TypeVar

from mailgun_emulator.mail import dates

MOST_SHOWN = 10
LONGEST_SHOWN = 80
LONGEST_COMPARED = 200
MOST_VALUES = 3

Item = TypeVar("Item")
Near = tuple[Item, str]
"""One, and its first difference in words, empty if there is none."""


class Wanted(NamedTuple):
    """A condition: what it is about, in the words it was asked in, and whether the values of an item meet it.

    Where there are but few values to choose from, none of them is more like another.
    """

    name: str
    text: str
    fits: Callable[[Sequence[str]], bool]
    negated: bool = False
    few: bool = False


def nearest(
    wanted: Sequence[Wanted],
    items: Iterable[Item],
    values_of: Callable[[Item, str], Sequence[str]],
    most: int = MOST_SHOWN,
) -> list[Near[Item]]:
    """Those that meet most conditions, among them those whose first unmet one is most nearly met, else in the order
    given.

    `values_of` gives what an item has where a condition of that name looks.
    """
    ranked = []
    for item in items:
        values = {each.name: values_of(item, each.name) for each in wanted}
        unmet = [each for each in wanted if not each.fits(values[each.name])]
        first = unmet[0] if unmet else None
        likeness = _likeness(first, values[first.name]) if first and not first.few else 1.0
        ranked.append((len(unmet), -likeness, item, difference(first, values[first.name]) if first else ""))
    ranked.sort(key=lambda each: each[:2])
    return [(item, text) for _, _, item, text in ranked[:most]]


def difference(wanted: Wanted, values: Sequence[str]) -> str:
    """`subject: 'Hi' instead of 'Hello'`."""
    several = list(dict.fromkeys(map(shown, values)))
    told = [f"'{each}'" for each in several[:MOST_VALUES]]
    if len(several) > MOST_VALUES:
        told.append(f"{len(several) - MOST_VALUES} more")
    there = ", ".join(told) or "none"
    if wanted.negated:
        return f"{wanted.name}: {there}, though not '{shown(wanted.text)}'"
    return f"{wanted.name}: {there} instead of '{shown(wanted.text)}'"


def shown(text: str) -> str:
    """On one line, and not all of it if it is long."""
    text = " ".join(text[: 2 * LONGEST_SHOWN].split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def wanted_times(since: float, before: float) -> Iterator[Wanted]:
    """Of items whose values for both are one instant, as `dates.rfc3339_ms` writes it."""
    if since > 0:
        earliest = dates.rfc3339_ms(since)
        yield Wanted("since", f"{earliest} or later", lambda values: values[0] >= earliest)
    if before < inf:
        end = dates.rfc3339_ms(before)
        yield Wanted("before", f"earlier than {end}", lambda values: values[0] < end)


def in_words(
    thing: str,
    about: str,
    came: int,
    count: int,
    seconds: float,
    near: Sequence[Near[Item]],
    brief: Callable[[Item], str],
    none: str,
) -> str:
    """That not enough came, in a sentence, and what is nearest to it in another, or `none`."""
    many = f"Only {came} of {count} {thing}s" if came else f"No {thing}"
    others = [each for each in near if each[1]]
    if others:
        item, text = others[0]
        none = f"The nearest is {brief(item)} – {text}."
    elif near:
        none = "There are no others."
    return f"{many}{about} came within {seconds:g} s. {none}"


def _likeness(wanted: Wanted, values: Sequence[str]) -> float:
    """Of the value that is most like the text; from 0 to 1."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=wanted.text.lower()[:LONGEST_COMPARED], autojunk=False)
    best = 0.0
    for value in values:
        matcher.set_seq1(value.lower()[:LONGEST_COMPARED])
        best = max(best, matcher.ratio())
    return best
