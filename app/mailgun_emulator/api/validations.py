"""Validations of addresses, one by one (facts/account.md, 11.1)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses, validation
from mailgun_emulator.mail.validation import Result, Risk
from mailgun_emulator.pipeline import validating
from mailgun_emulator.state import accounts, features, validation_jobs
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, authenticate, sent_secret
from mailgun_emulator.web.forms import Flag, Form, form, read_fields
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["Validations"])

REFUSED = refusals(400)
LONGEST_LIST = 8000


class MissingAddress(BadRequest):
    message = "'address' parameter is required"


class AddressTooLong(BadRequest):
    """Mailgun's own text is not known."""

    message = f"'address' parameter can't be longer than {validation.LONGEST} characters"


class MissingAddresses(BadRequest):
    message = "'addresses' parameter is required"


class AddressesTooLong(BadRequest):
    """Mailgun's own text is not known."""

    message = f"'addresses' parameter can't be longer than {LONGEST_LIST} characters"


class AddressForm(Form):
    missing: ClassVar[str] = "'{name}' parameter is required"
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    address: str

    @field_validator("address")
    @classmethod
    def _is_short(cls, value: str) -> str:
        if not value.strip():
            raise MissingAddress
        if len(value) > validation.LONGEST:
            raise AddressTooLong
        return value.strip()


class ValidationForm(AddressForm):
    """Without `provider_lookup` only what the account itself has sent counts."""

    provider_lookup: Flag = True


class OldValidationForm(AddressForm):
    mailbox_verification: Flag = False


class ParseForm(Form):
    """`addresses` are separated by commas or semicolons."""

    missing: ClassVar[str] = "'{name}' parameter is required"
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    addresses: list[str] = Field(min_length=1)
    syntax_only: Flag = True


class EngagementView(BaseModel):
    engaging: bool
    behavior: str
    is_bot: bool


class ValidationView(BaseModel):
    """A suggestion, engagement and a root address are left out if there is none; `last_seen` in seconds since 1970."""

    address: str
    did_you_mean: str | None = None
    engagement: EngagementView | None = None
    is_disposable_address: bool
    is_role_address: bool
    reason: list[str]
    result: Result
    risk: Risk
    root_address: str | None = None
    last_seen: int | None = None


class AddressParts(BaseModel):
    display_name: str | None
    domain: str | None
    local_part: str | None


class OldValidationView(BaseModel):
    """`mailbox_verification` is text: `true`, `false` or `unknown`."""

    address: str
    did_you_mean: str | None
    is_disposable_address: bool
    is_role_address: bool
    is_valid: bool
    mailbox_verification: str | None
    parts: AddressParts
    reason: str | None


class ParsedAddresses(BaseModel):
    parsed: list[str]
    unparseable: list[str]


async def begin_public(request: Request) -> AsyncIterator[Tx]:
    """Of the account whose key was sent, or its public key, which may be the parameter `api_key` of a web page."""
    emulator = request.app.state.emulator
    await emulator.ready()
    key = str((await read_fields(request)).first("api_key") or sent_secret(request))
    async with emulator.database.begin() as tx:
        account_id = accounts.find_by_public_key(tx, key)
        if account_id is None:
            authenticate(request, tx)
        else:
            tx.account_id = request.scope["mailgun_account_id"] = account_id
        yield tx


PublicTx = Annotated[Tx, Depends(begin_public, scope="function")]


def validated(tx: Tx, address: str, how: str = "single", *, look_up: bool = True) -> dict[str, Any]:
    """It is billed for."""
    features.check(tx, Feature.VALIDATIONS)
    found = validating.validate(tx, address, look_up=look_up)
    validation_jobs.count_validations(tx, how, 1, int(found["result"] == Result.DELIVERABLE))
    return found


@router.get("/v4/address/validate", response_model=ValidationView, responses=REFUSED)
@router.post("/v4/address/validate", response_model=ValidationView, responses=REFUSED)
async def validate_address(tx: CurrentTx, asked: Annotated[ValidationForm, form(ValidationForm)]) -> Response:
    """Tell whether mail to an address would arrive, and how risky it is to send some."""
    found = validated(tx, asked.address, look_up=asked.provider_lookup)
    return Response(orjson.dumps(found), media_type="application/json")


@router.get("/v3/address/private/validate", responses=REFUSED)
async def validate_address_v3(
    tx: CurrentTx, asked: Annotated[OldValidationForm, form(OldValidationForm)]
) -> OldValidationView:
    """Tell whether an address is valid, in the words of the old API; the mailbox is looked up if that is asked for."""
    return old_view(asked, validated(tx, asked.address))


@router.get("/v3/address/validate", responses=REFUSED)
async def validate_address_in_public(
    tx: PublicTx, asked: Annotated[OldValidationForm, form(OldValidationForm)]
) -> OldValidationView:
    """Tell the same to who has the account's public key, too."""
    return old_view(asked, validated(tx, asked.address, "public"))


@router.get("/v4/address/parse", responses=REFUSED)
@router.get("/v3/address/private/parse", responses=REFUSED)
async def parse_addresses(tx: CurrentTx, asked: Annotated[ParseForm, form(ParseForm)]) -> ParsedAddresses:
    """Tell addresses from what is none; unless `syntax_only` says no, from those that mail can't reach as well."""
    return parsed(tx, asked)


@router.get("/v3/address/parse", responses=REFUSED)
async def parse_addresses_in_public(
    tx: PublicTx, asked: Annotated[ParseForm, form(ParseForm)]
) -> ParsedAddresses:
    """Tell the same to who has the account's public key, too."""
    return parsed(tx, asked)


def old_view(asked: OldValidationForm, found: dict[str, Any]) -> OldValidationView:
    """`is_valid` is about grammar and mail servers, not about the mailbox."""
    read = validation.read(asked.address)
    refusals = {validation.Reason.GRAMMAR, validation.Reason.NO_MX} & set(found["reason"])
    exists = {Result.DELIVERABLE: "true", Result.UNDELIVERABLE: "false"}.get(found["result"], "unknown")
    return OldValidationView(
        address=asked.address,
        did_you_mean=found.get("did_you_mean"),
        is_disposable_address=found["is_disposable_address"],
        is_role_address=found["is_role_address"],
        is_valid=not refusals,
        mailbox_verification=exists if asked.mailbox_verification else None,
        parts=AddressParts(
            display_name=None,
            domain=read.domain if read else None,
            local_part=read.local if read else None,
        ),
        reason=", ".join(found["reason"]) or None,
    )


def parsed(tx: Tx, asked: ParseForm) -> ParsedAddresses:
    features.check(tx, Feature.VALIDATIONS)
    text = ",".join(asked.addresses)
    if not text.strip():
        raise MissingAddresses
    if len(text) > LONGEST_LIST:
        raise AddressesTooLong
    found = ParsedAddresses(parsed=[], unparseable=[])
    for item in validation.split(text):
        told = _told(tx, item, syntax_only=asked.syntax_only)
        (found.unparseable if told is None else found.parsed).append(told or item)
    return found


def _told(tx: Tx, item: str, *, syntax_only: bool) -> str | None:
    try:
        address = addresses.parse(item)
    except addresses.NotAnAddress:
        return None
    if validation.read(address.email) is None:
        return None
    if not syntax_only and validating.validate(tx, address.email)["result"] == Result.UNDELIVERABLE:
        return None
    return str(address)
