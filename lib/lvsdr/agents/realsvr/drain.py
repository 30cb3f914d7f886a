"""The wait of stop until the director has noticed and connections to the virtual IP have ended."""

from __future__ import annotations

import time

from ...system.net.tcp_connections import unfinished
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ...ocf.log import Log

_POLL = 0.25  # seconds between counts of the connections
_RESERVE = 2.0  # seconds that stop keeps for removing the address afterwards


class Patience(NamedTuple):
    """The waiting times of stop, in seconds."""

    delay: float
    """The time in which the director notices, whether or not connections are left."""
    timeout: float
    """The maximum time after the delay in which connections may end."""


NO_PATIENCE = Patience(0.0, 0.0)


def drain(
    vip: str,
    patience: Patience,
    deadline: Deadline,
    log: Log,
    *,
    count: Callable[[str], int] = unfinished,
) -> None:
    """Wait out the delay, then wait for connections that are not over, both within the deadline."""
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
    """Return the seconds that may be spent waiting."""
    left = deadline.remaining()
    return left - min(_RESERVE, left / 4)
