"""Command that runs the lab's tests, all or named ones: tests/lab/run [PYTEST ARGUMENT...]

A guest has one processor. So all tests are shared by as many boots as there are processors;
LAB_GUESTS=1 makes it one. Each line of output begins with the number of its boot. Named tests run
in one boot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab.boot_job import HERE, results_directory, say
from tests.support.parallel_runs import names_tests, run_in_parallel
from tests.support.paths import ROOT

MOST = 4  # more boots were not faster when measured


def command(arguments: Sequence[str], report: Path) -> list[str]:
    """Return the command line that runs these tests in the lab, or all tests if none is named."""
    paths = [] if names_tests(arguments) else [str(HERE)]
    pytest = [str(ROOT / ".venv/bin/python"), "-m", "pytest", "-p", "no:cacheprovider"]
    where = ["--rootdir", str(ROOT), "--junitxml", str(report)]
    return [str(HERE / "boot"), "--", *pytest, *where, *arguments, *paths]


def number_of_boots(arguments: Sequence[str]) -> int:
    """Return the number of parallel boots. Raise SystemExit if LAB_GUESTS is not legal."""
    default = 1 if names_tests(arguments) else min(MOST, len(os.sched_getaffinity(0)))
    given = os.environ.get("LAB_GUESTS", str(default))
    if not given.isdigit() or not 1 <= int(given) <= 16:
        raise SystemExit(f"lab: LAB_GUESTS={given} is no number from 1 to 16")
    return int(given)


def main(arguments: Sequence[str]) -> int:
    os.environ["PYTHONUNBUFFERED"] = "1"
    count = number_of_boots(arguments)
    results = results_directory()
    if count == 1:
        line = command(arguments, results / "junit.xml")
        os.execv(line[0], line)
    say(f"{count} boots share the tests")
    return run_in_parallel(
        count, lambda options, report: command([*options, *arguments], report), results
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
