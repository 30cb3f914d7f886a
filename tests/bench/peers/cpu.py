"""Processor time of one host of the lab, and of the whole machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
IDLE = (3, 4)  # fields of the line "cpu" in /proc/stat: idle and iowait
STEAL = 7  # and the field from which time does not count, or counts twice


def busy_seconds() -> float:
    """Return the processor seconds of the machine since its boot, idle time excluded."""
    return parse_stat(Path("/proc/stat").read_text()) / TICKS


def parse_stat(text: str) -> int:
    """Return the busy ticks in a /proc/stat (proc(5)).

    >>> parse_stat("cpu  10 1 20 500 9 3 4 7 5 0")
    38
    """
    fields = [int(field) for field in text.split("\n", 1)[0].split()[1:]][:STEAL]
    return sum(ticks for number, ticks in enumerate(fields) if number not in IDLE)


def host_seconds(name: str) -> float:
    """Return the processor seconds of the processes in a network namespace.

    The time of a process that has ended counts for its parent, if that has waited for it.
    """
    wanted = os.stat(f"/run/netns/{name}").st_ino
    return sum(_ticks(process) for process in _processes(wanted)) / TICKS


def _processes(namespace: int) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "ns/net").stat().st_ino == namespace:
                yield process


def _ticks(process: Path) -> int:
    with contextlib.suppress(OSError):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15])
    return 0
