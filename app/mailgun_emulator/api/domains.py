"""Domains: those the account sends and receives with (facts/account.md, 1 and 2.1)."""

from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Literal

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import hosts
from mailgun_emulator.state import credentials, dns_records, domain_keys, domain_removal, domains, sending
from mailgun_emulator.state.dns_records import DnsRecords
from mailgun_emulator.state.domain_keys import PublishedKey
from mailgun_emulator.state.domains import Domain, DomainDetails, State
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx, Stocked, authenticate, begin, stocked
from mailgun_emulator.web.domains import DnsRecordView, DomainView, record_views, view
from mailgun_emulator.web.forms import LARGEST, Flag, Form, FormWithoutBlanks, form, read_fields, takes
from mailgun_emulator.web.front import bare
from mailgun_emulator.web.views import Done, only_if_set, refusals

router = APIRouter(tags=["Domains"])

MOST_LISTED = 1000
DEFAULT_LISTED = 100
POD = "prod"
JSON = "application/json"
REFUSED = refusals(400)
UNKNOWN = refusals(404)
TOO_MANY = refusals(429)


class InvalidName(BadRequest):
    message = "Domain name format is invalid"


class MissingName(BadRequest):
    message = "Missing parameter 'name'"


class DomainList(BaseModel):
    total_count: int
    items: list[DomainView]


class DescribedDomain(BaseModel):
    domain: DomainView
    receiving_dns_records: list[DnsRecordView] | None = only_if_set()
    sending_dns_records: list[DnsRecordView] | None = only_if_set()


class ChangedDomain(BaseModel):
    message: str
    domain: DomainView
    receiving_dns_records: list[DnsRecordView]
    sending_dns_records: list[DnsRecordView]


class VerifiedDomain(BaseModel):
    message: str
    domain: DomainView
    sending_dns_records: list[DnsRecordView]
    receiving_dns_records: list[DnsRecordView]


class Connection(BaseModel):
    require_tls: bool
    skip_verification: bool


class ConnectionView(Connection):
    """The settings twice: flat as on the wire, and nested as several SDKs read them."""

    connection: Connection


class ChangedConnection(BaseModel):
    """Some SDKs read the names with hyphens."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    message: str
    require_tls: bool
    skip_verification: bool
    hyphened_require_tls: bool = Field(alias="require-tls")
    hyphened_skip_verification: bool = Field(alias="skip-verification")


class DomainFilter(FormWithoutBlanks):
    """`sort` is `name`, `name:asc` or `name:desc`; without it the newest come first."""

    limit: int = Field(DEFAULT_LISTED, ge=0)
    skip: int = Field(0, ge=0, le=LARGEST)
    state: State | None = None
    sort: str | None = Field(None, pattern=r"^name( ?: ?(asc|desc))?$")
    authority: str | None = None
    search: str | None = None
    include_subaccounts: Flag = Field(False, description="List the domains of its subaccounts, too.")

    @field_validator("limit")
    @classmethod
    def _not_too_many(cls, limit: int) -> int:
        if limit > MOST_LISTED:
            raise BadRequest(f"Limit parameter can't be larger than {MOST_LISTED}")
        return limit


class Wanted(Form):
    extended: Flag = Field(False, alias="h:extended", description="Tell the domain's hosts, too.")
    with_dns: Flag = Field(True, alias="h:with_dns", description="Tell the domain's DNS records.")


class DomainSettings(Form):
    """What can be set when a domain is made and later on."""

    may_be_blank: ClassVar[tuple[str, ...]] = (
        "archive_to",
        "mailfrom_host",
        "encrypt_incoming_message",
        "require_tls",
        "skip_verification",
        "use_automatic_sender_security",
        "wildcard",
    )
    archive_to: str | None = Field(None, description="URL that a copy of each delivered message goes to.")
    encrypt_incoming_message: Flag = False
    message_ttl: int = Field(0, ge=0, le=LARGEST, description="How long messages are kept, in seconds.")
    require_tls: Flag = False
    skip_verification: Flag = False
    smtp_password: str | None = Field(None, description="Password of `postmaster`.")
    spam_action: Literal["disabled", "block", "tag"] = "disabled"
    use_automatic_sender_security: Flag = False
    web_prefix: str = "email"
    web_scheme: Literal["http", "https"] = "http"
    wildcard: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _blank_is_absent(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value != "" or name in cls.may_be_blank}

    @field_validator("archive_to")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url and not url.lower().startswith(("http://", "https://")):
            raise ValueError
        return url or None

    @field_validator("web_prefix")
    @classmethod
    def _is_atom(cls, prefix: str) -> str:
        if not hosts.is_atom(prefix):
            raise ValueError
        return prefix.lower()

    @field_validator("smtp_password")
    @classmethod
    def _is_long_enough(cls, password: str | None) -> str | None:
        return credentials.check_password(password) if password else None

    def columns(self) -> dict[str, Any]:
        """Those of the settings given that are a domain's."""
        own = self.model_fields_set & set(Domain.model_fields)
        return self.model_dump(include=own - {"name", "ips", "pool_id"})


