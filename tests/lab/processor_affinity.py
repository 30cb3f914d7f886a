"""Processor affinity: one processor for each guest.

A guest has one processor, but consists of several processes here. They pass the work to and fro at
every system call of the guest, which takes half the time on the same processor. Guests are often
idle, so two may share a processor if there are more guests than processors.
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
    """Bind this process and its children to the processor with the fewest guests.

    If every processor has its maximum of guests, the scheduler places the guest.
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
    """Take a place on a processor until `taken` is closed. Return False if it is occupied."""
    file = open(LOCKS / f"lvsdr-lab-processor-{number}-{place}", "w")  # noqa: SIM115 - it is the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    taken.enter_context(file)
    return True
