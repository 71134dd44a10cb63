"""What happens to domains from outside: their DNS, which nobody really asks, and Mailgun's staff."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, periods
from mailgun_emulator.state import dns_records, domains
from mailgun_emulator.state.domains import Domain, Finding, State
from mailgun_emulator.web.deps import ChosenTx, Stocked
from mailgun_emulator.web.domains import DisabledView
from mailgun_emulator.web.views import REFUSALS, only_if_set

router = APIRouter(prefix="/_emulator/domains", tags=["Emulator"])


class InvalidUntil(BadRequest):
    message = (
        "until is no date in the future; write it as in RFC 2822, as in ISO 8601 or as seconds since 1970"
    )


class AskedState(BaseModel):
    """What is not needed is told of a disabled domain."""

    state: Literal["disabled", "enabled"] = Field(description="`disabled` or `enabled`.")
    code: str = Field("disabled", description="Of a disabled domain, as Mailgun tells it.")
    note: str = Field("", description="Likewise.")
    reason: str = Field("disabled by the emulator", description="Likewise.")
    until: str | float | None = Field(
        None, description="When it is enabled again by itself; else it stays so for good."
    )


class DomainState(BaseModel):
    name: str
    state: str
    is_disabled: bool
    disabled: DisabledView | None = only_if_set()


async def controlled_domain(tx: ChosenTx, domain: str) -> Domain:
    return domains.get(tx, domain)


ControlledDomain = Annotated[Domain, Depends(controlled_domain)]


@router.get("/{domain}/dns", responses=REFUSALS)
async def get_dns(tx: ChosenTx, domain: ControlledDomain) -> dict[str, Finding]:
    """Tell what verifying the domain will find, by kind and by name of record."""
    return dns_records.get_zone(tx, domain)


@router.put("/{domain}/dns", responses=REFUSALS)
async def put_dns(
    _: Stocked, tx: ChosenTx, domain: ControlledDomain, zone: dict[str, Finding]
) -> dict[str, Finding]:
    """Say what verifying the domain will find: `found`, `wrong` or `missing`.

    The names are `spf`, `dkim`, `mx` and `cname`, or that of one record, such as `pdk2._domainkey.example.com`.
    What is not named is found.
    """
    dns_records.put_zone(tx, domain, zone)
    return dns_records.get_zone(tx, domain)


@router.put("/{domain}/state", responses=REFUSALS)
async def put_state(tx: ChosenTx, domain: ControlledDomain, asked: AskedState) -> DomainState:
    """Disable a domain as Mailgun's staff might, or enable it again."""
    if asked.state == "enabled":
        domains.enable(tx, domain)
    else:
        until = read_until(asked.until, tx.now)
        domains.disable(tx, domain, about(asked, until), until)
    told = orjson.loads(domain.disabled) if domain.disabled else None
    return DomainState(
        name=domain.name,
        state=domain.state,
        is_disabled=domain.state == State.DISABLED,
        disabled=DisabledView(**told) if told else None,
    )


def about(asked: AskedState, until: float | None) -> dict[str, Any]:
    told = {"code": asked.code, "note": asked.note, "permanently": until is None, "reason": asked.reason}
    return told if until is None else {**told, "until": dates.rfc2822(until, "GMT")}


def read_until(until: str | float | None, now: float) -> float | None:
    if until is None:
        return None
    try:
        at = dates.parse(str(until))
    except ValueError:
        raise InvalidUntil from None
    if not now < at <= periods.LATEST:
        raise InvalidUntil
    return at
