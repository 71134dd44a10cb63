"""STARTTLS with a certificate of the emulator's own, or with one that is given."""

import smtplib
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import Account, Client, serving
from tests.sink import HOST, smtp_port


def context_of(certificate: str | None) -> ssl.SSLContext:
    """Trusts that certificate, or any if there is none."""
    context = ssl.create_default_context(cadata=certificate)
    if certificate is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def shown_certificate(port: int) -> str:
    with smtplib.SMTP(HOST, port) as client:
        client.starttls(context=context_of(None))
        assert isinstance(client.sock, ssl.SSLSocket)
        shown = client.sock.getpeercert(binary_form=True)
        assert shown is not None
        return ssl.DER_cert_to_PEM_cert(shown)


def test_a_connection_is_secured_by_a_certificate_that_can_be_trusted(
    client: Client, account: Account, server_url: str
) -> None:
    port = smtp_port(server_url)
    certificate = shown_certificate(port)
    assert shown_certificate(port) == certificate
    with smtplib.SMTP(HOST, port) as sender:
        assert sender.starttls(context=context_of(certificate)) == (220, b"Go ahead")
        assert sender.ehlo_resp is None
        sender.ehlo("client.test")
        assert not sender.has_extn("starttls")
        assert sender.docmd("STARTTLS")[0] == 503
        sender.login(f"postmaster@{account.domain}", account.api_key)
        head = b"From: a@x.com\r\nTo: b@x.com\r\nSubject: Hi\r\n\r\n"
        sender.sendmail("a@x.com", "b@x.com", head + b"x" * 300_000)
    client.drain()
    accepted = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"]
    read = client.get(accepted[0]["storage"]["url"]).json()
    assert " (version=TLS1.3, cipher=TLS_" in read["Received"]
    assert len(read["body-plain"]) >= 300_000


def test_what_was_said_before_is_forgotten(account: Account, server_url: str) -> None:
    with smtplib.SMTP(HOST, smtp_port(server_url)) as sender:
        sender.ehlo()
        sender.login(f"postmaster@{account.domain}", account.api_key)
        sender.mail("a@x.com")
        sender.starttls(context=context_of(None))
        assert sender.docmd("MAIL", "FROM:<a@x.com>")[0] == 503
        sender.ehlo()
        assert sender.rcpt("b@x.com")[0] == 503
        sender.mail("a@x.com")
        assert sender.rcpt("b@elsewhere.test") == (550, b"5.7.1 Relaying denied")


def test_what_follows_in_the_clear_is_not_taken_for_secured(server_url: str) -> None:
    with smtplib.SMTP(HOST, smtp_port(server_url)) as sender:
        sender.ehlo()
        sender.send(b"STARTTLS\r\nNOOP\r\n")
        assert sender.getreply() == (220, b"Go ahead")
        assert sender.sock is not None
        sender.sock = context_of(None).wrap_socket(sender.sock)
        sender.file = None
        assert sender.ehlo()[0] == 250


def test_a_client_that_does_not_trust_it_disturbs_nobody(server_url: str) -> None:
    port = smtp_port(server_url)
    with smtplib.SMTP(HOST, port) as sender, pytest.raises(ssl.SSLCertVerificationError):
        sender.starttls(context=ssl.create_default_context())
    assert shown_certificate(port)


def make_pem() -> tuple[bytes, bytes]:
    """A certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), secret


@pytest.mark.parametrize("in_one", [True, False], ids=["in one file", "in two files"])
def test_a_certificate_can_be_given(in_one: bool, tmp_path: Path) -> None:
    certificate, key = make_pem()
    (tmp_path / "cert.pem").write_bytes(certificate + (key if in_one else b""))
    (tmp_path / "key.pem").write_bytes(key)
    arguments = ["--smtp-certificate", str(tmp_path / "cert.pem")]
    arguments += [] if in_one else ["--smtp-key", str(tmp_path / "key.pem")]
    with serving(*arguments) as server:
        assert shown_certificate(smtp_port(server.url)).strip() == certificate.decode().strip()


@pytest.mark.parametrize("content", [None, b"no PEM"], ids=["missing", "not PEM"])
def test_a_certificate_that_is_none_is_refused_at_the_start(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    if content is not None:
        file.write_bytes(content)
    command = [sys.executable, "-m", "mailgun_emulator", "serve", "--port", "0"]
    refused = subprocess.run(
        [*command, "--smtp-certificate", str(file)], capture_output=True, text=True, check=False, timeout=30
    )
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "--smtp-certificate can't be used: " in refused.stderr
