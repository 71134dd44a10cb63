"""Who may use an account that has an IP allowlist (facts/account.md, 6)."""

from fastapi import Request

from mailgun_emulator.core.errors import Forbidden
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.state import ip_allowlist
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.hints import hint

OPEN = "/_emulator/"
"""What Mailgun does not have asks for no key, and so for no address."""


def check(request: Request, tx: Tx) -> None:
    """Refuse a client at another address in strict mode, else say that Mailgun would. It is the one that speaks to
    this server: what a header says of another, anybody can write.
    """
    client = request.client.host if request.client else ""
    if request.scope["path"].startswith(OPEN) or ip_allowlist.allows(tx, client):
        return
    text = f"The account's IP allowlist has no {client}; GET /v2/ip_whitelist shows it"
    if leniency.heeds_ip_allowlist(tx):
        raise Forbidden(hint=text)
    hint(request, f"{text}: Mailgun refuses such requests, and so does --strict")
