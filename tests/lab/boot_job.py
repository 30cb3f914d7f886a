"""The command to run in the lab, and its transfer to the shell on the other side."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import BUILD, ROOT, TESTS

HERE = TESTS / "lab"
PATH = f"{HERE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON = ("LAB_", "LVSDR_", "PYTEST_", "PY_", "COVERAGE_", "COV_", "HYPOTHESIS_", "LC_")
PASSED_ON_TOO = {
    "CI",
    "TERM",
    "COLUMNS",
    "LINES",
    "LANG",
    "NO_COLOR",
    "FORCE_COLOR",
    "PYTHONUNBUFFERED",
}


class Job(NamedTuple):
    """One command and its directories.

    `directory` is private and temporary: environment, command line and exit status travel through
    it. `results` outlives the run, and has the same path for the command. `deadline` is in
    monotonic seconds. `terminal` is true if the command uses this process's terminal. `root` is the
    root directory of another system to run it in, or None for this machine's own.
    """

    command: list[str]
    directory: Path
    results: Path
    deadline: float
    terminal: bool
    root: Path | None = None

    def left(self) -> float:
        """Return the seconds that are left for the command, never below 0."""
        return max(0.0, self.deadline - time.monotonic())


def results_directory() -> Path:
    """Make and return the directory of kernel logs and reports: LAB_RESULTS, or build/lab."""
    default = BUILD / "lab"
    results = Path(os.environ.get("LAB_RESULTS", default)).absolute()
    results.mkdir(parents=True, exist_ok=True)
    if results == default:
        (default.parent / ".gitignore").write_text("*\n")
    return results


def other_root(directory: str | None) -> Path | None:
    """Return the root directory to run in: `directory`, or LAB_ROOT, or None for the machine's own.

    Raises SystemExit if it is not the root of a system.
    """
    wanted = directory or os.environ.get("LAB_ROOT")
    if not wanted:
        return None
    root = Path(wanted).resolve()
    for needed in ("bin/sh", "opt/venv/bin"):
        if not (root / needed).exists():
            raise SystemExit(
                f"lab: {root} is no root directory made by tests/debian/root: no {needed}"
            )
    return root


def say(message: str) -> None:
    print(f"lab: {message}", file=sys.stderr, flush=True)


def write(job: Job) -> None:
    """Write the command and its settings to the job's directory."""
    columns, rows = shutil.get_terminal_size()
    settings = {
        "ROOT": str(ROOT),
        "RESULTS": str(job.results),
        "DIRECTORY": str(job.root or ""),
        "COLUMNS": str(columns),
        "ROWS": str(rows),
    }
    (job.directory / "settings").write_text(_assignments({**settings, **_streams(job)}))
    run = f"cd {shlex.quote(str(ROOT))} || exit 127\nexec {shlex.join(job.command)}\n"
    (job.directory / "command").write_text(_assignments(_environment(job), "export ") + run)


def _environment(job: Job) -> dict[str, str]:
    """Return the command's whole environment.

    Few of our variables are kept, so that all machines are alike.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON_TOO or name.startswith(PASSED_ON)
    }
    results = {"LAB": "1", "LAB_RESULTS": str(job.results)}
    return {
        "LANG": "C.UTF-8",
        **kept,
        **results,
        "PATH": PATH,
        "HOME": "/root",
        "TMPDIR": "/run/tmp",
    }


def _streams(job: Job) -> dict[str, str]:
    """Return for each stream whether the command shall see a terminal, a pipe or /dev/null."""
    if job.terminal:
        return {"STDIN": "tty", "STDOUT": "tty", "STDERR": "tty"}
    stdout, stderr = ("tty" if stream.isatty() else "pipe" for stream in (sys.stdout, sys.stderr))
    return {"STDIN": "null", "STDOUT": stdout, "STDERR": stderr}


def _assignments(values: dict[str, str], prefix: str = "") -> str:
    return "".join(f"{prefix}{name}={shlex.quote(value)}\n" for name, value in values.items())
