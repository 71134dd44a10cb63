"""Forgets stored messages, events and posts to webhooks whose time is over."""

from mailgun_emulator.state import domains, events, messages, webhook_deliveries
from mailgun_emulator.state.transaction import Tx

AT_ONCE = 200
"""Rows in one transaction, so that nobody waits for long (facts/performance.md, 6)."""


def expire(tx: Tx, account_id: str = "") -> int:
    """Do a part of it, for one account or for all; how many rows went. Nothing is left to do when none did."""
    gone = 0
    for domain in domains.list_owned(tx):
        if account_id in ("", domain.account_id):
            tx.account_id = domain.account_id  # whose clock says what is over
            for each in (messages, events, webhook_deliveries):
                gone += each.expire(tx, domain.id, AT_ONCE)
        if gone >= AT_ONCE:
            break
    return gone