class NewDomain(DomainSettings):
    name: str = Field("", validate_default=True)
    dkim_host_name: str | None = None
    dkim_key_size: Literal[1024, 2048] = 1024
    dkim_selector: str = domain_keys.DEFAULT_SELECTOR
    force_dkim_authority: Flag = False
    force_root_dkim_host: Flag = False
    ips: list[str] = Field(
        default_factory=list, description="IPs of the account, separated by commas; else all dedicated ones."
    )
    pool_id: str | None = Field(None, pattern=r"^[0-9a-f]{24}$")

    @field_validator("name")
    @classmethod
    def _is_host(cls, name: str) -> str:
        if not name:
            raise MissingName
        if not hosts.is_host(name.lower()):
            raise InvalidName
        return name.lower()

    @field_validator("dkim_key_size", mode="before")
    @classmethod
    def _is_number(cls, bits: Any) -> int:
        return int(str(bits))

    @field_validator("dkim_selector")
    @classmethod
    def _is_selector(cls, selector: str) -> str:
        if not hosts.is_atom(selector):
            raise ValueError
        return selector

    @field_validator("ips", mode="before")
    @classmethod
    def _are_addresses(cls, given: list[Any]) -> list[str]:
        return [str(ip_address(ip.strip())) for each in given for ip in str(each).split(",") if ip]

    @model_validator(mode="after")
    def _has_one_dkim_host(self) -> "NewDomain":
        if self.dkim_host_name is None:
            return self
        host = self.dkim_host_name = self.dkim_host_name.lower()
        if self.force_dkim_authority or self.force_root_dkim_host:
            raise BadRequest("dkim_host_name can't be used with force_dkim_authority or force_root_dkim_host")
        own = host == self.name or host.endswith(f".{self.name}")
        if not hosts.is_host(host) or not (own or host == hosts.root_of(self.name)):
            raise BadRequest("Invalid parameter: dkim_host_name is invalid")
        return self

    def signs_itself(self) -> bool:
        return bool(self.force_dkim_authority or self.dkim_host_name or self.use_automatic_sender_security)

    def dkim_host(self) -> str | None:
        return hosts.root_of(self.name) if self.force_root_dkim_host else self.dkim_host_name


class DomainChanges(DomainSettings):
    """What is left out stays as it is."""

    mailfrom_host: str | None = Field(None, description="In lower case.")

    @field_validator("mailfrom_host")
    @classmethod
    def _is_host(cls, host: str | None) -> str | None:
        if host and not hosts.is_host(host):
            raise ValueError
        return host or None


class ConnectionForm(Form):
    require_tls: Flag = False
    skip_verification: Flag = False


def describe(tx: Tx, name: str) -> tuple[DomainDetails, DnsRecords]:
    details = domains.get_details(tx, name)
    return details, dns_records.of_domain(details, domain_keys.list_in_use(tx, details))


@router.get("/v4/domains", response_model=DomainList, responses=REFUSED)
@router.get("/v3/domains", response_model=DomainList, responses=REFUSED)
async def list_domains(tx: CurrentTx, wanted: Annotated[DomainFilter, form(DomainFilter)]) -> Response:
    """List the account's domains, the sandbox too; `total_count` is how many match in all."""
    found, total = domains.list_domains(tx, **wanted.model_dump())
    items = [view(each, None if each.account_id == tx.account_id else each.account_id) for each in found]
    body = {"total_count": total, "items": items}
    return Response(orjson.dumps(body), media_type=JSON)


@router.post("/v4/domains", response_model=ChangedDomain, responses=REFUSED)
@router.post("/v3/domains", response_model=ChangedDomain, responses=REFUSED)
async def create_domain(
    _: Stocked, tx: CurrentTx, asked: Annotated[NewDomain, form(NewDomain)]
) -> dict[str, Any]:
    """Make a domain, with a key to sign with. It is to be verified."""
    authority = asked.name if asked.signs_itself() else domains.authority_of_new(tx, asked.name)
    domain = domains.create(
        tx, asked.name, authority=authority, dkim_host=asked.dkim_host(), **asked.columns()
    )
    give_ips(tx, domain, asked)
    if asked.smtp_password:
        credentials.put_postmaster(tx, domain, asked.smtp_password)
    if authority == domain.name:
        domain_keys.ensure(tx, domain, selector=asked.dkim_selector)
    details, records = describe(tx, domain.name)
    return {
        "message": "Domain DNS records have been created",
        "domain": view(details),
        "receiving_dns_records": record_views(*records.mx),
        "sending_dns_records": record_views(*records.dkim, records.spf, records.cname),
    }


def give_ips(tx: Tx, domain: Domain, asked: NewDomain) -> None:
    if asked.ips or asked.pool_id or sending.has_own_ips(tx):
        from mailgun_emulator.state import domain_ips  # few accounts have any

        domain_ips.assign_at_creation(tx, domain, asked.ips, asked.pool_id)


