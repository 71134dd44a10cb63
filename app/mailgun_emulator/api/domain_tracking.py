"""Domain Tracking: opens, clicks, unsubscribes, and the tracking host's certificate (facts/account.md, 2)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.mail.dkim import KeyPairs
from mailgun_emulator.state import certificates, domains
from mailgun_emulator.state.certificates import Certificate, CertificateStatus
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.web.deps import CurrentDomain, CurrentTx
from mailgun_emulator.web.forms import Flag, Form, as_flag, form
from mailgun_emulator.web.views import (
    REFUSALS,
    DescriptionGiven,
    Done,
    ReasonGiven,
    Responses,
    only_if_set,
    refusals,
)

router = APIRouter(tags=["Domain Tracking"])

UPDATED = "Domain tracking settings have been updated"
FAULTS = {
    CertificateStatus.PROCESSING: "Waiting for x509 key pair generation",
    CertificateStatus.EXPIRED: "x509 certificate has expired",
    CertificateStatus.ERROR: "TLS x509 key pair generation failed, please contact support",
}


def as_click_tracking(value: Any) -> Any:
    return str(as_flag(value)).lower()


class OpenForm(Form):
    """What is left out stays, here and in the two that follow. Fields are named as the domain's columns."""

    open_active: Flag | None = Field(default=None, alias="active")
    open_at_top: Flag | None = Field(default=None, alias="place_at_the_top")


class ClickForm(Form):
    """`htmlonly` leaves the links of text parts alone."""

    click_active: (
        Annotated[Literal["true", "false", "htmlonly"], BeforeValidator(as_click_tracking)] | None
    ) = Field(default=None, alias="active")


class UnsubscribeForm(Form):
    unsubscribe_active: Flag | None = Field(default=None, alias="active")
    html_footer: str | None = None
    text_footer: str | None = None


class WebPrefixForm(Form):
    web_prefix: str


class OpenTracking(BaseModel):
    active: bool
    place_at_the_top: bool


class ClickTracking(BaseModel):
    """`htmlonly` counts as active: Go's and Java's clients read nothing but a boolean here."""

    active: bool


class ChangedClickTracking(BaseModel):
    """A change to `htmlonly` is told as such: Java's client reads nothing else here."""

    active: bool | Literal["htmlonly"]


class UnsubscribeTracking(BaseModel):
    active: bool
    html_footer: str
    text_footer: str


class Tracking(BaseModel):
    open: OpenTracking
    click: ClickTracking
    unsubscribe: UnsubscribeTracking
    web_scheme: str


class TrackingAnswer(BaseModel):
    tracking: Tracking


class UpdatedOpen(BaseModel):
    message: str
    open: OpenTracking


class UpdatedClick(BaseModel):
    message: str
    click: ChangedClickTracking


class UpdatedUnsubscribe(BaseModel):
    message: str
    unsubscribe: UnsubscribeTracking


class Initiated(BaseModel):
    """`location` is where to ask how far it is."""

    message: str
    location: str


class CertificateView(BaseModel):
    """`error` is left out when there is none, `certificate` (PEM) until there is one."""

    status: CertificateStatus
    error: str | None = only_if_set()
    certificate: str | None = only_if_set()


def change(domain: Domain, asked: Form) -> None:
    for column, value in asked.model_dump(exclude_none=True).items():
        setattr(domain, column, value)


def open_tracking(domain: Domain) -> OpenTracking:
    return OpenTracking(active=domain.open_active, place_at_the_top=domain.open_at_top)


def click_tracking(domain: Domain) -> ClickTracking:
    return ClickTracking(active=domain.click_active != "false")


def changed_click_tracking(domain: Domain) -> ChangedClickTracking:
    is_html_only = domain.click_active == "htmlonly"
    return ChangedClickTracking(active="htmlonly" if is_html_only else domain.click_active == "true")


def unsubscribe_tracking(domain: Domain) -> UnsubscribeTracking:
    return UnsubscribeTracking(
        active=domain.unsubscribe_active, html_footer=domain.html_footer, text_footer=domain.text_footer
    )


