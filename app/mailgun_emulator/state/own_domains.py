"""The domains that were handed over with an account or added to it, as far as a test needs to know them."""

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import col

from mailgun_emulator.state.domains import Domain, State
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


def list_sending(tx: Tx) -> list[OwnDomain]:
    """Those that send, without the sandbox; the oldest first."""
    return _SENDING.list(tx, account_id=tx.account_id)
