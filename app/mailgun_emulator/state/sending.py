"""What sending asks of a domain, in one look-up."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, false, func, literal_column, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from mailgun_emulator.state.accounts import Account, AccountStatus
from mailgun_emulator.state.domain_keys import DEFAULT_SELECTOR, DomainKey
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.transaction import Tx

STORED_SECONDS = 3 * 86400


class SendingDomain(NamedTuple):
    """`selector` is that of the key that signs, none as long as the authority's first key was not asked for.

    `restrained`: there is something that may keep its account from sending, see `pipeline.restraints`.
    """

    id: str
    name: str
    state: str
    type: str
    message_ttl: int
    require_tls: bool
    skip_verification: bool
    wildcard: bool
    spam_action: str
    encrypt_incoming_message: bool
    archive_to: str | None
    ips: str
    pool_id: str | None
    open_active: bool
    open_at_top: bool
    click_active: str
    unsubscribe_active: bool
    html_footer: str
    text_footer: str
    dkim_host: str
    selector: str | None
    restrained: bool

    @property
    def stored_seconds(self) -> int:
        """How long its messages are stored, and so how long they can wait for their delivery."""
        return self.message_ttl or STORED_SECONDS

    @property
    def dkim(self) -> str:
        """Where the key that signs is published."""
        return f"{self.selector or DEFAULT_SELECTOR}._domainkey.{self.dkim_host}"


_Authority = aliased(Domain)
_SELECTOR = (
    select(col(DomainKey.selector))
    .where(col(DomainKey.domain_id) == _Authority.id)
    .order_by(col(DomainKey.active).desc(), col(DomainKey.id))
    .limit(1)
    .scalar_subquery()
)
_Parent = aliased(Account)
_RESTRAINED = or_(
    col(Account.status) != AccountStatus.OPEN.value,
    func.json_extract(Account.features, f"$.{Feature.SENDING}.enabled").is_(false()),
    col(Account.message_limit).is_not(None),
    col(_Parent.message_limit).is_not(None),
    # As text: the table's class takes time to import.
    literal_column(
        "EXISTS (SELECT 1 FROM account_user u WHERE u.account_id = account.id AND u.is_master AND NOT u.activated)"
    ),
)
_BY_NAME = Query(
    select(
        *columns(Domain, SendingDomain._fields[:-3]),
        func.coalesce(_Authority.dkim_host, Domain.authority),
        _SELECTOR,
        _RESTRAINED,
    )
    .join(Account, col(Account.id) == Domain.account_id)
    .outerjoin(_Parent, col(_Parent.id) == Account.parent_id)
    .outerjoin(
        _Authority,
        and_(
            col(_Authority.account_id) == col(Domain.account_id),
            col(_Authority.name) == col(Domain.authority),
        ),
    )
    .where(col(Domain.account_id) == bindparam("account_id"), col(Domain.name) == bindparam("name")),
    SendingDomain,
)


class Owner(NamedTuple):
    account_id: str
    wildcard: bool


_OWNER = Query(
    select(col(Domain.account_id), col(Domain.wildcard))
    .join(Account, col(Account.id) == Domain.account_id)
    .where(col(Domain.name) == bindparam("name"))
    .order_by(col(Account.created_at), col(Account.id))
    .limit(1),
    Owner,
)


def find(tx: Tx, name: str) -> SendingDomain | None:
    return _BY_NAME.recall(tx, account_id=tx.account_id, name=name.lower())


def find_parent(tx: Tx, name: str) -> SendingDomain | None:
    """The nearest domain above it that sends for its subdomains, too."""
    labels = name.split(".")
    for first in range(1, len(labels) - 1):
        parent = find(tx, ".".join(labels[first:]))
        if parent is not None and parent.wildcard:
            return parent
    return None


def account_of(tx: Tx, name: str) -> str | None:
    """The account that mail to this domain is for: the oldest that has it, or has one above it for all below."""
    name = name.lower()
    labels = name.split(".")
    for first in range(max(len(labels) - 1, 1)):
        owner = _OWNER.recall(tx, name=".".join(labels[first:]))
        if owner is not None and (first == 0 or owner.wildcard):
            return owner.account_id
    return None


def has_own_ips(tx: Tx) -> bool:
    """Whether the account has dedicated ones: see `state.domain_ips`."""
    found = tx.read(
        "SELECT 1 FROM account_ip WHERE account_id = :account_id LIMIT 1", {"account_id": tx.account_id}
    )
    return found.fetchone() is not None


def find_receiving(tx: Tx, address: str) -> SendingDomain | None:
    """The account's domain that mail to that address comes in for; a wildcard domain is for those below it, too."""
    name = address.rpartition("@")[2].lower()
    return find(tx, name) or find_parent(tx, name)
