"""Command that runs all or named tests with real stores: tests/leader/run [PYTEST ARGUMENT...]

Several runs share all of the tests, module by module, because each test mostly waits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.leader import consul_program
from tests.support.parallel_runs import names_tests, run_in_parallel
from tests.support.paths import ENTER_NAMESPACES, ROOT, TESTS

RUNS = 3  # each has an etcd of three members
NAMESPACES = [str(ENTER_NAMESPACES), "--net", "--uts", "--ipc", "--"]
PYTEST = [*NAMESPACES, "tini", "--", "/bin/sh", str(TESTS / "leader/start_pytest")]
"""Beginning of a command line: pytest with a network and processes that end with it.

Nothing is left after the tests, whatever happens, and the machine's network is not touched.
"""


def command(arguments: Sequence[str], options: Sequence[str], report: Path) -> list[str]:
    """Return the command line of a run."""
    return [*PYTEST, "tests/leader", "--junitxml", str(report), *options, *arguments]


def main(arguments: Sequence[str]) -> int:
    os.environ["PYTHONUNBUFFERED"] = "1"
    consul_program.fetch()  # while the network is still there
    if names_tests(arguments):
        os.execv(PYTEST[0], [*PYTEST, *arguments])
    results = ROOT / "build/leader"
    results.mkdir(parents=True, exist_ok=True)
    os.environ["LAB_SHARE_MODULES"] = "1"
    return run_in_parallel(
        RUNS, lambda options, report: command(arguments, options, report), results
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
