"""Keys: the account's API keys (facts/account.md, 7)."""

from typing import Annotated, ClassVar

from fastapi import APIRouter
from pydantic import BaseModel, Field, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state import account_settings, accounts, domains, keys, users
from mailgun_emulator.state.keys import ApiKey, Kind, Role
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import EMPTY_IS_ABSENT, Form, form
from mailgun_emulator.web.views import Done, only_if_set, refusals

router = APIRouter(tags=["Keys"])

LONGEST_SECONDS = 100 * 365 * DAY
"""Longer would end in a year of five digits, which the format of dates has no room for."""


class InvalidKind(BadRequest):
    message = "expected `kind` param to be one of [domain user web] or absent"


class InvalidRole(BadRequest):
    message = "expected `role` param to be one of [admin basic developer sending]"


class MissingDomain(BadRequest):
    message = "expected `domain_name` param for key of kind `domain`"


class KeyView(BaseModel):
    """Times are ISO 8601 without a zone; `expires_at` and `disabled_reason` are left out when there are none."""

    id: str
    description: str
    kind: str
    role: str
    created_at: str
    updated_at: str
    expires_at: str | None = only_if_set()
    disabled_reason: str | None = only_if_set()
    is_disabled: bool
    domain_name: str | None
    requestor: str | None
    user_name: str | None
    secret: str | None = only_if_set()


class KeyList(BaseModel):
    total_count: int
    items: list[KeyView]


class CreatedKey(BaseModel):
    message: str
    key: KeyView


class PublicKey(BaseModel):
    key: str
    message: str


class KeyForm(Form):
    """`expiration` in seconds; a `web` key lives a day at the most."""

    missing: ClassVar[str] = InvalidRole.message
    invalid: ClassVar[str] = "Invalid parameter: {name} is invalid"
    role: Role
    kind: Kind = Kind.USER
    description: str = ""
    domain_name: str | None = None
    expiration: Annotated[int | None, Field(gt=0, le=LONGEST_SECONDS), EMPTY_IS_ABSENT] = None
    email: str | None = None
    user_id: str | None = None
    user_name: str | None = None

    @field_validator("kind", mode="before")
    @classmethod
    def _known_kind(cls, value: object) -> object:
        if value not in list(Kind):
            raise InvalidKind
        return value

    @field_validator("role", mode="before")
    @classmethod
    def _known_role(cls, value: object) -> object:
        if value not in list(Role):
            raise InvalidRole
        return value


class KeyFilter(Form):
    domain_name: str | None = None
    kind: str | None = None


def view(key: ApiKey, *, secret: str | None = None) -> KeyView:
    return KeyView(
        id=key.id,
        description=key.description,
        kind=key.kind,
        role=key.role,
        created_at=dates.plain_iso(key.created_at),
        updated_at=dates.plain_iso(key.updated_at),
        expires_at=None if key.expires_at is None else dates.plain_iso(key.expires_at),
        disabled_reason=key.disabled_reason,
        is_disabled=key.disabled_reason is not None,
        domain_name=key.domain_name,
        requestor=key.requestor,
        user_name=key.user_name,
        secret=secret,
    )


def lifetime(tx: Tx, asked: KeyForm) -> float | None:
    """In seconds; None without end. A `web` key is a session's: the account may say how long those last."""
    if asked.kind is not Kind.WEB:
        return asked.expiration
    longest = min(account_settings.longest_session(accounts.get(tx, tx.account_id)) or DAY, DAY)
    return min(asked.expiration or longest, longest)


def domain_name(tx: Tx, asked: KeyForm) -> str | None:
    """A key of kind `domain` needs one that the account has."""
    name = (asked.domain_name or "").lower()
    if asked.kind is Kind.DOMAIN:
        if not name:
            raise MissingDomain
        return domains.get(tx, name).name
    return name or None


@router.get("/v1/keys", responses=refusals(400))
async def list_keys(tx: CurrentTx, wanted: Annotated[KeyFilter, form(KeyFilter)]) -> KeyList:
    """List the account's keys, without their secrets."""
    if wanted.kind and wanted.kind not in list(Kind):
        raise InvalidKind
    found = keys.list_keys(tx, domain_name=wanted.domain_name or None, kind=wanted.kind or None)
    return KeyList(total_count=len(found), items=[view(key) for key in found])


@router.post("/v1/keys", responses=refusals(400, 403, 404))
async def create_key(tx: CurrentTx, asked: Annotated[KeyForm, form(KeyForm)]) -> CreatedKey:
    """Make a key; its secret is told this once."""
    keys.check_limit(tx)
    key = keys.create(
        tx,
        tx.account_id,
        kind=asked.kind,
        role=asked.role,
        lifetime=lifetime(tx, asked),
        description=asked.description,
        domain_name=domain_name(tx, asked),
        requestor=asked.email or None,
        user_id=asked.user_id or None,
        user_name=asked.user_name or None,
        disabled_reason=users.why_disabled(tx, asked.user_id) if asked.user_id else None,
    )
    return CreatedKey(message="great success", key=view(key, secret=key.secret))


@router.delete("/v1/keys/{key_id}", responses=refusals(404))
async def delete_key(tx: CurrentTx, key_id: str) -> Done:
    """Delete a key; it opens nothing from now on."""
    keys.delete(tx, key_id)
    return Done(message="key deleted")


@router.post("/v1/keys/public")
async def regenerate_public_key(tx: CurrentTx) -> PublicKey:
    """Replace the public key."""
    account = accounts.get(tx, tx.account_id)
    account.public_key = f"pubkey-{tx.ids.hex(32)}"
    return PublicKey(key=account.public_key, message="The public API key has been successfully regenerated.")
