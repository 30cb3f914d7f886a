"""Server that runs actions of the agent lvsdr in forks of itself: see `forked_agent.py`.

Each line on standard input is a request: action, environment, files for both outputs, and limits.
Limits are `rlimits` (RLIMIT_… by name), `address_space` (bytes in addition to the present ones),
`cgroup` (a directory) and `kill_after` (seconds). Each line on standard output is an exit status.
The interpreter is the agent's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).resolve().parents[2] / "lib"
LOADED = ("agents.lvsdr", "ipvs.plan", "ipvs.batch", "system.process.run")


def serve() -> None:
    """Answer requests until there are no more."""
    sys.path.insert(0, str(LIBRARY))
    for module in LOADED:
        import_module(f"lvsdr.{module}")
    import_module("lxml.etree")  # the limits of a run are meant for what follows
    for line in sys.stdin:
        action, environment, stdout, stderr, limits = json.loads(line)
        child = os.fork()
        if child == 0:
            run(action, environment, stdout, stderr, limits)
        if "kill_after" in limits:
            time.sleep(limits["kill_after"])
            os.kill(child, signal.SIGKILL)  # not reaped yet, so its pid is not reused
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def limit(
    rlimits: Mapping[str, int] = {},
    address_space: int | None = None,
    cgroup: str | None = None,
    kill_after: float | None = None,
) -> None:
    """Apply the limits to this process, except `kill_after`, which `serve` applies."""
    del kill_after
    if cgroup is not None:
        Path(cgroup, "cgroup.procs").write_text(str(os.getpid()))
    if address_space is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        rlimits = {**rlimits, "AS": pages * resource.getpagesize() + address_space}
    for name, value in rlimits.items():
        with contextlib.suppress(ValueError):  # more than the hard limit
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def run(
    action: str, environment: dict[str, str], stdout: str, stderr: str, limits: dict[str, Any]
) -> None:
    """Run the action as the executable does after its imports. Does not return."""
    for descriptor, path in enumerate((os.devnull, stdout, stderr)):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, descriptor)
        os.close(opened)
    limit(**limits)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = [action]
    import_module("lvsdr.agents").main("lvsdr")


if __name__ == "__main__":
    serve()
