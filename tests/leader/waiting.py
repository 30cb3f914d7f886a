"""Wait for what must come true, and no longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0


def until(what: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true value of `what`; AssertionError with the last one if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"still {value!r} after {seconds:.0f} s"
        time.sleep(0.05)
