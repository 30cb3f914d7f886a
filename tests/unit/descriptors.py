"""The open descriptors of this process."""

from __future__ import annotations

import gc
import os
import time

_PATIENCE = 20.0  # seconds for threads of earlier tests to notice that their peers have gone


def open_descriptors() -> dict[str, str]:
    """Return the number and the target of each open descriptor.

    Garbage of earlier tests is collected first, because it would close its descriptors at any later
    moment.
    """
    gc.collect()
    found = {number: _target(number) for number in os.listdir("/proc/self/fd")}
    return {number: target for number, target in found.items() if target}


def require_none_left(before: dict[str, str]) -> None:
    """Raise AssertionError if descriptors stay open that were not open ``before``.

    Servers of earlier tests are threads of this process.  They accept and close connections at any
    moment, so only descriptors that stay are a leak.
    """
    end = time.monotonic() + _PATIENCE
    while left := open_descriptors().items() - before.items():
        assert time.monotonic() < end, left
        time.sleep(0.02)


def _target(number: str) -> str:
    """Return the target of a descriptor; empty if it was that of the listing."""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        return ""
