"""Forgets stored messages and events whose time is over."""

from mailgun_emulator.state import domains, events, messages
from mailgun_emulator.state.database import Tx

AT_ONCE = 200
"""Rows in one transaction, so that nobody waits for long (facts/performance.md, 6)."""


def expire(tx: Tx) -> int:
    """Do a part of it; how many rows went. Nothing is left to do when none did."""
    gone = 0
    for domain_id in domains.list_ids(tx):
        gone += messages.expire(tx, domain_id, AT_ONCE) + events.expire(tx, domain_id, AT_ONCE)
        if gone >= AT_ONCE:
            break
    return gone
