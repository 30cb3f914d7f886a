"""The machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Return the processor, its number of cores for this process, the kernel and Python."""
    return {
        "processor": _find_processor(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _find_processor(cpuinfo: str) -> str:
    """Return the model of the first processor, which the kernel names only for some machines."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def lines(machine: Mapping[str, Any]) -> list[str]:
    """Return the report."""
    return [
        f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']},"
        f" Python {machine['python']}, load at the start {machine['load']:.1f}"
    ]
