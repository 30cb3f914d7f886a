"""Run tests in other systems than this machine's.

    tests/systems/run [OPTION...]    the agents' core cases in Debian 13, with options for pytest
    tests/systems/run all [STEP...]  everything, or these steps, in Debian 13 and 11

The latter records the results in docs/tested.json, the source of the table of tested systems.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.debian.suite import Unavailable
from tests.support.paths import ROOT
from tests.systems.steps import Step, core, place, python_path, steps

TESTED = ROOT / "docs/tested.json"
DEFAULT = "trixie"


Row = dict[str, str]
"""A line of the table of tested systems: the versions in a system, and its tests."""


class Ended(NamedTuple):
    """A step that has ended."""

    step: Step
    status: int
    seconds: float


def run(step: Step) -> Ended:
    """Run a step; its output is ours."""
    print(f"== {step.title}", flush=True)
    environ = {**os.environ, "PYTHONPATH": python_path(), **step.environ}
    if "LAB_RESULTS" in step.environ:
        os.makedirs(step.environ["LAB_RESULTS"], exist_ok=True)
    began = time.monotonic()
    done = subprocess.run(step.command, cwd=ROOT, env=environ, check=False)
    return Ended(step, done.returncode, time.monotonic() - began)


def table(ended: Sequence[Ended]) -> list[str]:
    """Return one line for each step: passed or failed, and how long it took."""
    width = max(len(each.step.title) for each in ended)
    return [
        f"{each.step.title:{width}}  {each.seconds:5.0f} s  "
        f"{'passed' if each.status == 0 else f'failed ({each.status})'}"
        for each in ended
    ]


def versions(suite: str) -> dict[str, str]:
    """Return the versions in a system on the lab's kernel."""
    command = ["tests/lab/boot", "--", "/usr/bin/python3", "-B", "-m", "tests.systems.versions"]
    environ = {**os.environ, **place(suite)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout))


def updated(rows: Sequence[Row], found: Row, ended: Sequence[Ended]) -> list[Row]:
    """Return the rows with the results of the steps in the system that `found` describes.

    A step that has failed is no longer among the tests of its system.
    """
    known = next((row["Tests"].split(", ") for row in rows if row["System"] == found["System"]), [])
    outcomes = {each.step.name: each.status == 0 for each in ended}
    names = {*(name for name in known if outcomes.get(name, True) and name)}
    names |= {name for name, passed in outcomes.items() if passed}
    others = [row for row in rows if row["System"] != found["System"]]
    new = {**found, "Tests": ", ".join(sorted(names))}
    return sorted([*others, new], key=lambda row: row["System"])


def write_tested(ended: Sequence[Ended]) -> None:
    """Record the results of these steps, for the table of tested systems."""
    suites = {each.step.suite for each in ended}
    found = {suite: versions(suite) for suite in suites}
    with open(TESTED, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rows: list[Row] = json.load(file)
        for suite in suites:
            rows = updated(rows, found[suite], [each for each in ended if each.step.suite == suite])
        file.seek(0)
        file.truncate()
        file.write(json.dumps(rows, indent=1) + "\n")
    print(f"written: {TESTED.relative_to(ROOT)}; make docs puts it into docs/reference")


def run_all(wanted: Sequence[str]) -> int:
    """Run the steps with these titles, or all."""
    known = steps()
    unknown = set(wanted) - {step.title for step in known}
    if unknown:
        legal = ", ".join(step.title for step in known)
        raise SystemExit(f"systems: no step {', '.join(sorted(unknown))}; legal are {legal}")
    ended = [run(step) for step in known if not wanted or step.title in wanted]
    print(*table(ended), sep="\n", flush=True)
    write_tested(ended)
    return max(each.status for each in ended)


def main(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["all"]:
            return run_all(arguments[1:])
        return run(core(DEFAULT, *arguments)).status
    except (Unavailable, OSError) as problem:
        print(f"systems: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
