"""Addresses, names and directories: on the network, on the machines, and on the host system."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.host import SCRATCH
from tests.support.paths import TESTS

HERE = TESTS / "cluster"
DISKS = SCRATCH / "disks"

WRITE_VIP, READ_VIP = "10.77.0.101", "10.77.0.100"
NODES = ("node1", "node2", "node3")  # 10.77.0.21 and so on
LANGUAGES = ("de_DE.UTF-8", "zh_CN.UTF-8", "zh_CN.GB18030")
OUTSIDE = "10.77.0.24"  # node4, which is a member of no cluster
REMOTE = "node4"  # the same machine, if a configuration makes it a remote node


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
