"""Users: who works with an account (facts/account.md, 9.4)."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.state import keys, users
from mailgun_emulator.state.users import IncompatibleKey, UserRole
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import EMPTY_IS_ABSENT, LARGEST, Form, form
from mailgun_emulator.web.users import UserView, view
from mailgun_emulator.web.views import Done

router = APIRouter(prefix="/v5/users", tags=["Users"])


Number = Annotated[int, BeforeValidator(lambda value: value or 0), Field(default=0, ge=0, le=LARGEST)]


class UserQuery(Form):
    """Without `limit`, or with 0, all that are not skipped."""

    role: Annotated[UserRole | None, EMPTY_IS_ABSENT] = None
    limit: Number = 0
    skip: Number = 0


class UserList(BaseModel):
    users: list[UserView]
    total: int


@router.get("", responses={400: {"model": Done}})
async def list_users(tx: CurrentTx, wanted: Annotated[UserQuery, form(UserQuery)]) -> UserList:
    """List the account's users, the master user first."""
    found = users.list_users(tx, wanted.role)
    end = wanted.skip + wanted.limit if wanted.limit else None
    return UserList(users=[view(user) for user in found[wanted.skip : end]], total=len(found))


@router.get("/me", responses={403: {"model": Done}})
async def get_own_user(request: Request, tx: CurrentTx) -> UserView:
    """Tell whose key it is; only a key of kind `web` is somebody's."""
    key = keys.find(tx, request.scope["mailgun_key_id"])
    if key is None or key.kind != keys.Kind.WEB or not key.user_id:
        raise IncompatibleKey(hint="Make a key of kind web with the user_id of one of GET /v5/users")
    owner = next((user for user in users.list_users(tx) if user.id == key.user_id), None)
    if owner is None:
        raise IncompatibleKey(hint=f"The account has no user {key.user_id}; GET /v5/users lists them")
    return view(owner)


@router.get("/{user_id}", responses={404: {"model": Done}})
async def get_user(tx: CurrentTx, user_id: str) -> UserView:
    """Show one of the account's users."""
    return view(users.get(tx, user_id))
