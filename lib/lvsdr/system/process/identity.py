"""A process that another run can find and end: a number alone may belong to another by then."""

from __future__ import annotations

import os
import time

from ...values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # signal wraps every constant in an enumeration

_TICK = 0.005
_PATIENCE = 2.0  # seconds for a killed process to be gone


class Process(NamedTuple):
    """A process of this boot; ``start_time`` is in clock ticks since the boot (proc(5), stat)."""

    pid: int
    start_time: int


def find_own_process() -> Process:
    """Return this process."""
    return Process(os.getpid(), read_start_time(os.getpid()) or 0)


def read_start_time(pid: int) -> int | None:
    """Return the start time of a process; None if it is gone, or a zombie."""
    fields = _read_status(pid)
    return int(fields[19]) if fields else None


def _read_status(pid: int) -> list[bytes]:
    """Return the fields of a process from its state on; none if it is gone, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may contain any character.
            fields = file.read().rpartition(b") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [] if fields[0] in (b"Z", b"X") else fields


def is_running(process: Process) -> bool:
    """Test whether the process runs, or is stopped."""
    return read_start_time(process.pid) == process.start_time


def kill(process: Process) -> bool:
    """Kill the process and wait until it is gone; return False if it has ended before.

    The descriptor of the process is opened before its start time is read, so the signal cannot
    reach a later process with the same number (pidfd_open(2)).
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_running(process):
            return False
        _send_kill(descriptor)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    limit = time.monotonic() + _PATIENCE
    while is_running(process) and time.monotonic() < limit:
        time.sleep(_TICK)
    return True


def kill_session(leader: Process) -> bool:
    """Kill the leader of a session and all its members; return False if the leader has ended.

    A session keeps its number as long as it has a member, so no other process is hit.  A member
    that is stopped, or that another member starts meanwhile, is found as well.
    """
    members = _list_members(leader.pid)
    if not kill(leader):
        return False
    limit = time.monotonic() + _PATIENCE
    while members and time.monotonic() < limit:
        for pid in members:
            start_time = read_start_time(pid)
            if start_time is not None and start_time >= leader.start_time:
                kill(Process(pid, start_time))
        members = _list_members(leader.pid)
    return True


def _list_members(session: int) -> list[int]:
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != session)
    return [pid for pid in pids if _read_status(pid)[3:4] == [b"%d" % session]]


def _send_kill(descriptor: int) -> None:
    _signal.pidfd_send_signal(descriptor, _signal.SIGKILL)
