"""Waiting, at stop, until nobody will connect to the virtual IP, and nobody is connected."""

from __future__ import annotations

import time

from ...deadline import Deadline
from ...system.connections import unfinished
from ...typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ...ocf.log import Log

_POLL = 0.25  # seconds between looks at the connections
_RESERVE = 2.0  # seconds that stop keeps for what it does afterwards


class Patience(NamedTuple):
    """How long stop waits, in seconds."""

    delay: float
    """At any rate, for the director to notice."""
    timeout: float
    """And then at most, for connections to end."""


NO_PATIENCE = Patience(0.0, 0.0)


def drain(
    vip: str,
    patience: Patience,
    deadline: Deadline,
    log: Log,
    *,
    count: Callable[[str], int] = unfinished,
) -> None:
    """Wait out the delay, then for connections that are not over; all of it inside the deadline."""
    if patience.delay:
        time.sleep(min(patience.delay, _usable(deadline)))
    if patience.timeout:
        _wait_for_connections(vip, patience.timeout, deadline, log, count)


def _wait_for_connections(
    vip: str, timeout: float, deadline: Deadline, log: Log, count: Callable[[str], int]
) -> None:
    patience = min(timeout, _usable(deadline))
    end = deadline.sooner(patience)
    waiting = count(vip)
    if not waiting:
        return
    log.info(f"{vip}: connections to wait for: {waiting}, at most {patience:.3g} s")
    while waiting and not end.expired():
        time.sleep(min(_POLL, end.remaining()))
        waiting = count(vip)
    if waiting:
        why = "drain_timeout" if patience == timeout else "the timeout of stop"
        log.warning(f"{vip}: connections left at the end of {why}: {waiting}")


def _usable(deadline: Deadline) -> float:
    """The seconds that may be spent waiting."""
    left = deadline.remaining()
    return left - min(_RESERVE, left / 4)
