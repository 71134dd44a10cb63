"""Accounts, which Mailgun makes by hand and tests need by the dozen; and going back to the start."""

from typing import Annotated, Any, ClassVar

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.state import account_settings, accounts, keys, own_domains
from mailgun_emulator.state.accounts import Account, AccountStatus
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import OpenTx
from mailgun_emulator.web.views import Done, only_if_set, refusals

router = APIRouter(prefix="/_emulator", tags=["Emulator"])


class DefaultAccountStays(MailgunError):
    status: ClassVar[int] = 409
    message = "The default account can't be deleted. Reset it with POST /_emulator/accounts/{id}/reset."


class NewAccount(BaseModel):
    """A subaccount names its `parent`, whose signing key signs its webhooks as well."""

    name: str = Field("", description="For people; it need not be the only one of that name.")
    parent: str | None = Field(None, description="The id of the account whose subaccount it is.")
    ips: int = Field(0, ge=0, le=10, description="How many dedicated IPs it has from the start.")


class AccountView(BaseModel):
    """What a client needs to use the account; `domain` is verified. A subaccount tells its `parent`.

    Its `status` is told when it is disabled or closed, and why it was `disabled`. `settings` are those that
    `PUT /v5/accounts` and `/v5/accounts/features` made.
    """

    id: str
    name: str
    api_key: str
    signing_key: str
    domain: str
    parent: str | None = only_if_set()
    status: AccountStatus | None = only_if_set()
    disabled: dict[str, str] | None = only_if_set()
    settings: dict[str, Any] | None = only_if_set()


WhichAccount = Annotated[
    str | None, Query(description="Its id: it alone is emptied, as by `/_emulator/accounts/{id}/reset`.")
]


class AccountList(BaseModel):
    items: list[AccountView]


def view(tx: Tx, account: Account) -> AccountView:
    tx.account_id = account.id
    return AccountView(
        id=account.id,
        name=account.name,
        api_key=keys.first_secret(tx),
        signing_key=account.signing_key,
        domain=next((each.name for each in own_domains.list_sending(tx)), ""),
        parent=account.parent_id,
        status=None if account.status == AccountStatus.OPEN else AccountStatus(account.status),
        disabled=orjson.loads(account.disabled) if account.disabled else None,
        settings=account_settings.read(account) or None,
    )


@router.post("/accounts")
async def create_account(tx: OpenTx, asked: NewAccount | None = None) -> AccountView:
    """Make an account of its own: no other sees it, and it sees no other."""
    asked = asked or NewAccount()
    account = accounts.create(tx, asked.name, parent_id=asked.parent or None)
    if asked.ips:
        from mailgun_emulator.state import account_ips  # few accounts have any

        tx.account_id = account.id
        account_ips.order(tx, asked.ips)
    return view(tx, account)


@router.get("/accounts")
async def list_accounts(tx: OpenTx) -> AccountList:
    """List all accounts, the default one first."""
    return AccountList(items=[view(tx, account) for account in accounts.list_all(tx)])


@router.get("/accounts/{account_id}")
async def get_account(tx: OpenTx, account_id: str) -> AccountView:
    """Tell what is needed to use an account."""
    return view(tx, accounts.get(tx, account_id))


@router.delete("/accounts/{account_id}")
async def delete_account(request: Request, tx: OpenTx, account_id: str) -> Done:
    """Delete an account and all that belongs to it, work not yet done and snapshots included."""
    emulator = request.app.state.emulator
    if account_id == emulator.default_account_id:
        raise DefaultAccountStays
    gone = accounts.delete_account(tx, account_id)
    emulator.snapshots.delete_of(gone)
    forget_requests(request, gone)
    return Done(message="Account deleted")


@router.post("/accounts/{account_id}/reset")
async def reset_account(request: Request, tx: OpenTx, account_id: str) -> Done:
    """Empty an account: its id, keys and domain names stay, all else goes, subaccounts and pending work included."""
    forget_requests(request, accounts.reset(tx, account_id))
    return Done(message="Account reset")


def forget_requests(request: Request, account_ids: list[str]) -> None:
    request.app.state.emulator.journal.forget(lambda entry: entry.account_id in account_ids)


@router.post("/reset", responses=refusals(404))
async def reset(request: Request, account: WhichAccount = None) -> Done:
    """Go back to the state at the start, all accounts but the default one gone; or empty one account."""
    if account is None:
        await request.app.state.emulator.reset()
        return Done(message="Everything reset")
    await request.app.state.emulator.ready()
    async with request.app.state.emulator.database.begin(account) as tx:
        return await reset_account(request, tx, account)
