"""Users: who works with an account (facts/account.md, 9.4)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mailgun_emulator.state import keys, users
from mailgun_emulator.state.users import IncompatibleKey, UserRole
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import LARGEST, FormWithoutBlanks, form
from mailgun_emulator.web.users import UserView, view
from mailgun_emulator.web.views import refusals

router = APIRouter(prefix="/v5/users", tags=["Users"])


class UserQuery(FormWithoutBlanks):
    """Without `limit`, or with 0, all that are not skipped."""

    role: UserRole | None = None
    limit: int = Field(0, ge=0, le=LARGEST)
    skip: int = Field(0, ge=0, le=LARGEST)


class UserList(BaseModel):
    users: list[UserView]
    total: int


@router.get("", responses=refusals(400))
async def list_users(tx: CurrentTx, wanted: Annotated[UserQuery, form(UserQuery)]) -> UserList:
    """List the account's users, the master user first."""
    found = users.list_users(tx, wanted.role)
    end = wanted.skip + wanted.limit if wanted.limit else None
    return UserList(users=[view(user) for user in found[wanted.skip : end]], total=len(found))


@router.get("/me", responses=refusals(403))
async def get_own_user(request: Request, tx: CurrentTx) -> UserView:
    """Tell whose key it is; only a key of kind `web` is somebody's."""
    key = keys.find(tx, request.scope["mailgun_key_id"])
    if key is None or key.kind != keys.Kind.WEB or not key.user_id:
        raise IncompatibleKey(hint="Make a key of kind web with the user_id of one of GET /v5/users")
    owner = next((user for user in users.list_users(tx) if user.id == key.user_id), None)
    if owner is None:
        raise IncompatibleKey(hint=f"The account has no user {key.user_id}; GET /v5/users lists them")
    return view(owner)


@router.get("/{user_id}", responses=refusals(404))
async def get_user(tx: CurrentTx, user_id: str) -> UserView:
    """Show one of the account's users."""
    return view(users.get(tx, user_id))
