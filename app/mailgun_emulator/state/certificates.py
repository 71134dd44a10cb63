"""TLS certificates of tracking hosts (facts/account.md, 2.3)."""

import time
from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, or_, select

from mailgun_emulator.core.errors import BadRequest, Conflict, NotFound, TooManyRequests
from mailgun_emulator.state import dns_records, jobs
from mailgun_emulator.state.dns_records import Kind, tracking_host
from mailgun_emulator.state.domains import Domain, Finding
from mailgun_emulator.state.transaction import Tx

VALID_SECONDS = 90 * 86400
BITS = 2048


class CertificateNotFound(NotFound):
    key = "Description"
    message = "x509 cert not found"


class NeverInitiated(NotFound):
    key = "Description"
    message = "Please initiate x509 key pair generation at POST /v2/x509/{host}"


class AlreadyInitiated(Conflict):
    key = "Description"
    message = "x509 key pair generation has already been initiated for {host}"


class StillValid(Conflict):
    key = "Description"
    message = "x509 certificate is still valid until {until}"


class InProgress(TooManyRequests):
    key = "Description"
    message = "x509 key pair generation job is already in progress for {host}"


class InvalidCname(BadRequest):
    key = "Reason"
    message = "invalid CNAME record"


class CertificateStatus(StrEnum):
    PROCESSING = "processing"
    ACTIVE = "active"
    EXPIRED = "expired"
    ERROR = "error"


class Certificate(SQLModel, table=True):
    """`processing` until the job has made it; one that then has no `pem` failed. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "certificate"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    host: str = Field(primary_key=True)
    pem: str | None = None
    private_pem: str | None = None
    expires_at: float | None = None
    processing: bool = True
    created_at: float

    def status(self, now: float) -> CertificateStatus:
        if self.processing:
            return CertificateStatus.PROCESSING
        if self.expires_at is None:
            return CertificateStatus.ERROR
        return CertificateStatus.ACTIVE if now < self.expires_at else CertificateStatus.EXPIRED


def get(tx: Tx, host: str) -> Certificate:
    """As all verbs here, this takes the tracking host, or the domain's own name, which SDKs pass."""
    domain = _find_domain(tx, host)
    certificate = _find(tx, domain) if domain else None
    if certificate is None:
        raise NeverInitiated(NeverInitiated.message.format(host=host))
    return certificate


def initiate(tx: Tx, host: str) -> None:
    domain = _get_domain(tx, host)
    if _find(tx, domain) is not None:
        raise AlreadyInitiated(AlreadyInitiated.message.format(host=host))
    _check_cname(tx, domain)
    certificate = Certificate(domain_id=domain.id, host=tracking_host(domain), created_at=tx.now)
    _generate(tx, domain, tx.add(certificate))


def regenerate(tx: Tx, host: str) -> None:
    """Only what has expired or failed is made anew."""
    domain = _get_domain(tx, host)
    certificate = _find(tx, domain)
    if certificate is None:
        raise CertificateNotFound
    match certificate.status(tx.now):
        case CertificateStatus.PROCESSING:
            raise InProgress(InProgress.message.format(host=host))
        case CertificateStatus.ACTIVE:
            until = time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(certificate.expires_at))
            raise StillValid(StillValid.message.format(until=until))
    _check_cname(tx, domain)
    _generate(tx, domain, certificate)


def _check_cname(tx: Tx, domain: Domain) -> None:
    """Who makes the certificate reaches the tracking host by it."""
    zone = dns_records.get_zone(tx, domain)
    finding = zone.get(tracking_host(domain), zone[Kind.CNAME])
    if finding is not Finding.FOUND:
        raise InvalidCname(hint=f"The CNAME record of {tracking_host(domain)} is {finding}.")


def certify(tx: Tx, job: jobs.DueJob) -> None:
    """Make what was asked for; a host that no certificate can name fails."""
    certificate = tx.session.get(Certificate, (job.domain_id, job.subject))
    if certificate is None or certificate.private_pem is None:
        return
    made_at = int(tx.now)
    serial = int(tx.ids.hex(32), 16) + 1
    certificate.processing, certificate.pem, certificate.expires_at = False, None, None
    try:
        certificate.pem = self_signed(certificate.host, certificate.private_pem, made_at, serial)
    except ValueError:
        return
    certificate.expires_at = float(made_at + VALID_SECONDS)


def self_signed(host: str, private_pem: str, made_at: int, serial: int) -> str:
    """A certificate for one host, in PEM. Raise ValueError for a name that DNS can't hold."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    key = load_pem_private_key(private_pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101 - tells the type checker what the stock of key pairs holds
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:64])])  # RFC 5280 allows no more
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime.fromtimestamp(made_at, UTC))
        .not_valid_after(datetime.fromtimestamp(made_at + VALID_SECONDS, UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def _generate(tx: Tx, domain: Domain, certificate: Certificate) -> None:
    certificate.private_pem = tx.key_pairs.take(BITS).private_pem
    certificate.processing = True
    jobs.schedule(tx, jobs.Step.CERTIFY, certificate.host, domain_id=domain.id)


def _find(tx: Tx, domain: Domain) -> Certificate | None:
    """That of the host it has now: another prefix needs another certificate."""
    return tx.session.get(Certificate, (domain.id, tracking_host(domain)))


def _get_domain(tx: Tx, host: str) -> Domain:
    domain = _find_domain(tx, host)
    if domain is None:
        raise CertificateNotFound(hint=f"No domain of the account has {host} as its tracking host.")
    return domain


def _find_domain(tx: Tx, host: str) -> Domain | None:
    """A tracking host goes before a domain of the same name."""
    host = host.lower()
    own_host = col(Domain.web_prefix) + "." + col(Domain.name)
    found = select(Domain).where(
        Domain.account_id == tx.account_id, or_(own_host == host, Domain.name == host)
    )
    return tx.session.exec(found.order_by(col(Domain.name) == host)).first()
