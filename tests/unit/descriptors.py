"""The open descriptors of this process."""

from __future__ import annotations

import gc
import os
import time

_PATIENCE = 20.0  # seconds for threads of earlier tests to notice that their peers have gone


def open_descriptors() -> list[str]:
    """Return the numbers of all open descriptors.

    Garbage of earlier tests is collected first, because it would close its descriptors at any later
    moment.
    """
    gc.collect()
    return os.listdir("/proc/self/fd")


def require_none_left(before: list[str]) -> None:
    """Raise AssertionError if descriptors stay open that were not open ``before``.

    Servers of earlier tests are threads of this process.  They accept and close connections at any
    moment, so only descriptors that stay are a leak.
    """
    end = time.monotonic() + _PATIENCE
    while left := set(open_descriptors()) - set(before):
        assert time.monotonic() < end, {number: _target(number) for number in left}
        time.sleep(0.02)


def _target(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError as error:
        return str(error)
