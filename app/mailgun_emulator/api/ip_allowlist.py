"""IP Allowlist: the addresses an account may be used from (facts/account.md, 6)."""

from typing import Annotated, ClassVar

from fastapi import APIRouter
from pydantic import BaseModel

from mailgun_emulator.state import ip_allowlist
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["IP Allowlist"])

ADDRESSES, TWIN = "/v2/ip_whitelist", "/v2/ip/whitelist"


class AllowedAddressForm(Form):
    """An IP address, or a network as CIDR writes it."""

    invalid: ClassVar[str] = ip_allowlist.InvalidAddress.message
    address: str = ""
    description: str = ""


class AllowedAddressView(BaseModel):
    ip_address: str
    description: str


class AllowedAddressList(BaseModel):
    addresses: list[AllowedAddressView]


Asked = Annotated[AllowedAddressForm, form(AllowedAddressForm)]


def all_of(tx: Tx) -> AllowedAddressList:
    """What each operation answers."""
    found = ip_allowlist.list_addresses(tx)
    return AllowedAddressList(
        addresses=[
            AllowedAddressView(ip_address=each.address, description=each.description) for each in found
        ]
    )


@router.get(TWIN, include_in_schema=False)
@router.get(ADDRESSES, responses=refusals(403))
async def list_allowed_addresses(tx: CurrentTx) -> AllowedAddressList:
    """List the addresses that the account may be used from; none means from everywhere."""
    return all_of(tx)


@router.post(TWIN, include_in_schema=False)
@router.post(ADDRESSES, responses=refusals(400))
async def allow_address(tx: CurrentTx, asked: Asked) -> AllowedAddressList:
    """Allow an address, or a network; in strict mode all others are refused from then on, except to `web` keys."""
    ip_allowlist.put(tx, asked.address, asked.description)
    return all_of(tx)


@router.put(TWIN, include_in_schema=False)
@router.put(ADDRESSES, responses=refusals(400))
async def describe_address(tx: CurrentTx, asked: Asked) -> AllowedAddressList:
    """Describe an allowed address anew."""
    ip_allowlist.describe(tx, asked.address, asked.description)
    return all_of(tx)


@router.delete(TWIN, include_in_schema=False)
@router.delete(ADDRESSES, responses=refusals(400))
async def disallow_address(tx: CurrentTx, asked: Asked) -> AllowedAddressList:
    """Take an address off the list; with the last one gone, the account may be used from everywhere."""
    ip_allowlist.delete(tx, asked.address)
    return all_of(tx)
