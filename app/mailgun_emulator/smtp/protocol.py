"""aiosmtpd's protocol where Mailgun's differs: lines of any length, STARTTLS by the loop's own means."""

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

from aiosmtpd.smtp import SMTP, AuthenticatorType, syntax

MOST_BYTES = 52_428_800
"""As Mailgun announces it."""
CHUNK = 262_144
END, EMPTY = b"\r\n.\r\n", b".\r\n"

_AUTH_PARAMETER = re.compile(r"\s+AUTH=\S+", re.IGNORECASE)

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd tells of itself what is no user's concern


class Connection(SMTP):
    """`secure` gives the context for STARTTLS."""

    line_length_limit = CHUNK  # it is the size of the reader's buffer, too
    command_size_limit = 2048
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(
        self,
        handler: object,
        *,
        authenticator: AuthenticatorType,
        secure: Callable[[], Awaitable[ssl.SSLContext]],
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            hostname="Mailgun",
            ident="Influx ready",
            auth_require_tls=False,
            authenticator=authenticator,
            loop=asyncio.get_running_loop(),
        )
        self._secure = secure

    async def _handle_client(self) -> None:
        with suppress(ConnectionError):  # who hangs up in the middle is nobody's fault
            await super()._handle_client()

    def eof_received(self) -> bool | None:
        """Who says no more is still answered what was said; over TLS there is no saying no more."""
        if self.session is not None and self.session.ssl is not None:
            return super().eof_received()
        return asyncio.StreamReaderProtocol.eof_received(self)

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, asyncio.IncompleteReadError):
            self._writer.close()
            raise ConnectionResetError
        return await super().handle_exception(error)

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - the name aiosmtpd looks for
        """The name of the mechanism is the same in any case."""
        mechanism, blank, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(mechanism.upper() + blank + rest)

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - the name aiosmtpd looks for
        """`AUTH=` names who handed it over to the client, which nobody here asks for."""
        await super().smtp_MAIL(_AUTH_PARAMETER.sub("", arg) if arg else arg)

    @syntax("STARTTLS")
    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - the name aiosmtpd looks for
        """All that was said before is forgotten (RFC 3207, 4.2), and what came with it in the clear not looked at."""
        if arg:
            await self.push("501 Syntax: STARTTLS")
        elif self.session is not None and self.session.ssl is not None:
            await self.push("503 TLS is active already")
        else:
            context = await self._secure()
            self._reader._buffer.clear()  # type: ignore[attr-defined]  # asyncio has no other way
            await self.push("220 Go ahead")
            await self._start_tls(context)

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        plain = cast("asyncio.Transport", self.transport)
        try:
            secured = await self.loop.start_tls(plain, self, context, server_side=True)
        except (OSError, ssl.SSLError):
            secured = None
        if secured is None:
            plain.abort()
            raise ConnectionResetError
        for each in (self._reader, self._writer):
            each._transport = secured  # type: ignore[union-attr]  # as asyncio does for its own streams, from 3.12 on
        self.transport = self._transport = secured
        self._over_ssl = True
        peer = self.session.peer if self.session else None
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = {"ssl_object": secured.get_extra_info("ssl_object")}
        self.envelope = self._create_envelope()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name aiosmtpd looks for
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 Must have valid receiver and originator")
        elif arg:
            await self.push("501 Syntax: DATA")
        else:
            await self.push("354 Continue")
            data = await self._read_data()
            self.envelope.content = self.envelope.original_content = data
            if data is None:
                status = f"552 Message is too big. Max message size is {MOST_BYTES} bytes"
            else:
                status = await self._call_handler_hook("DATA")
            self.envelope = self._create_envelope()
            await self.push(status)

    async def _read_data(self) -> bytes | None:
        """Up to the lone dot, without the dots that were doubled; None if it is too much. Only CRLF ends a line."""
        data, too_big = bytearray(), False
        while not (data.endswith(END) or data == EMPTY):
            try:
                data += await self._reader.readuntil(EMPTY)
            except asyncio.LimitOverrunError as error:
                data += await self._reader.readexactly(error.consumed)
            if len(data) > MOST_BYTES + len(EMPTY):
                too_big = True
                del data[: -len(END)]
            self._reset_timeout()
        if too_big:
            return None
        del data[-len(EMPTY) :]
        return bytes(data.replace(b"\r\n.", b"\r\n")).removeprefix(b".")
