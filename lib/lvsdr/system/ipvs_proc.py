"""The kernel's IPVS table in /proc, read without a fork."""

from __future__ import annotations

import os

from ..ipvs.table import Service, ServiceKey, WantedService, strip_counters
from ..ipvs.text import parse_proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Callable

PROC_FILE = "/proc/net/ip_vs"
_CONNECTIONS = "/proc/net/ip_vs_conn"
_PIECE_SIZE = 4096  # bytes at least that the kernel gives at once (fs/seq_file.c)
_MOST_READINGS = 5


def read_proc(path: str = PROC_FILE) -> str:
    """Return the text of the kernel's table; empty if the kernel has no IPVS."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def read_connections(path: str = _CONNECTIONS) -> Iterator[str]:
    """Yield the lines of the kernel's table of connections; there may be a hundred thousand."""
    with open(path, encoding="ascii") as file:
        yield from file


def find_service(key: ServiceKey, read: Callable[[], str] = read_proc) -> Service | None:
    """Return the current service; None without one.

    The kernel delivers a large table in pieces, by line number.  A deletion between two pieces
    hides as many of the later lines, or moves them below another service.  So a large table counts
    only after two readings with the same result.
    """
    readings: list[WantedService | None] = []
    for _ in range(_MOST_READINGS):
        text = read()
        service = parse_proc(text).get(key)
        readings.append(None if service is None else strip_counters(service))
        if len(text) < _PIECE_SIZE or readings[:-1][-1:] == readings[-1:]:
            break
    return service


def is_available(path: str = PROC_FILE) -> bool:
    """Return whether this kernel already has IPVS in use; a probe must not load it."""
    return os.path.exists(path)
