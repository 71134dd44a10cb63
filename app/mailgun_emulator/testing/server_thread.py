"""An emulator in a thread of this process, which takes no notice of it: no signals, no logging, nothing left behind."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mailgun_emulator.testing.http_client import EmulatorError, base_url
from mailgun_emulator.testing.loop_thread import LoopThread

if TYPE_CHECKING:
    from mailgun_emulator.core.settings import Settings

GRACE_SECONDS = 0.2
"""For requests under way when it is stopped; one takes milliseconds."""


class CannotStart(EmulatorError):
    """The message says why and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(0, why)


class ServerThread:
    """One emulator on free ports, unless the settings say otherwise."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._thread = LoopThread("mailgun-emulator", self._serve)

    def start(self) -> str:
        """Where it is served. Raise `CannotStart`."""
        url: str = self._thread.start()
        return url

    def stop(self) -> None:
        self._thread.stop()

    async def _serve(self, ready: Callable[[str], None]) -> None:
        from mailgun_emulator.app import create_app
        from mailgun_emulator.core.settings import BadSetting
        from mailgun_emulator.smtp.listener import SmtpUnusable
        from mailgun_emulator.state.lock import DatabaseUnusable

        settings = self._settings
        try:
            app, emulator = create_app(settings)
        except (BadSetting, DatabaseUnusable, SmtpUnusable) as error:
            raise CannotStart(f"The emulator can't start: {error}") from None
        server = _server(app, settings.host, settings.port)
        emulator.base_url = await server.listen()
        ready(emulator.base_url)
        await server.until(self._thread.stopping)
        emulator.stopping.set()
        await server.end()


def _server(app: Any, host: str, port: int) -> Any:
    """uvicorn's, which else logs in the process's name, polls for its end, and waits longer than need be."""
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    log = logging.Logger("mailgun_emulator.http", logging.WARNING)
    log.parent = logging.getLogger("mailgun_emulator")
    log.addFilter(_is_no_cancellation)

    class Protocol(HttpToolsProtocol):
        def __init__(self, *about: Any, **more: Any) -> None:
            super().__init__(*about, **more)
            self.logger, self.access_log = log, False

    class Config(uvicorn.Config):
        def configure_logging(self) -> None:
            pass

    class Server(uvicorn.Server):
        async def listen(self) -> str:
            """At what URL."""
            self.config.load()
            self.lifespan = self.config.lifespan_class(self.config)
            self.lifespan.logger = log
            await self.lifespan.startup()
            loop = asyncio.get_running_loop()
            try:
                listening = await loop.create_server(self._protocol, host.strip("[]"), port, backlog=2048)
            except OSError as error:
                await self.lifespan.shutdown()
                raise CannotStart(_taken(host, port, error)) from None
            self.servers = [listening]
            return base_url(host, listening.sockets[0].getsockname()[1])

        def _protocol(self) -> asyncio.Protocol:
            return Protocol(self.config, self.server_state, self.lifespan.state)

        async def until(self, stopping: asyncio.Event) -> None:
            """Once a second the `Date` header of the answers is renewed."""
            while not stopping.is_set():
                await self.on_tick(0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), 1)

        async def end(self) -> None:
            self.servers[0].close()
            for connection in list(self.server_state.connections):
                connection.shutdown()
            if not await self._is_idle():
                for task in self.server_state.tasks:
                    task.cancel()
                for connection in self.server_state.connections:
                    connection.transport.abort()
                await self._is_idle()
            await self.lifespan.shutdown()

        async def _is_idle(self) -> bool:
            loop = asyncio.get_running_loop()
            until = loop.time() + GRACE_SECONDS
            while self.server_state.connections or self.server_state.tasks:
                if loop.time() > until:
                    return False
                await asyncio.sleep(0.001)
            return True

    return Server(
        Config(app, http=Protocol, ws="none", lifespan="on", proxy_headers=False, server_header=False)
    )


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _taken(host: str, port: int, error: OSError) -> str:
    from mailgun_emulator.smtp.listener import reason

    return (
        f"The emulator can't listen on {host}:{port}: {reason(error)}. "
        "Leave out `port` for a free one, and `host` for 127.0.0.1."
    )
