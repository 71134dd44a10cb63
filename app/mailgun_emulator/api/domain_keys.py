"""Domain Keys: what a domain's messages are signed with (facts/account.md, 3.1 to 3.5)."""

import base64
import binascii
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError, field_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dkim
from mailgun_emulator.mail.dkim import KeyPair
from mailgun_emulator.state import dns_records, domain_keys, domains
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.domain_keys import KeyNotFound, PublishedKey
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx, Stocked, begin
from mailgun_emulator.web.domains import DnsRecordView, record_view, record_views
from mailgun_emulator.web.forms import CurrentFields, Fields, Flag, Form, Upload, form
from mailgun_emulator.web.paging import link, number
from mailgun_emulator.web.views import Done

router = APIRouter(tags=["Domain Keys"])

DEFAULT_LISTED = 10
MOST_LISTED = 100
REFUSED: dict[int | str, dict[str, Any]] = {400: {"model": Done}}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Done}}


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
    pivot: int | None = None
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
        return int(bits or 1024)

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


class Asked(NamedTuple):
    page: KeyPage
    url: Request


def asked_page(request: Request, fields: CurrentFields) -> KeyPage:
    """A page's token says it all, and what is given beside it goes before; empty values are none."""
    token = fields.first("page")
    page = _read_token(token) if token else KeyPage()
    page.limit = number(fields, "limit", page.limit, 1, MOST_LISTED)
    page.signing_domain = fields.first("signing_domain") or page.signing_domain
    page.selector = fields.first("selector") or page.selector
    return page


def _read_token(token: str) -> KeyPage:
    try:
        return KeyPage.model_validate_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValidationError, binascii.Error, ValueError):
        raise InvalidPage from None
