"""The wait of stop until the director has noticed and connections to the virtual IP have ended.

A node that leaves service waits longest: the director notices only at its next monitor.
"""

from __future__ import annotations

import time

from ...errors import SourceUnavailable
from ...system.net.tcp_connections import count_unfinished
from ...values.deadline import Deadline
from .saved_start import DrainTimes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ...ocf.log import Log

_CRM_MON_TIMEOUT = 5.0  # seconds
_POLL = 0.25  # seconds between counts of the connections
_RESERVE = 2.0  # seconds that stop keeps for removing the address afterwards


def drain(
    vip: str,
    times: DrainTimes,
    deadline: Deadline,
    log: Log,
    *,
    count: Callable[[str], int] = count_unfinished,
) -> None:
    """Wait out the delay, then wait for connections that are not over, both within the deadline."""
    if times.delay:
        time.sleep(min(times.delay, _limit_waiting(deadline)))
    if times.timeout:
        _wait_for_connections(vip, times.timeout, deadline, log, count)


def _wait_for_connections(
    vip: str, timeout: float, deadline: Deadline, log: Log, count: Callable[[str], int]
) -> None:
    limit = min(timeout, _limit_waiting(deadline))
    end = deadline.limit_to(limit)
    connections = count(vip)
    if not connections:
        return
    log.info(f"{vip}: connections to wait for: {connections}, at most {limit:.3g} s")
    while connections and not end.is_expired():
        time.sleep(min(_POLL, end.remaining()))
        connections = count(vip)
    if connections:
        cause = "drain_timeout" if limit == timeout else "the timeout of stop"
        log.warning(f"{vip}: connections left at the end of {cause}: {connections}")


def _limit_waiting(deadline: Deadline) -> float:
    """Return the seconds that may be spent waiting."""
    left = deadline.remaining()
    return left - min(_RESERVE, left / 4)


def is_leaving(name: str | None, deadline: Deadline) -> bool:
    """Test whether the node is on standby or shutting down; true if the cluster does not answer."""
    from ...system import crm

    try:
        cluster = crm.read_cluster_state(deadline.limit_to(_CRM_MON_TIMEOUT))
    except SourceUnavailable:
        return True
    node = cluster.node(name or "")
    return node is None or node.standby or node.shutdown
