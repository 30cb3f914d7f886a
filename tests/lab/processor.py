"""A processor for each guest.

A guest has one, but is several processes here, which hand the work to and fro at every system call
of the guest. On the same processor that takes half the time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCKS = Path("/tmp")


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Keep to a processor that no other guest has, with all processes that are started meanwhile.

    Where each is taken this one goes wherever it likes.
    """
    before = os.sched_getaffinity(0)
    with contextlib.ExitStack() as taken:
        number = next((number for number in sorted(before) if _take(number, taken)), None)
        if number is not None:
            os.sched_setaffinity(0, {number})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def _take(number: int, taken: contextlib.ExitStack) -> bool:
    """Say whether this processor was free; it is then ours until `taken` is closed."""
    file = open(LOCKS / f"lvsdr-lab-processor-{number}", "w")  # noqa: SIM115 - it is the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    taken.enter_context(file)
    return True
