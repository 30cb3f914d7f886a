"""Notifications for the service manager: sd_notify(3), without its library."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from ...values.parsing import is_decimal


def tell(*words: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send assignments such as ``READY=1``; without a service manager, do nothing."""
    where = environ.get("NOTIFY_SOCKET", "")
    if where.startswith(("/", "@")):
        address = "\0" + where[1:] if where.startswith("@") else where
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        with wire, suppress(OSError):
            wire.setblocking(False)  # a manager that does not read must not block this process
            wire.sendto("\n".join(words).encode(), address)


def watchdog(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return the maximal interval of ``WATCHDOG=1`` in seconds; None without a watchdog.

    See sd_watchdog_enabled(3).
    """
    text, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not is_decimal(text) or int(text) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1e6
