"""Blocklistings as several sections tell them (facts/account.md, 11.6)."""

from collections.abc import Sequence

import orjson
from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.state import blocklistings
from mailgun_emulator.state.blocklistings import Blocklisting
from mailgun_emulator.state.transaction import Tx


class ListedView(BaseModel):
    """`list` is the blocklist's host; nobody but `/_emulator` asks to be delisted."""

    list: str
    name: str
    first_seen: str
    last_seen: str
    delist_requested_at: str
    comments: Sequence[str]


def listed(tx: Tx, subject: str) -> list[ListedView]:
    """Where it stands now; it was seen there just now."""
    return [listed_view(tx, each) for each in blocklistings.list_current(tx, subject)]


def listed_view(tx: Tx, listing: Blocklisting) -> ListedView:
    return ListedView(
        list=listing.blocklist,
        name=listing.name,
        first_seen=dates.rfc3339_ms(listing.first_seen),
        last_seen=dates.rfc3339_ms(tx.now),
        delist_requested_at=dates.NEVER,
        comments=orjson.loads(listing.comments),
    )


def state_of(found: list[ListedView]) -> str:
    return "listed" if found else "healthy"
