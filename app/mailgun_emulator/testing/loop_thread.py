"""A thread with an event loop of its own, which ends with all that was begun in it."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

MOST_SECONDS_TO_STOP = 10.0


class LoopThread:
    """A thread with an event loop of its own. `serve` is awaited in it and calls what it is given once it is ready."""

    def __init__(self, name: str, serve: Callable[[Callable[[Any], None]], Awaitable[None]]) -> None:
        self._serve = serve
        self._ready: Future[Any] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stopping: asyncio.Event

    def start(self) -> Any:
        """What `serve` says when it is ready; raise what it raises before."""
        self._thread.start()
        try:
            return self._ready.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Return when nothing of it is left. To be called any number of times, by anybody."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(self.stopping.set)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(MOST_SECONDS_TO_STOP)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Let it be called there, soon; not at all if it has ended."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        loop = new_loop()
        executor = ThreadPoolExecutor(thread_name_prefix=self._thread.name)
        loop.set_default_executor(executor)
        try:
            loop.run_until_complete(self._whole())
        except BaseException as error:  # whatever it was, it is raised where it was started
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                logging.getLogger("mailgun_emulator").exception("%s ended", self._thread.name)
        finally:
            self._loop = None
            _end_all(loop)
            executor.shutdown()
            loop.close()

    async def _whole(self) -> None:
        self.stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        await self._serve(self._ready.set_result)


def new_loop() -> asyncio.AbstractEventLoop:
    """Python's own, which leaves no file open behind it; whatever loops, and whatever modes, the process uses."""
    loop = asyncio.SelectorEventLoop()
    loop.set_debug(False)
    return loop


def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
