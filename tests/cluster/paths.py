"""Directories of the cluster tests on the host system."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.host import SCRATCH
from tests.support.paths import TESTS

HERE = TESTS / "cluster"
DISKS = SCRATCH / "disks"


def prepared() -> Path:
    """Return the output directory of `prepare`. Raise RuntimeError if there is none."""
    place = Path(os.environ.get("LAB_PREPARED", ""))
    if not (place / "usr").is_dir():
        raise RuntimeError("nothing is prepared: start this with tests/cluster/run")
    return place


def configurations() -> list[str]:
    """Return the names of the configurations that can be pushed."""
    names = {path.stem for path in (prepared() / "configurations").glob("*.xml")}
    return sorted(names - {"before"})
