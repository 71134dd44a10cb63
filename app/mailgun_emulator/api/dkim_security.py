"""DKIM Security: how keys of automatic sender security are replaced (facts/account.md, 3.6)."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state import dns_records, domain_keys, domains
from mailgun_emulator.state.domain_keys import PublishedKey
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, as_flag, form
from mailgun_emulator.web.views import DescriptionGiven, Done, ReasonGiven, Responses

router = APIRouter(tags=["DKIM Security"])

LEAST_INTERVAL = 5 * 86400
MOST_INTERVAL = 2**63 / 1e9  # Go counts durations in nanoseconds
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:d|h|m|s))+").fullmatch
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(d|h|m|s)").findall
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class Refused(BadRequest):
    key = "Reason"


class UnknownDomain(NotFound):
    key = "Description"
    message = "domain not found"


REFUSALS: Responses = {400: {"model": ReasonGiven}, 404: {"model": DescriptionGiven}}


class RotationForm(Form):
    """`rotation_interval` as in `5d` or `120h0m0s`."""

    rotation_enabled: bool = False
    rotation_interval: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_given(cls, data: dict[str, Any]) -> dict[str, Any]:
        enabled = as_flag(data.get("rotation_enabled"))
        if not isinstance(enabled, bool):
            raise Refused("rotation_enabled must be true or false")
        return {**data, "rotation_enabled": enabled}

    @field_validator("rotation_interval", mode="before")
    @classmethod
    def _is_long_enough(cls, interval: object, info: ValidationInfo) -> float | None:
        if not interval:
            return None
        if not info.data.get("rotation_enabled"):
            raise Refused("rotation_interval is not allowed unless also enabling DKIM rotation")
        written = str(interval)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PARTS(written))
        if not _DURATION(written) or seconds > MOST_INTERVAL:
            raise Refused("rotation_interval is not a valid duration")
        if seconds < LEAST_INTERVAL:
            raise Refused("rotation_interval must be at least 5 days")
        return seconds


class RecordView(BaseModel):
    name: str
    type: str
    identifier: str
    value: str
    comment: str


class ManagedDomainView(BaseModel):
    """`rotation_enabled` is text, `rotation_interval` a duration as Go writes it."""

    id: str
    account_id: str
    sid: str
    name: str
    state: str
    active_selector: str
    rotation_enabled: str
    rotation_interval: str
    records: list[RecordView]


class ManagedDomainAnswer(BaseModel):
    domain: ManagedDomainView


async def stocked_for_rotation(request: Request) -> None:
    await request.app.state.emulator.database.key_pairs.at_hand(domain_keys.AUTOMATIC_BITS)


async def managed_domain(domain: str, tx: CurrentTx) -> Domain:
    """The domain the path names, if its keys are ours to replace."""
    found = domains.find(tx, domain)
    if found is None:
        raise UnknownDomain
    if not found.use_automatic_sender_security:
        raise UnknownDomain(hint=f"{found.name} does not use automatic sender security.")
    return found


ManagedDomain = Annotated[Domain, Depends(managed_domain)]


def state_of(domain: Domain) -> str:
    return "enabled" if domain.verified else "wait_verify"


def view(tx: Tx, domain: Domain) -> ManagedDomainView:
    keys = [key for key in domain_keys.list_published(tx, domain.id) if key.automatic]
    minutes, seconds = divmod(domain.rotation_interval, 60)
    return ManagedDomainView(
        id=domain.id,
        account_id=domain.account_id,
        sid=str(int(domain.id[:6], 16)),
        name=domain.name,
        state=state_of(domain),
        active_selector=next((key.selector for key in keys if key.active), keys[0].selector),
        rotation_enabled="true" if domain.rotation_enabled else "false",
        rotation_interval=f"{minutes // 60}h{minutes % 60}m{seconds}s",
        records=[record_view(key) for key in keys],
    )


def record_view(key: PublishedKey) -> RecordView:
    record = dns_records.of_key(key)
    return RecordView(
        name=record.name or "",
        type=record.record_type,
        identifier="DKIM",
        value=record.value,
        comment="Customer DKIM CNAME Record",
    )


@router.put("/v1/dkim_management/domains/{domain}/rotation", responses=REFUSALS)
async def update_rotation(
    tx: CurrentTx, domain: ManagedDomain, asked: Annotated[RotationForm, form(RotationForm)]
) -> ManagedDomainAnswer:
    """Replace the domain's keys regularly, or no longer."""
    interval = int(asked.rotation_interval or domain.rotation_interval)
    domain_keys.set_rotation(tx, domain, enabled=asked.rotation_enabled, interval=interval)
    return ManagedDomainAnswer(domain=view(tx, domain))


@router.post(
    "/v1/dkim_management/domains/{domain}/rotate",
    responses=REFUSALS,
    dependencies=[Depends(stocked_for_rotation)],
)
async def rotate_keys(tx: CurrentTx, domain: ManagedDomain) -> Done:
    """Make a new key and sign with it from now on; the domain's DNS stays as it is."""
    if not domain.verified:
        state = state_of(domain)
        raise Refused(f"only domains in enabled can rotate their keys. Current state: {state}")
    domain_keys.rotate(tx, domain, tx.key_pairs.take(domain_keys.AUTOMATIC_BITS))
    return Done(message="ok")
