"""The processes that carry the lab, started so that none can outlive it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tests.lab.boot_job import Job
from tests.support.paths import ENTER_NAMESPACES


@contextlib.contextmanager
def run_in_namespaces(
    command: list[str], job: Job, **how: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in its own namespaces, and end all its processes afterwards.

    They end even if this process is killed.
    """
    entered = [str(ENTER_NAMESPACES), *command]
    stdin = None if job.terminal else subprocess.DEVNULL
    process = subprocess.Popen(entered, stdin=stdin, start_new_session=not job.terminal, **how)
    try:
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the namespace, and thereby all of them, and reap it.

    Killing unshare(1) instead would have the same effect, but nothing would wait for that process.
    """
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    process.kill()
    process.wait()


def wait(process: subprocess.Popen[bytes], job: Job) -> int:
    """Return the exit status. Raise TimeoutError at the deadline."""
    try:
        return process.wait(job.left())
    except subprocess.TimeoutExpired:
        raise TimeoutError from None


def pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe. `opened` closes its reading end, and the caller its writing end."""
    read, write = os.pipe()
    opened.callback(os.close, read)
    return read, write


def copy(streams: dict[int, IO[bytes]], job: Job) -> None:
    """Copy each stream as data arrives, until all are closed.

    Raises TimeoutError at the deadline.
    """
    with selectors.DefaultSelector() as selector:
        for source, destination in streams.items():
            selector.register(source, selectors.EVENT_READ, destination)
        while selector.get_map():
            ready = selector.select(job.left())
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fd)
                key.data.write(chunk)
                key.data.flush()
