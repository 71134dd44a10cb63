"""The HTTP server: uvicorn, made to say where it listens, to fail in one line and to stop at once."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from mailgun_emulator.smtp.listener import reason

if TYPE_CHECKING:
    from starlette.types import ASGIApp

GRACE_SECONDS = 0.5  # for requests under way when it is stopped; one takes milliseconds
MOST_FILES = 10_000
log = logging.getLogger("uvicorn.error")


class CannotListen(Exception):
    """The message is the system's reason."""


class _Quiet(logging.Filter):
    """Keeps from the log why uvicorn can't listen, to be told once and well, and what it cancelled at the end."""

    reason: OSError | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, OSError):
            self.reason = record.msg
            return False
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class Server(uvicorn.Server):
    """`announce` is called with the port once connections are accepted.

    `stopping` is called when it begins to stop, before it waits for requests under way.
    """

    def __init__(
        self,
        app: "ASGIApp",
        host: str,
        port: int,
        announce: Callable[[int], None],
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,  # type: ignore[arg-type]  # handed to asyncio, which takes fractions
            )
        )
        self._announce = announce
        self._stopping = stopping

    def run_until_stopped(self) -> None:
        """Return after SIGTERM or SIGINT; raise `CannotListen`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(
                number, _stop
            )  # before uvicorn listens to them, and when it passes them on at the end
        _allow_many_files()
        quiet = _Quiet()
        log.addFilter(quiet)
        try:
            self.run()
        except SystemExit as exit_:
            if quiet.reason is not None:
                raise CannotListen(reason(quiet.reason)) from None
            if exit_.code:
                raise
        finally:
            log.removeFilter(quiet)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._announce(self.servers[0].sockets[0].getsockname()[1])
        gc.freeze()  # what is there by now stays, and need not be looked at again

    async def shutdown(self, sockets: Any = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


def _allow_many_files() -> None:
    """Else a few hundred receivers of webhooks that don't answer leave no connection to anybody else."""
    with suppress(ImportError, OSError, ValueError):  # there are systems without such limits
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def log_to_stderr(level: str) -> None:
    """One line each: the emulator's own from `level` on, uvicorn's only when something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    for name, least in (("mailgun_emulator", level.upper()), ("uvicorn", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(least)
        logger.propagate = False
