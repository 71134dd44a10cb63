"""Mailgun's operations as `openapi/coverage.md` lists them, and which of them a request calls."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "openapi" / "coverage.md"
BEYOND = "Beyond the reference"


class Operation(NamedTuple):
    """`section` is a section of the reference, or BEYOND."""

    name: str
    section: str
    covered: bool

    def fits(self, request: str) -> bool:
        """Whether a request, such as `GET /v3/lists/pages`, may be for it."""
        return re.fullmatch(re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(self.name)), request) is not None


@cache
def operations() -> tuple[Operation, ...]:
    found = []
    section = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = re.sub(r" \(\d+ of \d+\)", "", line[3:])
        elif listed := re.fullmatch(r"- (\[ \] |\[x\] |)`(.+)`", line):
            found.append(Operation(listed[2], section, listed[1] != "[ ] "))
    return tuple(found)


def called(request: str) -> str | None:
    """The operation that a request calls: of those that fit the one with the fewest placeholders."""
    fitting = [each.name for each in operations() if each.fits(request)]
    return min(fitting, key=lambda name: name.count("{"), default=None)


def unfinished() -> set[str]:
    """The sections with operations that aren't there yet."""
    return {each.section for each in operations() if not each.covered}
