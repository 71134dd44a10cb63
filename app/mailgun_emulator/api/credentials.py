"""Credentials: who may send by SMTP (facts/account.md, 4)."""

from itertools import zip_longest
from typing import Annotated, ClassVar

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import credentials
from mailgun_emulator.state.credentials import SmtpCredential
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import paging
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx
from mailgun_emulator.web.forms import CurrentFields, Flag, Form, form
from mailgun_emulator.web.views import Done, only_if_set, refusals

router = APIRouter(tags=["Credentials"])

NOTE = "Please store your new password(s) now. You won't be able to see it anymore."


class MissingLogin(BadRequest):
    message = "Parameter 'login' is missing"


class MissingMailbox(BadRequest):
    message = "Parameter 'mailbox' is missing"


class MissingPassword(BadRequest):
    message = "Parameter 'password' is missing"


class CredentialsForm(Form):
    """`mailbox` is another name of `login`. Passwords go with logins by position; what lacks one is given one."""

    invalid: ClassVar[str] = "Parameter '{name}' is invalid"
    login: list[str] = Field(default=[])
    mailbox: list[str] = Field(default=[])
    password: list[str] = Field(default=[])
    system: Flag = False


class PasswordForm(Form):
    invalid: ClassVar[str] = "Parameter '{name}' is invalid"
    password: str | None = None


class CredentialView(BaseModel):
    """`size_bytes` is a leftover of mailboxes and always null."""

    mailbox: str
    login: str
    created_at: str
    size_bytes: str | None


class CredentialList(BaseModel):
    items: list[CredentialView]
    total_count: int


class MailboxView(BaseModel):
    """As the first clients knew a credential; here too nothing is kept in it."""

    size_bytes: int
    created_at: str
    mailbox: str


class MailboxList(BaseModel):
    total_count: int
    items: list[MailboxView]


class Stored(BaseModel):
    """`note` and `credentials` are there when a password was generated; `credentials` maps login to password."""

    message: str
    note: str | None = only_if_set()
    credentials: dict[str, str] | None = only_if_set()


class DeletedCredential(BaseModel):
    message: str
    spec: str


class DeletedCredentials(BaseModel):
    message: str
    count: int


def view(credential: SmtpCredential) -> CredentialView:
    return CredentialView(
        mailbox=credential.login,
        login=credential.login,
        created_at=dates.rfc2822(credential.created_at),
        size_bytes=None,
    )


def mailbox_view(credential: SmtpCredential) -> MailboxView:
    return MailboxView(
        size_bytes=0, created_at=dates.rfc2822(credential.created_at, "GMT"), mailbox=credential.login
    )


def stored(message: str, generated: dict[str, str]) -> Stored:
    return Stored(message=message, note=NOTE if generated else None, credentials=generated or None)


def create_pairs(tx: Tx, domain: Domain, asked: CredentialsForm, logins: list[str]) -> dict[str, str]:
    """Return the passwords that were generated, by login."""
    generated = {}
    for login, given in zip_longest(logins, asked.password[: len(logins)]):
        password = credentials.new_password(tx, given)
        made = credentials.create(tx, domain, login, password, system=asked.system)
        if not given:
            generated[made.login] = password
    return generated


@router.get("/v3/domains/{domain}/credentials", responses=refusals(400, 404))
async def list_credentials(tx: CurrentTx, domain: CurrentDomain, fields: CurrentFields) -> CredentialList:
    """List a domain's SMTP logins, without their passwords."""
    limit = paging.number(fields, "limit", 100, most=1000)
    found, total = credentials.list_page(tx, domain, paging.number(fields, "skip", 0), limit)
    return CredentialList(items=[view(credential) for credential in found], total_count=total)


@router.post("/v3/domains/{domain}/credentials", responses=refusals(400, 404))
async def create_credentials(
    tx: CurrentTx, domain: CurrentDomain, asked: Annotated[CredentialsForm, form(CredentialsForm)]
) -> Stored:
    """Make SMTP logins, one or several; a password that is not given is generated and told this once."""
    logins = asked.login or asked.mailbox
    if not all(logins or [""]):
        raise MissingLogin
    generated = create_pairs(tx, domain, asked, logins)
    return stored(f"Created {len(logins)} credentials pair(s)", generated)


@router.delete("/v3/domains/{domain}/credentials", responses=refusals(404))
async def delete_all_credentials(tx: CurrentTx, domain: CurrentDomain) -> DeletedCredentials:
    """Delete all SMTP logins of a domain but those of the system."""
    count = credentials.delete_all(tx, domain)
    return DeletedCredentials(message="All domain credentials have been deleted", count=count)


@router.put("/v3/domains/{domain}/credentials/{login}", responses=refusals(400, 404))
async def update_credentials(
    tx: CurrentTx, domain: CurrentDomain, login: str, asked: Annotated[PasswordForm, form(PasswordForm)]
) -> Stored:
    """Give an SMTP login, named by local part or address, another password; generate one if none is given."""
    credential = credentials.get(tx, domain, login)
    credential.password = credentials.new_password(tx, asked.password)
    generated = {} if asked.password else {credential.login: credential.password}
    return stored("Password changed", generated)


@router.delete("/v3/domains/{domain}/credentials/{login}", responses=refusals(400, 404))
async def delete_credentials(tx: CurrentTx, domain: CurrentDomain, login: str) -> DeletedCredential:
    """Delete an SMTP login, named by local part or address."""
    spec = credentials.delete(tx, domain, login)
    return DeletedCredential(message="Credentials have been deleted", spec=spec)


@router.get("/v3/{domain}/mailboxes", include_in_schema=False)
async def list_mailboxes(tx: CurrentTx, domain: CurrentDomain, fields: CurrentFields) -> MailboxList:
    """List a domain's SMTP logins as the first clients know them."""
    limit = paging.number(fields, "limit", 100, most=1000)
    found, total = credentials.list_page(tx, domain, paging.number(fields, "skip", 0), limit)
    return MailboxList(total_count=total, items=[mailbox_view(credential) for credential in found])


@router.post("/v3/{domain}/mailboxes", include_in_schema=False)
async def create_mailboxes(
    tx: CurrentTx, domain: CurrentDomain, asked: Annotated[CredentialsForm, form(CredentialsForm)]
) -> Done:
    """Make SMTP logins with the passwords that are given; none is generated, as the answer would not tell it."""
    logins = asked.mailbox or asked.login
    if not all(logins or [""]):
        raise MissingMailbox
    if len(list(filter(None, asked.password))) < len(logins):
        raise MissingPassword
    create_pairs(tx, domain, asked, logins)
    return Done(message=f"Created {len(logins)} mailboxes")


@router.put("/v3/{domain}/mailboxes/{login}", include_in_schema=False)
async def update_mailbox(
    tx: CurrentTx, domain: CurrentDomain, login: str, asked: Annotated[PasswordForm, form(PasswordForm)]
) -> Done:
    """Give an SMTP login another password."""
    if not asked.password:
        raise MissingPassword
    credentials.get(tx, domain, login).password = credentials.check_password(asked.password)
    return Done(message="Password changed")


@router.delete("/v3/{domain}/mailboxes/{login}", include_in_schema=False)
async def delete_mailbox(tx: CurrentTx, domain: CurrentDomain, login: str) -> DeletedCredential:
    """Delete an SMTP login."""
    spec = credentials.delete(tx, domain, login)
    return DeletedCredential(message="Mailbox has been deleted", spec=spec)
