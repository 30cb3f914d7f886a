"""Network namespaces and the processes in them, independent of IPVS."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, NamedTuple

CLONE_NEWNET = 0x40000000  # linux/sched.h
TIMEOUT = 60.0  # seconds; only a real hang lasts so long, even if a fork takes 30 ms

_libc = ctypes.CDLL(None, use_errno=True)


class Completed(NamedTuple):
    """Result of a process. `returncode` is negative for the signal that killed it."""

    returncode: int
    stdout: str
    stderr: str


class CommandFailed(AssertionError):
    """Failure or timeout of a command that had to succeed."""


@contextlib.contextmanager
def entered(name: str) -> Iterator[None]:
    """Put the calling thread into the network namespace `name`, and back afterwards.

    Sockets opened inside stay in it for good, and processes started inside live in it. The former
    need no fork and the latter no `ip netns exec`. Only the one thread moves (setns(2)).
    """
    with open("/proc/thread-self/ns/net", "rb") as before:
        with open(f"/run/netns/{name}", "rb") as wanted:
            _setns(wanted.fileno())
        try:
            yield
        finally:
            _setns(before.fileno())


def _setns(descriptor: int) -> None:
    # os.setns exists from Python 3.12 on.
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


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


def sysctl(name: str, value: str | int | None = None) -> str:
    """Return a sysctl of the calling thread's network namespace, after setting it to `value`.

    Names are spelled with slashes ("net/ipv4/ip_forward"), because interface names may have dots.
    """
    path = f"/proc/sys/{name}"
    if value is not None:
        with open(path, "w") as file:
            file.write(str(value))
    with open(path) as file:
        return file.read().strip()
