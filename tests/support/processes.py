"""Processes of the tests, and their results."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

TIMEOUT = 60.0  # seconds; only a real hang lasts so long, even if a fork takes 30 ms


def ends_with_us() -> list[str]:
    """Return the beginning of a command line of which the process gets SIGTERM when we end.

    It gets the signal even if we are killed. The thread that starts it must outlive it: its end
    counts as ours (PR_SET_PDEATHSIG, prctl(2)).
    """
    return ["setpriv", "--pdeathsig", "TERM", "--"]


def with_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these variables in addition."""
    return {**os.environ, **variables}


class Completed(NamedTuple):
    """Result of a process. `returncode` is negative for the signal that killed it."""

    returncode: int
    stdout: str
    stderr: str


class CommandFailed(AssertionError):
    """Failure or timeout of a command that had to succeed."""


class Running:
    """A started process. Its output goes to unnamed files, so no full pipe blocks it."""

    def __init__(
        self,
        argv: Sequence[str],
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.argv = list(argv)
        self._output: list[IO[bytes]] = [
            tempfile.TemporaryFile(),  # noqa: SIM115 - open until the process has ended
            tempfile.TemporaryFile(),  # noqa: SIM115
        ]
        with tempfile.TemporaryFile() as source:
            source.write((stdin or "").encode())
            source.seek(0)
            self._process = subprocess.Popen(
                self.argv,
                stdin=source,
                stdout=self._output[0],
                stderr=self._output[1],
                env=env,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._completed: Completed | None = None

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process and everything in its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, timeout: float = TIMEOUT) -> Completed:
        """Wait for the end. After `timeout` seconds kill the process and raise CommandFailed."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            completed = self.close()
            message = f"{self.argv} still ran after {timeout:.1f} s: {completed}"
            raise CommandFailed(message) from None
        return self.close()

    def close(self) -> Completed:
        """Kill all that still runs of the process and return its result."""
        if self._completed is None:
            self.kill()
            self._process.wait()
            stdout, stderr = (_drained(output) for output in self._output)
            self._completed = Completed(self._process.returncode, stdout, stderr)
        return self._completed


def _drained(output: IO[bytes]) -> str:
    with output:
        output.seek(0)
        return output.read().decode(errors="replace")


def run(argv: Sequence[str], stdin: str | None = None, check: bool = True) -> Completed:
    """Run a command in the calling thread's namespace.

    Raises CommandFailed if it fails and `check` is on.
    """
    return checked(argv, Running(argv, stdin).wait(), check)


def checked(argv: Sequence[str], completed: Completed, check: bool = True) -> Completed:
    if check and completed.returncode:
        raise CommandFailed(f"{list(argv)}: {completed}")
    return completed
