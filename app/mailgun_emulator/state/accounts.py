"""Accounts: everything else belongs to one."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state import domains, keys, own_domains
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx


class AccountNotFound(NotFound):
    """Only `/_emulator` names accounts, so the words are our own."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account {account_id}; GET /_emulator/accounts lists those there are.")


class ParentIsSubaccount(BadRequest):
    def __init__(self, account_id: str) -> None:
        super().__init__(f"{account_id} is a subaccount itself, and has none of its own.")


class AccountStatus(StrEnum):
    """A `closed` one was deleted: nothing is left of it but its name."""

    OPEN = "open"
    DISABLED = "disabled"
    CLOSED = "closed"


class Account(SQLModel, table=True):
    """`signing_key` signs webhooks; `public_key` was for client-side validation. Times: seconds since 1970.

    Once the signing key was made anew, `first_signing_key` is what the account had before all others: it goes on
    signing the links in mail, so that those of older mail lead somewhere.

    A subaccount has a `parent_id`; only their `status` changes. `features` and `settings` are JSON objects;
    `disabled` is another, why a disabled one is. A `message_limit` is for a month; since `limit_lifted_at` it is not
    for the rest of that month. `clock_offset` and `clock_frozen_at` are those of the account's
    `core.clock.Clock`.
    """

    __tablename__: ClassVar[Any] = "account"
    id: str = Field(primary_key=True)
    name: str
    signing_key: str
    first_signing_key: str | None = None
    public_key: str
    created_at: float
    parent_id: str | None = Field(default=None, foreign_key="account.id", ondelete="CASCADE", index=True)
    status: str = AccountStatus.OPEN.value
    updated_at: float = 0.0
    features: str = "{}"
    settings: str = "{}"
    disabled: str | None = None
    message_limit: int | None = None
    limit_lifted_at: float | None = None
    clock_offset: float = 0.0
    clock_frozen_at: float | None = None


class _Id(NamedTuple):
    id: str


class Standing(NamedTuple):
    """What may keep it from sending, besides message limits."""

    status: str
    disabled: str | None
    features: str


class _Kept(NamedTuple):
    name: str
    signing_key: str
    first_signing_key: str | None
    created_at: float
    parent_id: str | None
    status: str


_INSERT = Statement(insert(Account))
_KEPT = Query(
    select(*columns(Account, _Kept._fields)).where(col(Account.id) == bindparam("id")),
    _Kept,
)
_STANDING = Query(
    select(*columns(Account, Standing._fields)).where(col(Account.id) == bindparam("id")),
    Standing,
)
_ID = Query(select(Account.id).where(col(Account.id) == bindparam("id")), _Id)
_SUBACCOUNTS = Query(select(Account.id).where(col(Account.parent_id) == bindparam("parent_id")), _Id)
_KEEP_CLOCK = Statement(
    update(Account)
    .where(col(Account.id) == bindparam("account_id"))
    .values(clock_offset=bindparam("offset"), clock_frozen_at=bindparam("frozen_at"))
)
_DELETE = Statement(delete(Account).where(col(Account.id) == bindparam("id")))


def create(
    tx: Tx,
    name: str = "",
    *,
    id: str | None = None,  # noqa: A002 - the column's own name
    api_key: str | None = None,
    signing_key: str | None = None,
    domain_names: tuple[str, ...] | None = None,
    parent_id: str | None = None,
    created_at: float | None = None,
) -> Account:
    """An account as Mailgun hands it over: a key, a sandbox domain, and here verified domains as well.

    The oldest is the default one.
    """
    if parent_id is not None and get(tx, parent_id).parent_id is not None:
        raise ParentIsSubaccount(parent_id)
    account_id = id or tx.ids.object_id()
    account = Account(
        id=account_id,
        name=name or f"Account {account_id[:6]}",
        signing_key=signing_key or f"key-{tx.ids.hex(32)}",
        public_key=f"pubkey-{tx.ids.hex(32)}",
        created_at=tx.now if created_at is None else created_at,
        updated_at=tx.now if created_at is None else created_at,
        parent_id=parent_id,
    )
    _INSERT.run(tx, **account.model_dump())
    if parent_id is not None:
        tx.read_parents()
    keys.add(tx, account_id, secret=api_key, description="The account's first key")
    sandbox = f"sandbox{account_id}{account_id[:8]}.mailgun.org"
    domains.add(tx, sandbox, account_id, type="sandbox", state=domains.State.ACTIVE, verified=True)
    for domain_name in (f"{account_id[:8]}.example.com",) if domain_names is None else domain_names:
        domains.add(tx, domain_name, account_id, state=domains.State.ACTIVE, verified=True)
    return account


