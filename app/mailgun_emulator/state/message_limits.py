"""Custom message limits: how many messages an account sends in a calendar month (facts/account.md, 9.2)."""

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import col

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import periods
from mailgun_emulator.mail.periods import Period, Resolution
from mailgun_emulator.state import accounts, statistics
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.statistics import Question
from mailgun_emulator.state.transaction import Tx

LEAST = 1000
COUNTED = "accepted.outgoing"


class NoLimit(NotFound):
    message = "No threshold for account"


class NoLimitToDelete(BadRequest):
    message = "Could not delete threshold for account"


class TooLow(BadRequest):
    """As Mailgun spells it."""

    message = "The limit parameter minumum is 1000"


class NothingToLift(BadRequest):
    message = "Unable to re-enable account with current account disablement"


class MessageLimit(NamedTuple):
    """`current` is how many were sent in this month. One that was `lifted` is not in force for the rest of it."""

    limit: int
    current: int
    lifted: bool = False

    @property
    def is_used_up(self) -> bool:
        return not self.lifted and self.current >= self.limit


class _Kept(NamedTuple):
    message_limit: int | None
    limit_lifted_at: float | None


_KEPT = Query(select(*columns(Account, _Kept._fields)).where(col(Account.id) == bindparam("id")), _Kept)


def used(tx: Tx) -> int:
    """What the account and its subaccounts sent in this month by the account's clock, each recipient counted."""
    month = periods.floor(tx.now, Resolution.MONTH)
    asked = Question(Period(month, month, Resolution.MONTH), frozenset(("accepted",)), subaccounts=True)
    return statistics.measure(tx, (), asked).get((), {}).get(COUNTED, 0)


def find(tx: Tx) -> MessageLimit | None:
    kept = _KEPT.find(tx, id=tx.account_id)
    if kept is None or kept.message_limit is None:
        return None
    lifted_at = kept.limit_lifted_at
    lifted = lifted_at is not None and lifted_at >= periods.floor(tx.now, Resolution.MONTH)
    return MessageLimit(kept.message_limit, used(tx), lifted)


def get(tx: Tx) -> MessageLimit:
    found = find(tx)
    if found is None:
        raise NoLimit
    return found


def put(tx: Tx, limit: int) -> None:
    """From now on; one that is used up already stops the account at once."""
    if limit < LEAST:
        raise TooLow
    account = accounts.get(tx, tx.account_id)
    account.message_limit, account.limit_lifted_at = limit, None


def delete(tx: Tx) -> None:
    account = accounts.get(tx, tx.account_id)
    if account.message_limit is None:
        raise NoLimitToDelete
    account.message_limit = account.limit_lifted_at = None


def lift(tx: Tx) -> None:
    """The account, which has used it up, sends on for the rest of the month."""
    found = find(tx)
    if found is None or not found.is_used_up:
        raise NothingToLift
    accounts.get(tx, tx.account_id).limit_lifted_at = tx.now
