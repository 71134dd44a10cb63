"""The states that were kept, of one account or of all."""

from typing import Any
from urllib.parse import quote

from mailgun_emulator.testing.account_client import LONGEST_SECONDS, AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told

_PATH = "/_emulator/snapshots"


class Snapshots:
    """What `snapshot` has kept and `restore` goes back to, also as files."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def list(self) -> list[dict[str, Any]]:
        """The oldest first, each with `name`, `account`, `at` and `size`."""
        return list(self._client.get(_PATH)["items"])

    def take(self, name: str) -> None:
        self._client.ask("POST", _PATH, json={"name": name}, timeout=LONGEST_SECONDS)

    def restore(self, name: str) -> None:
        self._client.ask("POST", f"{_named(name)}/restore", timeout=LONGEST_SECONDS)

    def download(self, name: str) -> bytes:
        """A file that any emulator of this version takes."""
        return self._client.read(_named(name))

    def upload(self, name: str, content: bytes) -> None:
        """Keep one that was downloaded; an account takes none but its own."""
        self._client.ask("PUT", _named(name), body=content, timeout=LONGEST_SECONDS)

    def delete(self, name: str) -> None:
        self._client.delete(_named(name))


def _named(name: str) -> str:
    return f"{_PATH}/{quote(name, safe='')}"
