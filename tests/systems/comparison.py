"""Comparison of a system's crm_mon with its recordings: tests.systems.comparison [SUITE]

The output goes to build/systems/crm_mon/VERSION, and may be copied from there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lvsdr.pacemaker.crm_mon import parse_cluster_state

from tests.debian import root
from tests.support.paths import ROOT
from tests.systems.recording import names

RECORDINGS = ROOT / "tests/data/crm_mon"
PRINTED = ROOT / "build/systems/crm_mon"
PYTHON = ("/usr/bin/python3", "-B", "-m")


def within(suite: str) -> list[str]:
    """Return the prefix of a command that is to run in this system; nothing for ours."""
    if not suite:
        return []
    directory = root.make(root.SYSTEMS[suite])
    enter = [str(ROOT / "tests/debian/enter"), str(directory)]
    shared = ROOT / "build/systems"
    shared.mkdir(parents=True, exist_ok=True)
    return ["env", f"SHARED={shared}", *enter]


def record(suite: str) -> Path:
    """Record anew in this system, and return the directory."""
    prefix = within(suite)
    version = [*prefix, *PYTHON, "tests.systems.versions"]
    done = subprocess.run(version, cwd=ROOT, check=True, capture_output=True, text=True)
    place = PRINTED / str(_pacemaker(done.stdout))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    subprocess.run(
        [*prefix, *PYTHON, "tests.systems.recording", str(place)],
        cwd=ROOT,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return place


def _pacemaker(text: str) -> object:
    return json.loads(text)["Pacemaker"]


def differences(place: Path) -> list[str]:
    """Return one line for each CIB without a recording, or with another state."""
    found = []
    for name in names():
        recorded = RECORDINGS / place.name / f"{name}.xml"
        if not recorded.exists():
            found.append(f"{name}: no recording of crm_mon {place.name}")
            continue
        shown = parse_cluster_state((place / f"{name}.xml").read_bytes())
        if parse_cluster_state(recorded.read_bytes()) != shown:
            found.append(f"{name}: crm_mon {place.name} shows another state than its recording")
    return found


def main(arguments: Sequence[str]) -> int:
    place = record(arguments[0] if arguments else "")
    found = differences(place)
    print(*found, f"{place.name}: {len(names())} CIBs, {len(found)} differences", sep="\n")
    if found:
        print(f"its present output: {place}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
