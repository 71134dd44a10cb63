"""What Mailgun bills for besides mail, counted by the hour (facts/sending.md, 7.4)."""

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import col

from mailgun_emulator.mail.periods import HOUR
from mailgun_emulator.state import own_domains
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


def count(tx: Tx, what: str, number: int, at: float | None = None) -> None:
    """So many more of `usage.what`, now or then. It is of no domain, so it stands with the account's sandbox."""
    home = own_domains.find_home(tx)
    if home is None or not number:
        return
    hour = int(tx.now if at is None else at) // HOUR * HOUR
    tx.settle()
    _COUNT.run(tx, domain_id=home[0], metric=f"usage.{what}", hour=hour, count=number)
