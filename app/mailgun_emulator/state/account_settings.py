"""What an account says of itself: how long sessions last, which features it has turned on (facts/account.md, 9.1)."""

from typing import Any

import orjson

from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.transaction import Tx

INACTIVE_TIMEOUT = "inactive_session_timeout"
ABSOLUTE_TIMEOUT = "absolute_session_timeout"
REDACTS_PII = "webhooks_redact_pii"


def read(account: Account) -> dict[str, Any]:
    """All that was ever said, by its name."""
    told: dict[str, Any] = orjson.loads(account.settings)
    return told


def find(tx: Tx, name: str) -> int | None:
    """A number of the transaction's account, without a look at the rest of it."""
    sql = "SELECT json_extract(settings, '$.' || :name) FROM account WHERE id = :account"
    row = tx.read(sql, {"name": name, "account": tx.account_id}).fetchone()
    return row[0] if row is not None and isinstance(row[0], int) else None


def change(tx: Tx, account: Account, changes: dict[str, Any]) -> None:
    """What is not named stays as it is."""
    account.settings = orjson.dumps({**read(account), **changes}).decode()
    account.updated_at = tx.now


def longest_session(account: Account) -> int | None:
    """In seconds, if the account says so."""
    seconds = read(account).get(ABSOLUTE_TIMEOUT)
    return seconds if isinstance(seconds, int) else None


def redacts(settings: str) -> bool:
    """Whether webhooks keep to themselves who a message was for; `settings` as they are kept."""
    return settings != "{}" and bool(orjson.loads(settings).get(REDACTS_PII))
