"""A processor for each guest.

A guest has one, but is several processes here, which hand the work to and fro at every system call
of the guest. On the same processor that takes half the time. Guests wait for much of their time, so
two may share a processor where there are more guests than processors.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCKS = Path("/tmp")
GUESTS = 2  # on one processor


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Keep to the processor with the fewest guests, with all processes that are started meanwhile.

    Where each has as many as it may have, the guest goes wherever the scheduler puts it.
    """
    before = os.sched_getaffinity(0)
    with contextlib.ExitStack() as taken:
        places = ((number, place) for place in range(GUESTS) for number in sorted(before))
        number = next((number for number, place in places if _take(number, place, taken)), None)
        if number is not None:
            os.sched_setaffinity(0, {number})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def _take(number: int, place: int, taken: contextlib.ExitStack) -> bool:
    """Take a place on a processor until `taken` is closed. Return False if another guest has it."""
    file = open(LOCKS / f"lvsdr-lab-processor-{number}-{place}", "w")  # noqa: SIM115 - it is the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    taken.enter_context(file)
    return True
