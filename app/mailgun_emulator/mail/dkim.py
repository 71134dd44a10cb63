"""RSA key pairs for DKIM (RFC 6376), and a stock of them, because making one takes 8 to 34 ms."""

import asyncio
import base64
from collections import defaultdict, deque
from contextlib import suppress
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SIZES = (1024, 2048)


class KeyPair(NamedTuple):
    """`private_pem` in PKCS#1; `public` is the base64 that a DNS record carries after `p=`."""

    bits: int
    private_pem: str
    public: str


class NotPem(ValueError):
    """The text is not a PEM at all."""


class NotPkcs1(ValueError):
    """The PEM is not an RSA private key in PKCS#1."""


def generate(bits: int) -> KeyPair:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return _pair(rsa.generate_private_key(public_exponent=65537, key_size=bits))


def parse(pem: str) -> KeyPair:
    """Raise `NotPem` or `NotPkcs1` for what is not a private key as Mailgun takes it (facts/account.md, 3.2)."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = pem.strip()
    if not text.startswith("-----BEGIN ") or "-----END " not in text:
        raise NotPem
    if not text.startswith("-----BEGIN RSA PRIVATE KEY-----"):
        raise NotPkcs1
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        raise NotPem from None
    if not isinstance(key, RSAPrivateKey):
        raise NotPkcs1
    return _pair(key)


def _pair(key: "RSAPrivateKey") -> KeyPair:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(key.key_size, private.decode(), base64.b64encode(public).decode())


def _generate_from(random: Random, bits: int) -> KeyPair:
    """The same `random` gives the same key, for runs that must repeat. Not for secrets."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    e = 65537
    while True:
        p, q = _prime(random, bits // 2), _prime(random, bits // 2)
        phi = (p - 1) * (q - 1)
        if p != q and phi % e and (p * q).bit_length() == bits:
            break
    d = pow(e, -1, phi)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(e, p * q),
    )  # fmt: skip
    return _pair(numbers.private_key())


def _prime(random: Random, bits: int) -> int:
    while True:
        candidate = random.getrandbits(bits) | (3 << (bits - 2)) | 1
        if all(candidate % small for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)) and all(
            pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7)
        ):
            return candidate


class KeyPairs:
    """A stock filled by threads. Seeded, it gives the same keys in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._stock: dict[int, deque[KeyPair]] = defaultdict(deque)
        self._random = {bits: Random(f"{seed}/{bits}") for bits in SIZES} if seed is not None else {}  # noqa: S311 - made to repeat
        self._filling: dict[int, asyncio.Task[None]] = {}
        self._one_at_a_time = Lock()

    async def at_hand(self, bits: int, count: int = 1) -> None:
        """Wait until so many can be taken at once. Call it before a transaction begins."""
        while len(self._stock[bits]) < count:
            await asyncio.shield(self._fill(bits, count))

    def take(self, bits: int) -> KeyPair:
        """The next is made at once, so that whoever needs it finds it."""
        stock = self._stock[bits]
        if not stock:
            self._make(bits, 1)
        pair = stock.popleft()
        if not stock:
            with suppress(RuntimeError):  # no loop runs
                self._fill(bits, 1)
        return pair

    def _fill(self, bits: int, count: int) -> "asyncio.Task[None]":
        filling = self._filling.get(bits)
        if filling is None or filling.done():
            filling = asyncio.get_running_loop().create_task(asyncio.to_thread(self._make, bits, count))
            self._filling[bits] = filling
        return filling

    def _make(self, bits: int, count: int) -> None:
        """Until so many are in stock. In the order they are made, whoever else is waiting for one."""
        random = self._random.get(bits)
        with self._one_at_a_time:
            while len(self._stock[bits]) < count:
                self._stock[bits].append(_generate_from(random, bits) if random else generate(bits))
