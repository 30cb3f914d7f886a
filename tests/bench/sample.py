"""Comparison of commands: run in turn, judged by the ratio of their medians.

Absolute times depend on the machine and the day. Only ratios within one run can be compared.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """A program, its environment, the file for its standard input, and its exit status."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    stdin: str = os.devnull
    code: int = 0


class Cost(NamedTuple):
    """Median seconds of one run: on the clock, and of processors, children included."""

    wall: float
    cpu: float


def in_turn(commands: Sequence[Command], runs: int) -> list[Cost]:
    """Return the median cost of each command; run in turn, ``runs`` times, A B A B ...

    One round warms up and does not count.
    """
    samples: list[list[Cost]] = [[] for _ in commands]
    for turn in range(runs + 1):
        for command, taken in zip(commands, samples):
            cost = once(command)
            if turn:
                taken.append(cost)
    return [
        Cost(statistics.median(c.wall for c in taken), statistics.median(c.cpu for c in taken))
        for taken in samples
    ]


def once(command: Command) -> Cost:
    """Run a command and return its cost. Raise AssertionError for another exit status."""
    null = os.open(os.devnull, os.O_WRONLY)
    stdin = os.open(command.stdin, os.O_RDONLY)
    actions = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, null, 1),
        (os.POSIX_SPAWN_DUP2, null, 2),
    ]
    start = time.monotonic()
    pid = os.posix_spawn(command.argv[0], list(command.argv), command.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - start
    os.close(null)
    os.close(stdin)
    code = os.waitstatus_to_exitcode(status)
    assert code == command.code, f"{' '.join(command.argv)} ended with {code}"
    return Cost(wall, used.ru_utime + used.ru_stime)
