"""Regular expressions that users write (Python's, as Mailgun has them), matched in bounded time."""

import json
import logging
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from types import MappingProxyType
from typing import NamedTuple

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 10_000
"""What is longer is cut: a header of any use is shorter."""
MOST_STEPS = 1_000_000
"""What may take longer, 20 ms or so, is matched in a process of its own, which can be stopped."""
PATIENCE_SECONDS = 0.15
"""For the matching itself; starting the process takes another 20 to 50 ms."""
START_SECONDS = 2.0
"""On a machine that is busy with other things."""

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|.", re.DOTALL)
_VERBOSE = re.compile(r"\(\?[a-zA-Z-]*x").search
_LOOPS = re.compile(r"[*+]|\{\d*,\d*\}").fullmatch
_PROGRAM = """
import faulthandler, json, re, sys
pattern, flags, way, subjects, patience = json.load(sys.stdin)
hold = getattr(re.compile(pattern, flags), way)
faulthandler.dump_traceback_later(patience, exit=True)
found = map(hold, subjects)
json.dump([each and [each.groups(""), each.groupdict("")] for each in found], sys.stdout)
"""


class BadPattern(ValueError):
    """The message is Python's own, such as `nothing to repeat at position 0`."""


class Captures(NamedTuple):
    """What the groups of a pattern caught; those that took no part caught nothing."""

    groups: tuple[str, ...] = ()
    named: Mapping[str, str] = MappingProxyType({})

    def joined(self, other: "Captures") -> "Captures":
        """Groups count on; of two of one name the later counts."""
        return Captures((*self.groups, *other.groups), {**self.named, **other.named})


def match(pattern: str, subject: str, *, ignore_case: bool = False) -> Captures | None:
    """From the beginning of `subject`, as `re.match` does. Raise `BadPattern`.

    No match, too, is what takes longer than `PATIENCE_SECONDS`.
    """
    compiled = check(pattern, ignore_case=ignore_case)
    subject = subject[:LONGEST_SUBJECT]
    if most_steps(pattern, len(subject)) > MOST_STEPS:
        return _apart(compiled, "match", (subject,))[0]
    found = compiled.match(subject)
    return None if found is None else Captures(found.groups(""), found.groupdict(""))


def found_in(pattern: str, subjects: Sequence[str]) -> list[str]:
    """Those that have it anywhere; none of them if that takes longer than `PATIENCE_SECONDS`. Raise `BadPattern`."""
    compiled = check(pattern)
    longest = max(map(len, subjects), default=0)
    if len(subjects) * longest * most_steps(pattern, longest) <= MOST_STEPS:
        return [subject for subject in subjects if compiled.search(subject)]
    found = _apart(compiled, "search", tuple(subjects))
    return [subject for subject, caught in zip(subjects, found, strict=True) if caught is not None]


@lru_cache(maxsize=1024)
def check(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """The pattern ready for use. Raise `BadPattern`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise BadPattern(str(error)) from None
    except (RecursionError, OverflowError):
        raise BadPattern("the pattern is too complex") from None


def most_steps(pattern: str, length: int) -> float:
    """A bound on what matching costs: each loop may stop anywhere, each choice be made anew; loops over groups
    have none, nor do verbose patterns, where blanks and comments hide what a loop is over.
    """
    if _VERBOSE(pattern):
        return inf
    steps, choices, previous = 1.0, [1], ""
    for piece in _TOKEN.findall(pattern):
        if piece == "(":
            choices.append(1)
        elif piece == ")" and len(choices) > 1:
            steps *= choices.pop()
        elif piece == "|":
            choices[-1] += 1
        elif piece == "?" and previous not in ("(", "*", "+", "?", "}"):
            steps *= 2
        elif _LOOPS(piece) and previous != "(":
            if previous == ")":
                return inf
            steps *= max(length, 1)
        elif piece[0] == "{" and previous == ")":
            return inf
        previous = piece[-1] if piece[0] in "{(" else piece
    return steps * choices[0]


def _apart(compiled: re.Pattern[str], way: str, subjects: tuple[str, ...]) -> list[Captures | None]:
    import subprocess

    try:
        return _tried_apart(compiled, way, subjects)
    except (subprocess.SubprocessError, OSError) as error:
        log.warning("The pattern %r could not be tried: %s", compiled.pattern, error)
        return [None] * len(subjects)


@lru_cache(maxsize=256)
def _tried_apart(compiled: re.Pattern[str], way: str, subjects: tuple[str, ...]) -> list[Captures | None]:
    """A mail is held against a pattern several times, each time with the same result."""
    import subprocess

    given = json.dumps([compiled.pattern, compiled.flags & re.IGNORECASE, way, subjects, PATIENCE_SECONDS])
    done = subprocess.run(  # noqa: S603 - the program is our own, what users wrote is its input
        [sys.executable, "-I", "-S", "-c", _PROGRAM],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS + START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        log.warning(
            "The pattern %r takes longer than %s seconds and counts as no match",
            compiled.pattern,
            PATIENCE_SECONDS,
        )
        return [None] * len(subjects)
    return [each and Captures(tuple(each[0]), each[1]) for each in json.loads(done.stdout)]
