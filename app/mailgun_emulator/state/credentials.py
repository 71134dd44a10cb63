"""SMTP credentials of a domain (facts/account.md, 4)."""

from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import addresses
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.transaction import Tx


class CredentialNotFound(NotFound):
    message = "Credentials not found"


class MailboxExists(BadRequest):
    message = "Mailbox already exists"


class InvalidLogin(BadRequest):
    message = "Parameter 'login' is invalid"


class PasswordLength(BadRequest):
    message = "Password is too short. It must be between 5 and 32 characters."


class SystemMailbox(BadRequest):
    message = "Cannot delete system mailbox: {login}"


class SmtpCredential(SQLModel, table=True):
    """`login` is the full address in lower case; a `system` one can't be deleted."""

    __tablename__: ClassVar[Any] = "smtp_credential"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    login: str = Field(primary_key=True)
    password: str
    system: bool = False
    created_at: float


class Login(NamedTuple):
    """What a password opens: that domain of that account."""

    account_id: str
    domain_name: str
    password: str


_BY_LOGIN = Query(
    select_columns(col(Domain.account_id), col(Domain.name), col(SmtpCredential.password))
    .join_from(SmtpCredential, Domain, col(Domain.id) == SmtpCredential.domain_id)
    .join(Account, col(Account.id) == Domain.account_id)
    .where(col(SmtpCredential.login) == bindparam("login"), col(Domain.deleted).is_(False))
    .order_by(col(Account.created_at), col(Account.id)),
    Login,
)


def full_login(domain: Domain, login: str) -> str:
    """`someone` and `someone@domain` name the same credential."""
    return (login if "@" in login else f"{login}@{domain.name}").lower()


def check_password(password: str) -> str:
    if not 5 <= len(password) <= 32:
        raise PasswordLength
    return password


def new_password(tx: Tx, given: str | None) -> str:
    """The given one if it will do, one of our own making if none is given."""
    return check_password(given) if given else tx.ids.secret()


def find(tx: Tx, domain: Domain, login: str) -> SmtpCredential | None:
    return tx.session.get(SmtpCredential, (domain.id, full_login(domain, login)))


def get(tx: Tx, domain: Domain, login: str) -> SmtpCredential:
    credential = find(tx, domain, login)
    if credential is None:
        raise CredentialNotFound
    return credential


def list_by_login(tx: Tx, login: str) -> list[Login]:
    """Those of all accounts that have a domain of that name, the oldest account first."""
    return _BY_LOGIN.list(tx, login=login)


def create(tx: Tx, domain: Domain, login: str, password: str, *, system: bool = False) -> SmtpCredential:
    """`login` may be a local part or an address of the domain, not one of another."""
    if find(tx, domain, login) is not None:
        raise MailboxExists
    return tx.add(
        SmtpCredential(
            domain_id=domain.id,
            login=_checked_login(domain, login),
            password=password,
            system=system,
            created_at=tx.now,
        )
    )


def _checked_login(domain: Domain, login: str) -> str:
    full = full_login(domain, login)
    try:
        address = addresses.parse(full)
    except addresses.NotAnAddress:
        raise InvalidLogin from None
    if address.email != full or address.domain != domain.name:
        raise InvalidLogin
    return full


def put_postmaster(tx: Tx, domain: Domain, password: str) -> None:
    """What `smtp_password` of a domain sets."""
    postmaster = find(tx, domain, "postmaster")
    if postmaster is None:
        create(tx, domain, "postmaster", check_password(password), system=True)
    else:
        postmaster.password = check_password(password)


def list_page(tx: Tx, domain: Domain, skip: int, limit: int) -> tuple[list[SmtpCredential], int]:
    own = select(SmtpCredential).where(SmtpCredential.domain_id == domain.id)
    total = tx.session.exec(select(func.count()).select_from(own.subquery())).one()
    order = col(SmtpCredential.created_at), col(SmtpCredential.login)
    return list(tx.session.exec(own.order_by(*order).offset(skip).limit(limit))), total


def delete(tx: Tx, domain: Domain, login: str) -> str:
    """Return the full address of what is gone."""
    credential = get(tx, domain, login)
    if credential.system:
        raise SystemMailbox(SystemMailbox.message.format(login=credential.login))
    tx.session.delete(credential)
    return credential.login


def delete_all(tx: Tx, domain: Domain) -> int:
    """Return how many went; those of the system stay."""
    own = select(SmtpCredential).where(
        SmtpCredential.domain_id == domain.id, col(SmtpCredential.system).is_(False)
    )
    gone = list(tx.session.exec(own))
    for credential in gone:
        tx.session.delete(credential)
    return len(gone)
