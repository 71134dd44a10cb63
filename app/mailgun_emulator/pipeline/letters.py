"""What Mailgun itself writes to people: invitations, alerts. They are mail like any other, but of no event."""

from collections.abc import Sequence

import orjson

from mailgun_emulator.mail import mime
from mailgun_emulator.state import messages, own_domains, sending
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

ADDRESS = "noreply@mailgun.test"
SENDER = f"Mailgun <{ADDRESS}>"


def send(
    tx: Tx,
    to: Sequence[str],
    subject: str,
    text: str,
    html: str | None = None,
    *,
    base_url: str | None = None,
) -> None:
    """It lies in the inbox of the account at once, under its sandbox domain, as it is: neither tracked nor signed.
    With `--relay` it is passed on as well.

    `base_url` is the one that was called, if it follows from a request.
    """
    home = own_domains.find_home(tx)
    domain = None if home is None else sending.find(tx, home[1])
    if domain is None or not to:
        return
    message_id, key = tx.ids.message_id(domain.name, tx.now), tx.ids.storage_key()
    draft = mime.Draft(
        sender=SENDER,
        to=to,
        subject=subject,
        text=text,
        html=html,
        headers=[("Sender", ADDRESS)],
        message_id=message_id,
        date=tx.now,
        domain=domain.name,
        boundary=tx.ids.hex(60),
    )
    body = mime.build(draft)
    told = {"from": SENDER, "to": ", ".join(to), "subject": subject, "message-id": message_id}
    letter = SentMessage(
        id=tx.next_id("message"),
        domain_id=domain.id,
        storage_key=key,
        message_id=message_id,
        sender=ADDRESS,
        recipients=orjson.dumps(list(to)).decode(),
        headers=orjson.dumps(told).decode(),
        tags="[]",
        variables="{}",
        options="{}",
        attachments="[]",
        size=len(body),
        url=f"{base_url or tx.base_url}/v3/domains/{domain.name}/messages/{key}",
        addressees=orjson.dumps([list(to), []]).decode(),
        accepted_at=tx.now,
        expires_at=tx.now + domain.stored_seconds,
        domain_name=domain.name,
    )
    messages.add(tx, letter, body)
    tx.tell("message", key)
    if tx.settings.relay:
        from mailgun_emulator.pipeline import relay

        for each in to:
            relay.schedule(tx, letter, each, tx.settings.relay)
