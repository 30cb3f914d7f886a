"""Run a command as root on a kernel that has IPVS, apart from the machine's own network.

The command runs natively if the running kernel has `ip_vs`. It then has fresh network, mount, UTS,
IPC and PID namespaces. Otherwise it runs in a User Mode Linux guest, which sees this machine's
files below an overlay. The command always starts in the project's root, its output arrives live,
and its exit status is passed on. No process and no file of it is left when it has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from tests.lab import boot_job, native, uml
from tests.lab.boot_job import Job, say
from tests.lab.kernel import choice
from tests.lab.kernel.guest import GuestKernel

TIMED_OUT = 124  # the exit status of timeout(1)
NOT_RUN = 125  # without root, or without a terminal
CRASHED = 125
NO_KERNEL = 1
SETTINGS = """environment:
  LAB_KERNEL             native, uml-new or uml-old: use this kernel instead of the best that boots
  LAB_ROOT               root directory of another system, as --root
  LAB_MEM=2G             memory of the guest
  LAB_TIMEOUT=2400       seconds for the whole run, boot included
  LAB_RESULTS=build/lab  where kernel logs go, and whatever the command leaves there
"""
ADVICE = """Each line above names the reason. The lab needs one of these:
  - a kernel with ip_vs and network namespaces (modprobe ip_vs), as virtual machines usually have;
  - access to Debian's archive, for its newest User Mode Linux;
  - the package user-mode-linux of this Debian release, and gcc where the processor has AMX."""

Way = Callable[[Job], int]
"""Function that runs a job on a kernel with IPVS and returns its exit status."""


def die(message: str, status: int = NOT_RUN) -> NoReturn:
    say(message)
    raise SystemExit(status)


def choose() -> Way:
    """Return the way to run a job, after one line that names the kernel and the reason for it."""
    wanted = choice.wanted()
    reason = f"{choice.VARIABLE} forces it" if wanted in choice.GUESTS else native.why_not()
    if reason is None:
        say(f"native: kernel {os.uname().release} has ip_vs")
        return native.run
    if wanted == choice.NATIVE:
        die(f"cannot run natively, which {choice.VARIABLE} asks for: {reason}", NO_KERNEL)
    try:
        kernel = choice.Kernels().guest(uml.boot, wanted)
    except choice.NoKernel as problem:
        die(f"no kernel with IPVS can be had here: {reason}\n{problem}\n{ADVICE}", NO_KERNEL)
    say(f"{kernel.name}, User Mode Linux {kernel.release()}: {reason}")
    return functools.partial(in_guest, kernel)


def in_guest(kernel: GuestKernel, task: Job) -> int:
    """Run a job in a guest and return its exit status, CRASHED if the guest ends before the job."""
    try:
        return uml.run(task, kernel)
    except uml.GuestFailed as problem:
        sys.stderr.write(problem.last_lines())
        say(f"{problem}. The next run tries all kernels again")
        choice.Kernels().forget()
        return CRASHED


def interrupted(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def terminal_restored() -> Iterator[None]:
    """Restore the settings and the foreground process group of the terminal afterwards.

    The guest sets raw mode and may be killed before it can undo that. tini makes its own process
    group the foreground one.
    """
    before = termios.tcgetattr(sys.stdin)
    foreground = os.tcgetpgrp(0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        os.tcsetpgrp(0, foreground)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/lab/boot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=SETTINGS,
    )
    parser.add_argument("--tty", action="store_true", help="give the command our terminal")
    parser.add_argument("--root", help="root directory of another system (tests/debian/root)")
    parser.add_argument("command", nargs="+", help="command and arguments, after --")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = parse(argv)
    root = boot_job.other_root(options.root)
    if os.geteuid() != 0:
        die("the lab needs root: it makes network namespaces")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)
    if options.tty:
        if not sys.stdin.isatty():
            die("--tty wants a terminal")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the command
    run = choose()
    limit = int(os.environ.get("LAB_TIMEOUT", "2400"))
    with contextlib.ExitStack() as left:
        if options.tty:
            left.enter_context(terminal_restored())
        prefix = "lvsdr-lab-"
        name = left.enter_context(tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp"))
        deadline = time.monotonic() + limit
        task = Job(
            options.command, Path(name), boot_job.results_directory(), deadline, options.tty, root
        )
        boot_job.write(task)
        try:
            return run(task)
        except TimeoutError:
            say(f"stopped: not done within {limit} s (LAB_TIMEOUT)")
            return TIMED_OUT


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
