"""Output of the installed crm_mon for the CIBs in tests/data/cib."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pacemaker.crm_mon import parse_cluster_state
from lvsdr.system.crm import COMMAND

from tests.support.paths import DATA

CIBS = DATA / "cib"


def cib(name: str) -> Path:
    """Return the file of a CIB, given its path below tests/data/cib without the suffix."""
    return CIBS / f"{name}.cib.xml"


@functools.cache
def document(name: str) -> bytes:
    """Return the document that the agent would get from crm_mon if the cluster had this CIB."""
    return _printed(cib(name))


def _printed(path: Path) -> bytes:
    environ = {**os.environ, "CIB_file": str(path), "LC_ALL": "C"}
    done = subprocess.run(COMMAND, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(name: str) -> ClusterState:
    """Return the parsed state of the cluster with this CIB."""
    return parse_cluster_state(document(name))


def edited(name: str, directory: Path, *changes: tuple[str, str]) -> ClusterState:
    """Return the state that crm_mon shows after each change (old text, new text) of a CIB."""
    text = cib(name).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = directory / "edited.cib.xml"
    path.write_text(text)
    return parse_cluster_state(_printed(path))
