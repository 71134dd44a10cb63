"""One emulator at a time on a database file."""

import os
import sys

IN_MEMORY = ":memory:"


class DatabaseUnusable(Exception):
    """The file can't hold our state; the message says why and what to do."""


def lock(path: str) -> int | None:
    """Keep other emulators off the file until the descriptor is closed; SQLite's own locks keep no reader off.

    Elsewhere than on Linux the two kinds of lock exclude each other, and a file system may have none.
    """
    if sys.platform != "linux" or path == IN_MEMORY:
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # The descriptor stays open: were the other emulator in this process, closing it would drop SQLite's locks.
        raise DatabaseUnusable(
            f"The database {path!r} is in use by another emulator. Name another with --database."
        ) from None
    except OSError:
        pass
    return descriptor
