"""Waiting for a condition; the error contains the last value."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Seen = TypeVar("Seen")
Watch = Callable[[], object]
"""Function that runs during a wait, and raises an error if the wait is in vain."""

PATIENCE = 30.0  # seconds
PAUSE = 0.05  # seconds between two looks, and so the longest delay of a result

_watches: list[Watch] = []


class NotInTime(AssertionError):
    """A condition that did not become true in time."""


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call `watch` before each look of each wait, until the end of a `with`.

    The registry is global, because it must hold for every wait, even without access to the cluster.
    """
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)


def wait_until(
    look: Callable[[], Seen],
    wanted: Callable[[Seen], object] = bool,
    description: str = "a true value",
    seconds: float = PATIENCE,
    pause: float = PAUSE,
) -> Seen:
    """Call `look` again and again until its value is as wanted, and return this value.

    Raises NotInTime, with the last value, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        for watch in tuple(_watches):
            watch()
        seen = look()
        if wanted(seen):
            return seen
        if time.monotonic() >= deadline:
            raise NotInTime(f"{description}: not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(pause)
