"""Programs run to their end: side by side, within a deadline, with bounded output.

Every program has a process group of its own.  The whole group is killed when time is up, when the
program prints too much, and when it leaves children behind.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from errno import EACCES, EISDIR, ELIBBAD, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR, EPERM

from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from .spawn import Child, spawn
from .watched import NOT_NOW, Watched, wait
from .watched import NOT_THERE as NOT_THERE
from .watched import OUTPUT_LIMIT as OUTPUT_LIMIT
from .watched import Result as Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    Starter = Callable[[tuple[str, ...], Optional[int]], Child]
    Interim = Optional[Callable[[Mapping[int, Result]], None]]

PATIENCE = 1.0  # seconds after which acting on the results so far is worth while
PARALLEL = 32  # programs at a time
_AN_HOUR = 3600.0  # more than any action has
# Errors of execve(2) about the program itself.  All others are the node's: they may be over soon.
_NO_PROGRAM = (
    *(ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG),
    *(EACCES, EPERM, ENOEXEC, ELIBBAD),
)


class Terms(NamedTuple):
    """Further terms for programs that run side by side."""

    enough: float = _AN_HOUR
    """Seconds after which an unfinished program has failed.

    The result is then not inconclusive, even if the deadline ends the program.
    """
    interim: Interim = None
    """A function called once, with the results by index, after a second without all results."""
    starter: Starter = spawn


_USUAL = Terms()


def run(
    argv: Sequence[str],
    deadline: Deadline,
    *,
    timeout: float = _AN_HOUR,
    stdin: bytes = b"",
    keep: tuple[int, ...] = (),
) -> Result:
    """Run one program; ``timeout`` is in seconds and never exceeds the deadline.

    The program inherits the descriptors ``keep``.
    """
    terms = _USUAL._replace(starter=lambda argv, source: spawn(argv, source, keep))
    return run_all([tuple(argv)], deadline, timeout=timeout, stdin=stdin, terms=terms)[0]


def run_all(
    argvs: Sequence[tuple[str, ...]],
    deadline: Deadline,
    *,
    timeout: float = _AN_HOUR,
    stdin: bytes = b"",
    limit: int = OUTPUT_LIMIT,
    terms: Terms = _USUAL,
) -> list[Result]:
    """Run programs side by side, each within ``timeout`` seconds; results in the same order."""
    interim = terms.interim
    patience = Deadline.after(PATIENCE)
    waiting = list(enumerate(argvs))[::-1]
    running: dict[int, Watched] = {}
    results: dict[int, Result] = {}
    try:
        while waiting or running:
            if interim is not None and patience.is_expired():
                interim(results)
                interim = None
            while waiting and len(running) < PARALLEL:
                index, argv = waiting.pop()
                started = _start(
                    argv, deadline, (timeout, terms.enough), stdin, limit, terms.starter
                )
                if isinstance(started, Result):
                    results[index] = started
                else:
                    running[index] = started
            wait(list(running.values()))
            for index in [index for index, watched in running.items() if watched.result]:
                ended = running.pop(index).result
                assert ended is not None
                results[index] = ended
    finally:
        for watched in running.values():  # after an exception: no other code ends them
            watched.end("abandoned")
    return [results[index] for index in range(len(argvs))]


def finish(child: Child, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> Result:
    """Wait for the end of a started program; return its result."""
    left = deadline.remaining()
    watched = Watched(child, deadline, (left, left), limit)
    while watched.result is None:
        wait([watched])
    return watched.result


def _start(
    argv: tuple[str, ...],
    deadline: Deadline,
    times: tuple[float, float],
    stdin: bytes,
    limit: int,
    starter: Starter,
) -> Watched | Result:
    if deadline.is_expired():
        return Result(128, b"", b"", f"no time left for {argv[0]}", inconclusive=True)
    source = None
    try:
        source = _as_file(stdin) if stdin else None
        return Watched(starter(argv, source), deadline, times, limit)
    except OSError as error:
        why = f"{argv[0]} cannot be executed: {error.strerror}"
        status = NOT_THERE if error.errno in _NO_PROGRAM else NOT_NOW
        return Result(status, b"", b"", why, inconclusive=True)
    finally:
        if source is not None:
            os.close(source)


def _as_file(data: bytes) -> int:
    """Return a descriptor to read ``data`` from; unlike a pipe, it takes any size at once."""
    descriptor = os.memfd_create("stdin")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
