"""What SMTP clients are answered: who logs in sends, all others bring mail for the domains of the accounts."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailgun_emulator.core.errors import MailgunError, ServerError, TooManyRequests
from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.pipeline.accept import hand_over
from mailgun_emulator.pipeline.options import MOST_RECIPIENTS
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.smtp import inbound, logins, submission
from mailgun_emulator.smtp.logins import Sender
from mailgun_emulator.smtp.protocol import MOST_BYTES, Connection
from mailgun_emulator.smtp.submission import Handover
from mailgun_emulator.smtp.tls import Certificate
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

if TYPE_CHECKING:
    from mailgun_emulator.smtp.listener import Emulator, Listener

HOST = "smtp-out-n01.prod.us-east-1.postgun.com"
EXTENSIONS = ("AUTH PLAIN LOGIN", f"SIZE {MOST_BYTES}", "8BITMIME", "SMTPUTF8", "PIPELINING")
NO_SENDER = "<>"
TAKEN = "250 Great success"

log = logging.getLogger(__name__)


def connection(emulator: "Emulator", listener: "Listener") -> Connection:
    entrance = Entrance(emulator, listener)
    return Connection(entrance, authenticator=entrance.authenticate, secure=entrance.secure)


class Entrance:
    """One for each connection; aiosmtpd calls its `handle_…`, and sends what they return."""

    def __init__(self, emulator: "Emulator", listener: "Listener") -> None:
        self._emulator = emulator
        self._listener = listener
        self._database = emulator.database

    async def secure(self) -> ssl.SSLContext:
        if self._listener.certificate is None:
            self._listener.certificate = await asyncio.to_thread(Certificate.self_signed)
        return self._listener.certificate.context

    async def handle_HELO(self, _: SMTP, session: Session, _envelope: Envelope, hostname: str) -> str:  # noqa: N802 - the name aiosmtpd looks for
        session.host_name = hostname
        await self._emulator.ready()
        return f"250 {HOST}"

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd looks for
        self, _: SMTP, session: Session, _envelope: Envelope, hostname: str, _lines: list[str]
    ) -> list[str]:
        """All lines in one, so that they leave in one packet."""
        session.host_name = hostname
        await self._emulator.ready()
        lines = [HOST, *EXTENSIONS, *(() if session.ssl else ("STARTTLS",))]
        return ["\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])]

    def authenticate(
        self, _: SMTP, session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        login, password = (each.decode("utf-8", "replace") for each in given)
        with self._database.reading() as tx:
            sender = logins.find_sender(tx, login, password, self._emulator.default_account_id)
            is_welcome = sender is not None and logins.is_welcome(tx, sender, _client_ip(session))
        if sender is None or not is_welcome:
            return AuthResult(success=False, handled=False, message="535 Authentication failed")
        return AuthResult(success=True, message="235 Authentication successful", auth_data=sender)

    async def handle_MAIL(  # noqa: N802 - the name aiosmtpd looks for
        self, _: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address != NO_SENDER and not _is_address(address):
            return "501 cannot parse from address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 Sender address accepted"

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, _: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self._refusal_of(session, envelope, address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
            return "250 Recipient address accepted"
        return refusal

    def _refusal_of(self, session: Session, envelope: Envelope, address: str) -> str | None:
        if not _is_address(address):
            return "501 cannot parse to address"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return f"452 Too many recipients, max is {MOST_RECIPIENTS}"
        if session.auth_data is not None:
            return None
        return inbound.refusal_of(self._database, address)

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the name aiosmtpd looks for
        handed = _handover(session, envelope, self._emulator.base_url)
        if not isinstance(session.auth_data, Sender):
            return await inbound.receive(self._database, handed) or TAKEN
        try:
            await self._submit(session.auth_data, handed)
        except MailgunError as error:
            return refusal(error)
        return TAKEN

    async def _submit(self, sender: Sender, handed: Handover) -> None:
        message = submission.read(handed)
        if sender.account_id in self._database.faults:
            from mailgun_emulator.pipeline import faults  # few accounts have any

            await faults.meet_submission(self._database, sender.account_id, sender.domain_name)

        async def read() -> Submission:
            return message

        outcome = await hand_over(partial(self._begin, sender), read)
        if isinstance(outcome, MailgunError):
            raise outcome

    @asynccontextmanager
    async def _begin(self, sender: Sender) -> AsyncIterator[tuple[Tx, SendingDomain]]:
        async with self._database.begin(sender.account_id) as tx:
            yield tx, leniency.sending_domain(tx, sender.domain_name)

    async def handle_QUIT(self, *_: object) -> str:  # noqa: N802 - the name aiosmtpd looks for
        return "221 See you later. Yours truly, Mailgun"

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, ConnectionError):
            raise error
        log.error("SMTP failed", exc_info=error)
        return "451 Requested action aborted: local error in processing"


def refusal(error: MailgunError) -> str:
    """The text is that of HTTP; a domain that may not send is told 421 (facts/sending.md, 1.7)."""
    if error.hint:
        log.info("SMTP: %s (%s)", error, error.hint)
    later = "is not allowed to send" in str(error) or error.status == TooManyRequests.status
    code = 421 if later else 550 if error.status < ServerError.status else 451
    return f"{code} {' '.join(str(error).split())}"


def _handover(session: Session, envelope: Envelope, base_url: str) -> Handover:
    content: Any = envelope.content
    sender = envelope.mail_from or NO_SENDER
    return Handover(
        sender="" if sender == NO_SENDER else sender,
        recipients=[_address(each) for each in envelope.rcpt_tos],
        content=content,
        helo=(session.host_name or "").encode("utf-8", "replace").decode(),
        client_ip=_client_ip(session),
        tls=_security(session),
        base_url=base_url,
    )


def _client_ip(session: Session) -> str:
    peer: Any = session.peer
    return str(peer[0]) if peer else "127.0.0.1"


def _security(session: Session) -> str:
    """As `Received` tells it (facts/sending.md, 1.11)."""
    if not session.ssl:
        return ""
    secured = session.ssl["ssl_object"]
    return f"version={secured.version().replace('v', '')}, cipher={secured.cipher()[0]}"


def _address(text: str) -> Address:
    return addresses.parse(f"<{text}>")


def _is_address(text: str) -> bool:
    """What is not UTF-8 was decoded to what can't be encoded again."""
    try:
        _address(text).email.encode()
    except (NotAnAddress, UnicodeEncodeError):
        return False
    return True
