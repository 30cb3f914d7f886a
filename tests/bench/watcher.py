"""Memory and descriptors of a watcher over many changes of the cluster, each with a cycle."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "lib"))

from tests.support.resident import await_rings, begin_ringing, used

RINGS = 10_000
_STEPS = 10
_PATIENCE = 600.0  # seconds for one step


def measure(scratch: Path) -> dict[str, Any]:
    """Return the memory and the descriptors after each tenth of the rings."""
    directory = scratch / "rings"
    directory.mkdir()
    begun = time.monotonic()
    resident, process = begin_ringing(directory)
    figures = []
    with process:
        try:
            for step in range(1, _STEPS + 1):
                await_rings(resident, step * RINGS // _STEPS, _PATIENCE)
                figures.append(used(process.pid))
        finally:
            process.kill()
    return {
        "rings": RINGS,
        "seconds": time.monotonic() - begun,
        "kib": [figure.kib for figure in figures],
        "descriptors": [figure.descriptors for figure in figures],
    }
