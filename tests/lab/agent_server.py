"""Runs actions of the agent lvsdr in forks of a process that has it loaded; see `warm.py`.

Each line on standard input is a request: action, environment, files for what it says. Each line on
standard output is the exit status of one. The interpreter is the one that the agent itself has.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2] / "lib"
LOADED = ("agents.lvsdr", "ipvs.plan", "ipvs.batch", "system.run")


def serve() -> None:
    """Answer requests until there are no more."""
    sys.path.insert(0, str(LIBRARY))
    for module in LOADED:
        import_module(f"lvsdr.{module}")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(action: str, environment: dict[str, str], stdout: str, stderr: str) -> None:
    """Go on as the executable does after its imports; does not return."""
    for descriptor, path in enumerate((os.devnull, stdout, stderr)):
        os.dup2(os.open(path, os.O_RDWR), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = [action]
    import_module("lvsdr.agents").main("lvsdr")


if __name__ == "__main__":
    serve()
