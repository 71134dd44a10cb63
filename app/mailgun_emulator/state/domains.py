"""Sending domains (facts/account.md, 1)."""

from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import UniqueConstraint, and_, bindparam, insert, text
from sqlalchemy import delete as delete_from
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import hosts
from mailgun_emulator.state import jobs
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

HTML_FOOTER = '\n<br>\n<p><a href="%unsubscribe_url%">unsubscribe</a></p>\n'
TEXT_FOOTER = "\n\nTo unsubscribe click: <%unsubscribe_url%>\n\n"
SANDBOX = "sandbox"
NO_IPS = '["none"]'
"""What `ips` of a domain are that all were taken from: it can't send until it is given some."""


class DomainNotFound(NotFound):
    message = "Domain not found"


class DomainTaken(BadRequest):
    message = "This domain name is already taken"


class InvalidPrefix(BadRequest):
    message = "Invalid parameter: web_prefix is invalid"


class EncryptionStays(BadRequest):
    message = "Invalid parameter: encrypt_incoming_message can't be turned off"


class State(StrEnum):
    ACTIVE = "active"
    UNVERIFIED = "unverified"
    DISABLED = "disabled"


class Finding(StrEnum):
    """What the look-up of a DNS record finds."""

    FOUND = "found"
    WRONG = "wrong"
    MISSING = "missing"


ALL_FOUND = orjson.dumps(dict.fromkeys(("spf", "mx", "cname"), Finding.FOUND)).decode()
"""What a look-up finds of a domain that is verified."""


class Domain(SQLModel, table=True):
    """`authority` is the domain whose DKIM keys sign; `automatic` marks one made by the first message from it.

    `dkim_host` is where its own keys are published, if that is not its name. `dns` (JSON) says what a look-up will
    find, by kind or name of record; `checked` (JSON) what the last one found, by kind: a record that is not there was
    never seen. `ips` is a JSON list, empty if it sends by the account's shared one. `verified` tells whether SPF and
    DKIM were found, whatever `state` says. A domain that is `deleted` has given its name free and is being removed.
    Times: seconds since 1970.
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


class DomainDetails(NamedTuple):
    """What is told of a domain; the `signer_…` are those of its authority."""

    id: str
    name: str
    created_at: float
    state: str
    type: str
    spam_action: str
    wildcard: bool
    require_tls: bool
    skip_verification: bool
    use_automatic_sender_security: bool
    encrypt_incoming_message: bool
    web_scheme: str
    web_prefix: str
    message_ttl: int
    archive_to: str | None
    mailfrom_host: str | None
    disabled: str | None
    checked: str
    signer_id: str
    signer_host: str
    signer_automatic: bool


def of_accounts(parameter: str, *, subaccounts: bool) -> str:
    """As a condition in SQL: the domains of the account that the parameter names, or of its subaccounts as well."""
    if not subaccounts:
        return f"domain.account_id = {parameter}"
    return f"domain.account_id IN (SELECT id FROM account WHERE id = {parameter} OR parent_id = {parameter})"  # noqa: S608 - a parameter's name


class OwnedDomain(NamedTuple):
    id: str
    account_id: str


class _Id(NamedTuple):
    id: str


_Signer = aliased(Domain)
_DETAILS = Query(
    select_columns(
        *columns(Domain, DomainDetails._fields[:-3]),
        func.coalesce(_Signer.id, Domain.id),
        func.coalesce(_Signer.dkim_host, _Signer.name, Domain.dkim_host, Domain.name),
        func.coalesce(_Signer.use_automatic_sender_security, Domain.use_automatic_sender_security),
    )
    .outerjoin(
        _Signer,
        and_(col(_Signer.account_id) == Domain.account_id, col(_Signer.name) == Domain.authority),
    )
    .where(col(Domain.account_id) == bindparam("account_id"), col(Domain.name) == bindparam("name")),
    DomainDetails,
)
_INSERT = Statement(insert(Domain))
_OWNED = Query(select(Domain.id, Domain.account_id), OwnedDomain)
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


def find_details(tx: Tx, name: str) -> DomainDetails | None:
    return _DETAILS.find(tx, account_id=tx.account_id, name=name.lower())


def get_details(tx: Tx, name: str) -> DomainDetails:
    details = find_details(tx, name)
    if details is None:
        raise DomainNotFound
    return details


def signer_of(tx: Tx, domain: Domain) -> Domain:
    """The domain whose keys sign: its authority."""
    return domain if domain.authority == domain.name else find(tx, domain.authority) or domain


def was_deleted(tx: Tx, name: str) -> bool:
    return tx.session.get(FormerDomain, (tx.account_id, name.lower())) is not None


def list_names(tx: Tx) -> list[str]:
    """Of all of the account's, in the order of the alphabet."""
    found = tx.read(
        "SELECT name FROM domain WHERE account_id = :account_id AND NOT deleted ORDER BY name",
        {"account_id": tx.account_id},
    )
    return [name for (name,) in found]


def list_owned(tx: Tx) -> list[OwnedDomain]:
    """Of all accounts, those that are being removed included."""
    return _OWNED.list(tx)


def create(tx: Tx, name: str, account_id: str | None = None, **fields: Any) -> Domain:
    """`fields` are the columns that differ from their defaults."""
    return Domain(**add(tx, name, account_id, **fields))


