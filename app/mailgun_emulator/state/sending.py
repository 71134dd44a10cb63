"""What sending asks of a domain, in one look-up."""

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from mailgun_emulator.state.database import Query, Tx, columns
from mailgun_emulator.state.domain_keys import DEFAULT_SELECTOR, DomainKey
from mailgun_emulator.state.domains import Domain


class SendingDomain(NamedTuple):
    """`selector` is that of the key that signs, none as long as the authority's first key was not asked for."""

    id: str
    name: str
    state: str
    type: str
    message_ttl: int
    require_tls: bool
    skip_verification: bool
    archive_to: str | None
    ips: str
    authority: str
    selector: str | None

    @property
    def dkim(self) -> str:
        """Where the key that signs is published."""
        return f"{self.selector or DEFAULT_SELECTOR}._domainkey.{self.authority}"


_Authority = aliased(Domain)
_SELECTOR = (
    select(col(DomainKey.selector))
    .join(_Authority, col(_Authority.id) == DomainKey.domain_id)
    .where(
        col(_Authority.account_id) == Domain.account_id,
        col(_Authority.name) == Domain.authority,
        col(DomainKey.active),
    )
    .order_by(col(DomainKey.id))
    .limit(1)
    .scalar_subquery()
)
_BY_NAME = Query(
    select(*columns(Domain, SendingDomain._fields[:-1]), _SELECTOR).where(
        col(Domain.account_id) == bindparam("account_id"), col(Domain.name) == bindparam("name")
    ),
    SendingDomain,
)


def find(tx: Tx, name: str) -> SendingDomain | None:
    return _BY_NAME.find(tx, account_id=tx.account_id, name=name.lower())
