"""Numbers for rows that are put off, so that others can refer to them at once."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class RowIds:
    """Each table's go on from the highest there is when the first is asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._last: dict[str, int] = {}

    def next(self, table: str) -> int:
        if table not in self._last:
            (last,) = self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608 - no input
            self._last[table] = last
        self._last[table] += 1
        return self._last[table]

    def last(self, table: str) -> int:
        """The highest handed out, if any was."""
        return self._last.get(table, 0)

    def skip_to(self, table: str, last: int) -> None:
        """Up to there they are in use."""
        if self._last.get(table, last) < last:
            self._last[table] = last

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """All rows become others meanwhile, and their jobs get numbers that no job had before.

        One that is gone but still under way could be taken for one of them otherwise.
        """
        last = self.last("job")
        yield
        (jobs,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()
        shift = max(last, jobs)
        self._connection.execute("UPDATE job SET id = id + ?", (shift,))
        self._last = {"job": shift + jobs}
