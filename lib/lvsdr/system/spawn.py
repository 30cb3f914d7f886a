"""Start a program: no shell, no stdin, a process group of its own.

Imports next to nothing, so that a child can be started before the rest of the agent is loaded.
"""

from __future__ import annotations

import os

_SIGPIPE = 13  # signal.SIGPIPE on Linux; the signal module costs more than the fork


class Child:
    """A started program; the reader of ``stdout`` and ``stderr`` (file descriptors) owns it."""

    __slots__ = ("argv", "pid", "stderr", "stdout")

    def __init__(self, argv: tuple[str, ...], pid: int, stdout: int, stderr: int) -> None:
        self.argv = argv
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr


def spawn(argv: tuple[str, ...], stdin: int | None = None) -> Child:
    """Start ``argv`` in its own process group with ``LC_ALL=C``; raises OSError.

    Its standard input is the descriptor ``stdin``, or /dev/null.  SIGPIPE, which Python ignores,
    is put back to its default.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    no_input = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    actions = [
        no_input if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, out_write, 1),
        (os.POSIX_SPAWN_DUP2, err_write, 2),
    ]
    try:
        pid = os.posix_spawnp(
            argv[0],
            argv,
            {**os.environ, "LC_ALL": "C"},
            file_actions=actions,
            setpgroup=0,
            setsigdef=[_SIGPIPE],
        )
    except OSError:
        os.close(out_read)
        os.close(err_read)
        raise
    finally:
        os.close(out_write)
        os.close(err_write)
    return Child(argv, pid, out_read, err_read)
