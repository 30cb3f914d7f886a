"""The lab in a User Mode Linux guest, for machines whose own kernel has no IPVS."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import IO

from tests.lab.job import HERE, Job, say
from tests.lab.process import copy, pipe, started, wait
from tests.lab.processor import one_processor

KERNEL = "/usr/bin/linux.uml"
CRASHED = 125


def why_not() -> str | None:
    """Say why no guest can be had, None when one can."""
    return None if os.access(KERNEL, os.X_OK) else f"{KERNEL} is not installed; run tests/setup"


def run(job: Job) -> int:
    """Boot a guest, run the job there and return its exit status. TimeoutError at the deadline.

    Its kernel and its init write to a log, which is shown if they fail.
    """
    log = job.results / f"kernel-{os.getpid()}.log"
    with contextlib.ExitStack() as opened:
        logged = opened.enter_context(open(log, "wb", buffering=0))
        copies: dict[tuple[int, int], IO[bytes]] = {pipe(opened): logged}
        if not job.terminal:
            copies.update({pipe(opened): sys.stdout.buffer, pipe(opened): sys.stderr.buffer})
        writers = [write for _, write in copies]
        command = ["--", "tini", "--", *_command(job, *writers)]
        environ = {**os.environ, "TMPDIR": _memory_directory()}
        opened.enter_context(one_processor())
        # For its words before it has consoles. A terminal it needs as descriptors 0 and 1.
        early = {"stderr": logged} if job.terminal else {"stdout": logged, "stderr": logged}
        with started(command, job, env=environ, pass_fds=writers, **early) as guest:
            for write in writers:
                os.close(write)
            copy({read: destination for (read, _), destination in copies.items()}, job)
            wait(guest, job)
    return _status(job, log)


def _command(job: Job, console: int, stdout: int = 1, stderr: int = 1) -> list[str]:
    """Return the guest's command line.

    Kernel and init have con0, whose host side is `console`. The command has two serial lines, which
    unlike consoles are raw; where it talks with a terminal, only the first is used.
    """
    stdin = "fd:0" if job.terminal else "null"
    second = "null" if job.terminal else f"null,fd:{stderr}"
    serial = [f"ssl0={stdin},fd:{stdout}", f"ssl1={second}"]
    lines = ["con=null", "ssl=null", f"con0=null,fd:{console}", *serial]
    files = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE / 'guest'}"]
    own = [f"uml_dir={job.directory}/", "umid=uml", f"LAB_JOB={job.directory}"]
    return [KERNEL, f"mem={_memory()}", "noreboot", "quiet", *files, *lines, *own]


def _memory() -> str:
    return os.environ.get("LAB_MEM", "2G")


def _memory_directory() -> str:
    """Return where the guest's memory fits: an unlinked sparse file, mapped executable.

    A tmpfs is fastest, but that of a container is often small and mounted noexec. SystemExit if
    there is no such place.
    """
    size = _memory()
    try:
        wanted = int(size[:-1]) << {"M": 20, "G": 30}[size[-1:].upper()]
    except (KeyError, ValueError):
        raise SystemExit(f"lab: LAB_MEM={size} is no size such as 2G or 1500M") from None
    for directory in ("/dev/shm", "/tmp", "/var/tmp"):
        with contextlib.suppress(OSError):
            room = os.statvfs(directory)
            if room.f_bavail * room.f_frsize >= wanted and not room.f_flag & os.ST_NOEXEC:
                return directory
    raise SystemExit(f"lab: no room for {size} of memory in /dev/shm, /tmp, /var/tmp; see LAB_MEM")


def _status(job: Job, log: Path) -> int:
    """Return what the guest wrote down; where there is nothing, show how it ended instead."""
    try:
        status = int((job.directory / "status").read_text())
    except (FileNotFoundError, ValueError):
        say(f"the guest ended without a result; the last lines of {log}:")
        sys.stderr.write("".join(log.read_text(errors="replace").splitlines(True)[-30:]))
        return CRASHED
    log.unlink()
    return status
