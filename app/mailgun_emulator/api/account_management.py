"""Account Management: the account's own settings (facts/account.md, 9)."""

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.pipeline import confirming
from mailgun_emulator.state import account_settings, accounts, sandbox_recipients, users
from mailgun_emulator.state.sandbox_recipients import SandboxRecipient
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.features import NoValidUpdates, Switched
from mailgun_emulator.web.forms import EMPTY_IS_ABSENT, Form, form
from mailgun_emulator.web.hints import hint
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import Done, Succeeded, refusals

router = APIRouter(tags=["Account Management"])

LONGEST_TIMEOUT = 2**31 - 1


class NothingToUpdate(BadRequest):
    message = (
        "Either `name`, `absolute_timeout`, `inactive_timeout`, or `logout_redirect_url` must be provided to "
        "update account info."
    )


Timeout = Annotated[int | None, Field(gt=0, le=LONGEST_TIMEOUT), EMPTY_IS_ABSENT]


class AccountForm(Form):
    """Timeouts in seconds. A `web` key, which a session has, lives no longer than `absolute_session_timeout`, and no
    longer than `inactive_session_timeout` without being used.
    """

    name: str = ""
    inactive_session_timeout: Timeout = None
    absolute_session_timeout: Timeout = None
    logout_redirect_url: str | None = None

    def settings(self) -> dict[str, Any]:
        """All but the name, as far as it was given."""
        return {name: value for name, value in self.model_dump(exclude={"name"}).items() if value is not None}


class FeaturesForm(Form):
    """Each is `{"enabled": true}` as JSON text. With `webhooks_redact_pii` webhooks don't tell whom they are about."""

    invalid: ClassVar[str] = NoValidUpdates.message
    ai_insights: Switched = None
    webhooks_redact_pii: Switched = None


class RecipientForm(Form):
    invalid: ClassVar[str] = sandbox_recipients.InvalidRecipient.message
    email: str = ""


class RecipientView(BaseModel):
    email: str
    activated: bool


class RecipientList(BaseModel):
    recipients: list[RecipientView]
    limit: int


class InvitedRecipient(BaseModel):
    recipient: RecipientView


class SigningKey(BaseModel):
    http_signing_key: str


class RenewedSigningKey(BaseModel):
    message: str
    http_signing_key: str


def view(recipient: SandboxRecipient) -> RecipientView:
    return RecipientView(email=recipient.email, activated=recipient.activated)


@router.put("/v5/accounts", responses=refusals(400))
async def update_account(
    request: Request, tx: CurrentTx, asked: Annotated[AccountForm, form(AccountForm)]
) -> Done:
    """Name the account anew; say how long sessions last, and where who logs out is led to."""
    changes = asked.settings()
    if not asked.name and not changes:
        raise NothingToUpdate
    if asked.logout_redirect_url:
        hint(request, "`logout_redirect_url` is remembered and makes no difference: nobody logs out here")
    account = accounts.get(tx, tx.account_id)
    account.name = asked.name or account.name
    account_settings.change(tx, account, changes)
    return Done(message="Account info has been updated")


@router.put("/v5/accounts/features", responses=refusals(400))
async def update_account_features(
    request: Request, tx: CurrentTx, asked: Annotated[FeaturesForm, form(FeaturesForm)]
) -> Succeeded:
    """Turn features of the account on or off."""
    changes = {name: value for name, value in asked.model_dump().items() if value is not None}
    if not changes:
        raise NoValidUpdates
    if asked.ai_insights:
        hint(request, "`ai_insights` is remembered and makes no difference: nobody here has insights")
    account_settings.change(tx, accounts.get(tx, tx.account_id), changes)
    return Succeeded(success=True)


@router.get("/v5/accounts/http/signing/key", include_in_schema=False)
@router.get("/v5/accounts/http_signing_key")
async def get_signing_key(tx: CurrentTx) -> SigningKey:
    """Tell the key that webhooks are signed with."""
    return SigningKey(http_signing_key=accounts.get(tx, tx.account_id).signing_key)


@router.post("/v5/accounts/http/signing/key", include_in_schema=False)
@router.post("/v5/accounts/http_signing_key")
async def renew_signing_key(tx: CurrentTx) -> RenewedSigningKey:
    """Sign webhooks with another key from now on; links in mail go on leading where they led."""
    account = accounts.get(tx, tx.account_id)
    accounts.renew_signing_key(tx, account)
    message = "regenerated HTTP signing key for account"
    return RenewedSigningKey(message=message, http_signing_key=account.signing_key)


@router.post("/v5/accounts/resend/activation/email", include_in_schema=False)
@router.post("/v5/accounts/resend_activation_email")
async def resend_activation_email(request: Request, tx: CurrentTx) -> Succeeded:
    """Write to the master user, who is activated by the link in the letter; it is in the emulator's inbox."""
    confirming.ask_to_activate(tx, users.get_master(tx), base_url(request))
    return Succeeded(success=True)


@router.get("/v5/sandbox/auth/recipients", include_in_schema=False)
@router.get("/v5/sandbox/auth_recipients")
async def list_sandbox_recipients(tx: CurrentTx) -> RecipientList:
    """List those whom the sandbox domain may write to once they agree, and how many there can be."""
    found = [view(recipient) for recipient in sandbox_recipients.list_recipients(tx)]
    return RecipientList(recipients=found, limit=sandbox_recipients.MOST)


@router.post("/v5/sandbox/auth/recipients", include_in_schema=False)
@router.post("/v5/sandbox/auth_recipients", responses=refusals(400))
async def add_sandbox_recipient(
    request: Request, tx: CurrentTx, asked: Annotated[RecipientForm, form(RecipientForm)]
) -> InvitedRecipient:
    """Invite a recipient, who agrees by the link in a letter; it is in the emulator's inbox."""
    recipient = sandbox_recipients.create(tx, asked.email)
    if not recipient.activated:
        confirming.invite(tx, recipient.email, base_url(request))
    return InvitedRecipient(recipient=view(recipient))


@router.delete("/v5/sandbox/auth/recipients/{email}", include_in_schema=False)
@router.delete("/v5/sandbox/auth_recipients/{email}", responses=refusals(400))
async def delete_sandbox_recipient(tx: CurrentTx, email: str) -> Done:
    """Take a recipient off the list; in strict mode the sandbox domain no longer writes to it."""
    sandbox_recipients.delete(tx, email)
    return Done(message=f"Sandbox recipient {email} deleted.")