@router.get("/v4/domains/{domain}", response_model=DescribedDomain, responses=UNKNOWN)
@router.get("/v3/domains/{domain}", response_model=DescribedDomain, responses=UNKNOWN)
@takes(Wanted)
@bare
async def get_domain(request: Request, domain: str) -> Response:
    """Tell everything about a domain."""
    wanted = Wanted.of(await read_fields(request))
    details, keys = await read_domain(request, domain)
    if not keys:
        await stocked(request)
        async with asynccontextmanager(begin)(request) as tx:
            keys = domain_keys.list_in_use(tx, details)
    body = told(wanted, details, dns_records.of_domain(details, keys))
    return Response(orjson.dumps(body), media_type=JSON)


async def read_domain(request: Request, name: str) -> tuple[DomainDetails, list[PublishedKey]]:
    """The domain and its keys, if they were made yet.

    A busy path, so no transaction is begun, which takes 50 µs.
    """
    emulator = request.app.state.emulator
    await emulator.ready()
    with emulator.database.reading() as tx:
        authenticate(request, tx)
        details = domains.get_details(tx, name)
        return details, domain_keys.find_in_use(tx, details)


def told(wanted: Wanted, details: DomainDetails, records: DnsRecords) -> dict[str, Any]:
    body: dict[str, Any] = {"domain": view(details)}
    if wanted.extended:
        hosts_of = {"dkim_host": details.signer_host, "mailfrom_host": dns_records.spf_host(details)}
        body["domain"] |= {**hosts_of, "pod": POD}
    if wanted.with_dns:
        body["receiving_dns_records"] = record_views(*records.mx)
        body["sending_dns_records"] = record_views(*records.dkim, records.spf, records.cname)
    return body


@router.put("/v4/domains/{domain}", response_model=ChangedDomain, responses={**REFUSED, **UNKNOWN})
@router.put("/v3/domains/{domain}", response_model=ChangedDomain, responses={**REFUSED, **UNKNOWN})
async def update_domain(
    _: Stocked, tx: CurrentTx, domain: CurrentDomain, asked: Annotated[DomainChanges, form(DomainChanges)]
) -> dict[str, Any]:
    """Change a domain's settings; what is left out stays as it is."""
    domains.update(tx, domain, **asked.columns())
    if asked.smtp_password:
        credentials.put_postmaster(tx, domain, asked.smtp_password)
    details, records = describe(tx, domain.name)
    return {
        "message": "Domain has been updated",
        "domain": view(details),
        "receiving_dns_records": record_views(*records.mx),
        "sending_dns_records": record_views(records.spf, *records.dkim, records.cname),
    }


@router.put("/v4/domains/{domain}/verify", response_model=VerifiedDomain, responses={**UNKNOWN, **TOO_MANY})
@router.put("/v3/domains/{domain}/verify", response_model=VerifiedDomain, responses={**UNKNOWN, **TOO_MANY})
async def verify_domain(
    response: Response, _: Stocked, tx: CurrentTx, domain: CurrentDomain
) -> dict[str, Any]:
    """Look a domain's DNS records up; SPF and DKIM make it active. What is found is up to `/_emulator`."""
    response.headers.update(dns_records.allow_check(tx, domain).headers())
    dns_records.check(tx, domain)
    details, records = describe(tx, domain.name)
    return {
        "message": "Domain DNS records have been updated",
        "domain": view(details),
        "sending_dns_records": record_views(*records.dkim, records.spf, records.cname),
        "receiving_dns_records": record_views(*records.mx),
    }


@router.delete("/v3/domains/{domain}", responses={**REFUSED, **UNKNOWN})
@router.delete("/v4/domains/{domain}", responses={**REFUSED, **UNKNOWN})
async def delete_domain(tx: CurrentTx, domain: CurrentDomain) -> Done:
    """Delete a domain and all that hangs on it; nobody finds it from now on."""
    domain_removal.delete(tx, domain)
    return Done(message="Domain will be deleted in the background")


@router.get("/v3/domains/{domain}/connection", responses=UNKNOWN)
async def get_connection(domain: CurrentDomain) -> ConnectionView:
    """Tell whether mail may go out without TLS."""
    now = {"require_tls": domain.require_tls, "skip_verification": domain.skip_verification}
    return ConnectionView(**now, connection=Connection(**now))


@router.put("/v3/domains/{domain}/connection", responses=UNKNOWN)
async def update_connection(
    domain: CurrentDomain, asked: Annotated[ConnectionForm, form(ConnectionForm)]
) -> ChangedConnection:
    """Say whether mail may go out without TLS; what is left out stays as it is."""
    for name in asked.model_fields_set:
        setattr(domain, name, getattr(asked, name))
    return ChangedConnection(
        message="Domain connection settings have been updated, may take 10 minutes to fully propagate",
        require_tls=domain.require_tls,
        skip_verification=domain.skip_verification,
        hyphened_require_tls=domain.require_tls,
        hyphened_skip_verification=domain.skip_verification,
    )
