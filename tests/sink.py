"""A real SMTP server to relay to, and ways to speak SMTP to the emulator."""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests import plain

HOST = "127.0.0.1"


class Letter(NamedTuple):
    sender: str
    recipients: list[str]
    content: bytes
    login: str


class Sink(Controller):
    """Keeps what it is handed, or answers RCPT with `refusal`; takes any login."""

    def __init__(self, port: int) -> None:
        self.letters: list[Letter] = []
        self.refusal = ""
        super().__init__(
            self,
            hostname=HOST,
            port=port,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=lambda *given: AuthResult(success=True, auth_data=given[-1]),
        )

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, _: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        content: Any = envelope.content
        login = session.auth_data.login.decode() if session.auth_data else ""
        self.letters.append(Letter(envelope.mail_from or "", envelope.rcpt_tos, content, login))
        return "250 OK"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


@contextmanager
def sinking(port: int = 0) -> Iterator[Sink]:
    sink = Sink(port or free_port())
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


def smtp_port(url: str) -> int:
    port: int = plain.get(f"{url}/_emulator/health").json()["smtp_port"]
    return port


@contextmanager
def connected(url: str, login: str = "", password: str = "") -> Iterator[smtplib.SMTP]:
    """A client of the emulator whose API is at `url`; without a login it is one that brings mail."""
    with smtplib.SMTP(HOST, smtp_port(url), timeout=20) as client:
        client.ehlo("client.test")
        if login:
            client.login(login, password)
        yield client
