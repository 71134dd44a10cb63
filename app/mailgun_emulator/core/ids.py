"""Every random-looking value the emulator hands out."""

import base64
import time
from random import Random
from uuid import UUID


class Ids:
    """The same seed gives the same values in the same order."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._seeded = seed is not None
        self._random = Random(seed)  # noqa: S311 - these only need to look random

    def mark(self) -> None:
        """This is where `rewind` goes back to."""
        self._marked = self._random.getstate()

    def rewind(self) -> None:
        """Give once more what was given since `mark`, if there is a seed; without one nothing ever comes twice."""
        if self._seeded:
            self._random.setstate(self._marked)

    def hex(self, length: int) -> str:
        return f"{self._random.getrandbits(4 * length):0{length}x}"

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
        return self._base64(16)

    def storage_key(self) -> str:
        """34 characters that begin with `BAAB` (facts/sending.md, 1.13)."""
        return "BAAB" + self._base64(23)[:30]

    def message_id(self, domain: str, at: float) -> str:
        """`YYYYmmddHHMMSS.16hex@domain`, without angle brackets (facts/sending.md, 1.6)."""
        return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime(at))}.{self.hex(16)}@{domain}"

    def _base64(self, size: int) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(size)).rstrip(b"=").decode()
