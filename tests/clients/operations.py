"""Mailgun's operations as `openapi/coverage.md` lists them, and which of them a request calls."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "openapi" / "coverage.md"


class Operation(NamedTuple):
    name: str
    covered: bool

    def fits(self, request: str) -> bool:
        """Whether a request, such as `GET /v3/lists/pages`, may be for it."""
        return re.fullmatch(re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(self.name)), request) is not None


@cache
def operations() -> tuple[Operation, ...]:
    lines = (re.fullmatch(r"- (\[ \] |\[x\] |)`(.+)`", line) for line in PAGE.read_text().splitlines())
    return tuple(Operation(listed[2], listed[1] != "[ ] ") for listed in lines if listed)


def called(request: str) -> str | None:
    """The operation that a request calls: of those that fit the one with the fewest placeholders."""
    fitting = [each.name for each in operations() if each.fits(request)]
    return min(fitting, key=lambda name: name.count("{"), default=None)
