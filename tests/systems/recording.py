"""Recordings of crm_mon: the output of the installed one for each CIB in tests/data/cib.

python3 -m tests.systems.recording DIRECTORY      write DIRECTORY/NAME.xml for each
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "lib"))

from lvsdr.system.crm import COMMAND

CIBS = ROOT / "tests/data/cib"
SCHEMAS = Path("/usr/share/pacemaker")
_FEATURE_SET = re.compile(r'crm_feature_set="[\d.]+"')
_SCHEMA = re.compile(r"pacemaker-(\d+)\.(\d+)")


def names() -> list[str]:
    """Return the names of all CIBs, which are paths below tests/data/cib without the suffix."""
    return sorted(str(path.relative_to(CIBS))[: -len(".cib.xml")] for path in CIBS.rglob("*.xml"))


def readable(cib: str, newest: tuple[int, int]) -> str:
    """Return the CIB for a Pacemaker with `newest` as its newest configuration schema.

    The roles of promotable clones are Master and Slave in schemas before 3.7 (Pacemaker 2.1.0). No
    Pacemaker can change a CIB with a newer feature set than its own.
    """
    found = _SCHEMA.search(cib)
    assert found is not None
    if (int(found[1]), int(found[2])) <= newest:
        return cib
    older = cib.replace(found[0], f"pacemaker-{newest[0]}.{newest[1]}", 1)
    older = _FEATURE_SET.sub('crm_feature_set="3.0.14"', older, count=1)
    older = older.replace('role="Promoted"', 'role="Master"')
    return older.replace('role="Unpromoted"', 'role="Slave"')


def newest_schema() -> tuple[int, int]:
    """Return the newest schema of series 3 that the installed Pacemaker knows."""
    found = [_SCHEMA.fullmatch(path.stem) for path in SCHEMAS.glob("pacemaker-3.*.rng")]
    return max((int(each[1]), int(each[2])) for each in found if each)


def printed(cib: str) -> str:
    """Return crm_mon's output for this CIB, without the line that names our command."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(readable(cib, newest_schema()))
        file.flush()
        environ = {**os.environ, "CIB_file": file.name, "LC_ALL": "C"}
        done = subprocess.run(COMMAND, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def adapt() -> None:
    """Rewrite the CIBs of schemas that the installed Pacemaker does not know yet."""
    for name in names():
        path = CIBS / f"{name}.cib.xml"
        path.write_text(readable(path.read_text(), newest_schema()))


def record(directory: Path) -> int:
    """Write a recording of each CIB. Return 1 if crm_mon cannot read one of them."""
    for name in names():
        path = directory / f"{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_text(printed((CIBS / f"{name}.cib.xml").read_text()))
        except AssertionError as problem:
            print(f"crm_mon cannot read {name}: {problem}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--adapt"]:
        adapt()
    else:
        raise SystemExit(record(Path(sys.argv[1])))
