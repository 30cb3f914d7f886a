"""Children that do not outlive this process: functions of this package, and user programs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

from ...values.deadline import Deadline
from .spawn import Child, reap, start_child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .spawn import Mask

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 1.0  # seconds for the parent to end the child first


def fork(name: str, work: Callable[[], None], deadline: Deadline) -> Child:
    """Start ``work`` in a child with a process group of its own; ``name`` is for messages.

    The caller reads the output of descriptors 1 and 2.  If no process is left to end the child, the
    kernel does: when the caller dies, and soon after the deadline in any case.
    """
    parent = os.getpid()

    def launch(out: int, err: int, mask: Mask) -> int:
        pid = os.fork()
        if pid == 0:
            _run_child(work, parent, (out, err), mask, deadline.remaining() + _GRACE)
        return pid

    child = start_child((name,), launch)
    _lead_group(child)
    return child


def _lead_group(child: Child) -> None:
    """Give the child its own process group; parent and child both do, and the first one counts."""
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(child.pid, child.pid)


def _run_child(
    work: Callable[[], None], parent: int, outputs: tuple[int, int], mask: Mask, seconds: float
) -> None:
    """Run ``work`` and exit; an uncaught exception is reported by its type alone."""
    out, err = outputs
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask - {signal.SIGALRM})
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


def prepare() -> None:
    """Load the modules that ``spawn_tied`` needs: later they may be replaced by an upgrade."""
    import warnings  # noqa: F401

    _die_with(None)


def spawn_tied(
    argv: tuple[str, ...], stdin: int | None = None, environ: Mapping[str, str] = os.environ
) -> Child:
    """Start a program as ``spawn`` does; the kernel kills it when this process dies.

    posix_spawn cannot request that signal, and a fork clears it (prctl(2)).  So this function forks
    itself.  Between fork and exec, the child does nothing that needs a lock of another thread.
    """
    prepare()
    environment = {**environ, "LC_ALL": "C"}
    source = os.open(os.devnull, os.O_RDONLY) if stdin is None else os.dup(stdin)
    try:
        error_read, error_write = os.pipe()  # closed by exec, or has the number of the error
    except OSError:
        os.close(source)
        raise
    parent = os.getpid()

    def launch(out: int, err: int, mask: Mask) -> int:
        pid = _fork_process()
        if pid == 0:
            _execute(argv, environment, parent, (source, out, err), error_write, mask)
        return pid

    try:
        child = start_child(argv, launch)
    except OSError:
        os.close(error_read)
        raise
    finally:
        os.close(source)
        os.close(error_write)
    _lead_group(child)
    _require_executed(child, error_read)
    return child


def _fork_process() -> int:
    import warnings

    with warnings.catch_warnings():
        # Python 3.12 and later warn about the locks of other threads; see spawn_tied.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _execute(
    argv: tuple[str, ...],
    environment: dict[str, str],
    parent: int,
    descriptors: tuple[int, int, int],
    errors: int,
    mask: Mask,
) -> None:
    """Become the program; never return."""
    try:
        os.setpgid(0, 0)
        _die_with(parent)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        os.write(errors, str(error.errno).encode())
    finally:
        os._exit(1)


def _require_executed(child: Child, errors: int) -> None:
    """Raise OSError, after waiting for the child, if it could not become its program."""
    with open(errors, "rb") as pipe:
        number = pipe.read()
    if number:
        reap(child)
        raise OSError(int(number), os.strerror(int(number)))


def _die_with(parent: int | None) -> None:
    """Let the kernel kill this process when its parent dies; exit if that has happened.

    Without a parent, this only loads the library.
    """
    import ctypes  # loaded only here: ctypes costs more than a whole monitor without it

    prctl = ctypes.CDLL(None).prctl
    if parent is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
