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
from .watched import NOT_NOW, RunningChild, wait
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

    sufficient_time: float = _AN_HOUR
    """Seconds after which an unfinished program has failed.

    The result is then not inconclusive, even if the deadline ends the program.
    """
    interim: Interim = None
    """A function called once, with the results by index, after a second without all results."""
    starter: Starter = spawn


_DEFAULT_TERMS = Terms()


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
    terms = _DEFAULT_TERMS._replace(starter=lambda argv, source: spawn(argv, source, keep))
    return run_all([tuple(argv)], deadline, timeout=timeout, stdin=stdin, terms=terms)[0]


def run_all(
    argvs: Sequence[tuple[str, ...]],
    deadline: Deadline,
    *,
    timeout: float = _AN_HOUR,
    stdin: bytes = b"",
    limit: int = OUTPUT_LIMIT,
    terms: Terms = _DEFAULT_TERMS,
) -> list[Result]:
    """Run programs side by side, each within ``timeout`` seconds; results in the same order."""
    interim = terms.interim
    patience = Deadline.after(PATIENCE)
    waiting_programs = list(enumerate(argvs))[::-1]
    running_children: dict[int, RunningChild] = {}
    results: dict[int, Result] = {}
    try:
        while waiting_programs or running_children:
            if interim is not None and patience.is_expired():
                interim(results)
                interim = None
            while waiting_programs and len(running_children) < PARALLEL:
                index, argv = waiting_programs.pop()
                started = _start(
                    argv, deadline, (timeout, terms.sufficient_time), stdin, limit, terms.starter
                )
                if isinstance(started, Result):
                    results[index] = started
                else:
                    running_children[index] = started
            wait(list(running_children.values()))
            for index in [index for index, child in running_children.items() if child.result]:
                result = running_children.pop(index).result
                assert result is not None
                results[index] = result
    finally:
        for child in running_children.values():  # after an exception: no other code ends them
            child.end("abandoned")
    return [results[index] for index in range(len(argvs))]


def finish(child: Child, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> Result:
    """Wait for the end of a started program; return its result."""
    seconds_left = deadline.remaining()
    running_child = RunningChild(child, deadline, (seconds_left, seconds_left), limit)
    while running_child.result is None:
        wait([running_child])
    return running_child.result


def _start(
    argv: tuple[str, ...],
    deadline: Deadline,
    times: tuple[float, float],
    stdin: bytes,
    limit: int,
    starter: Starter,
) -> RunningChild | Result:
    if deadline.is_expired():
        return Result(128, b"", b"", f"no time left for {argv[0]}", inconclusive=True)
    source = None
    try:
        source = _create_input(stdin) if stdin else None
        return RunningChild(starter(argv, source), deadline, times, limit)
    except OSError as error:
        reason = f"{argv[0]} cannot be executed: {error.strerror}"
        status = NOT_THERE if error.errno in _NO_PROGRAM else NOT_NOW
        return Result(status, b"", b"", reason, inconclusive=True)
    finally:
        if source is not None:
            os.close(source)


def _create_input(data: bytes) -> int:
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