def ensure_default(tx: Tx, settings: Settings, id: str | None = None) -> Account:  # noqa: A002 - the column's own name
    """The oldest account, with the key, the signing key and the domains that the settings name."""
    account = tx.session.exec(select(Account).order_by(col(Account.created_at)).limit(1)).first()
    if account is None:
        return create(
            tx,
            "Default account",
            id=id,
            api_key=settings.api_key,
            signing_key=settings.signing_key,
            domain_names=settings.domain,
        )
    tx.account_id = account.id
    if keys.find_by_secret(tx, settings.api_key) is None:
        keys.create(tx, account.id, secret=settings.api_key, description="Named at the start")
    for name in settings.domain:
        if domains.find(tx, name) is None:
            domains.create(tx, name, state=domains.State.ACTIVE, verified=True)
    if "signing_key" in settings.model_fields_set:
        account.signing_key, account.first_signing_key = settings.signing_key, None
    return account


def get(tx: Tx, account_id: str) -> Account:
    account = tx.session.get(Account, account_id)
    if account is None:
        raise AccountNotFound(account_id)
    return account


def standing(tx: Tx) -> Standing:
    found = _STANDING.recall(tx, id=tx.account_id)
    if found is None:
        raise AccountNotFound(tx.account_id)
    return found


def renew_signing_key(tx: Tx, account: Account) -> None:
    """Webhooks are signed with another from now on, those that are to be posted yet included."""
    account.first_signing_key = account.first_signing_key or account.signing_key
    account.signing_key, account.updated_at = f"key-{tx.ids.hex(32)}", tx.now


def has_signing_key(tx: Tx, text: str) -> bool:
    """Whether it is the signing key of any account."""
    found = tx.read("SELECT 1 FROM account WHERE signing_key = :text LIMIT 1", {"text": text})
    return found.fetchone() is not None


def find_by_public_key(tx: Tx, key: str) -> str | None:
    """Its id."""
    found = tx.read("SELECT id FROM account WHERE public_key = :key LIMIT 1", {"key": key}).fetchone()
    return None if found is None else str(found[0])


def check(tx: Tx, account_id: str) -> None:
    """That there is such an account."""
    if _ID.find(tx, id=account_id) is None:
        raise AccountNotFound(account_id)


def list_all(tx: Tx) -> list[Account]:
    return list(tx.session.exec(select(Account).order_by(col(Account.created_at), col(Account.id))))


def list_subaccounts(tx: Tx, account_id: str) -> list[str]:
    """Their ids."""
    return [each.id for each in _SUBACCOUNTS.list(tx, parent_id=account_id)]


def names(tx: Tx) -> dict[str, str]:
    """By their ids, of the account and then of its subaccounts, the oldest first."""
    sql = "SELECT id, name FROM account WHERE :own IN (id, parent_id) ORDER BY id = :own DESC, created_at, id"
    return dict(tx.read(sql, {"own": tx.account_id}).fetchall())


def keep_clock(tx: Tx, clock: Clock) -> None:
    """So that it is the same after a restart."""
    _KEEP_CLOCK.run(tx, account_id=tx.account_id, offset=clock.offset, frozen_at=clock.frozen_at)


def delete_account(tx: Tx, account_id: str) -> list[str]:
    """With all that belongs to it, subaccounts and work not yet done included; the ids of those that went."""
    tx.settle()
    gone = [account_id, *list_subaccounts(tx, account_id)]
    if _DELETE.run(tx, id=account_id).rowcount == 0:
        raise AccountNotFound(account_id)
    for each in gone:
        tx.forget_clock(each)
    tx.read_marks()
    tx.read_parents()
    return gone


def reset(tx: Tx, account_id: str) -> list[str]:
    """As it was handed over: the same id, first key, signing key and verified domains, and nothing else. One that is
    closed is empty and stays so. The ids of those that were emptied, its subaccounts, which are gone, included.
    """
    kept = _KEPT.find(tx, id=account_id)
    if kept is None:
        raise AccountNotFound(account_id)
    if kept.status == AccountStatus.CLOSED:
        return [account_id]
    tx.account_id = account_id
    first_key = keys.first_secret(tx)
    names = tuple(domain.name for domain in own_domains.list_sending(tx) if not domain.automatic)
    emptied = delete_account(tx, account_id)
    create(
        tx,
        kept.name,
        id=account_id,
        api_key=first_key or None,
        signing_key=kept.first_signing_key or kept.signing_key,
        domain_names=names,
        parent_id=kept.parent_id,
        created_at=kept.created_at,
    )
    return emptied
