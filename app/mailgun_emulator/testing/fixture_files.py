"""States as readable files, of one account or of all."""

from pathlib import Path
from typing import Any

import orjson

from mailgun_emulator.testing.account_client import LONGEST_SECONDS, AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told

FixtureFile = str | Path | dict[str, Any]
"""Its path, its text of several lines, or what it says."""


def load(client: AccountClient, file: FixtureFile) -> None:
    kind = {"Content-Type": "application/json" if isinstance(file, dict) else "application/yaml"}
    client.ask("POST", "/_emulator/import", body=_content(file), headers=kind, timeout=LONGEST_SECONDS)


def export(client: AccountClient, kind: str) -> str:
    return client.read("/_emulator/export", format=kind).decode()


def _content(file: FixtureFile) -> bytes:
    if isinstance(file, dict):
        return orjson.dumps(file)
    if isinstance(file, str) and "\n" in file:
        return file.encode()
    return Path(file).read_bytes()
