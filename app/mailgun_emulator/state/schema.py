"""The schema as SQL, written down in `schema.sql` because making it from the tables at each start takes longer.

`python -m mailgun_emulator.state.schema > app/mailgun_emulator/state/schema.sql` writes it anew.
"""

import sys
from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from mailgun_emulator import state


def script() -> str:
    for module in iter_modules(state.__path__):
        import_module(f"{state.__name__}.{module.name}")
    statements: list[str] = []
    for table in SQLModel.metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=sqlite.dialect())).strip())
        statements.extend(
            str(CreateIndex(index).compile(dialect=sqlite.dialect()))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    return "".join(f"{statement.strip()};\n\n" for statement in statements)


if __name__ == "__main__":
    sys.stdout.write(script())
