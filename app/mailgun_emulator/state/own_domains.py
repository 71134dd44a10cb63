"""The domains that were handed over with an account or added to it, as far as a test needs to know them."""

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import col

from mailgun_emulator.state.domains import SANDBOX, Domain, State
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.transaction import Tx


class OwnDomain(NamedTuple):
    """`automatic`: made by the first message from it."""

    name: str
    automatic: bool


_SENDING = Query(
    select(col(Domain.name), col(Domain.automatic))
    .where(
        col(Domain.account_id) == bindparam("account_id"),
        col(Domain.state) == State.ACTIVE.value,
        col(Domain.type) == "custom",
        col(Domain.deleted).is_(False),
    )
    .order_by(col(Domain.created_at), col(Domain.name).desc()),
    OwnDomain,
)
_HOME = (
    "SELECT id, name FROM domain WHERE account_id = :account AND NOT deleted"
    " ORDER BY type = :sandbox DESC, created_at, id LIMIT 1"
)


def find_home(tx: Tx) -> tuple[str, str] | None:
    """Id and name of the domain that what is of no domain stands with: the sandbox or else the oldest."""
    found: tuple[str, str] | None = tx.read(_HOME, {"account": tx.account_id, "sandbox": SANDBOX}).fetchone()
    return found


def list_sending(tx: Tx) -> list[OwnDomain]:
    """Those that send, without the sandbox; the oldest first."""
    return _SENDING.list(tx, account_id=tx.account_id)
