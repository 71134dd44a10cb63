"""Time: the emulator's, and each account's own."""

import time
from collections.abc import Callable
from math import inf


def real() -> float:
    return time.time()  # noqa: TID251 - the one place where real time comes in


def to_the_microsecond(at: float) -> float:
    """As events tell time; all that is compared with each other has to be as exact."""
    return round(at, 6)


class Clock:
    """Now, in seconds since 1970: the time it is set by plus an offset, or standing still where it was frozen."""

    def __init__(
        self, base: Callable[[], float] = real, offset: float = 0.0, frozen_at: float | None = None
    ) -> None:
        self._base = base
        self.offset = offset
        self.frozen_at = frozen_at

    def now(self) -> float:
        return self._base() + self.offset if self.frozen_at is None else self.frozen_at

    def freeze(self, at: float | None = None) -> None:
        self.frozen_at = to_the_microsecond(self.now() if at is None else at)

    def resume(self) -> None:
        """Run on from where the clock stands."""
        now, self.frozen_at = self.now(), None
        self.offset += now - self.now()

    def advance(self, seconds: float) -> None:
        if self.frozen_at is None:
            self.offset += seconds
        else:
            self.freeze(self.frozen_at + seconds)

    def is_due_at(self, at: float) -> float:
        """When it will be `at` here, by the time it is set by; never if it stands still before that."""
        if self.frozen_at is None:
            return at - self.offset
        return -inf if at <= self.frozen_at else inf
