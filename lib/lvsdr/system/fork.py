"""Run a function of ours as a program: in a process that can be given up, whatever it is in."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from ..deadline import Deadline
from .spawn import Child

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 1.0  # seconds for whoever waits for the child to see to its end


def fork(name: str, work: Callable[[], None], deadline: Deadline) -> Child:
    """Start ``work`` in a child with a process group of its own; ``name`` is for messages.

    What it writes to its descriptors 1 and 2 is the caller's to read.  Should nobody be left to end
    it, the kernel does: when the caller dies, and soon after the deadline in any case.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(work, parent, out_write, err_write, deadline.remaining() + _GRACE)
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)  # whoever of the two comes first
    os.close(out_write)
    os.close(err_write)
    return Child((name,), pid, out_read, err_read)


def _become(work: Callable[[], None], parent: int, out: int, err: int, seconds: float) -> None:
    """Never returns; an exception that is not caught shows as its kind alone."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        signal.setitimer(signal.ITIMER_REAL, seconds)
        _die_with(parent)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        work()
        code = 0
    except BaseException as error:
        os.write(err, f"{type(error).__name__}\n".encode())
    finally:
        os._exit(code)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, who may be dead already."""
    import ctypes  # psycopg needs it, too; nobody else forks so

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
