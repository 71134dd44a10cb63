"""Sending domains (facts/account.md, 1)."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import UniqueConstraint, bindparam, insert
from sqlalchemy import delete as delete_from
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state import jobs
from mailgun_emulator.state.database import Query, Statement, Tx

HTML_FOOTER = '\n<br>\n<p><a href="%unsubscribe_url%">unsubscribe</a></p>\n'
TEXT_FOOTER = "\n\nTo unsubscribe click: <%unsubscribe_url%>\n\n"


class DomainNotFound(NotFound):
    message = "Domain not found"


class DomainTaken(BadRequest):
    message = "This domain name is already taken"


class DomainStays(BadRequest):
    pass


class State(StrEnum):
    ACTIVE = "active"
    UNVERIFIED = "unverified"
    DISABLED = "disabled"


class Domain(SQLModel, table=True):
    """`authority` is the domain whose DKIM keys sign; `automatic` marks one made by the first message from it.

    `dns` (JSON) says of each kind of record what a look-up finds, `checked` what the last one found. A domain that is
    `deleted` has given its name free and is being removed. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "domain"
    __table_args__ = (UniqueConstraint("account_id", "name"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    name: str
    created_at: float
    state: str = State.UNVERIFIED
    type: str = "custom"
    automatic: bool = False
    spam_action: str = "disabled"
    wildcard: bool = False
    require_tls: bool = False
    skip_verification: bool = False
    use_automatic_sender_security: bool = False
    encrypt_incoming_message: bool = False
    web_scheme: str = "http"
    web_prefix: str = "email"
    message_ttl: int = 0
    archive_to: str | None = None
    mailfrom_host: str | None = None
    dkim_host: str | None = None
    dkim_key_size: int = 1024
    authority: str
    pool_id: str | None = None
    ips: str = "[]"
    open_active: bool = False
    open_at_top: bool = False
    click_active: str = "false"
    unsubscribe_active: bool = False
    html_footer: str = HTML_FOOTER
    text_footer: str = TEXT_FOOTER
    rotation_enabled: bool = False
    rotation_interval: int = 120 * 86400
    verified: bool = False
    dns: str = "{}"
    checked: str = "{}"
    disabled: str | None = None
    deleted: bool = False
    verify_window: float = 0
    verify_count: int = 0


class SendingDomain(NamedTuple):
    """What sending asks of a domain."""

    id: str
    name: str
    state: str
    type: str
    message_ttl: int
    require_tls: bool
    skip_verification: bool
    ips: str
    authority: str


_REMOVE = Statement(delete_from(Domain).where(col(Domain.id) == bindparam("id")))
_INSERT = Statement(insert(Domain))
_SENDING = Query(
    select(*(getattr(Domain, name) for name in SendingDomain._fields)).where(
        col(Domain.account_id) == bindparam("account_id"), col(Domain.name) == bindparam("name")
    ),
    SendingDomain,
)


def find(tx: Tx, name: str) -> Domain | None:
    found = select(Domain).where(Domain.account_id == tx.account_id, Domain.name == name.lower())
    return tx.session.exec(found).one_or_none()


def get(tx: Tx, name: str) -> Domain:
    domain = find(tx, name)
    if domain is None:
        raise DomainNotFound
    return domain


def find_sending(tx: Tx, name: str) -> SendingDomain | None:
    return _SENDING.find(tx, account_id=tx.account_id, name=name.lower())


def create(tx: Tx, name: str, account_id: str | None = None, **fields: Any) -> Domain:
    """`fields` are the columns that differ from their defaults."""
    name, owner = name.lower(), account_id or tx.account_id
    if _SENDING.find(tx, account_id=owner, name=name) is not None:
        raise DomainTaken
    domain = Domain(
        id=tx.ids.object_id(),
        account_id=owner,
        name=name,
        created_at=tx.now,
        **{"authority": name, **fields},
    )
    _INSERT.run(tx, **domain.model_dump())
    return domain


def list_domains(
    tx: Tx,
    *,
    state: str | None = None,
    authority: str | None = None,
    search: str | None = None,
    sort: str | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[list[Domain], int]:
    """One page and how many match in all; newest first unless `sort` is `name:asc` or `name:desc`."""
    found = select(Domain).where(Domain.account_id == tx.account_id, col(Domain.deleted).is_(False))
    if state:
        found = found.where(Domain.state == state)
    elif authority:
        found = found.where(Domain.authority == authority.lower())
    if search:
        found = found.where(col(Domain.name).contains(search.lower(), autoescape=True))
    total = tx.session.exec(select(func.count()).select_from(found.subquery())).one()
    match (sort or "").replace(" ", ""):
        case "name" | "name:asc":
            found = found.order_by(col(Domain.name))
        case "name:desc":
            found = found.order_by(col(Domain.name).desc())
        case _:
            found = found.order_by(col(Domain.created_at).desc(), col(Domain.name))
    return list(tx.session.exec(found.offset(skip).limit(limit))), total


def delete(tx: Tx, domain: Domain) -> None:
    """Gone for all who ask, its pending deliveries cancelled; the rows that hang on it go in the background."""
    if domain.type == "sandbox":
        raise DomainStays("Sandbox domains can't be deleted")
    if domain.state == State.DISABLED:
        raise DomainStays("Disabled domains can't be deleted")
    if tx.session.exec(_dependent_on(domain)).first():
        raise DomainStays(f"Domain {domain.name} is the DKIM authority of another domain")
    jobs.cancel_of_domain(tx, domain.id)
    jobs.schedule(tx, jobs.Step.DELETE_DOMAIN, domain.id, domain_id=domain.id)
    domain.name, domain.deleted = f"{domain.name} {domain.id}", True


def _dependent_on(domain: Domain) -> Any:
    return select(Domain).where(
        Domain.account_id == domain.account_id,
        Domain.authority == domain.name,
        Domain.id != domain.id,
        col(Domain.deleted).is_(False),
    )


def remove(tx: Tx, domain_id: str) -> None:
    """With all that hangs on it."""
    _REMOVE.run(tx, id=domain_id)
