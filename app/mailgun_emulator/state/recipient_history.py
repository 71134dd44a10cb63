"""What an account's own domains have seen of a recipient: validations tell it (facts/account.md, 11.1)."""

from typing import NamedTuple

from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state.transaction import Tx

DAYS = 30
"""How far back what somebody did tells of what they are going to do."""


class History(NamedTuple):
    """Numbers of the last `DAYS`; `engaged` are opens and clicks of people. `last_seen` is in seconds since 1970.

    `bounced` and `complains` are about the lists of suppressions.
    """

    bounced: bool
    complains: bool
    delivered: int
    engaged: int
    by_bots: int
    complained: int
    last_seen: int | None


_LISTED = (
    "SELECT DISTINCT kind FROM suppression WHERE address = :address AND kind IN ('bounce', 'complaint') AND "
    "domain_id IN (SELECT id FROM domain WHERE account_id = :account AND NOT deleted)"
)
_BOT = (
    """type IN ('opened', 'clicked') AND coalesce(json_extract(payload, '$."client-info".bot'), '') != ''"""
)
_EVENTS = (
    f"SELECT type, {_BOT} AS by_bot, sum(at >= :since), max(at) FROM event WHERE recipient = :address AND "  # noqa: S608 - nothing of it was given
    "type IN ('delivered', 'opened', 'clicked', 'complained') AND "
    "domain_id IN (SELECT id FROM domain WHERE account_id = :account AND NOT deleted) GROUP BY type, by_bot"
)


def of(tx: Tx, address: str) -> History:
    tx.settle()
    about = {"address": address.lower(), "account": tx.account_id}
    listed = {kind for (kind,) in tx.read(_LISTED, about)}
    numbers = dict.fromkeys(("delivered", "engaged", "by_bots", "complained"), 0)
    last_seen = None
    for kind, by_bot, number, at in tx.read(_EVENTS, {**about, "since": tx.now - DAYS * DAY}):
        name = kind if kind in numbers else "by_bots" if by_bot else "engaged"
        numbers[name] += number
        last_seen = max(int(at), last_seen or 0)
    return History("bounce" in listed, "complaint" in listed, last_seen=last_seen, **numbers)
