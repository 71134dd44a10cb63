"""Filters of the analytics operations, as SQL: attribute, comparator, values (facts/sending.md, 3.4 and 7.4)."""

from typing import NamedTuple

from mailgun_emulator.state.event_conditions import Values, contains

EQUAL = ("=", "!=")
SEARCHED = (*EQUAL, "contains", "not contains")
COMPARED = (">", "<", ">=", "<=")


class Predicate(NamedTuple):
    """Any of the values makes it true; of several predicates all must hold. Upper and lower case are the same."""

    attribute: str
    comparator: str
    values: tuple[str, ...]

    @property
    def negated(self) -> bool:
        return self.comparator.startswith(("!", "not "))


def text_condition(subject: str, predicate: Predicate, values: Values) -> str:
    """About a column or an expression; what an event does not tell is equal to nothing."""
    if predicate.comparator in EQUAL:
        found = " OR ".join(f"{subject} = {values.put(each)} COLLATE NOCASE" for each in predicate.values)
    else:
        found = " OR ".join(contains(values, subject, each) for each in predicate.values)
    return signed(predicate, found)


def signed(predicate: Predicate, condition: str) -> str:
    """The condition, or that it does not hold if the predicate says so. Without values it holds for nothing."""
    return f"({condition or 'FALSE'}) IS {'NOT ' if predicate.negated else ''}TRUE"


def holds(predicate: Predicate, text: str) -> bool:
    """Of a text that is at hand."""
    found = text.lower()
    if predicate.comparator in EQUAL:
        matches = any(found == each.lower() for each in predicate.values)
    else:
        matches = any(each.lower() in found for each in predicate.values)
    return matches != predicate.negated