def add(tx: Tx, name: str, account_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """As `create`, but nobody needs the domain; its columns."""
    name, owner = name.lower(), account_id or tx.account_id
    if _ID.find(tx, account_id=owner, name=name) is not None:
        raise DomainTaken
    _RESURRECT.run(tx, account_id=owner, name=name)
    if fields.get("verified"):
        fields = {"checked": ALL_FOUND, **fields}
    values = {
        **_defaults(),
        "id": tx.ids.object_id(),
        "account_id": owner,
        "name": name,
        "created_at": tx.now,
        "authority": name,
        **fields,
    }
    _INSERT.run(tx, **values)
    return values


@cache
def _defaults() -> dict[str, Any]:
    return {name: field.default for name, field in Domain.model_fields.items() if not field.is_required()}


def authority_of_new(tx: Tx, name: str) -> str:
    """Its root, if the account has that too; else the domain itself (facts/account.md, 1.3)."""
    root = hosts.root_of(name)
    return root if _ID.find(tx, account_id=tx.account_id, name=root) is not None else name


def list_domains(
    tx: Tx,
    *,
    state: str | None = None,
    authority: str | None = None,
    search: str | None = None,
    sort: str | None = None,
    skip: int = 0,
    limit: int = 100,
    include_subaccounts: bool = False,
) -> tuple[list[Domain], int]:
    """One page and how many match in all; newest first unless `sort` is `name:asc` or `name:desc`."""
    owned = text(of_accounts(":owner", subaccounts=include_subaccounts)).bindparams(owner=tx.account_id)
    found = select(Domain).where(owned, col(Domain.deleted).is_(False))
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


def update(tx: Tx, domain: Domain, **settings: Any) -> None:
    """Set columns, with what follows from each."""
    for name, value in settings.items():
        match name:
            case "web_prefix":
                set_web_prefix(tx, domain, value)
            case "mailfrom_host":
                set_mailfrom_host(domain, value)
            case "use_automatic_sender_security":
                set_automatic_sender_security(tx, domain, on=value)
            case "encrypt_incoming_message" if domain.encrypt_incoming_message and not value:
                raise EncryptionStays
            case _:
                setattr(domain, name, value)


def set_web_prefix(tx: Tx, domain: Domain, prefix: str) -> None:
    """The tracking host is `prefix.name` from now on; its record was never looked up."""
    prefix = prefix.lower()
    if not hosts.is_atom(prefix):
        raise InvalidPrefix
    if prefix != domain.web_prefix:
        domain.web_prefix = prefix
        _forget(domain, "cname")


def set_mailfrom_host(domain: Domain, host: str | None) -> None:
    """Messages are sent in the name of `host`, so that is where SPF is looked up from now on."""
    if host != domain.mailfrom_host:
        domain.mailfrom_host = host
        _forget(domain, "spf")


def set_automatic_sender_security(tx: Tx, domain: Domain, *, on: bool) -> None:
    """Other keys are to sign, so the domain is to be verified anew; the old ones sign as long as it is not."""
    if on == domain.use_automatic_sender_security:
        return
    domain.use_automatic_sender_security = on
    if on:
        domain.authority = domain.name
    else:
        domain.rotation_enabled = False
        jobs.cancel(tx, jobs.Step.ROTATE_KEYS, domain.id)
    set_verified(domain, verified=False)


def set_authority(tx: Tx, domain: Domain, *, own: bool) -> bool:
    """Whether that changed anything: only a root of the account's signs for others, and not automatically."""
    wanted = domain.name
    if not own and not domain.use_automatic_sender_security:
        wanted = authority_of_new(tx, domain.name)
    if wanted == domain.authority:
        return False
    domain.authority = wanted
    set_verified(domain, verified=False)
    return True


def set_verified(domain: Domain, *, verified: bool) -> None:
    """A sandbox domain stays active, a disabled one disabled (facts/account.md, 1.8)."""
    domain.verified = verified
    if domain.type != SANDBOX and domain.state != State.DISABLED:
        domain.state = State.ACTIVE if verified else State.UNVERIFIED


def _forget(domain: Domain, kind: str) -> None:
    checked = orjson.loads(domain.checked)
    checked.pop(kind, None)
    domain.checked = orjson.dumps(checked).decode()


def disable(tx: Tx, domain: Domain, about: dict[str, Any], until: float | None = None) -> None:
    """`about` is what the domain tells of it; `until` (seconds since 1970) gives it back by itself."""
    domain.state, domain.disabled = State.DISABLED, orjson.dumps(about).decode()
    jobs.cancel(tx, jobs.Step.ENABLE_DOMAIN, domain.id)
    if until is not None:
        jobs.schedule(tx, jobs.Step.ENABLE_DOMAIN, domain.id, domain_id=domain.id, after=until - tx.now)


def enable(tx: Tx, domain: Domain) -> None:
    """Back to the state that the last check of its records left."""
    if domain.state == State.DISABLED:
        active = domain.verified or domain.type == SANDBOX
        domain.state, domain.disabled = State.ACTIVE if active else State.UNVERIFIED, None
        jobs.cancel(tx, jobs.Step.ENABLE_DOMAIN, domain.id)


def enable_when_due(tx: Tx, job: jobs.DueJob) -> None:
    domain = tx.session.get(Domain, job.subject)
    if domain is not None:
        enable(tx, domain)
