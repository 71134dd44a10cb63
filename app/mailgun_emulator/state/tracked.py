"""What links in a domain's messages begin with, and what signs them."""

from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlmodel import col

from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.transaction import Tx


class TrackedDomain(NamedTuple):
    """`signing_key` is the first that its account had: links outlive the making of a new one."""

    id: str
    name: str
    account_id: str
    web_scheme: str
    web_prefix: str
    signing_key: str


_BY_ID = Query(
    select(
        *columns(Domain, TrackedDomain._fields[:-1]),
        func.coalesce(Account.first_signing_key, Account.signing_key),
    )
    .join(Account, col(Account.id) == Domain.account_id)
    .where(col(Domain.id) == bindparam("id"), col(Domain.deleted).is_(False)),
    TrackedDomain,
)


def find(tx: Tx, domain_id: str) -> TrackedDomain | None:
    """Of any account: who follows a link has no key."""
    return _BY_ID.recall(tx, id=domain_id)
