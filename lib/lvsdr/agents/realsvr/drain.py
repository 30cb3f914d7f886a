"""Waiting, at stop, until nobody is connected to the virtual IP any more."""

from __future__ import annotations

import time

from ...deadline import Deadline
from ...system.connections import established

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ...ocf.log import Log

_POLL = 0.25  # seconds between looks at the connections
_RESERVE = 2.0  # seconds that stop keeps for what it does afterwards


def drain(
    vip: str,
    timeout: float,
    deadline: Deadline,
    log: Log,
    *,
    count: Callable[[str], int] = established,
) -> None:
    """Wait for established connections, ``timeout`` seconds at most and inside the deadline."""
    left = deadline.remaining()
    patience = min(timeout, left - min(_RESERVE, left / 4))
    end = deadline.sooner(patience)
    waiting = count(vip) if timeout else 0
    if not waiting:
        return
    log.info(f"{vip}: connections to wait for: {waiting}, at most {patience:.3g} s")
    while waiting and not end.expired():
        time.sleep(min(_POLL, end.remaining()))
        waiting = count(vip)
    if waiting:
        why = "drain_timeout" if patience == timeout else "the timeout of stop"
        log.warning(f"{vip}: connections left at the end of {why}: {waiting}")
