"""Run programs to their end: side by side, within a deadline, with bounded output.

Every program has a process group of its own, which is killed as a whole: when time is up, when it
prints more than it may, and when it leaves children behind.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence
from errno import EAGAIN, EMFILE, ENFILE, ENOMEM

from ..deadline import Deadline
from ..typed import NamedTuple
from .spawn import Child, spawn

NOT_THERE = 127  # the status of a program that cannot be executed, as a shell has it
NOT_NOW = 128  # the same, for the lack of something that may be there in a moment
OUTPUT_LIMIT = 4 * 1024 * 1024
_TICK = 0.02  # seconds between looks at a child whose own children hold its output open
_ABOUT_TO_END = 0.001
_DYING = 1.0  # seconds that a killed program may take to be gone
_SIGKILL = 9  # signal.SIGKILL on Linux, without the price of the signal module
_PARALLEL = 32  # calls of a script at a time


class Result(NamedTuple):
    """How a program ended.  ``problem`` is None when it ended by itself, with any status."""

    status: int
    """Exit status; 128 plus the signal's number for one that was killed, as a shell has it."""
    stdout: bytes
    stderr: bytes
    problem: str | None = None
    inconclusive: bool = False
    """It never ran, or the action's time was up before its own: nothing was learnt."""

    def complaint(self) -> str:
        """One line on why this is not a success: the problem, or the status and what was said."""
        if self.problem:
            return self.problem
        lines = self.stderr.decode("utf-8", "replace").strip().splitlines()
        said = f": {lines[-1].strip()[:200]}" if lines else ""
        return f"exit status {self.status}{said}"


def run(
    argv: Sequence[str], deadline: Deadline, *, timeout: float = 3600.0, stdin: bytes = b""
) -> Result:
    """Run one program; ``timeout`` is in seconds and never exceeds the deadline."""
    return run_all([tuple(argv)], deadline, timeout=timeout, stdin=stdin)[0]


def run_all(
    argvs: Sequence[tuple[str, ...]],
    deadline: Deadline,
    *,
    timeout: float = 3600.0,
    stdin: bytes = b"",
    limit: int = OUTPUT_LIMIT,
) -> list[Result]:
    """Run programs side by side, each within ``timeout`` seconds; results in the same order."""
    waiting = list(enumerate(argvs))[::-1]
    running: dict[int, _Watched] = {}
    results: dict[int, Result] = {}
    while waiting or running:
        while waiting and len(running) < _PARALLEL:
            index, argv = waiting.pop()
            started = _start(argv, deadline, timeout, stdin, limit)
            if isinstance(started, Result):
                results[index] = started
            else:
                running[index] = started
        _wait(list(running.values()))
        for index in [index for index, watched in running.items() if watched.result]:
            ended = running.pop(index).result
            assert ended is not None
            results[index] = ended
    return [results[index] for index in range(len(argvs))]


def finish(child: Child, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> Result:
    """Wait for a program that was started before."""
    watched = _Watched(child, deadline, deadline.remaining(), limit)
    while watched.result is None:
        _wait([watched])
    return watched.result


def _start(
    argv: tuple[str, ...], deadline: Deadline, timeout: float, stdin: bytes, limit: int
) -> _Watched | Result:
    if deadline.expired():
        return Result(128, b"", b"", f"no time left for {argv[0]}", inconclusive=True)
    source = None
    try:
        source = _as_file(stdin) if stdin else None
        return _Watched(spawn(argv, source), deadline, timeout, limit)
    except OSError as error:
        why = f"{argv[0]} cannot be executed: {error.strerror}"
        status = NOT_NOW if error.errno in (EAGAIN, EMFILE, ENFILE, ENOMEM) else NOT_THERE
        return Result(status, b"", b"", why, inconclusive=True)
    finally:
        if source is not None:
            os.close(source)


def _as_file(data: bytes) -> int:
    """A descriptor to read ``data`` from, of any size, without anybody having to feed a pipe."""
    descriptor = os.memfd_create("stdin")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class _Watched:
    """A running child, what it printed so far, and its result once it has one."""

    __slots__ = ("_cut_short", "_deadline", "_limit", "_time", "child", "open", "output", "result")

    def __init__(self, child: Child, deadline: Deadline, timeout: float, limit: int) -> None:
        self.child = child
        self.output = {child.stdout: bytearray(), child.stderr: bytearray()}
        self.open = [child.stdout, child.stderr]
        self.result: Result | None = None
        self._deadline = deadline.sooner(timeout)
        self._limit = limit
        self._time = self._deadline.remaining()
        self._cut_short = deadline.remaining() < timeout

    def patience(self) -> float:
        """Seconds to wait for output: a child that closed it is about to end."""
        return min(_TICK, self._deadline.remaining()) if self.open else _ABOUT_TO_END

    def read(self, descriptor: int) -> None:
        """Take what is there; close the descriptor at the end of the file."""
        data = os.read(descriptor, 65536)
        self.output[descriptor] += data
        if not data:
            self._close(descriptor)
        elif len(self.output[descriptor]) > self._limit:
            self._end(self._too_much())

    def look(self) -> None:
        """Has it ended, or is its time up?"""
        if self.result is not None:
            return
        if os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            self._end(None)
        elif self._deadline.expired():
            self._end(f"timed out after {self._time:.3g} s", inconclusive=self._cut_short)

    def _end(self, problem: str | None, inconclusive: bool = False) -> None:
        """Kill what is left of the process group, read what is left of the output, and reap.

        The group is killed before its leader is reaped, while its number cannot be another's.
        """
        os.killpg(self.child.pid, _SIGKILL)
        for descriptor in list(self.open):
            if problem is None:
                self._drain(descriptor)
            self._close(descriptor)
        if problem is None and any(len(said) > self._limit for said in self.output.values()):
            problem = self._too_much()
        status = self._reap()
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        out, err = (bytes(self.output[d]) for d in (self.child.stdout, self.child.stderr))
        self.result = Result(code, out, err, problem, inconclusive)

    def _reap(self) -> int:
        """The status of a child that has ended, or is killed.

        One that hangs in the kernel (state D in ps(1)), on a server for files, say, does not die of
        SIGKILL: the action must not hang with it.  Several of them have that time together, from
        when their own was up.
        """
        until = time.monotonic() + _DYING - self._deadline.overdue()
        while True:
            pid, status = os.waitpid(self.child.pid, os.WNOHANG)
            if pid:
                return status
            if time.monotonic() > until:
                return _SIGKILL
            time.sleep(_ABOUT_TO_END)

    def _too_much(self) -> str:
        return f"printed more than {self._limit} bytes"

    def _close(self, descriptor: int) -> None:
        self.open.remove(descriptor)
        os.close(descriptor)

    def _drain(self, descriptor: int) -> None:
        """What a child wrote before it ended; its own children may still hold the pipe open."""
        os.set_blocking(descriptor, False)
        try:
            while len(self.output[descriptor]) <= self._limit:
                data = os.read(descriptor, 65536)
                if not data:
                    return
                self.output[descriptor] += data
        except BlockingIOError:
            return


def _wait(running: Sequence[_Watched]) -> None:
    """Wait a moment for output or an end, and take note of both."""
    poller = select.poll()
    readers = {descriptor: watched for watched in running for descriptor in watched.open}
    for descriptor in readers:
        poller.register(descriptor, select.POLLIN)
    patience = min((watched.patience() for watched in running), default=0.0)
    for descriptor, _ in poller.poll(patience * 1000):
        if descriptor in readers[descriptor].open:
            readers[descriptor].read(descriptor)
    for watched in running:
        watched.look()
