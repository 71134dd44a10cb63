"""What a parent lets its subaccounts do (facts/account.md, 8)."""

from enum import StrEnum
from typing import NamedTuple

import orjson
from sqlalchemy import bindparam
from sqlmodel import col, select

from mailgun_emulator.core.errors import Forbidden
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.transaction import Tx


class Feature(StrEnum):
    """All are enabled until the parent says otherwise. `validations_bulk` is about whole lists."""

    EMAIL_PREVIEW = "email_preview"
    INBOX_PLACEMENT = "inbox_placement"
    SENDING = "sending"
    VALIDATIONS = "validations"
    VALIDATIONS_BULK = "validations_bulk"


class _Kept(NamedTuple):
    features: str


_KEPT = Query(select(Account.features).where(col(Account.id) == bindparam("id")), _Kept)


def check(tx: Tx, feature: Feature) -> None:
    """That the account may use it; else 403 `Forbidden`, Mailgun's own words not being known."""
    kept = _KEPT.recall(tx, id=tx.account_id)
    if kept is not None and kept.features != "{}" and is_disabled(kept.features, feature):
        raise Forbidden(hint=f"The subaccount's parent has disabled its feature `{feature}`")


def is_disabled(features: str, feature: Feature) -> bool:
    """Of what is kept of an account."""
    told = orjson.loads(features).get(feature)
    return told is not None and not told["enabled"]


def put(tx: Tx, account: Account, changes: dict[Feature, bool]) -> dict[str, dict[str, bool]]:
    """Enable or disable; all that was ever said of the account's features."""
    told: dict[str, dict[str, bool]] = orjson.loads(account.features)
    told |= {feature.value: {"enabled": enabled} for feature, enabled in changes.items()}
    account.features, account.updated_at = orjson.dumps(told).decode(), tx.now
    return told
