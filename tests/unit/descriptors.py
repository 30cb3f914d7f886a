"""The open descriptors of this process."""

from __future__ import annotations

import gc
import os


def open_descriptors() -> list[str]:
    """Return the numbers of all open descriptors.

    Garbage of earlier tests is collected first, because it would close its descriptors at any later
    moment.
    """
    gc.collect()
    return os.listdir("/proc/self/fd")
