"""Waiting for something to become true; the error says what was seen instead."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Seen = TypeVar("Seen")
Watch = Callable[[], object]
"""Looks at something else during a wait, and raises an error if the wait is in vain."""

PAUSE = 0.2  # seconds between two looks; the longest that a look may be late

_watches: list[Watch] = []


class NotInTime(AssertionError):
    """What a test waited for did not happen."""


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call `watch` before each look of each wait, for as long as a `with` lasts.

    A registry, because it must hold for every wait, also for one that knows of no cluster.
    """
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)


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
        for watch in tuple(_watches):
            watch()
        seen = look()
        if wanted(seen):
            return seen
        if time.monotonic() >= deadline:
            raise NotInTime(f"{what}: not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(pause)
