"""Parallel runs of pytest that share one set of tests (see shared_tests.py)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from tests.lab.boot import interrupted
from tests.support.junit import outcomes, summary
from tests.support.processes import ends_with_us

OPTIONS = ("-v", "-p", "tests.support.shared_tests")

Command = Callable[[Sequence[str], Path], Sequence[str]]
"""Function that makes the command line of a run from options for pytest and the report's path."""


class Run(NamedTuple):
    """One of several runs that share the tests."""

    number: int
    process: subprocess.Popen[bytes]
    report: Path


def names_tests(arguments: Sequence[str]) -> bool:
    """Test whether the arguments name tests, or are options only."""
    return any(Path(argument.split("::")[0]).exists() for argument in arguments)


@contextlib.contextmanager
def start_runs(count: int, command: Command, results: Path) -> Iterator[list[Run]]:
    """Start the runs that share the tests.

    All of them are ended afterwards, even if this process is killed.
    """
    with contextlib.ExitStack() as left:
        shared = tempfile.mkdtemp(prefix="share-", dir=results)
        left.callback(shutil.rmtree, shared, ignore_errors=True)
        environ = {**os.environ, "LAB_SHARE": shared}
        runs = []
        for number in range(1, count + 1):
            report = results / f"junit-{number}.xml"
            report.unlink(missing_ok=True)
            process = subprocess.Popen(
                [*ends_with_us(), *command(OPTIONS, report)],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            left.callback(end, process)
            runs.append(Run(number, process, report))
        yield runs


def end(process: subprocess.Popen[bytes]) -> None:
    """End a run that is still active, together with its guest."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(10)
    process.kill()
    process.wait()


def relay(run: Run, lock: threading.Lock) -> None:
    """Copy the output of a run, line by line, with the run's number before each line."""
    source: IO[bytes] | None = run.process.stdout
    assert source is not None
    for line in source:
        with lock:
            sys.stdout.buffer.write(b"%d | %s" % (run.number, line))
            sys.stdout.buffer.flush()


def run_in_parallel(count: int, command: Command, results: Path) -> int:
    """Run the tests in `count` parallel runs and print a summary. Return the worst exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)
    began = time.monotonic()
    with start_runs(count, command, results) as runs:
        lock = threading.Lock()
        relays = [threading.Thread(target=relay, args=(run, lock)) for run in runs]
        for thread in relays:
            thread.start()
        for thread in relays:
            thread.join()
        status = max(run.process.wait() for run in runs)
    found = [outcome for run in runs for outcome in outcomes(f"run {run.number}", run.report)]
    print(*summary(found, time.monotonic() - began), sep="\n", flush=True)
    return status
