"""The certificate for STARTTLS: as given, or signed by itself and made when it is first asked for."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from mailgun_emulator.core import clock

VALID_DAYS = 3650
NAMES = ("localhost", "smtp.mailgun.org", "smtp.eu.mailgun.org")


class Certificate(NamedTuple):
    """What a connection is secured with."""

    context: ssl.SSLContext

    @classmethod
    def of(cls, certificate: str, key: str | None) -> Self:
        """Of PEM files. Raise `OSError` or `ValueError` when they are none, or don't fit each other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return cls(context)

    @classmethod
    def self_signed(cls) -> Self:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "smtp.pem")
            file.touch(0o600)
            file.write_bytes(_new_pem())
            return cls.of(str(file), None)


def _new_pem() -> bytes:
    """A key and a certificate for this machine, by real time, as clients check it."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mailgun emulator")])
    now = datetime.fromtimestamp(clock.real(), UTC)
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    alternatives = [*map(x509.DNSName, NAMES), *addresses]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + certificate.public_bytes(pem)
