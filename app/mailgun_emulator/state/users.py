"""Who works with an account (facts/account.md, 9.4)."""

from enum import StrEnum
from hashlib import blake2b
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, Forbidden, NotFound
from mailgun_emulator.mail import addresses
from mailgun_emulator.state import accounts
from mailgun_emulator.state.accounts import Account
from mailgun_emulator.state.transaction import Tx

DISABLED = "user disabled"
"""Why keys of a user who is disabled or gone open nothing."""


class UserNotFound(NotFound):
    message = "No such user exists"


class IncompatibleKey(Forbidden):
    message = "Incompatible key for this endpoint"


class UserExists(BadRequest):
    """Only `/_emulator` makes users, so the words are our own."""

    def __init__(self, email: str) -> None:
        super().__init__(f"There is a user {email} already; PUT /_emulator/users/{{id}} changes it.")


class NotAnEmail(BadRequest):
    def __init__(self, email: str) -> None:
        super().__init__(f"{email!r} is no e-mail address, as jane@example.com is.")


class MasterStays(BadRequest):
    message = "The master user stays as long as the account; PUT /_emulator/users/{id} changes it."


class UserRole(StrEnum):
    """`basic` is what Mailgun's pages call analyst."""

    BASIC = "basic"
    BILLING = "billing"
    SUPPORT = "support"
    DEVELOPER = "developer"
    ADMIN = "admin"


class User(SQLModel, table=True):
    """`email` in lower case, one for each user of an account. The master user is kept once it was changed."""

    __tablename__: ClassVar[Any] = "account_user"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    name: str
    email: str
    role: str = UserRole.BASIC
    activated: bool = True
    is_disabled: bool = False
    is_master: bool = False
    tfa_enabled: bool = False
    time_zone: str = "US/Eastern"
    created_at: float


def list_users(tx: Tx, role: str | None = None) -> list[User]:
    """The master user first, then in the order in which they came."""
    own = select(User).where(User.account_id == tx.account_id)
    kept = list(tx.session.exec(own.order_by(col(User.created_at), col(User.id))))
    if not any(user.is_master for user in kept):
        kept.append(_master(accounts.get(tx, tx.account_id)))
    kept.sort(key=lambda user: not user.is_master)
    return [user for user in kept if role in (None, user.role)]


def _master(account: Account) -> User:
    """As the account was handed over: it is known by the account alone, so that making one costs nothing."""
    return User(
        id=master_id(account.id),
        account_id=account.id,
        name=account.name,
        email=f"owner@{account.id[:8].lower()}.example.com",
        role=UserRole.ADMIN,
        is_master=True,
        created_at=account.created_at,
    )


def master_id(account_id: str) -> str:
    return blake2b(account_id.encode(), digest_size=12, person=b"master user").hexdigest()


def get(tx: Tx, user_id: str) -> User:
    for user in list_users(tx):
        if user.id == user_id:
            return user
    raise UserNotFound


def get_master(tx: Tx) -> User:
    return list_users(tx)[0]


def is_master_activated(tx: Tx) -> bool:
    asked = "SELECT activated FROM account_user WHERE account_id = :account AND is_master"
    kept = tx.read(asked, {"account": tx.account_id}).fetchone()
    return kept is None or bool(kept[0])


def create(tx: Tx, email: str, **described: Any) -> User:
    """`described` are columns."""
    values = _checked(tx, {**described, "email": email})
    values["name"] = values.get("name") or str(values["email"]).partition("@")[0]
    return tx.add(User(id=tx.ids.object_id(), account_id=tx.account_id, created_at=tx.now, **values))


def change(tx: Tx, user: User, changes: dict[str, Any]) -> None:
    """Keys of a user who is disabled open nothing, until the user is enabled again."""
    for name, value in _checked(tx, changes, user.id).items():
        setattr(user, name, value)
    tx.session.add(user)
    if "is_disabled" in changes:
        _close_keys(tx, user.id, closed=user.is_disabled)


def delete(tx: Tx, user: User) -> None:
    """Their keys open nothing from now on."""
    if user.is_master:
        raise MasterStays
    _close_keys(tx, user.id, closed=True)
    tx.session.delete(user)


def activate(tx: Tx, user_id: str) -> User:
    user = get(tx, user_id)
    if not user.activated:
        change(tx, user, {"activated": True})
    return user


def _checked(tx: Tx, values: dict[str, Any], user_id: str = "") -> dict[str, Any]:
    if "email" not in values:
        return values
    try:
        email = addresses.parse(values["email"]).email.lower()
    except addresses.NotAnAddress:
        raise NotAnEmail(values["email"]) from None
    if any(user.email == email and user.id != user_id for user in list_users(tx)):
        raise UserExists(email)
    return {**values, "email": email}


def why_disabled(tx: Tx, user_id: str) -> str | None:
    """The reason that a key of theirs opens nothing, if it does not."""
    return DISABLED if any(user.id == user_id and user.is_disabled for user in list_users(tx)) else None


def _close_keys(tx: Tx, user_id: str, *, closed: bool) -> None:
    tx.execute(
        "UPDATE api_key SET disabled_reason = :reason, updated_at = :now"
        " WHERE account_id = :account AND user_id = :user AND disabled_reason IS :before",
        {
            "account": tx.account_id,
            "user": user_id,
            "now": tx.now,
            "reason": DISABLED if closed else None,
            "before": None if closed else DISABLED,
        },
    )
