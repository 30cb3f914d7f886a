"""Running children: their output, within a limit, and their end, within a time."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence

from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from .spawn import Child, children

NOT_THERE = 127  # the status of a program that cannot be executed, as in a shell
NOT_NOW = 128  # the same for a lack of resources that may soon end
# A bound on memory: crm_mon prints some 250 bytes for each instance.
OUTPUT_LIMIT = 64 * 1024 * 1024
_TICK = 0.02  # seconds between checks of a child whose children hold its output open
_ABOUT_TO_END = 0.001
_DYING = 1.0  # seconds for a killed program to disappear
_SIGKILL = 9  # signal.SIGKILL on Linux, without the cost of the signal module


class Result(NamedTuple):
    """The result of a program.

    ``problem`` is None if the program ended by itself, with any status.
    """

    status: int
    """Exit status; 128 plus the number of the signal that killed it, as in a shell."""
    stdout: bytes
    stderr: bytes
    problem: str | None = None
    inconclusive: bool = False
    """True if the program never ran, or the action's time was up before the program's own."""

    def describe_failure(self) -> str:
        """Return one line on the failure: the problem, or the status and the last output line."""
        if self.problem:
            return self.problem
        lines = self.stderr.decode("utf-8", "replace").strip().splitlines()
        last_line = f": {lines[-1].strip()[:200]}" if lines else ""
        return f"exit status {self.status}{last_line}"


class RunningChild:
    """A running child, its output so far, and its result after its end."""

    __slots__ = (
        "_cut_short",
        "_deadline",
        "_limit",
        "_time",
        "child",
        "open_descriptors",
        "output",
        "result",
    )

    def __init__(
        self, child: Child, deadline: Deadline, times: tuple[float, float], limit: int
    ) -> None:
        """Watch a child; ``times`` are its timeout and its sufficient time, in seconds."""
        timeout, sufficient_time = times
        self.child = child
        self.output = {child.stdout: bytearray(), child.stderr: bytearray()}
        self.open_descriptors = [child.stdout, child.stderr]
        self.result: Result | None = None
        self._deadline = deadline.limit_to(timeout)
        self._limit = limit
        self._time = self._deadline.remaining()
        self._cut_short = deadline.remaining() < min(timeout, sufficient_time)

    def choose_patience(self) -> float:
        """Return the seconds to wait for output: a child that closed it is about to end."""
        return min(_TICK, self._deadline.remaining()) if self.open_descriptors else _ABOUT_TO_END

    def read(self, descriptor: int) -> None:
        """Read the available output; close the descriptor at the end of the file."""
        data = os.read(descriptor, 65536)
        self.output[descriptor] += data
        if not data:
            self._close(descriptor)
        elif len(self.output[descriptor]) > self._limit:
            self.end(self._describe_excess())

    def update_result(self) -> None:
        """Set the result if the child has ended or its time is up."""
        if self.result is not None:
            return
        if os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            self.end(None)
        elif self._deadline.is_expired():
            self.end(f"timed out after {self._time:.3g} s", inconclusive=self._cut_short)

    def end(self, problem: str | None, inconclusive: bool = False) -> None:
        """Kill the rest of the process group, read the rest of the output, and reap the child.

        The group is killed before its leader is reaped, while no other group can have its number.
        """
        os.killpg(self.child.pid, _SIGKILL)
        for descriptor in list(self.open_descriptors):
            if problem is None:
                self._drain(descriptor)
            self._close(descriptor)
        if problem is None and any(len(output) > self._limit for output in self.output.values()):
            problem = self._describe_excess()
        status = self._reap()
        children.discard(self.child.pid)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        out, err = (bytes(self.output[d]) for d in (self.child.stdout, self.child.stderr))
        self.result = Result(code, out, err, problem, inconclusive)

    def _reap(self) -> int:
        """Return the status of a child that has ended or was killed.

        A child that hangs in the kernel (state D in ps(1)), on a file server for example, survives
        SIGKILL.  The action must not hang with it.  Several such children share this time, which
        starts at the end of their own.
        """
        until = time.monotonic() + _DYING - self._deadline.overdue()
        while True:
            pid, status = os.waitpid(self.child.pid, os.WNOHANG)
            if pid:
                return status
            if time.monotonic() > until:
                return _SIGKILL
            time.sleep(_ABOUT_TO_END)

    def _describe_excess(self) -> str:
        return f"printed more than {self._limit} bytes"

    def _close(self, descriptor: int) -> None:
        self.open_descriptors.remove(descriptor)
        os.close(descriptor)

    def _drain(self, descriptor: int) -> None:
        """Read the output written before the end; the child's children may still hold the pipe."""
        os.set_blocking(descriptor, False)
        try:
            while len(self.output[descriptor]) <= self._limit:
                data = os.read(descriptor, 65536)
                if not data:
                    return
                self.output[descriptor] += data
        except BlockingIOError:
            return


def wait(running_children: Sequence[RunningChild]) -> None:
    """Wait a moment for output or an end, and record both."""
    poller = select.poll()
    readers = {number: child for child in running_children for number in child.open_descriptors}
    for descriptor in readers:
        poller.register(descriptor, select.POLLIN)
    patience = min((child.choose_patience() for child in running_children), default=0.0)
    for descriptor, _ in poller.poll(patience * 1000):
        if descriptor in readers[descriptor].open_descriptors:
            readers[descriptor].read(descriptor)
    for child in running_children:
        child.update_result()
