"""The helpers that Mailgun's templates know: Handlebars' own and Mailgun's (facts/sending.md, 2.4)."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from mailgun_emulator.expressions import handlebars_values as values
from mailgun_emulator.expressions import patterns

MOST_IN_EXPRESSION = 1000
SLOW = 100_000
"""As so many steps counts a regular expression that is not matched at once."""

_UNKNOWN_TO_GO = re.compile(r"\(\?(?:=|!|<=|<!|\(|P=|#|>)|(?<!\\)(?:\\\\)*\\[1-9]").search
_FLAGS = re.compile(r"\(\?([ims]+)\)").match
_PYTHON_END = r"\1\\Z"
_END = re.compile(r"(?<!\\)((?:\\\\)*)\\z")

log = logging.getLogger(__name__)


class Blocks(Protocol):
    """What a helper can ask of the rendering it is called in."""

    def block(self, context: Any = None, frame: dict[str, Any] | None = None, key: Any = None) -> str: ...
    def otherwise(self) -> str: ...
    def each(self, items: Iterable[tuple[Any, Any]], length: int, *, keys: bool) -> str: ...
    def count(self, *, steps: int = 1, level: int = 0) -> None: ...


class Call(NamedTuple):
    """How a helper was called."""

    rendering: Blocks
    arguments: list[Any]
    named: dict[str, Any]

    def either(self, condition: object) -> str:
        return self.rendering.block() if condition else self.rendering.otherwise()


class Helper(NamedTuple):
    """`takes` so many arguments; `needed` is how many Mailgun's engine says it needs."""

    run: Callable[[Call], Any]
    takes: int
    needed: int


def _log(call: Call) -> str:
    log.info("A template says: %s", values.text(call.arguments[0]))
    return ""


def _zero_counts(call: Call) -> bool:
    """`includeZero=true` counts for whole numbers of the template itself, not for those of the variables."""
    return call.named.get("includeZero") is True and type(call.arguments[0]) is int and call.arguments[0] == 0


def _if(call: Call) -> str:
    return call.either(_zero_counts(call) or values.is_true(call.arguments[0]))


def _unless(call: Call) -> str:
    return call.either(not (_zero_counts(call) or values.is_true(call.arguments[0])))


def _with(call: Call) -> str:
    context = call.arguments[0]
    return call.rendering.block(context) if values.is_true(context) else call.rendering.otherwise()


def _each(call: Call) -> str:
    items = call.arguments[0]
    if not values.is_true(items):
        return call.rendering.otherwise()
    if isinstance(items, list):
        return call.rendering.each(enumerate(items), len(items), keys=False)
    return call.rendering.each(items.items(), len(items), keys=True) if isinstance(items, dict) else ""


def _lookup(call: Call) -> str:
    found = values.field(call.arguments[0], values.text(call.arguments[1]))
    return "" if found is values.MISSING else values.text(found)


def _equal(call: Call) -> str:
    """It has no else."""
    first, second = map(values.text, call.arguments)
    return call.rendering.block() if first == second else ""


def _compare(holds: Callable[[float, float], bool]) -> Callable[[Call], str]:
    """What is no number leads to the else."""

    def run(call: Call) -> str:
        first, second = map(values.number, call.arguments)
        return call.either(first is not None and second is not None and holds(first, second))

    return run


def _matches(call: Call) -> str:
    """What Go can't compile matches nothing."""
    expression, subject = map(values.text, call.arguments)
    if len(expression) > MOST_IN_EXPRESSION or _UNKNOWN_TO_GO(expression):
        return call.either(False)
    try:
        pattern = _anywhere(expression)
        if patterns.most_steps(pattern, len(subject)) > patterns.MOST_STEPS:
            call.rendering.count(steps=SLOW)
        found = patterns.match(pattern, subject)
    except patterns.BadPattern:
        found = None
    return call.either(found is not None)


def _anywhere(expression: str) -> str:
    """The same for Python, and to be found anywhere. Raise `BadPattern`."""
    flags = _FLAGS(expression)
    own = flags[1] if flags else ""
    rest = _END.sub(_PYTHON_END, expression[flags.end() :] if flags else expression)
    patterns.check(rest)
    return f"(?s:.*?)(?a{own}:{rest})"


def _pluralize(call: Call) -> Any:
    count, plural, singular = call.arguments
    known = values.number(count)
    return singular if known is None or known <= 1 else plural


HELPERS = {
    "if": Helper(_if, 1, 2),
    "unless": Helper(_unless, 1, 2),
    "each": Helper(_each, 1, 2),
    "with": Helper(_with, 1, 2),
    "lookup": Helper(_lookup, 2, 3),
    "log": Helper(_log, 1, 1),
    "equal": Helper(_equal, 2, 3),
    "ifGt": Helper(_compare(lambda first, second: first > second), 2, 3),
    "ifLt": Helper(_compare(lambda first, second: first < second), 2, 3),
    "ifEq": Helper(_compare(lambda first, second: first == second), 2, 3),
    "ifMatchesRegexStr": Helper(_matches, 2, 3),
    "pluralize": Helper(_pluralize, 3, 3),
}
