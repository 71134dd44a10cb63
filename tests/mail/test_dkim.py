import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailgun_emulator.mail import dkim
from mailgun_emulator.mail.dkim import KeyPairs


@pytest.mark.parametrize(
    ("bits", "start"),
    [
        (1024, "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ"),
        (2048, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"),
    ],
)
def test_a_key_pair_is_read_from_its_own_pem(bits: int, start: str) -> None:
    pair = dkim.generate(bits)
    assert pair.public.startswith(start)
    assert pair.private_pem.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert dkim.parse(pair.private_pem) == pair


def test_what_is_no_pem_is_told_from_what_is_no_pkcs1() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    curve = ec.generate_private_key(ec.SECP256R1())
    elliptic = curve.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    broken = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    for text in ("", "lorem ipsum", broken):
        with pytest.raises(dkim.NotPem):
            dkim.parse(text)
    for text in (pkcs8, elliptic):
        with pytest.raises(dkim.NotPkcs1):
            dkim.parse(text)


def test_what_is_at_hand_is_taken_in_the_order_it_was_made() -> None:
    async def taken(*counts: int) -> list[str]:
        pairs = KeyPairs(seed=7)
        found = []
        for count in counts:
            await pairs.at_hand(1024, count)
            found += [pairs.take(1024).public for _ in range(count)]
        return found

    one_by_one = asyncio.run(taken(1, 1, 1))
    assert len(set(one_by_one)) == 3
    assert asyncio.run(taken(3)) == one_by_one
    assert asyncio.run(taken(2, 1)) == one_by_one


def test_a_pair_is_made_on_the_spot_when_none_is_at_hand() -> None:
    pairs = KeyPairs()
    assert pairs.take(1024).bits == 1024


def test_the_next_pair_is_made_as_soon_as_the_last_is_taken() -> None:
    async def take_two() -> None:
        pairs = KeyPairs()
        await pairs.at_hand(1024)
        first = pairs.take(1024)
        await asyncio.gather(*(pairs.at_hand(1024) for _ in range(3)))
        assert pairs.take(1024) != first

    asyncio.run(take_two())


def test_who_comes_just_when_the_last_pair_is_made_waits_for_more() -> None:
    """At that instant nobody has been told yet that it is made."""

    async def take_two() -> None:
        pairs = KeyPairs()
        await pairs.at_hand(1024)
        pairs.take(1024)
        (filling,) = asyncio.all_tasks() - {asyncio.current_task()}
        while not filling.done():  # noqa: ASYNC110 - just then, before those who wait for it
            await asyncio.sleep(0)
        await pairs.at_hand(1024, 2)
        assert pairs.take(1024) != pairs.take(1024)

    asyncio.run(take_two())
