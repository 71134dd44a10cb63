"""Mail that nobody logged in for: it is for the domains of the accounts, as at Mailgun's MX (facts/sending.md, 8.3)."""

import logging

from mailgun_emulator.pipeline import receive as intake
from mailgun_emulator.pipeline.receive import Incoming, Received
from mailgun_emulator.smtp.submission import Handover
from mailgun_emulator.state import sending
from mailgun_emulator.state.database import Database

log = logging.getLogger(__name__)


def refusal_of(database: Database, recipient: str) -> str | None:
    """A recipient whose domain no account has is somebody else's; one whom the account takes no mail for is refused."""
    name = recipient.rpartition("@")[2]
    with database.reading() as tx:
        account_id = sending.account_of(tx, name)
    if account_id is None:
        log.info("SMTP: no account has the domain %s; log in to send, or create the domain to receive", name)
        return "550 5.7.1 Relaying denied"
    with database.reading(account_id) as tx:
        refusal = intake.refusal_of(tx, recipient)
    if refusal is None:
        return None
    log.info("SMTP: %s. %s", refusal, refusal.hint)
    return str(refusal)


async def receive(database: Database, handed: Handover) -> str | None:
    """Each account gets what is for its domains. None if anybody took it, else why not."""
    recipients: dict[str, list[str]] = {}
    with database.reading() as tx:
        for each in handed.recipients:
            account_id = sending.account_of(tx, each.domain)
            if account_id is not None:
                recipients.setdefault(account_id, []).append(each.email)
    results = [await _receive(database, account_id, own, handed) for account_id, own in recipients.items()]
    refused = [str(refusal) for result in results for refusal in result.refused.values()]
    return refused[0] if refused and not any(result.taken for result in results) else None


async def _receive(database: Database, account_id: str, recipients: list[str], handed: Handover) -> Received:
    mail = Incoming(
        sender=handed.sender,
        recipients=recipients,
        mime=handed.content,
        client_ip=handed.client_ip,
        helo=handed.helo,
        base_url=handed.base_url,
    )
    async with database.begin(account_id) as tx:
        return intake.receive(tx, mail)
