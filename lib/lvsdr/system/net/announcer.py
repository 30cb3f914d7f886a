"""A process that goes on sending after the end of the action that started it.

The process has its own session and holds no file of its parent.  It ends by itself after a given
number of rounds, when it is no longer wanted, or when the link is lost.  The process id and the
time of start identify it: a number alone may later belong to another process.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ...errors import LvsdrError
from ...values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIGKILL = 9  # signal.SIGKILL on Linux, without the cost of the signal module
_TICK = 0.005
_PATIENCE = 2.0  # seconds for a killed process to be gone
_GO = b"g"


class Rounds(NamedTuple):
    """Frames, and how often to send them; a pause of ``interval`` seconds precedes each round."""

    device: str
    frames: Sequence[bytes]
    times: int
    interval: float


class Process(NamedTuple):
    """A process of this boot; ``started`` is in clock ticks since the boot (proc(5), stat)."""

    pid: int
    started: int


def begin(
    rounds: Rounds, remember: Callable[[Process], None], wanted: Callable[[Process], bool]
) -> None:
    """Send in the background.

    Nothing is sent before ``remember`` has returned, and only while ``wanted`` is true.  So a later
    action finds the process and can end it; a process without a record ends by itself.
    """
    gate, opener = os.pipe()
    ready, bell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(rounds, wanted, gate, bell)
    os.close(gate)
    os.close(bell)
    try:
        # Without its own session, the child would end with the action's process group.
        os.read(ready, 1)
        started = _started(pid)
        if started is not None:
            remember(Process(pid, started))
            with suppress(BrokenPipeError):  # the child has already been killed
                os.write(opener, _GO)
    finally:
        os.close(ready)
        os.close(opener)


def end(process: Process) -> bool:
    """Kill the process and wait until it is gone; return False if it has ended before."""
    if _started(process.pid) != process.started:
        return False
    try:
        os.kill(process.pid, _SIGKILL)
    except ProcessLookupError:
        return False
    limit = time.monotonic() + _PATIENCE
    while _started(process.pid) == process.started and time.monotonic() < limit:
        time.sleep(_TICK)
    return True


def _live(rounds: Rounds, wanted: Callable[[Process], bool], gate: int, bell: int) -> None:
    """Run the child, which never returns."""
    try:
        os.setsid()
        os.write(bell, _GO)
        _let_go_of_all_but(gate)
        if os.read(gate, 1) == _GO:
            _send_all(rounds, wanted)
    except (LvsdrError, OSError):
        os._exit(1)  # for example, the interface is gone; no process waits for a report
    finally:
        os._exit(0)


def _let_go_of_all_but(gate: int) -> None:
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


def _send_all(rounds: Rounds, wanted: Callable[[Process], bool]) -> None:
    from . import arp, links  # not needed to end a process

    pid = os.getpid()
    myself = Process(pid, _started(pid) or 0)
    for _ in range(rounds.times):
        time.sleep(rounds.interval)
        if not wanted(myself):
            return
        interface = links.interface(rounds.device)
        if interface is None or not interface.carrier:
            return  # another node may have the address when the link returns
        arp.send(rounds.device, rounds.frames)


def _started(pid: int) -> int | None:
    """Return the start time of a process; None if it is gone, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may contain any character.
            fields = file.read().rpartition(b") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
