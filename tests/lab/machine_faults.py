"""Faults of the machine that an agent runs on. A seed decides their numbers."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.lab.failing_disks import full, read_only
from tests.lab.resource import first_in_path

CGROUPS = Path("/run/lab-cgroups")
HOUR = 3600.0
ROOM = 6 << 20  # bytes: enough for Python, too little for the stack of a thread
SHORT = 1.6  # seconds: the timeout of an action in which a program hangs


class Fault(NamedTuple):
    """A fault during one action.

    `pool` is the legal state of the table afterwards: "planned", as without the fault; "kept", as
    before; "either" of them for each real server. `remembers` is true if the state file is
    certainly written.
    """

    name: str
    pool: str
    remembers: bool = False
    timeout: float = 30.0
    variables: Mapping[str, str] = {}
    limits: Mapping[str, object] = {}
    killed: bool = False


NO_FAULT = Fault("none", "planned", remembers=True)

# A line of `ipvsadm -R` is an element of the batch; some schedulers need -Sn, too.
IPVSADM = {
    "ipvsadm fails": ("kept", "exit 1"),
    "ipvsadm fails afterwards": ("either", '/usr/sbin/ipvsadm "$@"; exit 1'),
    "ipvsadm fails half way": ("either", 'head -n 1 | /usr/sbin/ipvsadm "$@"; echo no >&2; exit 1'),
    "ipvsadm hangs": ("kept", "exec sleep 600"),
    "ipvsadm hangs afterwards": ("either", '/usr/sbin/ipvsadm "$@"; exec sleep 600'),
}
CRM_MON = {
    "crm_mon is slow": ("planned", 'sleep 0.4; exec /usr/sbin/crm_mon "$@"'),
    "crm_mon fails": ("kept", "exit 102"),
    "crm_mon hangs": ("kept", "exec sleep 600"),
}
IP = {
    "ip fails": ("either", "exit 1"),
    "ip fails afterwards": ("either", 'PATH=/usr/sbin:/usr/bin:/sbin:/bin ip "$@"; exit 1'),
    "ip hangs": ("either", "exec sleep 600"),
}
LIMITS = ("no processes", "no threads", "no descriptors", "no files")
DISKS = ("full disk", "read-only disk")


class Machine:
    """Faults that need a directory. Use it in a `with` statement."""

    def __init__(self, directory: Path, state: Path, dice: random.Random) -> None:
        self._directory = directory
        self._state = state
        self._dice = dice
        self._paths: dict[str, str] = {}

    def __enter__(self) -> Machine:
        for number, (name, (_, body)) in enumerate({**IPVSADM, **CRM_MON, **IP}.items()):
            place = self._directory / f"fault{number}"
            place.mkdir()
            self._paths[name] = first_in_path(place, name.split()[0], body)
        CGROUPS.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "cgroup2", "none", str(CGROUPS)], check=True)
        (CGROUPS / "cgroup.subtree_control").write_text("+pids")
        self._cgroup.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._cgroup.rmdir()
        subprocess.run(["umount", str(CGROUPS)], check=True)

    @property
    def _cgroup(self) -> Path:
        return CGROUPS / "lvsdr-soak"

    def drawn(self, names: list[str]) -> Fault:
        """Return one of these faults with its numbers."""
        name = self._dice.choice(names)
        if name in self._paths:
            return self._program(name)
        if name in LIMITS:
            return Fault(name, "either", limits=self._limit(name))
        if name == "killed":
            limits = {"kill_after": self._dice.uniform(0.0, 0.15)}
            return Fault(name, "either", limits=limits, killed=True)
        if name in DISKS:
            return Fault(name, "planned")
        return NO_FAULT._replace(name=name)

    def _program(self, name: str) -> Fault:
        pool = {**IPVSADM, **CRM_MON, **IP}[name][0]
        remembers = name == "crm_mon is slow"
        timeout = SHORT if "hangs" in name else 30.0
        return Fault(name, pool, remembers, timeout, {"PATH": self._paths[name]})

    def _limit(self, name: str) -> dict[str, object]:
        if name == "no processes":
            (self._cgroup / "pids.max").write_text(str(self._dice.randint(1, 4)))
            return {"cgroup": str(self._cgroup)}
        if name == "no threads":
            return {"address_space": ROOM}
        if name == "no descriptors":
            return {"rlimits": {"NOFILE": self._dice.randint(3, 14)}}
        return {"rlimits": {"FSIZE": self._dice.choice([0, 40, 200])}}

    @contextlib.contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """Cause a fault of the disk or the clock until the end of the block."""
        with contextlib.ExitStack() as stack:
            if fault.name == "full disk":
                stack.enter_context(full(self._state))
            elif fault.name == "read-only disk":
                stack.enter_context(read_only(self._state))
            elif fault.name == "clock step":
                step_clock(self._dice.choice([-HOUR, HOUR]))
            yield


def step_clock(seconds: float) -> None:
    """Set the wall clock of a guest to another time."""
    assert has_own_clock()
    time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)


def has_own_clock() -> bool:
    """Return whether the wall clock belongs to a guest, so that changes affect nothing else."""
    return "User Mode Linux" in Path("/proc/cpuinfo").read_text()
