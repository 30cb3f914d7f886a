"""A process that goes on sending after the action that started it has ended.

It is in a session of its own, holds no file of its parent, ends by itself after a given number of
rounds, when it is no longer wanted, or when the link is lost, and is known by process id and time
of start: a number alone may be another's by the time that somebody wants to end it.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ..errors import LvsdrError
from ..typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIGKILL = 9  # signal.SIGKILL on Linux, without the price of the signal module
_TICK = 0.005
_PATIENCE = 2.0  # seconds for a killed process to be gone
_GO = b"g"


class Rounds(NamedTuple):
    """What to send how often; ``interval`` in seconds goes before each round."""

    device: str
    frames: Sequence[bytes]
    times: int
    interval: float


class Process(NamedTuple):
    """A process of this boot; ``started`` in clock ticks since then (proc(5), stat)."""

    pid: int
    started: int


def begin(
    rounds: Rounds, remember: Callable[[Process], None], wanted: Callable[[Process], bool]
) -> None:
    """Send in the background.

    Nothing is sent before ``remember`` has returned, and only while ``wanted`` is true: whoever
    wants to end the process can find it, and one that was lost sight of ends by itself.
    """
    gate, opener = os.pipe()
    ready, bell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(rounds, wanted, gate, bell)
    os.close(gate)
    os.close(bell)
    try:
        # Until it has a session of its own, whoever ends the action's process group ends it, too.
        os.read(ready, 1)
        started = _started(pid)
        if started is not None:
            remember(Process(pid, started))
            with suppress(BrokenPipeError):  # somebody was quick to end it
                os.write(opener, _GO)
    finally:
        os.close(ready)
        os.close(opener)


def end(process: Process) -> bool:
    """Kill the process and wait until it is gone; False if it has ended before."""
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
    """The life of the child, which never returns."""
    try:
        os.setsid()
        os.write(bell, _GO)
        _let_go_of_all_but(gate)
        if os.read(gate, 1) == _GO:
            _send_all(rounds, wanted)
    except (LvsdrError, OSError):
        os._exit(1)  # the interface is gone, say, and there is nobody to be told
    finally:
        os._exit(0)


def _let_go_of_all_but(gate: int) -> None:
    """Also of the lock, and of the output: Pacemaker waits until nobody has that open."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != gate:
            with suppress(OSError):  # the one that the list was read with
                os.close(int(name))


def _send_all(rounds: Rounds, wanted: Callable[[Process], bool]) -> None:
    from . import arp, links  # not for those who only want to know of the process

    pid = os.getpid()
    myself = Process(pid, _started(pid) or 0)
    for _ in range(rounds.times):
        time.sleep(rounds.interval)
        if not wanted(myself):
            return
        interface = links.interface(rounds.device)
        if interface is None or not interface.carrier:
            return  # another node may have the address by the time that the link is back
        arp.send(rounds.device, rounds.frames)


def _started(pid: int) -> int | None:
    """When the process was started; None if it is gone, or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may have anything in it.
            fields = file.read().rpartition(b") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
