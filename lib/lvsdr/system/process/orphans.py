"""Programs that still hold the lock of a killed agent and block the next action.

Three facts identify such a program: its environment names the agent, it holds the lock, and the
agent holds it no longer.  Any other holder of a lock is left alone.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ...values.parsing import is_decimal
from .spawn import AGENT_OF_WRITER

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal

    File = tuple[int, int]  # device and inode
else:
    import _signal


def end_orphans(lock: int) -> list[str]:
    """Kill the orphans that hold a lock; return a sentence for each.

    ``lock`` is a descriptor of its file.  The lock is free when the killed processes are gone.
    """
    status = os.fstat(lock)
    sentences = []
    for name in os.listdir("/proc"):
        if is_decimal(name):
            with suppress(OSError):  # the process has ended, or belongs to another user
                if _end_orphan(int(name), (status.st_dev, status.st_ino)):
                    sentences.append(f"process {name}, left running by a killed action, was ended")
    return sentences


def _end_orphan(pid: int, lock: File) -> bool:
    """Kill a process if it is an orphan that holds the lock; return whether it is."""
    process = os.pidfd_open(pid)  # the number may belong to another process by the time of the kill
    try:
        agent = _find_agent(pid)
        if agent is None or not _holds_lock(pid, lock) or _holds_lock(agent, lock):
            return False
        _signal.pidfd_send_signal(process, _signal.SIGKILL)
        return True
    finally:
        os.close(process)


def _find_agent(pid: int) -> int | None:
    """Return the process id of the agent that started a writer; None for any other process."""
    start = f"{AGENT_OF_WRITER}=".encode()
    for variable in _read_file(f"/proc/{pid}/environ").split(b"\0"):
        if variable.startswith(start) and variable[len(start) :].isdigit():
            return int(variable[len(start) :])
    return None


def _holds_lock(pid: int, lock: File) -> bool:
    """Return whether a process has the locked open file, not only one of the same name."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        return any(_is_locked(pid, name, lock) for name in os.listdir(f"/proc/{pid}/fd"))
    return False


def _is_locked(pid: int, descriptor: str, lock: File) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):  # closed meanwhile
        status = os.stat(f"/proc/{pid}/fd/{descriptor}")
        is_same_file = (status.st_dev, status.st_ino) == lock
        # proc(5), fdinfo: the locks of this open file, not those of others on the same inode
        return is_same_file and b"\nlock:" in _read_file(f"/proc/{pid}/fdinfo/{descriptor}")
    return False


def _read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
