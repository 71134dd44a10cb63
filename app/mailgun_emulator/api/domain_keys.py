"""Domain Keys: what a domain's messages are signed with (facts/account.md, 3.1 to 3.5)."""

import base64
import binascii
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dkim
from mailgun_emulator.mail.dkim import KeyPair
from mailgun_emulator.state import dns_records, domain_keys, domains
from mailgun_emulator.state.domain_keys import KeyNotFound, PublishedKey
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx, Stocked, begin
from mailgun_emulator.web.domains import DnsRecordView, record_view, record_views
from mailgun_emulator.web.forms import LARGEST, CurrentFields, Fields, Flag, Form, Upload, form
from mailgun_emulator.web.paging import link, number
from mailgun_emulator.web.views import Done, refusals

router = APIRouter(tags=["Domain Keys"])

DEFAULT_LISTED = 10
MOST_LISTED = 100
REFUSED = refusals(400)
UNKNOWN = refusals(404)


class InvalidPage(BadRequest):
    message = "Invalid parameter: page is invalid"


class UnreadablePem(BadRequest):
    message = "failed to import domain key: failed to parse PEM"


class UnreadableKey(BadRequest):
    message = "failed to parse private key: key must be PKCS1 format"


class KeySize(BadRequest):
    message = "failed to import domain key: key must have 1024 or 2048 bits"


class DomainKeyView(BaseModel):
    signing_domain: str
    selector: str
    dns_record: DnsRecordView


class KeyPaging(BaseModel):
    """Absolute links, all four of them on every page."""

    previous: str
    first: str
    next: str
    last: str


class DomainKeyPage(BaseModel):
    items: list[DomainKeyView]
    paging: KeyPaging


class DomainKeyList(BaseModel):
    items: list[DomainKeyView]


class ToggledKey(BaseModel):
    message: str
    authority: str
    selector: str
    active: bool


class ChangedAuthority(BaseModel):
    message: str
    sending_dns_records: list[DnsRecordView]
    changed: bool


class KeyPage(BaseModel):
    """What a page's token says; `pivot` is the id of the key it is counted from."""

    direction: Literal["first", "next", "previous", "last"] = "first"
    pivot: int | None = Field(None, ge=0, le=LARGEST)
    limit: int = Field(DEFAULT_LISTED, ge=1, le=MOST_LISTED)
    signing_domain: str | None = None
    selector: str | None = None

    def token(self, **changed: Any) -> str:
        values = {**self.model_dump(), **changed}
        told = {name: value for name, value in values.items() if value is not None}
        return base64.urlsafe_b64encode(orjson.dumps(told)).rstrip(b"=").decode()

    @property
    def backwards(self) -> bool:
        return self.direction in ("previous", "last")


class NewKey(Form):
    signing_domain: str
    selector: str
    bits: Literal[1024, 2048] = 1024
    pem: str | None = Field(None, description="RSA private key in PKCS #1, as text or as a file.")

    @field_validator("bits", mode="before")
    @classmethod
    def _is_number(cls, bits: Any) -> int:
        return int(str(bits or 1024))

    @field_validator("pem", mode="before")
    @classmethod
    def _is_text(cls, pem: Any) -> Any:
        return pem.data.decode("ascii", "replace") if isinstance(pem, Upload) else pem

    def pair(self, tx: Tx) -> KeyPair:
        """The imported one, or one from stock."""
        if not self.pem:
            return tx.key_pairs.take(self.bits)
        try:
            pair = dkim.parse(self.pem)
        except dkim.NotPem:
            raise UnreadablePem from None
        except dkim.NotPkcs1:
            raise UnreadableKey from None
        if pair.bits not in dkim.SIZES:
            raise KeySize
        return pair


class NamedKey(Form):
    signing_domain: str
    selector: str


class AuthorityForm(Form):
    own: Flag | None = Field(None, alias="self")


class SelectorForm(Form):
    dkim_selector: str = ""


def asked_page(fields: Fields) -> KeyPage:
    """A page's token says it all, and what is given beside it goes before; empty values are none."""
    token = fields.first("page")
    page = _read_token(str(token)) if token else KeyPage()
    page.limit = number(fields, "limit", page.limit, 1, MOST_LISTED)
    for name in ("signing_domain", "selector"):
        if given := fields.first(name):
            setattr(page, name, str(given))
    return page


def _read_token(token: str) -> KeyPage:
    try:
        return KeyPage.model_validate_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValidationError, binascii.Error, ValueError):
        raise InvalidPage from None


async def every_domain_stocked(request: Request) -> None:
    """Key pairs at hand for the domains that were never asked for theirs: listing makes them."""
    async with asynccontextmanager(begin)(request) as tx:
        wanted = len(domain_keys.list_keyless(tx))
    await tx.key_pairs.at_hand(1024, wanted)


def view(key: PublishedKey) -> dict[str, Any]:
    return {
        "signing_domain": key.signing_domain,
        "selector": key.selector,
        "dns_record": record_view(dns_records.of_key(key)),
    }


