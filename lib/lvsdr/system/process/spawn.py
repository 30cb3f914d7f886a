"""Start of a program: no shell, no stdin, its own process group.

The module imports next to nothing, so that a child can start before the rest of the agent is
loaded.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Callable, Union

    Mask = set[Union[int, _signal.Signals]]
    Launch = Callable[[int, int, Mask], int]
else:
    import _signal  # signal wraps every constant in an enumeration: dearer than the fork

AGENT_OF_WRITER = "LVSDR_AGENT_OF_WRITER"
"""The variable that identifies a program with the lock of an agent that was killed."""

_STANDARD_ERROR = 2

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
    """Start ``argv`` in its own process group with ``LC_ALL=C``; raise OSError.

    The standard input of the program is the descriptor ``stdin``, or /dev/null.  The program
    inherits ``keep``, which are locks; its environment then contains the id of this process.
    SIGPIPE, which Python ignores, is reset to its default.
    """
    writer = {AGENT_OF_WRITER: str(os.getpid())} if keep else {}
    no_input = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)

    def launch(out: int, err: int, mask: Mask) -> int:
        return os.posix_spawnp(
            argv[0],
            argv,
            {**os.environ, "LC_ALL": "C", **writer},
            file_actions=[
                no_input if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0),
                (os.POSIX_SPAWN_DUP2, out, 1),
                (os.POSIX_SPAWN_DUP2, err, 2),
                # A dup2 onto itself clears close-on-exec (POSIX, posix_spawn_file_actions_adddup2).
                *((os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in keep),
            ],
            setpgroup=0,
            setsigmask=mask,
            setsigdef=[_signal.SIGPIPE],
        )

    return start_child(argv, launch)


def start_child(argv: tuple[str, ...], launch: Launch) -> Child:
    """Start a child with pipes for its output; raise the OSError of ``launch``.

    ``launch`` gets the pipes' ends for the child's descriptors 1 and 2, and the child's signal
    mask.  It returns the process id.  SIGTERM is blocked until ``end_with_children`` knows the
    child.
    """
    out_read, out_write = os.pipe()
    try:
        err_read, err_write = os.pipe()
    except OSError:
        os.close(out_read)
        os.close(out_write)
        raise
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTERM,))
    try:
        pid = launch(out_write, err_write, mask)
        children.add(pid)
    except OSError:
        os.close(out_read)
        os.close(err_read)
        raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        os.close(out_write)
        os.close(err_write)
    return Child(argv, pid, out_read, err_read)


def spawn_resident(argv: tuple[str, ...]) -> int:
    """Start a program that stays when this process ends; return its id, or raise OSError.

    It has a session of its own and none of this process's descriptors: Pacemaker waits until the
    output of an action is closed.
    """
    return os.posix_spawnp(
        argv[0],
        argv,
        {"HOME": "/root", **os.environ},  # without it, libpq asks the name service, and waits
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _list_inherited()),
        ],
        setsid=True,
        setsigdef=[_signal.SIGPIPE, _signal.SIGTERM],
    )


def _list_inherited() -> list[int]:
    """Return the descriptors that a new program would inherit: locks of the caller, for example."""
    numbers = (int(name) for name in os.listdir("/proc/self/fd"))
    return [number for number in numbers if number > _STANDARD_ERROR and _is_inheritable(number)]


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False  # it was that of the listing


def end_with_children() -> None:
    """Install a SIGTERM handler that ends this process with all of its children.

    The children have their own process groups, so a signal to this group does not reach them.
    """
    _signal.signal(_signal.SIGTERM, _terminate)


def _terminate(number: int, _frame: object) -> None:
    kill_children()
    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def kill_children() -> None:
    """Kill all children with the groups that they lead."""
    for group in tuple(children):
        kill_group(group)


def reap(child: Child) -> int:
    """Close the output of a child, wait for its end, and return its status (wait(2))."""
    os.close(child.stdout)
    os.close(child.stderr)
    _, status = os.waitpid(child.pid, 0)
    children.discard(child.pid)
    return status


def kill_group(group: int) -> None:
    """Kill the processes of a group, if it has any."""
    try:
        os.killpg(group, _signal.SIGKILL)
    except OSError:
        return  # it has ended
