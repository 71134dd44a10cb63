"""`python -m mailgun_emulator.openapi FOLDER [REFERENCE]` writes the document and the pages into the folder.

REFERENCE is a table of the reference's operations; without it the page there says which they are.
"""

import sys
from pathlib import Path

from mailgun_emulator.fixtures import schema
from mailgun_emulator.openapi import emulator_page
from mailgun_emulator.openapi.coverage import page, reference_in, reference_of
from mailgun_emulator.openapi.document import as_text, document


def write(folder: Path, table: Path | None = None) -> None:
    covered = folder / "coverage.md"
    reference = reference_of(table.read_text()) if table else reference_in(covered.read_text())
    described = document()
    (folder / "mailgun-emulator.json").write_text(as_text(described))
    (folder / "fixture.schema.json").write_text(schema.as_text())
    (folder / "emulator.md").write_text(emulator_page.page(described))
    covered.write_text(page(reference))


write(*map(Path, sys.argv[1:3]))