def paging(request: Request, page: KeyPage, found: list[PublishedKey]) -> dict[str, str]:
    """The page before the first and that after the last are empty."""
    before, after = (found[0].id, found[-1].id) if found else (page.pivot, page.pivot)
    return {
        "previous": link(request, page=page.token(direction="previous", pivot=before)),
        "first": link(request, page=page.token(direction="first", pivot=None)),
        "next": link(request, page=page.token(direction="next", pivot=after)),
        "last": link(request, page=page.token(direction="last", pivot=None)),
    }


@router.get(
    "/v1/dkim/keys",
    response_model=DomainKeyPage,
    responses=REFUSED,
    dependencies=[Depends(every_domain_stocked)],
)
async def list_account_keys(request: Request, tx: CurrentTx, fields: CurrentFields) -> dict[str, Any]:
    """List the keys of all domains, or of those that `signing_domain` and `selector` name."""
    page = asked_page(fields)
    for domain in domain_keys.list_keyless(tx):
        domain_keys.ensure(tx, domain)
    found = domain_keys.list_of_account(
        tx, page.signing_domain, page.selector, page.pivot, backwards=page.backwards, limit=page.limit
    )
    return {"items": [view(key) for key in found], "paging": paging(request, page, found)}


@router.post("/v1/dkim/keys", response_model=DomainKeyView, responses={**REFUSED, **UNKNOWN})
async def create_key(_: Stocked, tx: CurrentTx, asked: Annotated[NewKey, form(NewKey)]) -> dict[str, Any]:
    """Make a key or import one. It signs once its record was found and it is activated."""
    domain = domains.get(tx, asked.signing_domain)
    domain_keys.ensure(tx, domain)
    made = domain_keys.create(tx, domain, asked.selector, asked.pair(tx))
    return view(domain_keys.get_published(tx, made))


@router.delete("/v1/dkim/keys", responses={**REFUSED, **UNKNOWN})
async def delete_key(tx: CurrentTx, asked: Annotated[NamedKey, form(NamedKey)]) -> Done:
    """Delete a key; it can't be had back."""
    domain = domains.find(tx, asked.signing_domain)
    if domain is None:
        raise KeyNotFound
    domain_keys.delete(tx, domain, asked.selector)
    return Done(message="success")


@router.get("/v4/domains/{domain}/keys", response_model=DomainKeyList, responses=UNKNOWN)
@router.get("/v3/domains/{domain}/keys", response_model=DomainKeyList, responses=UNKNOWN)
async def list_domain_keys(_: Stocked, tx: CurrentTx, domain: CurrentDomain) -> dict[str, Any]:
    """List the domain's own keys, those that do not sign included."""
    domain_keys.ensure(tx, domain)
    return {"items": [view(key) for key in domain_keys.list_published(tx, domain.id)]}


@router.put("/v4/domains/{domain}/keys/{selector}/activate", responses={**REFUSED, **UNKNOWN})
async def activate_key(_: Stocked, tx: CurrentTx, domain: CurrentDomain, selector: str) -> ToggledKey:
    """Sign with this key; its DNS record must have been found."""
    domain_keys.ensure(tx, domain)
    domain_keys.activate(tx, domain, selector)
    return ToggledKey(message="domain key activated", authority=domain.name, selector=selector, active=True)


@router.put("/v4/domains/{domain}/keys/{selector}/deactivate", responses=UNKNOWN)
async def deactivate_key(_: Stocked, tx: CurrentTx, domain: CurrentDomain, selector: str) -> ToggledKey:
    """Sign with this key no longer."""
    domain_keys.ensure(tx, domain)
    domain_keys.deactivate(tx, domain, selector)
    return ToggledKey(
        message="domain key deactivated", authority=domain.name, selector=selector, active=False
    )


@router.put("/v3/domains/{domain}/dkim_authority", response_model=ChangedAuthority, responses=UNKNOWN)
async def update_dkim_authority(
    _: Stocked, tx: CurrentTx, domain: CurrentDomain, asked: Annotated[AuthorityForm, form(AuthorityForm)]
) -> dict[str, Any]:
    """Let the domain sign with keys of its own (`self`) or with those of its root, if the account has that too."""
    changed = asked.own is not None and domains.set_authority(tx, domain, own=asked.own)
    details = domains.get_details(tx, domain.name)
    records = dns_records.of_domain(details, domain_keys.list_in_use(tx, details))
    return {
        "message": f"Domain DKIM authority has {'' if changed else 'not '}been changed",
        "sending_dns_records": record_views(records.spf, *records.dkim, records.cname),
        "changed": changed,
    }


@router.put("/v3/domains/{domain}/dkim_selector", responses={**REFUSED, **UNKNOWN})
async def update_dkim_selector(
    _: Stocked, tx: CurrentTx, domain: CurrentDomain, asked: Annotated[SelectorForm, form(SelectorForm)]
) -> Done:
    """Publish the key that signs under another selector; nothing changes if none is given."""
    if asked.dkim_selector:
        signer = domains.signer_of(tx, domain)
        domain_keys.ensure(tx, signer)
        domain_keys.rename(tx, signer, asked.dkim_selector)
    return Done(message="DKIM selector changed")
