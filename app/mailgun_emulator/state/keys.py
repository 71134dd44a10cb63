"""API keys and what each opens (facts/account.md, 7)."""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam, insert
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.database import Query, Statement, Tx


class KeyNotFound(NotFound):
    message = "no key matching id"


class Kind(StrEnum):
    DOMAIN = "domain"
    USER = "user"
    WEB = "web"


class Role(StrEnum):
    ADMIN = "admin"
    BASIC = "basic"
    SENDING = "sending"
    DEVELOPER = "developer"
    SUPPORT = "support"


class ApiKey(SQLModel, table=True):
    """A key of kind `domain` sends for `domain_name` and does nothing else."""

    __tablename__: ClassVar[Any] = "api_key"
    secret: str = Field(primary_key=True)
    id: str = Field(index=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    kind: str
    role: str
    description: str = ""
    domain_name: str | None = None
    requestor: str | None = None
    user_name: str | None = None
    user_id: str | None = None
    created_at: float
    updated_at: float
    expires_at: float | None = None
    disabled_reason: str | None = None


class Credential(NamedTuple):
    """What a request's key says about its caller."""

    id: str
    account_id: str
    kind: str
    role: str
    domain_name: str | None
    expires_at: float | None
    disabled_reason: str | None


_INSERT = Statement(insert(ApiKey))
_BY_SECRET = Query(
    select(
        ApiKey.id,
        ApiKey.account_id,
        ApiKey.kind,
        ApiKey.role,
        ApiKey.domain_name,
        ApiKey.expires_at,
        ApiKey.disabled_reason,
    ).where(col(ApiKey.secret) == bindparam("secret")),  # type: ignore[call-overload]  # SQLModel types select() up to four columns
    Credential,
)


def create(
    tx: Tx,
    account_id: str,
    *,
    secret: str | None = None,
    kind: Kind = Kind.USER,
    role: Role = Role.ADMIN,
    lifetime: float | None = None,
    **described: Any,
) -> ApiKey:
    """`lifetime` in seconds; `described` are description, domain_name, requestor, user_name, user_id."""
    secret = secret or tx.ids.secret()
    key = ApiKey(
        secret=secret,
        id=key_id(secret),
        account_id=account_id,
        kind=kind,
        role=role,
        created_at=tx.now,
        updated_at=tx.now,
        expires_at=None if lifetime is None else tx.now + lifetime,
        **described,
    )
    _INSERT.run(tx, **key.model_dump())
    return key


def key_id(secret: str) -> str:
    """`8hex-8hex`: the last two parts of a modern secret, a digest of any other (facts/account.md, 0.6)."""
    parts = secret.split("-")
    if len(parts) == 3 and [len(part) for part in parts] == [32, 8, 8]:
        return "-".join(parts[1:])
    import zlib

    digest = secret.encode()
    return f"{zlib.crc32(digest):08x}-{zlib.adler32(digest):08x}"


def find_by_secret(tx: Tx, secret: str) -> Credential | None:
    """None also for a key that has expired or was disabled."""
    found = _BY_SECRET.find(tx, secret=secret)
    if found is None or found.disabled_reason is not None:
        return None
    if found.expires_at is not None and found.expires_at <= tx.now:
        return None
    return found


def list_keys(tx: Tx, *, domain_name: str | None = None, kind: str | None = None) -> list[ApiKey]:
    found = select(ApiKey).where(ApiKey.account_id == tx.account_id)
    if domain_name is not None:
        found = found.where(ApiKey.domain_name == domain_name)
    if kind is not None:
        found = found.where(ApiKey.kind == kind)
    return list(tx.session.exec(found.order_by(col(ApiKey.created_at), col(ApiKey.id))))


def delete(tx: Tx, id: str) -> None:  # noqa: A002 - the column's own name
    found = select(ApiKey).where(ApiKey.account_id == tx.account_id, ApiKey.id == id)
    key = tx.session.exec(found).first()
    if key is None:
        raise KeyNotFound
    tx.session.delete(key)
