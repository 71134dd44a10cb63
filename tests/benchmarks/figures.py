"""Figures with their goals, and the taking of measurements in turn."""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

Name = TypeVar("Name", bound=Hashable)
Taken = TypeVar("Taken")
Record = TypeVar("Record", bound=NamedTuple)


class Plan(NamedTuple):
    """`seconds` of load each time, `events` in the large database, `directory` for databases."""

    rounds: int
    seconds: float
    events: int
    directory: Path


class Figure(NamedTuple):
    """`goal` is the most it may be, or the least if `at_least`; None: told, not judged."""

    what: str
    figure: float
    unit: str
    goal: float | None
    detail: str
    at_least: bool = False

    @property
    def passed(self) -> bool | None:
        if self.goal is None:
            return None
        return self.figure >= self.goal if self.at_least else self.figure <= self.goal

    def line(self) -> str:
        verdict = {True: "pass", False: "MISS", None: ""}[self.passed]
        sign = "≥" if self.at_least else "≤"
        goal = "" if self.goal is None else f"{sign} {self.goal:g}{self.unit}"
        return f"{self.what:<58} {goal:>9} {self.figure:>9.4g}{self.unit:<3} {verdict:<4}  {self.detail}"


def in_turn(rounds: int, takes: Mapping[Name, Callable[[], Taken]]) -> dict[Name, list[Taken]]:
    """Each once a round; every other round in reverse, so that none always comes after the same one."""
    taken: dict[Name, list[Taken]] = {name: [] for name in takes}
    names = list(takes)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].append(takes[name]())
    return taken


def medians(taken: list[Record]) -> Record:
    """Field by field."""
    return taken[0]._make(map(median, zip(*taken, strict=True)))
