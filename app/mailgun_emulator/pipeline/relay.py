"""Delivered messages, passed on to a real SMTP server: a mail catcher, or one that delivers them."""

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from mailgun_emulator.pipeline.finish import finished
from mailgun_emulator.pipeline.outgoing import Outgoing, retry_after
from mailgun_emulator.state import jobs, messages
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

if TYPE_CHECKING:
    from smtplib import SMTP

PORTS = {"smtp": 25, "smtps": 465}
TIMEOUT_SECONDS = 10

log = logging.getLogger(__name__)


class Refused(Exception):
    """For good: it is not to be tried again. The message is what the server said."""


def schedule(tx: Tx, message: SentMessage, recipient: str, url: str) -> None:
    jobs.schedule(tx, Step.RELAY, f"{message.id} {recipient}", domain_id=message.domain_id, lane=url)


async def relay(database: Database, outgoing: Outgoing, job: DueJob) -> None:
    """Read in one transaction, hand over outside any, write in another."""
    row, _, recipient = job.subject.partition(" ")
    url = database.settings.relay
    async with database.begin(job.account_id) as tx:
        message, mime = messages.find_sent(tx, int(row)), messages.find_mime(tx, int(row))
        copy = finished(tx, message, mime, recipient) if message and mime else b""
    problem, again = "", False
    if url and message and copy:
        problem, again = await asyncio.to_thread(_try, url, message.sender, recipient, copy)
    async with database.begin(job.account_id) as tx:
        if jobs.complete(tx, job) and problem:
            _retry(tx, job, problem, again=again)


def _retry(tx: Tx, job: DueJob, problem: str, *, again: bool) -> None:
    after = retry_after(job) if again else None
    if after is None:
        log.warning("Gave up relaying %s: %s", job.subject, problem)
        return
    log.info("Relaying %s again in %s seconds: %s", job.subject, after, problem)
    jobs.schedule(
        tx,
        Step.RELAY,
        job.subject,
        domain_id=job.domain_id,
        after=after,
        attempt=job.attempt + 1,
        lane=tx.settings.relay or "",
    )


def _try(url: str, sender: str, recipient: str, mime: bytes) -> tuple[str, bool]:
    """What went wrong, empty if nothing did, and whether it might not the next time."""
    from smtplib import SMTPException

    try:
        _hand_over(urlsplit(url), sender, recipient, mime)
    except Refused as error:
        return str(error), False
    except (OSError, SMTPException, ValueError) as error:
        return str(error) or type(error).__name__, True
    return "", False


def _hand_over(server: SplitResult, sender: str, recipient: str, mime: bytes) -> None:
    from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

    with _connect(server) as client:
        _introduce(client, server)
        utf8 = not (sender + recipient).isascii() and client.has_extn("smtputf8")
        asked = [*(["BODY=8BITMIME"] if client.has_extn("8bitmime") else []), *(["SMTPUTF8"] if utf8 else [])]
        try:
            client.sendmail(sender, [recipient], mime, asked)
        except SMTPRecipientsRefused as error:
            _raise_if_final(*error.recipients[recipient])
            raise
        except (SMTPSenderRefused, SMTPDataError) as error:
            _raise_if_final(error.smtp_code, error.smtp_error)
            raise


def _raise_if_final(code: int, said: bytes | str) -> None:
    if code >= 500:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise Refused(f"it answered {code} {text}")


def _connect(server: SplitResult) -> "SMTP":
    """With `smtps` over TLS from the first byte, and only to a server whose certificate is good."""
    from smtplib import SMTP, SMTP_SSL
    from ssl import create_default_context

    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    if server.scheme == "smtps":
        return SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=create_default_context())
    return SMTP(host, port, timeout=TIMEOUT_SECONDS)


def _introduce(client: "SMTP", server: SplitResult) -> None:
    """With `smtp` over TLS if the server offers it, whoever signed its certificate."""
    from ssl import CERT_NONE, create_default_context

    client.ehlo_or_helo_if_needed()
    if server.scheme == "smtp" and client.has_extn("starttls"):
        context = create_default_context()
        context.check_hostname, context.verify_mode = False, CERT_NONE
        client.starttls(context=context)
        client.ehlo_or_helo_if_needed()
    if server.username:
        client.login(unquote(server.username), unquote(server.password or ""))
