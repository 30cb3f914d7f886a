"""A process that goes on sending after the end of the action that started it.

The process has its own session and holds no file of its parent.  It ends by itself after a given
number of rounds, when it is no longer wanted, or when the link is lost.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ...errors import LvsdrError
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from ..process.identity import Process as Process
from ..process.identity import find_own_process, kill, read_start_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SECONDS = 5.0  # for a look at the interface
_GO = b"g"


class Rounds(NamedTuple):
    """Frames, and how often to send them; a pause of ``interval`` seconds precedes each round."""

    device: str
    frames: Sequence[bytes]
    times: int
    interval: float


def begin(
    rounds: Rounds, store_process: Callable[[Process], None], is_wanted: Callable[[Process], bool]
) -> None:
    """Send in the background.

    Nothing is sent before ``store_process`` has returned, and only while ``is_wanted`` is true.  So
    a later action finds the process and can end it; a process without a record ends by itself.
    """
    gate, opener = os.pipe()
    ready, bell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _run_child(rounds, is_wanted, gate, bell)
    os.close(gate)
    os.close(bell)
    try:
        # Without its own session, the child would end with the action's process group.
        os.read(ready, 1)
        start_time = read_start_time(pid)
        if start_time is not None:
            store_process(Process(pid, start_time))
            with suppress(BrokenPipeError):  # the child has already been killed
                os.write(opener, _GO)
    finally:
        os.close(ready)
        os.close(opener)


def end(process: Process) -> bool:
    """End the process that goes on sending; return False if it has ended before."""
    return kill(process)


def _run_child(rounds: Rounds, is_wanted: Callable[[Process], bool], gate: int, bell: int) -> None:
    """Run the child, which never returns."""
    try:
        os.setsid()
        os.write(bell, _GO)
        _close_all_but(gate)
        if os.read(gate, 1) == _GO:
            _send_all(rounds, is_wanted)
    except (LvsdrError, OSError):
        os._exit(1)  # for example, the interface is gone; no process waits for a report
    finally:
        os._exit(0)


def _close_all_but(gate: int) -> None:
    """Close every descriptor but ``gate``.

    Pacemaker waits for the output pipe to close, and the lock must be free.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != gate:
            with suppress(OSError):  # the descriptor of the listing itself
                os.close(int(name))


def _send_all(rounds: Rounds, is_wanted: Callable[[Process], bool]) -> None:
    from . import addresses, arp  # not needed to end a process

    own_process = find_own_process()
    for _ in range(rounds.times):
        time.sleep(rounds.interval)
        if not is_wanted(own_process):
            return
        interface = addresses.find_interface(rounds.device, Deadline.after(_SECONDS))
        if interface is None or not interface.carrier:
            return  # another node may have the address when the link returns
        arp.send_frames(rounds.device, rounds.frames)
