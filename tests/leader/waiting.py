"""Waiting for a condition, with a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0


def until(what: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Return the first true value of `what`.

    Raise AssertionError with the last one after `seconds`.
    """
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"still {value!r} after {seconds:.0f} s"
        time.sleep(0.05)
