"""A point on the monotonic clock by which an action and everything it waits for must be done."""

from __future__ import annotations

import time

from ..errors import DeadlineExceeded


class Deadline:
    """The time budget of one action; every fork, connect and lookup gets the remaining time."""

    __slots__ = ("_end",)

    def __init__(self, end: float) -> None:
        self._end = end

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that lies ``seconds`` ahead."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def overdue(self) -> float:
        """Return the seconds since the deadline has passed; 0 before."""
        return max(0.0, time.monotonic() - self._end)

    def is_expired(self) -> bool:
        return self.remaining() == 0.0

    def limit_to(self, seconds: float) -> Deadline:
        """Return this deadline or the one ``seconds`` ahead, whichever comes first."""
        return Deadline(min(self._end, time.monotonic() + seconds))

    def require(self, purpose: str) -> float:
        """Return the seconds left for ``purpose``; raise DeadlineExceeded if none are left."""
        seconds_left = self.remaining()
        if seconds_left == 0.0:
            raise DeadlineExceeded(f"no time left for {purpose}")
        return seconds_left
