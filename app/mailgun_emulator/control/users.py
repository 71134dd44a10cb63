"""People: users of an account, whom Mailgun's pages make, and recipients of its sandbox, who agree by mail."""

from fastapi import APIRouter
from pydantic import Field

from mailgun_emulator.state import sandbox_recipients, users
from mailgun_emulator.state.users import UserRole
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import Asked
from mailgun_emulator.web.users import UserView, view
from mailgun_emulator.web.views import REFUSALS, Done

router = APIRouter(prefix="/_emulator", tags=["Emulator"])


class UserChanges(Asked):
    """What is not named stays as it is."""

    name: str | None = Field(None, min_length=1, description="For people.")
    role: UserRole | None = Field(
        None, description="What the user may do at Mailgun; a key has a role of its own."
    )
    activated: bool | None = Field(
        None,
        description="The user followed the link in the activation e-mail; before the master user did, nothing is sent.",
    )
    is_disabled: bool | None = Field(None, description="Keys with the user's id open nothing then.")
    tfa_enabled: bool | None = Field(None, description="The user logs in with two factors.")
    time_zone: str | None = Field(None, min_length=1, description="As `Europe/Berlin`.")


class ChangedUser(UserChanges):
    email: str | None = Field(None, description="No other user of the account has it.")


class NewUser(UserChanges):
    email: str = Field(description="No other user of the account has it.")


class NewRecipient(Asked):
    email: str = Field(description="Whom the sandbox domain may write to.")


@router.post("/users", responses=REFUSALS)
async def create_user(tx: ChosenTx, asked: NewUser) -> UserView:
    """Add a user to the account; a key of kind `web` with the `user_id` is the user's, as `GET /v5/users/me` tells."""
    return view(users.create(tx, **asked.model_dump(exclude_none=True)))


@router.put("/users/{user_id}", responses=REFUSALS)
async def change_user(tx: ChosenTx, user_id: str, asked: ChangedUser) -> UserView:
    """Change a user, the master user of the account perhaps."""
    user = users.get(tx, user_id)
    users.change(tx, user, asked.model_dump(exclude_none=True))
    return view(user)


@router.delete("/users/{user_id}", responses=REFUSALS)
async def delete_user(tx: ChosenTx, user_id: str) -> Done:
    """Delete a user, whose keys open nothing from then on."""
    users.delete(tx, users.get(tx, user_id))
    return Done(message="User deleted")


@router.post("/sandbox_recipients", responses=REFUSALS)
async def add_recipient(tx: ChosenTx, asked: NewRecipient) -> Done:
    """Let the sandbox domain write to somebody, as if they had followed the link in their invitation."""
    recipient = sandbox_recipients.create(tx, asked.email)
    sandbox_recipients.agree(recipient)
    return Done(message=f"{recipient.email} has agreed")
