"""API keys and what each opens (facts/account.md, 7)."""

from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import bindparam, insert
from sqlalchemy import delete as delete_from
from sqlmodel import Field, SQLModel, col, func, select

from mailgun_emulator.core.errors import Forbidden, NotFound
from mailgun_emulator.state.statements import Query, Statement
from mailgun_emulator.state.transaction import Tx

MOST_KEYS = 500
"""How many Mailgun allows is not known."""


class KeyNotFound(NotFound):
    message = "no key matching id"


class TooManyKeys(Forbidden):
    message = "could not create key, account limit reached"


class Kind(StrEnum):
    DOMAIN = "domain"
    USER = "user"
    WEB = "web"


class Role(StrEnum):
    """`basic` is what Mailgun's pages call analyst."""

    ADMIN = "admin"
    BASIC = "basic"
    SENDING = "sending"
    DEVELOPER = "developer"


ACCOUNT_PATHS = ("/v1/keys", "/v2/ip_whitelist", "/v2/ip/whitelist", "/v5/")
"""Keys, the IP allowlist, account, subaccounts and users: only admins change them."""
QUERIED_BY_POST = ("/v1/analytics/", "/v2/bounce-classification/")


class ApiKey(SQLModel, table=True):
    """A key of kind `domain` sends for `domain_name` and does nothing else.

    A `deleted` one is remembered only so that it is told from a key that never was. Times: seconds since 1970.
    """

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
    deleted: bool = False


class Credential(NamedTuple):
    """What a request's key says about its caller."""

    id: str
    account_id: str
    kind: str
    role: str
    domain_name: str | None
    expires_at: float | None
    disabled_reason: str | None
    deleted: bool


class _Secret(NamedTuple):
    secret: str


_INSERT = Statement(insert(ApiKey))
_FORGET = Statement(delete_from(ApiKey).where(col(ApiKey.secret) == bindparam("secret")))
_FIRST = Query(
    select(ApiKey.secret)
    .where(
        col(ApiKey.account_id) == bindparam("account_id"),
        ApiKey.kind == Kind.USER.value,
        col(ApiKey.deleted).is_(False),
    )
    .order_by(col(ApiKey.created_at), col(ApiKey.id))
    .limit(1),
    _Secret,
)
_BY_SECRET = Query(
    select(*(getattr(ApiKey, name) for name in Credential._fields)).where(
        col(ApiKey.secret) == bindparam("secret")
    ),
    Credential,
)


def allows(role: str, method: str, path: str) -> bool:
    """What a role may do. Mailgun names the roles and says no more; the line is drawn as its pages describe users.

    `sending` sends; `basic` reads; `developer` does all but change the account itself; `admin` does all.
    """
    match role:
        case Role.ADMIN:
            return True
        case Role.SENDING:
            return method == "POST" and path.endswith(("/messages", "/messages.mime"))
        case Role.DEVELOPER:
            return method == "GET" or not path.startswith(ACCOUNT_PATHS)
        case _:
            return method == "GET" or (method == "POST" and path.startswith(QUERIED_BY_POST))


def create(tx: Tx, account_id: str, **wanted: Any) -> ApiKey:
    """As `add`."""
    return ApiKey(**add(tx, account_id, **wanted))


def add(
    tx: Tx,
    account_id: str,
    *,
    secret: str | None = None,
    kind: Kind = Kind.USER,
    role: Role = Role.ADMIN,
    lifetime: float | None = None,
    **described: Any,
) -> dict[str, Any]:
    """The key's columns. `lifetime` in seconds; `described` are description, domain_name, requestor, user_name,
    user_id, disabled_reason.

    A `secret` that was given before and opens nothing any more opens again.
    """
    if secret is None:
        secret = tx.ids.secret()
    else:
        _FORGET.run(tx, secret=secret)
    values = {
        **_defaults(),
        "secret": secret,
        "id": key_id(secret),
        "account_id": account_id,
        "kind": kind,
        "role": role,
        "created_at": tx.now,
        "updated_at": tx.now,
        "expires_at": None if lifetime is None else tx.now + lifetime,
        **described,
    }
    _INSERT.run(tx, **values)
    return values


@cache
def _defaults() -> dict[str, Any]:
    return {name: field.default for name, field in ApiKey.model_fields.items() if not field.is_required()}


def key_id(secret: str) -> str:
    """`8hex-8hex`: the last two parts of a modern secret, a digest of any other (facts/account.md, 0.6)."""
    parts = secret.split("-")
    if len(parts) == 3 and [len(part) for part in parts] == [32, 8, 8]:
        return "-".join(parts[1:])
    import zlib

    digest = secret.encode()
    return f"{zlib.crc32(digest):08x}-{zlib.adler32(digest):08x}"


def first_secret(tx: Tx) -> str:
    """Of the oldest key that opens the account; empty if there is none."""
    found = _FIRST.find(tx, account_id=tx.account_id)
    return "" if found is None else found.secret


def find_by_secret(tx: Tx, secret: str) -> Credential | None:
    """None also for a key that was deleted or disabled or has expired."""
    found = _BY_SECRET.recall(tx, secret=secret)
    if found is None or found.deleted or found.disabled_reason is not None:
        return None
    if found.expires_at is not None and found.expires_at <= tx.now_of(found.account_id):
        return None
    return found


def find_former(tx: Tx, secret: str) -> Credential | None:
    """Also one that opens nothing any more."""
    return _BY_SECRET.find(tx, secret=secret)


def is_known(tx: Tx, secret: str) -> bool:
    """Whether there ever was such a key, even if it opens nothing any more."""
    return find_former(tx, secret) is not None


def check_limit(tx: Tx) -> None:
    """One more key is not too many for the account."""
    own = select(func.count()).where(ApiKey.account_id == tx.account_id, col(ApiKey.deleted).is_(False))
    if tx.session.exec(own).one() >= MOST_KEYS:
        raise TooManyKeys


def list_keys(tx: Tx, *, domain_name: str | None = None, kind: str | None = None) -> list[ApiKey]:
    found = select(ApiKey).where(ApiKey.account_id == tx.account_id, col(ApiKey.deleted).is_(False))
    if domain_name is not None:
        found = found.where(ApiKey.domain_name == domain_name.lower())
    if kind is not None:
        found = found.where(ApiKey.kind == kind)
    return list(tx.session.exec(found.order_by(col(ApiKey.created_at), col(ApiKey.id))))


def find(tx: Tx, id: str) -> ApiKey | None:  # noqa: A002 - the column's own name
    found = select(ApiKey).where(
        ApiKey.account_id == tx.account_id, ApiKey.id == id, col(ApiKey.deleted).is_(False)
    )
    return tx.session.exec(found).first()


def delete(tx: Tx, id: str) -> None:  # noqa: A002 - the column's own name
    key = find(tx, id)
    if key is None:
        raise KeyNotFound
    key.deleted = True
