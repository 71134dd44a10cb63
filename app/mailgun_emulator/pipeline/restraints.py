"""What keeps an account from sending: it is disabled, not activated, lacks the feature, or has used up a limit."""

from collections.abc import Iterator

import orjson

from mailgun_emulator.core.errors import BadRequest, Forbidden
from mailgun_emulator.pipeline import letters
from mailgun_emulator.pipeline.reasons import REASONS
from mailgun_emulator.state import accounts, features, message_limits, users
from mailgun_emulator.state.accounts import AccountStatus, Standing
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.message_limits import MessageLimit
from mailgun_emulator.state.transaction import Tx

TOLD_AT = (50, 75, 100)
"""When so many percent of a limit are used the account's owner is told."""


class AccountDisabled(Forbidden):
    """One text for all reasons (facts/sending.md, 1.7); `why` is for who reads hints."""

    def __init__(self, domain: str, why: str) -> None:
        super().__init__(f"Domain {domain} is not allowed to send: Account disabled", hint=why)


class NotActivated(BadRequest):
    """The master user has not followed the link in the letter yet (facts/sending.md, 1.7)."""

    def __init__(self, domain: str) -> None:
        hint = "The link in the letter of POST /v5/accounts/resend_activation_email activates the master user"
        super().__init__(REASONS["not-activated"].text.replace("{domain}", domain), hint=hint)


def check(tx: Tx, domain: str, recipients: int) -> None:
    """Raise if nothing may be sent from the domain now, strict or not; else so many will be."""
    why = _why_disabled(accounts.standing(tx))
    if why:
        raise AccountDisabled(domain, why)
    if not users.is_master_activated(tx):
        raise NotActivated(domain)
    for limit in _limits(tx):
        if limit.is_used_up:
            raise AccountDisabled(domain, _why_used_up(tx, limit))
        _use(tx, limit, recipients)


def refusal_of(tx: Tx, domain: str) -> str | None:
    """Why nothing may be sent from the domain now."""
    try:
        check(tx, domain, 0)
    except (AccountDisabled, NotActivated) as refusal:
        return str(refusal)
    return None


def use(tx: Tx, recipients: int) -> None:
    """So many members of a list will be sent to, even if they are more than a limit leaves."""
    for limit in _limits(tx):
        _use(tx, limit, recipients)


def _limits(tx: Tx) -> Iterator[MessageLimit]:
    """Of the account and its parent, for whom the transaction speaks meanwhile. A parent's limit is for itself and all
    of its subaccounts together, as its bill is.
    """
    for account_id in filter(None, (tx.account_id, tx.parent_id)):
        with tx.speaking_for(account_id):
            limit = message_limits.find(tx)
            if limit is not None:
                yield limit


def _why_disabled(account: Standing) -> str:
    if account.status != AccountStatus.OPEN:
        reason = orjson.loads(account.disabled or "{}").get("reason")
        told = f"The subaccount is {account.status}"
        return f"{told}: {reason}" if reason else told
    if features.is_disabled(account.features, Feature.SENDING):
        return "The subaccount's feature `sending` is disabled"
    return ""


def _why_used_up(tx: Tx, limit: MessageLimit) -> str:
    return (
        f"The custom message limit of {limit.limit} of account {tx.account_id} is used up until the end of "
        "the month; PUT /v5/accounts/limit/custom/enable lifts it"
    )


def _use(tx: Tx, limit: MessageLimit, recipients: int) -> None:
    after = limit.current + recipients
    reached = [at for at in TOLD_AT if limit.current * 100 < limit.limit * at <= after * 100]
    if reached:
        _tell(tx, limit, reached[-1])


def _tell(tx: Tx, limit: MessageLimit, percent: int) -> None:
    text = f"Your account has sent {percent}% of the {limit.limit} messages that you set as its limit for this month."
    if percent == TOLD_AT[-1]:
        text += " It is disabled until the month ends or you enable it again."
    letters.send(tx, [users.get_master(tx).email], f"{percent}% of your custom message limit used", text)
