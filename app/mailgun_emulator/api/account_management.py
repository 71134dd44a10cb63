"""Account Management: the account's own settings (facts/account.md, 9)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from mailgun_emulator.state import sandbox_recipients
from mailgun_emulator.state.sandbox_recipients import SandboxRecipient
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.views import Done

router = APIRouter(tags=["Account Management"])


class RecipientForm(Form):
    email: str = ""


class RecipientView(BaseModel):
    email: str
    activated: bool


class RecipientList(BaseModel):
    recipients: list[RecipientView]
    limit: int


class InvitedRecipient(BaseModel):
    recipient: RecipientView


def view(recipient: SandboxRecipient) -> RecipientView:
    return RecipientView(email=recipient.email, activated=recipient.activated)


@router.get("/v5/sandbox/auth/recipients", include_in_schema=False)
@router.get("/v5/sandbox/auth_recipients")
async def list_sandbox_recipients(tx: CurrentTx) -> RecipientList:
    """List those that the sandbox domain may write to, and how many there can be."""
    found = [view(recipient) for recipient in sandbox_recipients.list_recipients(tx)]
    return RecipientList(recipients=found, limit=sandbox_recipients.MOST)


@router.post("/v5/sandbox/auth/recipients", include_in_schema=False)
@router.post("/v5/sandbox/auth_recipients", responses={400: {"model": Done}})
async def add_sandbox_recipient(
    tx: CurrentTx, asked: Annotated[RecipientForm, form(RecipientForm)]
) -> InvitedRecipient:
    """Invite a recipient; with nobody to read the invitation, it is accepted right after this answer."""
    recipient = sandbox_recipients.create(tx, asked.email)
    answer = InvitedRecipient(recipient=view(recipient))
    sandbox_recipients.agree(recipient)
    return answer


@router.delete("/v5/sandbox/auth/recipients/{email}", include_in_schema=False)
@router.delete("/v5/sandbox/auth_recipients/{email}", responses={400: {"model": Done}})
async def delete_sandbox_recipient(tx: CurrentTx, email: str) -> Done:
    """Take a recipient off the list; in strict mode the sandbox domain no longer writes to it."""
    sandbox_recipients.delete(tx, email)
    return Done(message=f"Sandbox recipient {email} deleted.")
