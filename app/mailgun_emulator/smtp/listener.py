"""Listens for SMTP; all that speaks it is imported when the first client connects."""

import asyncio
import errno
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from mailgun_emulator.core.settings import Settings, option, variable
from mailgun_emulator.state.database import Database

if TYPE_CHECKING:
    from mailgun_emulator.smtp.tls import Certificate

_TAKEN = (errno.EADDRINUSE, errno.EACCES)
BACKLOG = 2048
"""Clients that may connect at the same moment."""


class SmtpUnusable(Exception):
    """The message says what is wrong and how to mend it."""


class Emulator(Protocol):
    """What SMTP needs of the emulator; `base_url` is where its HTTP API is."""

    settings: Settings
    database: Database
    default_account_id: str
    base_url: str

    async def ready(self) -> None: ...


class Listener:
    """`port` is the one it listens on, None if it doesn't."""

    def __init__(self, emulator: Emulator) -> None:
        """Raise `SmtpUnusable` when what was asked for can't be had."""
        self.port: int | None = None
        self.certificate: Certificate | None = None
        self._emulator = emulator
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._connections: WeakSet[asyncio.Protocol] = WeakSet()
        settings = emulator.settings
        if settings.smtp_certificate:
            self._load(settings.smtp_certificate, settings.smtp_key)
        if settings.smtp_port is not None:
            self._bind(settings.host, settings.smtp_port)

    def _load(self, certificate: str, key: str | None) -> None:
        from mailgun_emulator.smtp.tls import Certificate

        try:
            self.certificate = Certificate.of(certificate, key)
        except (OSError, ValueError) as error:
            raise SmtpUnusable(
                f"{option('smtp_certificate')} can't be used: {error}. "
                f"It names a PEM file, as {option('smtp_key')} does."
            ) from None

    def _bind(self, host: str, port: int) -> None:
        """A port that nobody chose may be another one; a host that can't be listened on is left to HTTP to tell."""
        chosen = "smtp_port" in self._emulator.settings.model_fields_set
        try:
            self._socket = _listening(host, port)
        except OSError as error:
            if chosen:
                raise SmtpUnusable(
                    f"can't listen on {host}:{port} for SMTP: {reason(error)}. "
                    f"Choose another with {option('smtp_port')} ({variable('smtp_port')}); "
                    "0 takes a free one, off none."
                ) from None
            if error.errno in _TAKEN:
                with suppress(OSError):
                    self._socket = _listening(host, 0)
        if self._socket is not None:
            self.port = self._socket.getsockname()[1]

    async def start(self) -> None:
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connect, sock=self._socket, backlog=BACKLOG)

    def _connect(self) -> asyncio.Protocol:
        from mailgun_emulator.smtp.server import connection

        made = connection(self._emulator, self)
        self._connections.add(made)
        return made

    async def stop(self) -> None:
        """At once: who is connected is cut off."""
        if self._server is not None:
            self._server.close()
        for each in list(self._connections):
            transport: asyncio.Transport | None = getattr(each, "transport", None)
            if transport is not None:
                transport.abort()


def reason(error: OSError) -> str:
    """The system's own words, which asyncio and sockets wrap in theirs; a host that is none has them elsewhere."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


def _listening(host: str, port: int) -> socket.socket:
    """Small answers leave at once: connections inherit that on Linux."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made
