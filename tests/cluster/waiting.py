"""Waiting for something to become true, and saying what there was to be seen if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")
PAUSE = 0.2  # seconds between two looks; the longest that a look may be late


class NotInTime(AssertionError):
    """What a test waited for did not happen."""


def wait_until(
    look: Callable[[], Seen],
    wanted: Callable[[Seen], object],
    what: str,
    seconds: float,
    pause: float = PAUSE,
) -> Seen:
    """Look again and again until it is as wanted, and return what was then seen.

    NotInTime, with what was seen last, when that takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen):
            return seen
        if time.monotonic() >= deadline:
            raise NotInTime(f"{what}: not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(pause)
