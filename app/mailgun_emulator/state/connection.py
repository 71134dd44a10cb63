"""Opens the file that the state is in: one of ours and of our schema, or a new one."""

import os
import sqlite3
from importlib.resources import files

from mailgun_emulator.state.lock import DatabaseUnusable, lock

SCHEMA_VERSION = 4
APPLICATION_ID = 0x4D47454D  # "MGEM", so that a file of another program is told from ours


class HeldConnection(sqlite3.Connection):
    """Leaves BEGIN and COMMIT to `Database`, also when SQLAlchemy uses it; holds the file's lock."""

    file_lock: int | None = None

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        """The lock last: closing any descriptor of a file drops SQLite's locks on it."""
        super().close()
        if self.file_lock is not None:
            os.close(self.file_lock)
            self.file_lock = None


def connect(path: str) -> HeldConnection:
    """Refuse a file that is not ours or of another schema, and leave it as it was."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512, factory=HeldConnection
    )
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def schema() -> str:
    return files("mailgun_emulator.state").joinpath("schema.sql").read_text()


def _prepare(connection: HeldConnection, path: str) -> None:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if not empty and application != APPLICATION_ID:
        raise DatabaseUnusable(f"{path!r} belongs to another program. Name another with --database.")
    if not empty and version != SCHEMA_VERSION:
        raise DatabaseUnusable(
            f"{path!r} has schema version {version}, this program writes version {SCHEMA_VERSION}. "
            "Name another with --database, or delete the file."
        )
    connection.file_lock = lock(path)
    connection.executescript(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
        "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;"
        "PRAGMA wal_autocheckpoint = 4000;"  # pages; each is written back once, however often it has changed
    )
    if empty:
        connection.executescript(
            f"BEGIN; {schema()} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