@router.get("/v3/domains/{domain}/tracking", responses=refusals(404))
async def get_tracking(domain: CurrentDomain) -> TrackingAnswer:
    """Tell what is tracked in a domain's messages."""
    return TrackingAnswer(
        tracking=Tracking(
            open=open_tracking(domain),
            click=click_tracking(domain),
            unsubscribe=unsubscribe_tracking(domain),
            web_scheme=domain.web_scheme,
        )
    )


@router.put("/v3/domains/{domain}/tracking/open", responses=REFUSALS)
async def update_open_tracking(
    domain: CurrentDomain, asked: Annotated[OpenForm, form(OpenForm)]
) -> UpdatedOpen:
    """Turn the tracking of opens on or off, and say where in a message the pixel goes."""
    change(domain, asked)
    return UpdatedOpen(message=UPDATED, open=open_tracking(domain))


@router.put("/v3/domains/{domain}/tracking/click", responses=REFUSALS)
async def update_click_tracking(
    domain: CurrentDomain, asked: Annotated[ClickForm, form(ClickForm)]
) -> UpdatedClick:
    """Turn the tracking of clicks on, off, or on in HTML parts only."""
    change(domain, asked)
    return UpdatedClick(message=UPDATED, click=changed_click_tracking(domain))


@router.put("/v3/domains/{domain}/tracking/unsubscribe", responses=REFUSALS)
async def update_unsubscribe_tracking(
    domain: CurrentDomain, asked: Annotated[UnsubscribeForm, form(UnsubscribeForm)]
) -> UpdatedUnsubscribe:
    """Turn the footer with an unsubscribe link on or off, and set its text; an empty text means no footer."""
    change(domain, asked)
    return UpdatedUnsubscribe(message=UPDATED, unsubscribe=unsubscribe_tracking(domain))


@router.put("/v3/domains/{domain}/web_prefix", responses=REFUSALS)
async def update_web_prefix(
    tx: CurrentTx, domain: CurrentDomain, asked: Annotated[WebPrefixForm, form(WebPrefixForm)]
) -> Done:
    """Rename a domain's tracking host."""
    domains.set_web_prefix(tx, domain, asked.web_prefix)
    return Done(message="Domain web prefix updated")


async def stocked_for_certificates(request: Request) -> KeyPairs:
    """A key pair is at hand before the transaction begins, since making one takes long."""
    pairs: KeyPairs = request.app.state.emulator.database.key_pairs
    await pairs.at_hand(certificates.BITS)
    return pairs


NEEDS_KEY_PAIR = [Depends(stocked_for_certificates)]
NO_CERTIFICATE: Responses = {404: {"model": DescriptionGiven}}
NO_NEW_CERTIFICATE: Responses = {
    400: {"model": ReasonGiven},
    409: {"model": DescriptionGiven},
    **NO_CERTIFICATE,
}


def initiated(host: str) -> Initiated:
    return Initiated(message="Initiated x509 key pair generation", location=f"/v2/x509/{host}/status")


def certificate_view(certificate: Certificate, now: float) -> CertificateView:
    status = certificate.status(now)
    pem = None if status is CertificateStatus.PROCESSING else certificate.pem
    return CertificateView(status=status, error=FAULTS.get(status), certificate=pem)


@router.post("/v2/x509/{host}", status_code=202, dependencies=NEEDS_KEY_PAIR, responses=NO_NEW_CERTIFICATE)
async def create_certificate(tx: CurrentTx, host: str) -> Initiated:
    """Have a certificate made for a tracking host, in the background."""
    certificates.initiate(tx, host)
    return initiated(host)


@router.put(
    "/v2/x509/{host}",
    status_code=202,
    dependencies=NEEDS_KEY_PAIR,
    responses={**NO_NEW_CERTIFICATE, 429: {"model": DescriptionGiven}},
)
async def regenerate_certificate(tx: CurrentTx, host: str) -> Initiated:
    """Have a certificate that has expired made anew, in the background."""
    certificates.regenerate(tx, host)
    return initiated(host)


@router.get("/v2/x509/{host}/status", responses=NO_CERTIFICATE)
async def get_certificate_status(tx: CurrentTx, host: str) -> CertificateView:
    """Tell how far a tracking host's certificate is, and what it is once it is there."""
    certificate = certificates.get(tx, host.removesuffix("}"))  # PHP's client writes one too many
    return certificate_view(certificate, tx.now)
