"""Where snapshots are kept by name: in memory or, beside a database file, in another that resets leave alone."""

import sqlite3
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mailgun_emulator.core.errors import Conflict, NotFound, ServerError
from mailgun_emulator.state.lock import IN_MEMORY

MARK = 0x4D474553  # "MGES"
VERSION = 1
MOST_BYTES = 1_000_000_000
"""SQLite keeps no longer value."""
MOST_IN_MEMORY = 2 * MOST_BYTES
PAGE_SIZE = 4096
_TABLE = f"""
    PRAGMA page_size = {PAGE_SIZE}; PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA journal_size_limit = 4000000; PRAGMA busy_timeout = 5000;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS snapshot (
        name TEXT NOT NULL, account_id TEXT, at REAL NOT NULL, content BLOB NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS snapshot_name ON snapshot (coalesce(account_id, ''), name);
    PRAGMA application_id = {MARK}; PRAGMA user_version = {VERSION};
    COMMIT;
"""
_FIELDS = "name, account_id, at, length(content)"
_OF_ONE = "coalesce(account_id, '') = coalesce(?, '')"


class SnapshotNotFound(NotFound):
    """Only `/_emulator` knows snapshots, so the words are our own."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no snapshot {name}; GET /_emulator/snapshots lists those there are.")


class SeveralSnapshots(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"Several accounts have a snapshot {name}: say whose with ?account= or an API key.")


class TooLarge(Conflict):
    message = "The snapshot is too large to be kept: it has more than a gigabyte."


class NoRoom(Conflict):
    def __init__(self, most: int) -> None:
        super().__init__(
            f"Snapshots may have {most:,} bytes altogether as long as they are kept in memory. Delete some with "
            "DELETE /_emulator/snapshots/NAME, or start with --database FILE."
        )


class StoreUnusable(ServerError):
    """The file beside the database is not ours, or can't be written."""

    def __init__(self, path: str, why: object) -> None:
        super().__init__(f"Snapshots can't be kept in {path}: {why}.")


class Snapshot(NamedTuple):
    """`account_id` is None if it is of everything; `at` in seconds since 1970, `size` in bytes."""

    name: str
    account_id: str | None
    at: float
    size: int


class SnapshotStore:
    """Each of its verbs is one statement, so that they can be called from several threads."""

    def __init__(self, database: str, most_in_memory: int = MOST_IN_MEMORY) -> None:
        self._most_in_memory = most_in_memory
        self.path = database if database == IN_MEMORY else f"{database}.snapshots"

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        connection = None
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._prepare(connection)
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()
            raise StoreUnusable(self.path, error) from error
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        mark, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            if mark != MARK:
                raise OSError("the file belongs to another program")
            if version != VERSION:
                raise OSError(f"the file has version {version} instead of {VERSION}; delete it")
        connection.executescript(_TABLE)
        if self.path == IN_MEMORY:
            connection.execute(f"PRAGMA max_page_count = {self._most_in_memory // PAGE_SIZE}")

    @property
    def _exists(self) -> bool:
        return "_connection" in self.__dict__ or (self.path != IN_MEMORY and Path(self.path).exists())

    def put(self, name: str, account_id: str | None, at: float, content: bytes) -> Snapshot:
        """Instead of the one of that name, if there is one."""
        if len(content) > MOST_BYTES:
            raise TooLarge
        try:
            self._connection.execute(
                "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?)", (name, account_id, at, content)
            )
        except sqlite3.Error as error:
            if self.path == IN_MEMORY and error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise NoRoom(self._most_in_memory) from None
            raise StoreUnusable(self.path, error) from error
        return Snapshot(name, account_id, at, len(content))

    def list_all(self, account_id: str | None = None) -> list[Snapshot]:
        """The oldest first; of an account or, if none is named, all there are."""
        if not self._exists:
            return []
        found = self._connection.execute(
            f"SELECT {_FIELDS} FROM snapshot WHERE ?1 IS NULL OR account_id = ?1 ORDER BY at, rowid",  # noqa: S608 - no input
            (account_id,),
        )
        return [Snapshot(*each) for each in found]

    def get(self, name: str, account_id: str | None = None) -> Snapshot:
        """If no account is named, that of everything; if there is none, the only one of that name."""
        if not self._exists:
            raise SnapshotNotFound(name)
        rows = self._connection.execute(f"SELECT {_FIELDS} FROM snapshot WHERE name = ?", (name,))  # noqa: S608 - no input
        named = [Snapshot(*each) for each in rows]
        exact = [each for each in named if each.account_id == account_id]
        found = exact or ([] if account_id else named)
        if not found:
            raise SnapshotNotFound(name)
        if len(found) > 1:
            raise SeveralSnapshots(name)
        return found[0]

    def read(self, snapshot: Snapshot) -> bytes:
        row = self._connection.execute(
            f"SELECT content FROM snapshot WHERE {_OF_ONE} AND name = ?",  # noqa: S608 - no input
            (snapshot.account_id, snapshot.name),
        ).fetchone()
        if row is None:
            raise SnapshotNotFound(snapshot.name)
        return bytes(row[0])

    def delete(self, snapshot: Snapshot) -> None:
        self._connection.execute(
            f"DELETE FROM snapshot WHERE {_OF_ONE} AND name = ?",  # noqa: S608 - no input
            (snapshot.account_id, snapshot.name),
        )

    def delete_of(self, account_ids: list[str]) -> None:
        """All that these accounts have."""
        if self._exists:
            self._connection.executemany(
                "DELETE FROM snapshot WHERE account_id = ?", [(each,) for each in account_ids]
            )

    def new_name(self, account_id: str | None) -> str:
        taken = {each.name for each in self.list_all() if each.account_id == account_id}
        number = len(taken) + 1
        while f"snapshot-{number}" in taken:
            number += 1
        return f"snapshot-{number}"

    def close(self) -> None:
        if "_connection" in self.__dict__:
            self._connection.close()
