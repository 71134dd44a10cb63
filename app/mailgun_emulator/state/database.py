"""One SQLite database: a file or memory."""

import sqlite3
from pathlib import Path

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D47454D  # "MGEM", so that a file of another program is told from ours
IN_MEMORY = ":memory:"


class DatabaseUnusable(Exception):
    """The file can't hold our state; the message says why and what to do."""


class Database:
    """Refuses a file that is not ours or of another schema, and leaves it as it was."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._open()
        except sqlite3.Error as error:
            raise DatabaseUnusable(
                f"The database {path!r} can't be used: {error}. Name another with --database."
            ) from error

    def _open(self) -> None:
        application, version = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        empty = not self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not empty and application != APPLICATION_ID:
            raise DatabaseUnusable(f"{self.path!r} belongs to another program. Name another with --database.")
        if version not in (0, SCHEMA_VERSION):
            raise DatabaseUnusable(
                f"{self.path!r} has schema version {version}, this program writes version {SCHEMA_VERSION}. "
                "Name another with --database, or delete the file."
            )
        self._connection.executescript(
            f"""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            PRAGMA foreign_keys = ON;
            PRAGMA application_id = {APPLICATION_ID};
            PRAGMA user_version = {SCHEMA_VERSION};
            """
        )

    def reachable(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True

    def where(self) -> str:
        """Where the state is, for people."""
        return "in memory, gone at exit" if self.path == IN_MEMORY else str(Path(self.path).resolve())

    def close(self) -> None:
        self._connection.close()
