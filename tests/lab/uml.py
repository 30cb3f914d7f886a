"""The lab in a User Mode Linux guest, for machines without IPVS in their own kernel."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from tests.lab import boot_job
from tests.lab.boot_job import HERE, Job
from tests.lab.boot_process import copy, pipe, run_in_namespaces, wait
from tests.lab.kernel.guest import GuestKernel, Unusable
from tests.lab.processor_affinity import one_processor

TRIAL = 90  # seconds for a boot that takes two on a machine that is not busy
LINES = 30  # of the log of a guest that ended without a result

ADDRESS = re.compile(r"\b[0-9a-f]{8,16}\b")

# Causes in plain words, by substrings of the kernel's log.
CAUSES = {
    "ptrace set fp regs failed": "it cannot handle the extended state of this processor (AMX)",
    "ptrace set regs failed": "this machine's kernel refuses to set its registers",
    "Unable to mount root fs": "it cannot mount the files of this machine",
    "Operation not permitted": "this machine forbids what it needs, as unprivileged containers do",
    "Out of memory": "its memory is full; LAB_MEM gives it more",
    "No space left on device": "its memory is full; LAB_MEM gives it more",
}


class GuestFailed(Exception):
    """A guest that ended without a result. `log` is the file with its kernel's messages."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"the guest ended without a result: {_cause(log)} (log: {log})")
        self.log = log

    def last_lines(self) -> str:
        """Return the end of the log, without dumps of registers and stacks."""
        lines = self.log.read_text(errors="replace").splitlines(True)
        return "".join([line for line in lines if not ADDRESS.search(line)][-LINES:])


def boot(kernel: GuestKernel) -> None:
    """Boot this kernel and end it.

    Raise Unusable with the reason if it has no IPVS or fails to boot.
    """
    with tempfile.TemporaryDirectory(prefix="lvsdr-boot-", dir="/tmp") as directory:
        command = ["test", "-e", "/proc/net/ip_vs"]
        deadline = time.monotonic() + TRIAL
        task = Job(command, Path(directory), boot_job.results_directory(), deadline, False)
        boot_job.write(task)
        try:
            status = run(task, kernel)
        except TimeoutError:
            raise Unusable(f"its boot was not done after {TRIAL} s") from None
        except GuestFailed as problem:
            raise Unusable(str(problem)) from None
    if status:
        raise Unusable("it boots, but has no ip_vs")


def run(task: Job, kernel: GuestKernel) -> int:
    """Boot a guest, run the job there and return its exit status.

    Raises TimeoutError at the deadline. Raises GuestFailed if the guest ended before the job did:
    its kernel and its init write to a log, which is kept then.
    """
    log = task.results / f"kernel-{os.getpid()}.log"
    with contextlib.ExitStack() as opened:
        logged = opened.enter_context(open(log, "wb", buffering=0))
        copies: dict[tuple[int, int], IO[bytes]] = {pipe(opened): logged}
        if not task.terminal:
            copies.update({pipe(opened): sys.stdout.buffer, pipe(opened): sys.stderr.buffer})
        writers = [write for _, write in copies]
        command = ["--", "tini", "--", *_command(task, kernel, *writers)]
        environ = {**os.environ, **kernel.environment(), "TMPDIR": _memory_directory()}
        opened.enter_context(one_processor())
        # The log gets the output from before the consoles exist. A terminal must be descriptors 0
        # and 1.
        early = {"stderr": logged} if task.terminal else {"stdout": logged, "stderr": logged}
        with run_in_namespaces(command, task, env=environ, pass_fds=writers, **early) as guest:
            for write in writers:
                os.close(write)
            copy({read: destination for (read, _), destination in copies.items()}, task)
            wait(guest, task)
    status = _status(task)
    if status is None:
        raise GuestFailed(log)
    log.unlink()
    return status


def _command(
    task: Job, kernel: GuestKernel, console: int, stdout: int = 1, stderr: int = 1
) -> list[str]:
    """Return the guest's command line.

    Kernel and init use con0; its host side is `console`. The command has two serial lines, which
    are raw, unlike consoles. A terminal uses only the first.
    """
    stdin = "fd:0" if task.terminal else "null"
    second = "null" if task.terminal else f"null,fd:{stderr}"
    serial = [f"ssl0={stdin},fd:{stdout}", f"ssl1={second}"]
    lines = ["con=null", "ssl=null", f"con0=null,fd:{console}", *serial]
    files = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE / 'guest'}"]
    own = [f"uml_dir={task.directory}/", "umid=uml"]
    given = [f"LAB_JOB={task.directory}", f"LAB_MODULES={kernel.modules}"]
    memory = [f"mem={_memory()}", "noreboot", "quiet"]
    return [str(kernel.program), *kernel.options, *memory, *files, *lines, *own, *given]


def _memory() -> str:
    return os.environ.get("LAB_MEM", "2G")


def _memory_directory() -> str:
    """Return a directory for the guest's memory: an unlinked sparse file, mapped executable.

    A tmpfs is fastest, but that of a container is often small and mounted noexec. Raises SystemExit
    if there is no such directory.
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


def _status(task: Job) -> int | None:
    """Return the exit status that the guest's init wrote, or None if it wrote none."""
    try:
        return int((task.directory / "status").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _cause(log: Path) -> str:
    """Return the cause of the guest's end: a known cause, or the last line about a panic."""
    lines = log.read_text(errors="replace").splitlines()
    for words, cause in CAUSES.items():
        if any(words in line for line in lines):
            return cause
    panics = [line for line in lines if "panic" in line.lower()]
    last = [line for line in (panics or lines) if line.strip()]
    return last[-1].strip() if last else "its kernel wrote nothing"
