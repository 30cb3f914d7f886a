"""Run a command as root on a kernel that has IPVS, and nowhere near the machine's own network.

Natively, in fresh network, mount, UTS, IPC and PID namespaces, where the running kernel has
`ip_vs`; else in a User Mode Linux guest that sees this machine's files below an overlay. Either way
the command starts in the project's root, its output arrives live, its exit status is ours, and
nothing of it is left when it has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from tests.lab import job, native, uml
from tests.lab.job import ROOT, Job, say

TIMED_OUT = 124  # as timeout(1) has it
NOT_RUN = 125  # no kernel with IPVS could be had
SETTINGS = """environment:
  LAB_MEM=2G             memory of the guest
  LAB_TIMEOUT=2400       seconds for the whole run, boot included
  LAB_RESULTS=build/lab  where kernel logs go, and whatever the command leaves there
"""


def die(message: str) -> NoReturn:
    say(message)
    raise SystemExit(NOT_RUN)


def choose(wanted: str | None) -> Callable[[Job], int]:
    """Return the way to run a job after saying in one line which it is and why."""
    reason = "asked for" if wanted == "uml" else native.why_not()
    if reason is None:
        say(f"native: kernel {os.uname().release} has ip_vs")
        return native.run
    if wanted == "native":
        die(f"cannot run natively: {reason}")
    missing = uml.why_not()
    if missing:
        die(f"{reason}, and {missing}")
    say(f"User Mode Linux: {reason}")
    return uml.run


def interrupted(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def terminal_restored() -> Iterator[None]:
    """Take the terminal back as it was.

    The guest makes it raw and may not live to undo that; tini puts itself into its foreground.
    """
    before = termios.tcgetattr(sys.stdin)
    foreground = os.tcgetpgrp(0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        os.tcsetpgrp(0, foreground)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def results_directory() -> Path:
    default = ROOT / "build" / "lab"
    results = Path(os.environ.get("LAB_RESULTS", default)).absolute()
    results.mkdir(parents=True, exist_ok=True)
    if results == default:
        (default.parent / ".gitignore").write_text("*\n")
    return results


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/lab/boot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=SETTINGS,
    )
    way = parser.add_mutually_exclusive_group()
    for name, meaning in (("native", "or not at all"), ("uml", "even if natively it would do")):
        way.add_argument(f"--{name}", dest="way", action="store_const", const=name, help=meaning)
    parser.add_argument("--tty", action="store_true", help="give the command our terminal")
    parser.add_argument("command", nargs="+", help="command and arguments, after --")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = parse(argv)
    if os.geteuid() != 0:
        die("the lab needs root: it makes network namespaces")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)
    if options.tty:
        if not sys.stdin.isatty():
            die("--tty wants a terminal")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for the command
    run = choose(options.way)
    limit = int(os.environ.get("LAB_TIMEOUT", "2400"))
    with contextlib.ExitStack() as left:
        if options.tty:
            left.enter_context(terminal_restored())
        prefix = "lvsdr-lab-"
        name = left.enter_context(tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp"))
        deadline = time.monotonic() + limit
        task = Job(options.command, Path(name), results_directory(), deadline, options.tty)
        job.write(task)
        try:
            return run(task)
        except TimeoutError:
            say(f"stopped: not done within {limit} s (LAB_TIMEOUT)")
            return TIMED_OUT


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
