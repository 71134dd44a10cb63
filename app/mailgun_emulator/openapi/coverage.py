"""The page of what is covered: each operation of Mailgun's API reference, served or not."""

import re
from collections import Counter
from typing import NamedTuple

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.openapi.operations import operations


class Documented(NamedTuple):
    """An operation of Mailgun's API reference."""

    section: str
    method: str
    path: str

    def key(self) -> tuple[str, str]:
        return _key(self.method, self.path)


def _key(method: str, path: str) -> tuple[str, str]:
    return method.upper(), re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


_SECTION = re.compile(r"## (.+) \(\d+ of \d+\)")
_ROW = re.compile(r"- \[.\] `([A-Z]+) (\S+)`")


def reference_in(text: str) -> list[Documented]:
    """The reference's operations, as the page itself lists them."""
    found: list[Documented] = []
    section = ""
    for line in text.splitlines():
        heading, row = _SECTION.fullmatch(line), _ROW.fullmatch(line)
        if heading:
            section = heading[1]
        elif row:
            found.append(Documented(section, row[1], row[2]))
    return found


def reference_of(table: str) -> list[Documented]:
    """The same out of a table with the columns method, path, tag, …, sources."""
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    return sorted(Documented(_section(row[2]), row[0], row[1]) for row in rows if row[-1].startswith("oas"))


def _section(tag: str) -> str:
    """The first of several; some operations have only the name of the file they were written in."""
    return "Other" if tag.startswith("openapi-") else tag.partition(",")[0]


def page(reference: list[Documented]) -> str:
    """The page, of which `reference_in` gives the reference again."""
    served = {_key(operation.method, operation.path) for operation in operations()}
    sizes = Counter(documented.section for documented in reference)
    done = Counter(documented.section for documented in reference if documented.key() in served)
    lines = [
        "# What is covered",
        "",
        f"{done.total()} of the {len(reference)} operations of Mailgun's API reference. "
        "This page is made from the routes by `make openapi`; a test holds it true.",
    ]
    for section in sorted(sizes):
        lines += ["", f"## {section} ({done[section]} of {sizes[section]})", ""]
        lines += [
            f"- [{'x' if documented.key() in served else ' '}] `{documented.method} {documented.path}`"
            for documented in reference
            if documented.section == section
        ]
    lines += ["", "## Beyond the reference", "", "Paths that only Mailgun's SDKs and older clients call.", ""]
    known = {documented.key() for documented in reference}
    beyond = {
        (operation.path, operation.method.upper())
        for operation in operations()
        if operation.section in SECTIONS and _key(operation.method, operation.path) not in known
    }
    lines += [f"- `{method} {path}`" for path, method in sorted(beyond)]
    return "\n".join(lines) + "\n"
