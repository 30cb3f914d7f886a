"""Tools run as from a shell: a process, arguments, an environment."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

from tests.support.paths import TOOLS


class Run(NamedTuple):
    """Exit status and output of a tool."""

    status: int
    out: str
    err: str


def run(name: str, *arguments: str, **environ: str) -> Run:
    """Run one of the tools of this tree."""
    done = subprocess.run(
        [TOOLS / name, *arguments],
        env={"PATH": "/usr/bin:/bin", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Run(done.returncode, done.stdout, done.stderr)
