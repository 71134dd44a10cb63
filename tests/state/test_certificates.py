import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

import orjson
import pytest
from cryptography import x509

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state import accounts, certificates, domains, jobs
from mailgun_emulator.state.certificates import CertificateStatus
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.transaction import Tx

ACCOUNT = "5f" * 12
HOST = "email.mg.example.com"
START = 1_700_000_000.0
VALID_UNTIL = "2024-02-12 22:13:20 +0000 UTC"

Result = TypeVar("Result")


class World:
    """One account with one domain; each `do` is a transaction of its own."""

    def __init__(self, domain: str = "mg.example.com") -> None:
        self.clock = Clock()
        self.clock.freeze(START)
        self.database = Database(Settings(database=":memory:", seed=1), self.clock)
        self.do(lambda tx: accounts.create(tx, id=ACCOUNT, domain_names=(domain,)))

    def do(self, verb: Callable[[Tx], Result]) -> Result:
        async def run() -> Result:
            async with self.database.begin(ACCOUNT) as tx:
                return verb(tx)

        return asyncio.run(run())

    def work(self) -> None:
        def certify(tx: Tx) -> None:
            for job in jobs.list_due(tx, 10):
                assert jobs.complete(tx, job)
                certificates.certify(tx, job)

        self.do(certify)

    def status(self, host: str = HOST) -> CertificateStatus:
        return self.do(lambda tx: certificates.get(tx, host).status(tx.now))

    def close(self) -> None:
        self.database.close()


def test_a_certificate_is_made_expires_and_is_made_anew() -> None:
    with closing(World()) as world:
        world.do(lambda tx: certificates.initiate(tx, HOST))
        assert world.status() is CertificateStatus.PROCESSING
        with pytest.raises(certificates.InProgress, match=f"already in progress for {HOST}$"):
            world.do(lambda tx: certificates.regenerate(tx, HOST))
        world.work()
        assert world.status() is CertificateStatus.ACTIVE
        first = world.do(lambda tx: certificates.get(tx, HOST)).pem
        world.clock.advance(certificates.VALID_SECONDS - 1)
        with pytest.raises(certificates.StillValid) as refused:
            world.do(lambda tx: certificates.regenerate(tx, HOST))
        assert str(refused.value) == f"x509 certificate is still valid until {VALID_UNTIL}"
        world.clock.advance(1)
        assert world.status() is CertificateStatus.EXPIRED
        assert world.do(lambda tx: certificates.get(tx, HOST)).pem == first
        world.do(lambda tx: certificates.regenerate(tx, HOST))
        assert world.status() is CertificateStatus.PROCESSING
        world.work()
        assert world.status() is CertificateStatus.ACTIVE
        assert world.do(lambda tx: certificates.get(tx, HOST)).pem != first


def test_a_certificate_says_as_its_status_does_how_long_it_lasts() -> None:
    with closing(World()) as world:
        world.do(lambda tx: certificates.initiate(tx, HOST))
        world.work()
        made = world.do(lambda tx: certificates.get(tx, HOST))
        assert made.pem is not None
        certificate = x509.load_pem_x509_certificate(made.pem.encode())
        assert certificate.not_valid_before_utc.timestamp() == START
        assert certificate.not_valid_after_utc.timestamp() == made.expires_at


def test_a_host_that_no_certificate_can_name_fails_and_can_be_tried_again() -> None:
    host = "email.mögen.example.com"
    with closing(World("mögen.example.com")) as world:
        world.do(lambda tx: certificates.initiate(tx, host))
        world.work()
        assert world.status(host) is CertificateStatus.ERROR
        world.do(lambda tx: certificates.regenerate(tx, host))
        assert world.status(host) is CertificateStatus.PROCESSING


def test_a_tracking_host_goes_before_a_domain_of_the_same_name() -> None:
    with closing(World()) as world:
        world.do(lambda tx: domains.create(tx, HOST))
        world.do(lambda tx: certificates.initiate(tx, HOST))
        assert world.do(lambda tx: certificates.get(tx, "mg.example.com")).host == HOST
        with pytest.raises(certificates.NeverInitiated):
            world.do(lambda tx: certificates.get(tx, f"email.{HOST}"))


def test_nobody_else_sees_a_certificate() -> None:
    with closing(World()) as world:
        world.do(lambda tx: certificates.initiate(tx, HOST))

        def as_another(tx: Tx) -> None:
            tx.account_id = accounts.create(tx).id
            certificates.get(tx, HOST)

        with pytest.raises(certificates.NeverInitiated):
            world.do(as_another)


@pytest.mark.parametrize("record", ["cname", HOST])
def test_no_certificate_is_made_while_the_tracking_host_leads_elsewhere(record: str) -> None:
    with closing(World()) as world:

        def lose(tx: Tx) -> None:
            domains.get(tx, "mg.example.com").dns = orjson.dumps({record: "wrong"}).decode()

        world.do(lose)
        with pytest.raises(certificates.InvalidCname) as refused:
            world.do(lambda tx: certificates.initiate(tx, HOST))
        assert refused.value.body() == {"Reason": "invalid CNAME record"}
        with pytest.raises(certificates.NeverInitiated):
            world.do(lambda tx: certificates.get(tx, HOST))
