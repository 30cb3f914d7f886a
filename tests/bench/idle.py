"""A minute of an idle director: processor and memory with a watcher, and processor without one.

Both have a monitor every five seconds, in the same minute.  The cluster is a file, so the watcher
looks at that file, where in a live cluster crm_mon would wake it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.director import watching
from tests.bench.sample import Command, once

SECONDS, INTERVAL = 60.0, 5.0
SETTLING = 5.0  # seconds for the cycles that follow the start
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024  # KiB


def measure(agent: Path, environ: Mapping[str, str], place: Path) -> dict[str, Any]:
    """Return processor seconds of all processes, and the most memory of the resident ones."""
    plain = Command((str(agent), "monitor"), _without_watcher(environ, place))
    once(plain)
    with watching(agent, environ, place / "watched") as fast:
        pid = _find_watcher(place / "watched")
        time.sleep(SETTLING)
        before, begun = _cpu(pid), time.monotonic()
        fast_cpu = plain_cpu = memory = 0.0
        for number in range(int(SECONDS / INTERVAL)):
            _sleep_until(begun + number * INTERVAL)
            fast_cpu += once(fast).cpu
            _sleep_until(begun + (number + 0.5) * INTERVAL)
            plain_cpu += once(plain).cpu
            memory = max(memory, _memory(pid))
        _sleep_until(begun + SECONDS)
        resident = _cpu(pid) - before
    together = resident + fast_cpu
    return {
        "watcher": resident,
        "fast": fast_cpu,
        "together": together,
        "plain": plain_cpu,
        "ratio": together / plain_cpu,
        "mib": memory,
    }


def _without_watcher(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    without = {"OCF_RESKEY_watch": "false", "OCF_RESKEY_realserver_check": "none"}
    return {**environ, **without, "HA_RSCTMP": str(place / "plain")}


def _find_watcher(directory: Path) -> int:
    """Return the process that the agent has recorded."""
    (record,) = directory.glob("*.watcher")
    return int(record.read_text().partition("\npid ")[2].split()[0])


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _cpu(pid: int) -> float:
    """Return the processor seconds of a process and of its ended children; see proc(5)."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, stat[11:15])) / _TICKS


def _memory(pid: int) -> float:
    """Return the mebibytes of a process, with its share of common pages."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / _MIB


def lines(minutes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the report; the names of the minutes are those of their checks."""
    report = [f"an idle minute, with a monitor every {INTERVAL:.0f} s, of 3 nodes"]
    for check, figures in minutes.items():
        ratio, mib = figures["ratio"], figures["mib"]
        report += [
            f"  with a {check} check of each every second:" if check else "  without checks:",
            f"    watcher with its cycles {figures['watcher'] * 1e3:.0f} ms of CPU + monitors"
            f" {figures['fast'] * 1e3:.0f} ms, against monitors without one"
            f" {figures['plain'] * 1e3:.0f} ms",
            f"    ratio {ratio:.2f} (<= 1.0) {'ok' if ratio <= 1 else 'OVER'}"
            f"   memory of the watcher {mib:.1f} MiB (<= 80, with its crm_mon)"
            f" {'ok' if mib <= 80 else 'OVER'}",
        ]
    return report
