"""The emulator's time."""

import time


class Clock:
    """Now, in seconds since 1970: real time plus what was added, or standing still where it was frozen."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        if self._frozen_at is not None:
            return self._frozen_at
        return time.time() + self._offset  # noqa: TID251 - the one place where real time comes in

    def freeze(self, at: float | None = None) -> None:
        self._frozen_at = self.now() if at is None else at

    def resume(self) -> None:
        """Run on from where the clock stands."""
        now, self._frozen_at = self.now(), None
        self._offset += now - self.now()

    def advance(self, seconds: float) -> None:
        if self._frozen_at is None:
            self._offset += seconds
        else:
            self._frozen_at += seconds
