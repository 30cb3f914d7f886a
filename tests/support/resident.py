"""A watcher in a process of its own, with programs in the place of crm_mon and of the cycle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lvsdr import __version__
from lvsdr.system.local_socket import ask
from lvsdr.system.process import identity
from lvsdr.watcher.control import Record, store_record
from lvsdr.watcher.facts import Paths, digest_parameters
from lvsdr.watcher.last_cycle import CheckTarget, LastCycle, Timing, store_cycle

from tests.support.paths import ROOT
from tests.support.waiting import wait_until

_CODE = """
import os, sys
sys.path.insert(0, {lib!r})
from lvsdr.watcher.facts import Paths
from lvsdr.watcher.loop import Watcher
from lvsdr.watcher.schedule import Pace
os.setsid()
files = Paths({directory!r}, "lvs")
checks = None
if {port}:
    from lvsdr.pool.check_history import Counting
    from lvsdr.system.checks.counted_checks import CountedChecks
    from lvsdr.system.checks.running_checks import CheckSettings
    from lvsdr.watcher.check_results import load_results
    settings = CheckSettings("tcp", {port}, {interval}, 20.0)
    checks = CountedChecks(settings, Counting(3, 2, 60.0), load_results(files.checks))
watcher = Watcher(("sh", "-c", {cycle!r}), os.environ, files, Pace({gap}, {pause}), checks)
before = set(sys.modules)
watcher.run()
print(*sorted(set(sys.modules) - before))
"""
_CRM_MON = "#!/bin/sh\nexec cat <> {fifo}\n"  # opened for both, so that it never ends
_RING = 'read n < rings; n=$((n + 1)); echo $n > rings; echo "state $n" > fifo'
"""A cycle that rings for the next one."""


class Checks(NamedTuple):
    """Health checks of TCP servers."""

    port: int
    targets: tuple[CheckTarget, ...]
    interval: float = 0.05


class Used(NamedTuple):
    """The memory and the descriptors of a process."""

    kib: int
    descriptors: int


class Resident:
    """A watcher whose cycle is a shell script; crm_mon prints what is written to the FIFO."""

    def __init__(
        self,
        directory: Path,
        cycle: str,
        pace: tuple[float, float] = (0.0, 0.001),
        checks: Checks | None = None,
    ) -> None:
        self.targets = () if checks is None else checks.targets
        self.directory = directory
        self.files = Paths(str(directory), "lvs")
        self.bell = directory / "fifo"
        os.mkfifo(self.bell)
        program = directory / "crm_mon"
        program.write_text(_CRM_MON.format(fifo=self.bell))
        program.chmod(0o755)
        self.environ: Mapping[str, str] = {"PATH": f"{directory}:/usr/bin:/bin"}
        self.store()
        self._code = _CODE.format(
            lib=str(ROOT / "lib"),
            directory=str(directory),
            cycle=cycle,
            gap=pace[0],
            pause=pace[1],
            port=0 if checks is None else checks.port,
            interval=0.0 if checks is None else checks.interval,
        )

    def store(self, timeout: str = "30000", due: float | None = None) -> None:
        """Store the result of a cycle."""
        cycle = LastCycle(
            version=__version__,
            names=("vip",),
            digest=digest_parameters({}, ("vip",)),
            timing=Timing(timeout, "5000"),
            file="",
            began=time.monotonic(),
            ended=time.monotonic(),
            wall=int(time.time()),
            caller="start",
            code=0,
            due=due,
            targets=self.targets,
        )
        store_cycle(self.files.cycle, cycle)

    def begin(self, *, recorded: bool = True) -> subprocess.Popen[str]:
        """Start the watcher; record it as the agent does."""
        process = subprocess.Popen(
            [sys.executable, "-c", self._code],
            cwd=self.directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        if recorded:
            self.record(process.pid)
        return process

    def record(self, pid: int) -> None:
        """Record a process as the watcher."""
        process = identity.Process(pid, identity.read_start_time(pid) or 0)
        store_record(self.files.record, Record(process, time.monotonic()))

    def ring(self, state: str) -> None:
        """Let crm_mon print a state."""
        with self.bell.open("w") as fifo:
            fifo.write(f"{state}\n")

    def answer(self) -> str:
        """Return the line on the socket; empty without an answer."""
        try:
            return ask(self.files.socket, 1.0)[0]
        except OSError:
            return ""


def begin_ringing(directory: Path) -> tuple[Resident, subprocess.Popen[str]]:
    """Start a watcher each of whose cycles causes the next one."""
    (directory / "rings").write_text("0\n")
    resident = Resident(directory, _RING)
    return resident, resident.begin()


def count_rings(resident: Resident) -> int:
    """Return the number of cycles so far."""
    return int((resident.directory / "rings").read_text() or 0)


def await_rings(resident: Resident, number: int, seconds: float) -> None:
    """Wait for so many cycles; the socket is asked meanwhile."""

    wait_until(resident.answer, bool, "the answer of the watcher")

    def look() -> int:
        assert resident.answer()
        return count_rings(resident)

    wait_until(look, number.__le__, f"{number} rings", seconds)


def used(pid: int) -> Used:
    """Return what a process uses now."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return Used(int(line.split()[1]), len(list(Path(f"/proc/{pid}/fd").iterdir())))
