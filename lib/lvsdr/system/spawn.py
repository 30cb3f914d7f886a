"""Start a program: no shell, no stdin, a process group of its own.

Imports next to nothing, so that a child can be started before the rest of the agent is loaded.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # signal wraps every constant in an enumeration, which costs more than the fork

children: set[int] = set()
"""The process groups of children that were started and have not been waited for."""


class Child:
    """A started program; the reader of ``stdout`` and ``stderr`` (file descriptors) owns it."""

    __slots__ = ("argv", "pid", "stderr", "stdout")

    def __init__(self, argv: tuple[str, ...], pid: int, stdout: int, stderr: int) -> None:
        self.argv = argv
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr


def spawn(argv: tuple[str, ...], stdin: int | None = None, keep: tuple[int, ...] = ()) -> Child:
    """Start ``argv`` in its own process group with ``LC_ALL=C``; raises OSError.

    Its standard input is the descriptor ``stdin``, or /dev/null; it inherits ``keep``.  SIGPIPE,
    which Python ignores, is put back to its default.  SIGTERM waits until the child is known to
    ``end_with_children``.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    no_input = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    actions = [
        no_input if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, out_write, 1),
        (os.POSIX_SPAWN_DUP2, err_write, 2),
        # Onto itself: that clears close-on-exec (POSIX, posix_spawn_file_actions_adddup2).
        *((os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in keep),
    ]
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTERM,))
    try:
        pid = os.posix_spawnp(
            argv[0],
            argv,
            {**os.environ, "LC_ALL": "C"},
            file_actions=actions,
            setpgroup=0,
            setsigmask=before,
            setsigdef=[_signal.SIGPIPE],
        )
        children.add(pid)
    except OSError:
        os.close(out_read)
        os.close(err_read)
        raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        os.close(out_write)
        os.close(err_write)
    return Child(argv, pid, out_read, err_read)


def end_with_children() -> None:
    """From now on, let SIGTERM end this process with all of its children.

    They have process groups of their own, so a signal to this one's group does not reach them.
    """
    _signal.signal(_signal.SIGTERM, _terminate)


def _terminate(number: int, _frame: object) -> None:
    kill_children()
    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def kill_children() -> None:
    """Kill all children with the groups that they lead."""
    for group in tuple(children):
        _kill(group)


def _kill(group: int) -> None:
    try:
        os.killpg(group, _signal.SIGKILL)
    except OSError:
        return  # it has ended
