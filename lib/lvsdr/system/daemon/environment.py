"""The environment of a daemon: its capabilities(7), and its service manager.

Notifications follow sd_notify(3), without its library.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from ...values.parsing import is_decimal

_CAPABILITY_BITS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}  # linux/capability.h


def notify_service_manager(*assignments: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send assignments such as ``READY=1``; without a service manager, do nothing."""
    path = environ.get("NOTIFY_SOCKET", "")
    if path.startswith(("/", "@")):
        address = "\0" + path[1:] if path.startswith("@") else path
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        with wire, suppress(OSError):
            wire.setblocking(False)  # a manager that does not read must not block this process
            wire.sendto("\n".join(assignments).encode(), address)


def read_watchdog_interval(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return the maximal interval of ``WATCHDOG=1`` in seconds; None without a watchdog.

    See sd_watchdog_enabled(3).
    """
    text, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not is_decimal(text) or int(text) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1e6


def find_missing_capabilities(status: str = "/proc/self/status") -> list[str]:
    """Return the capabilities for addresses and frames that this process lacks."""
    return _find_missing("CapEff", _read_status(status))


def programs_may_change_addresses(status: str = "/proc/self/status") -> bool:
    """Return whether a program started by this process gets CAP_NET_ADMIN.

    Programs of root get it; those of others only if the capability is ambient.  File capabilities,
    which setcap(8) sets for an interpreter, end with that interpreter.
    """
    fields = _read_status(status)
    root = fields["Uid"].split()[1] == "0"
    return root or "CAP_NET_ADMIN" not in _find_missing("CapAmb", fields)


def _read_status(status: str) -> dict[str, str]:
    with open(status, encoding="utf-8", errors="replace") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)


def _find_missing(kind: str, fields: dict[str, str]) -> list[str]:
    mask = int(fields[kind], 16)
    return [name for name, bit in _CAPABILITY_BITS.items() if not mask >> bit & 1]
