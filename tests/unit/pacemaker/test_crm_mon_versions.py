"""Recordings of several versions of crm_mon for the same CIBs, which must read as equal states."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.pacemaker.crm_mon import parse_cluster_state

from tests.support.paths import DATA
from tests.unit.pacemaker.test_crm_mon import described

RECORDINGS = DATA / "crm_mon"
REFERENCE = "2.1.5"
VERSIONS = sorted(path.name for path in RECORDINGS.iterdir() if path.is_dir())
NAMES = sorted(
    str(path.relative_to(RECORDINGS / REFERENCE))[: -len(".xml")]
    for path in (RECORDINGS / REFERENCE).rglob("*.xml")
)

# Version and CIB -> the lines that only the reference has, and the lines that only the version has.
DIFFERENCES = {
    # 2.0.5 shows an instance on a node that is to be fenced as not active.
    ("2.0.5", "clone-in-maintenance-node-left-fencing"): (
        {
            "resource db: node1 Started unmanaged, node2 Started unmanaged",
            "resource db-clone: node1 Started unmanaged, node2 Started unmanaged",
        },
        {
            "resource db: node1 Started unmanaged, node2 Started inactive unmanaged",
            "resource db-clone: node1 Started unmanaged, node2 Started inactive unmanaged",
        },
    ),
    # 2.1.5 and 3.0.0 leave out a clone if all its instances are unmanaged on offline nodes.
    ("2.0.5", "clone-left-out-by-crm_mon"): (
        set(),
        {
            "resource db: node2 Started inactive unmanaged",
            "resource db-clone: node2 Started inactive unmanaged",
        },
    ),
}


def recording(version: str, name: str) -> Path:
    """Return the path of a recording."""
    return RECORDINGS / version / f"{name}.xml"


def test_versions() -> None:
    assert VERSIONS == ["2.0.5", "2.1.5", "3.0.0"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", [version for version in VERSIONS if version != REFERENCE])
def test_a_version_shows_the_same_state(version: str, name: str) -> None:
    there = parse_cluster_state(recording(version, name).read_bytes())
    here = parse_cluster_state(recording(REFERENCE, name).read_bytes())
    lines, reference = set(described(there).splitlines()), set(described(here).splitlines())
    allowed = DIFFERENCES.get((version, name))
    assert (reference - lines, lines - reference) == (allowed or (set(), set()))
    assert (there == here) is (allowed is None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_has_all_recordings(version: str) -> None:
    paths = (RECORDINGS / version).rglob("*.xml")
    assert (
        sorted(str(path.relative_to(RECORDINGS / version))[: -len(".xml")] for path in paths)
        == NAMES
    )
