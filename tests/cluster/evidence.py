"""Evidence of all machines after a failed test."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.machine import Machine
from tests.support.processes import CommandFailed

COMMANDS = {
    "crm_mon.txt": "crm_mon -1Arf",
    "cib.xml": "cibadmin --query",
    "corosync.txt": "corosync-quorumtool -s; corosync-cfgtool -s",
    "addresses.txt": "ip addr; ip route; ip neigh; ip -s link",
    "ipvs.txt": "ipvsadm -Ln; ipvsadm -Lnc; ipvsadm -Ln --stats",
    "processes.txt": "ps axfo pid,stat,lstart,time,args; free -m; df -h",
    "sockets.txt": "ss -tanp",
}
PATIENCE = 20.0  # seconds for a command: a failed machine may hang


def collect(machines: Sequence[Machine], directory: Path) -> None:
    """Write a directory for each machine: its logs, and its present state if it runs."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "when.txt").write_text(time.strftime("%b %d %H:%M:%S\n"))
    for machine in machines:
        place = directory / machine.name
        with contextlib.suppress(FileNotFoundError):
            shutil.copytree(machine.disk / "var/log", place / "log")
        place.mkdir(exist_ok=True)
        if machine.running:
            for name, command in COMMANDS.items():
                (place / name).write_text(_said(machine, command))


def _said(machine: Machine, command: str) -> str:
    try:
        completed = machine.run(["/bin/sh", "-c", command], check=False, timeout=PATIENCE)
    except CommandFailed as error:
        return str(error)
    return completed.stdout + completed.stderr
