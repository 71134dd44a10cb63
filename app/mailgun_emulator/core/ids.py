"""Every random-looking value the emulator hands out."""

import base64
import time
from functools import lru_cache
from random import Random
from uuid import UUID


class Ids:
    """The same seed gives the same values in the same order."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._seeded = seed is not None
        self._random = Random(seed)  # noqa: S311 - these only need to look random
        self._serial = self._random.getrandbits(39)

    def mark(self) -> None:
        """This is where `rewind` goes back to."""
        self._marked = self._random.getstate(), self._serial

    def rewind(self) -> None:
        """Give once more what was given since `mark`, if there is a seed; without one nothing ever comes twice."""
        if self._seeded:
            state, self._serial = self._marked
            self._random.setstate(state)

    def go_on(self, seed: str) -> None:
        """Give those of another seed from now on, if there is a seed; `rewind` goes back as before."""
        if self._seeded:
            self._random.seed(seed)
            self._serial = self._random.getrandbits(39)

    def hex(self, length: int) -> str:
        return self._random.randbytes((length + 1) // 2).hex()[:length]

    def object_id(self) -> str:
        """24 hex digits, as domains, pools and subaccounts have (facts/account.md, 0.6)."""
        return self.hex(24)

    def uuid(self) -> str:
        """As templates have."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """`32hex-8hex-8hex`, as API keys and generated passwords are; the last two parts are the key's id."""
        return f"{self.hex(32)}-{self.hex(8)}-{self.hex(8)}"

    def fraction(self) -> float:
        """From 0 up to, but not including, 1: for what happens with a probability."""
        return self._random.random()

    def event_id(self) -> str:
        """22 characters of URL-safe base64 (facts/sending.md, 3.1)."""
        return _in_base64(self._random.randbytes(16))

    def storage_key(self) -> str:
        """34 characters that begin with `BAAB` (facts/sending.md, 1.13).

        One is next to the other in the order of an index, or each message would change a page of its own there.
        """
        return "BAAB" + _in_base64(self._next_serial().to_bytes(5, "big") + self._random.randbytes(18))[:30]

    def message_id(self, domain: str, at: float) -> str:
        """`YYYYmmddHHMMSS.16hex@domain`, without angle brackets (facts/sending.md, 1.6)."""
        return f"{_second(int(at))}.{self._next_serial():010x}{self.hex(6)}@{domain}"

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial


def _in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@lru_cache(maxsize=64)
def _second(at: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(at))
