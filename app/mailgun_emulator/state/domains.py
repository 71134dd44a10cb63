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


REMOVED_AT_ONCE = 1000


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


class FormerDomain(SQLModel, table=True):
    """A name whose domain was deleted: no message makes it anew."""

    __tablename__: ClassVar[Any] = "former_domain"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    name: str = Field(primary_key=True)


class _Id(NamedTuple):
    id: str


_REMOVE = Statement(delete_from(Domain).where(col(Domain.id) == bindparam("id")))
_INSERT = Statement(insert(Domain))
_IDS = Query(select(Domain.id), _Id)
_ID = Query(
    select(Domain.id).where(
        col(Domain.account_id) == bindparam("account_id"), col(Domain.name) == bindparam("name")
    ),
    _Id,
)
_RESURRECT = Statement(
    delete_from(FormerDomain).where(
        col(FormerDomain.account_id) == bindparam("account_id"), col(FormerDomain.name) == bindparam("name")
    )
)


def find(tx: Tx, name: str) -> Domain | None:
    found = select(Domain).where(Domain.account_id == tx.account_id, Domain.name == name.lower())
    return tx.session.exec(found).one_or_none()


def get(tx: Tx, name: str) -> Domain:
    domain = find(tx, name)
    if domain is None:
        raise DomainNotFound
    return domain


def was_deleted(tx: Tx, name: str) -> bool:
    return tx.session.get(FormerDomain, (tx.account_id, name.lower())) is not None


def list_ids(tx: Tx) -> list[str]:
    """Of all accounts, those that are being removed included."""
    return [each.id for each in _IDS.list(tx)]


def create(tx: Tx, name: str, account_id: str | None = None, **fields: Any) -> Domain:
    """`fields` are the columns that differ from their defaults."""
    name, owner = name.lower(), account_id or tx.account_id
    if _ID.find(tx, account_id=owner, name=name) is not None:
        raise DomainTaken
    _RESURRECT.run(tx, account_id=owner, name=name)
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
    tx.session.merge(FormerDomain(account_id=domain.account_id, name=domain.name))
    domain.name, domain.deleted = f"{domain.name} {domain.id}", True


def _dependent_on(domain: Domain) -> Any:
    return select(Domain).where(
        Domain.account_id == domain.account_id,
        Domain.authority == domain.name,
        Domain.id != domain.id,
        col(Domain.deleted).is_(False),
    )


def remove_some(tx: Tx, job: jobs.DueJob) -> None:
    """Take away what hangs on a deleted domain, a part at a time, so that nobody waits for long; the domain last."""
    for table in ("event", "message"):
        part = f"SELECT id FROM {table} WHERE domain_id = :id LIMIT {REMOVED_AT_ONCE}"  # noqa: S608 - no input
        gone = tx.execute(f"DELETE FROM {table} WHERE id IN ({part})", {"id": job.subject})  # noqa: S608 - no input
        if gone.rowcount:
            jobs.schedule(tx, jobs.Step.DELETE_DOMAIN, job.subject, domain_id=job.domain_id)
            return
    _REMOVE.run(tx, id=job.subject)
