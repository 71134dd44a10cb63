"""What Mailgun bills for besides mail, counted by the hour (facts/sending.md, 7.4)."""

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import col

from mailgun_emulator.mail.periods import HOUR
from mailgun_emulator.state.domains import SANDBOX
from mailgun_emulator.state.statements import Statement
from mailgun_emulator.state.statistics import HourCount
from mailgun_emulator.state.transaction import Tx

_ADDED = insert(HourCount).values({name: bindparam(name) for name in HourCount.model_fields})
_COUNT = Statement(
    _ADDED.on_conflict_do_update(
        index_elements=["domain_id", "metric", "hour"],
        set_={"count": col(HourCount.count) + _ADDED.excluded.count},
    )
)
_DOMAIN = (
    "SELECT id FROM domain WHERE account_id = :account AND NOT deleted"
    " ORDER BY type = :sandbox DESC, created_at, id LIMIT 1"
)


def count(tx: Tx, what: str, number: int, at: float | None = None) -> None:
    """So many more of `usage.what`, now or then. It is of no domain, so it stands with the account's sandbox."""
    row = tx.read(_DOMAIN, {"account": tx.account_id, "sandbox": SANDBOX}).fetchone()
    if row is None or not number:
        return
    hour = int(tx.now if at is None else at) // HOUR * HOUR
    tx.settle()
    _COUNT.run(tx, domain_id=row[0], metric=f"usage.{what}", hour=hour, count=number)
