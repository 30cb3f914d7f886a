"""A host that loses its power."""

from __future__ import annotations

import contextlib
import os
import signal

from tests.leader.network import Host
from tests.support.processes import run


def kill_everything(host: Host) -> None:
    """Kill all processes in a host's network namespace; threads of the tests are not affected."""
    for pid in map(int, run(["ip", "netns", "pids", host.name]).stdout.split()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def cut_power(host: Host, address: str) -> None:
    """Unplug a host, kill its processes, and remove the address from its kernel."""
    for side in ("front", "back"):
        host.unplug(side)
    kill_everything(host)
    found = host.run(["ip", "-brief", "address", "show", "dev", "front"]).stdout.split()
    for entry in found:
        if entry.startswith(f"{address}/"):
            host.run(["ip", "address", "delete", entry, "dev", "front"])
