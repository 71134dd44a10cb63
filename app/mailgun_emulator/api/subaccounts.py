"""Subaccounts: accounts of an account (facts/account.md, 8)."""

from typing import Annotated, ClassVar, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from mailgun_emulator.core.errors import BadRequest, Forbidden
from mailgun_emulator.mail import dates
from mailgun_emulator.state import features, message_limits, subaccounts
from mailgun_emulator.state.accounts import Account, AccountStatus
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.message_limits import NoLimitToDelete
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, spoken_for
from mailgun_emulator.web.features import NoValidUpdates, Switched
from mailgun_emulator.web.forms import LARGEST, Flag, Form, FormWithoutBlanks, form
from mailgun_emulator.web.message_limits import LimitForm, LimitView, limit_view
from mailgun_emulator.web.views import REFUSALS, Done, Succeeded, only_if_set, refusals

router = APIRouter(tags=["Subaccounts"])

REFUSED = refusals(400)
UNKNOWN = refusals(404)


class MalformedRequest(BadRequest):
    message = "Bad request"


class NotASubaccount(BadRequest):
    message = "Not a subaccount"


class NotForSubaccounts(Forbidden):
    message = "Forbidden - user does not have permission to view this resource"


class InvalidSubaccount(BadRequest):
    message = "Invalid subaccount ID"


class SubaccountView(BaseModel):
    """Times in RFC 1123. `features` are those that were ever enabled or disabled."""

    id: str
    name: str
    created_at: str
    updated_at: str
    status: AccountStatus
    features: dict[str, dict[str, bool]] | None = only_if_set()


class OneSubaccount(BaseModel):
    subaccount: SubaccountView


class SubaccountList(BaseModel):
    subaccounts: list[SubaccountView]
    total: int


class SubaccountFeatures(BaseModel):
    features: dict[str, dict[str, bool]]


class NewSubaccount(Form):
    missing: ClassVar[str] = MalformedRequest.message
    invalid: ClassVar[str] = MalformedRequest.message
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SubaccountFilter(FormWithoutBlanks):
    """By default all are listed. `enabled` leaves those that are open (true) or disabled (false); `closed` adds to them
    those that were deleted, or lists these alone, or (false) leaves them out. `filter` is what names contain.
    """

    limit: int = Field(10, ge=1, le=1000)
    skip: int = Field(0, ge=0, le=LARGEST)
    sort: Literal["asc", "desc"] | None = None
    filter: str = ""
    enabled: Flag | None = None
    closed: Flag | None = None

    def statuses(self) -> frozenset[AccountStatus]:
        closed = frozenset((AccountStatus.CLOSED,))
        if self.enabled is None:
            return {None: frozenset(AccountStatus), True: closed, False: frozenset(AccountStatus) - closed}[
                self.closed
            ]
        wanted = frozenset((AccountStatus.OPEN if self.enabled else AccountStatus.DISABLED,))
        return wanted | closed if self.closed else wanted


class DisablingForm(Form):
    """Both are for people: hints of refused messages tell the reason, `/_emulator/accounts` both."""

    reason: str = ""
    note: str = ""


class SubaccountFeaturesForm(Form):
    """Each is `{"enabled": true}` as JSON text."""

    email_preview: Switched = None
    inbox_placement: Switched = None
    sending: Switched = None
    validations: Switched = None
    validations_bulk: Switched = None

    def changes(self) -> dict[Feature, bool]:
        found = {Feature(name): value for name, value in self.model_dump(exclude_none=True).items()}
        if not found:
            raise NoValidUpdates
        return found


def view(account: Account) -> SubaccountView:
    return SubaccountView(
        id=account.id,
        name=account.name,
        created_at=dates.rfc2822(account.created_at, "GMT"),
        updated_at=dates.rfc2822(account.updated_at, "GMT"),
        status=AccountStatus(account.status),
        features=orjson.loads(account.features) or None,
    )


@router.get("/v5/accounts/subaccounts", responses=REFUSED)
async def list_subaccounts(
    tx: CurrentTx, wanted: Annotated[SubaccountFilter, form(SubaccountFilter)]
) -> SubaccountList:
    """List the account's subaccounts, deleted ones too unless asked otherwise; `total` is how many match in all."""
    found, total = subaccounts.list_subaccounts(
        tx,
        statuses=wanted.statuses(),
        name=wanted.filter,
        sort=wanted.sort,
        skip=wanted.skip,
        limit=wanted.limit,
    )
    return SubaccountList(subaccounts=[view(account) for account in found], total=total)


@router.post("/v5/accounts/subaccounts", responses=REFUSED)
async def create_subaccount(
    tx: CurrentTx, asked: Annotated[NewSubaccount, form(NewSubaccount)]
) -> OneSubaccount:
    """Make a subaccount, with a sandbox domain and an API key of its own."""
    if tx.parent_id is not None:
        raise MalformedRequest(hint="This is a subaccount itself, and has none of its own")
    return OneSubaccount(subaccount=view(subaccounts.create(tx, asked.name)))


@router.delete("/v5/accounts/subaccounts", responses=refusals(400, 403))
async def delete_subaccount(request: Request, tx: CurrentTx) -> Done:
    """Delete the subaccount that the header `X-Mailgun-On-Behalf-Of` names, with all that belongs to it."""
    named = spoken_for(request.scope)
    if not named:
        raise MalformedRequest(hint="The header X-Mailgun-On-Behalf-Of is to name the subaccount")
    account = subaccounts.find_live(tx, named)
    if account is None:
        raise Forbidden(hint=f"The account has no subaccount {named}")
    subaccounts.close(tx, account)
    return Done(message="Subaccount successfully deleted")


@router.get("/v5/accounts/subaccounts/{subaccount_id}", responses=UNKNOWN)
async def get_subaccount(tx: CurrentTx, subaccount_id: str) -> OneSubaccount:
    """Tell about a subaccount."""
    return OneSubaccount(subaccount=view(subaccounts.get(tx, subaccount_id)))


@router.post("/v5/accounts/subaccounts/{subaccount_id}/disable", responses=REFUSALS)
async def disable_subaccount(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[DisablingForm, form(DisablingForm)]
) -> OneSubaccount:
    """Keep a subaccount from sending; all else goes on."""
    return OneSubaccount(subaccount=view(subaccounts.disable(tx, subaccount_id, asked.reason, asked.note)))


@router.post("/v5/accounts/subaccounts/{subaccount_id}/enable", responses=REFUSALS)
async def enable_subaccount(tx: CurrentTx, subaccount_id: str) -> OneSubaccount:
    """Let a subaccount send again."""
    return OneSubaccount(subaccount=view(subaccounts.enable(tx, subaccount_id)))


@router.get(
    "/v5/accounts/subaccounts/{subaccount_id}/limit/custom/monthly",
    responses=refusals(400, 403, 404),
)
async def get_subaccount_limit(tx: CurrentTx, subaccount_id: str) -> LimitView:
    """Tell how many messages a subaccount may send in a month, and how many it sent in this one."""
    if tx.parent_id is not None:
        raise NotForSubaccounts(
            hint="A subaccount is told of its own limit by GET /v5/accounts/limit/custom/monthly"
        )
    return limit_view(message_limits.get(act_for(tx, subaccount_id, NotASubaccount)))


@router.put("/v5/accounts/subaccounts/{subaccount_id}/limit/custom/monthly", responses=REFUSED)
async def update_subaccount_limit(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[LimitForm, form(LimitForm)]
) -> Succeeded:
    """Say how many messages a subaccount may send in a month."""
    message_limits.put(act_for(tx, subaccount_id, InvalidSubaccount), asked.limit)
    return Succeeded(success=True)


@router.delete("/v5/accounts/subaccounts/{subaccount_id}/limit/custom/monthly", responses=REFUSED)
async def delete_subaccount_limit(tx: CurrentTx, subaccount_id: str) -> Succeeded:
    """Let a subaccount send as much as it likes."""
    message_limits.delete(act_for(tx, subaccount_id, NoLimitToDelete))
    return Succeeded(success=True)


@router.put("/v5/accounts/subaccounts/{subaccount_id}/features", responses=REFUSALS)
async def update_subaccount_features(
    tx: CurrentTx, subaccount_id: str, asked: Annotated[SubaccountFeaturesForm, form(SubaccountFeaturesForm)]
) -> SubaccountFeatures:
    """Say what a subaccount may use; what is not named stays as it is."""
    account = subaccounts.get_live(tx, subaccount_id)
    return SubaccountFeatures(features=features.put(tx, account, asked.changes()))


def act_for(tx: Tx, subaccount_id: str, refusal: type[BadRequest]) -> Tx:
    """The transaction speaks for the subaccount from now on."""
    if not subaccounts.is_live(tx, tx.account_id, subaccount_id):
        raise refusal(hint=f"The account has no subaccount {subaccount_id}")
    tx.account_id = subaccount_id
    return tx
