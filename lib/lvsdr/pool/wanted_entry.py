"""The entry of one real server in the service: its weight, or no entry.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from ..ipvs.table import RealServer, RealServerConfig, RealServerKey
from ..values.light_typing import NamedTuple
from .change_messages import Row
from .model import DrainPolicy, Outcome

Pool = Mapping[RealServerKey, RealServer]


class Goal(NamedTuple):
    """The settings that all real servers of the pool have in common."""

    port: int
    forward: str
    policy: DrainPolicy
    refuses_at_zero: bool = False
    """True if the scheduler (dh) selects real servers of weight 0, so that clients are refused.

    Such real servers are deleted.
    """


def choose_entry(
    row: Row,
    pool: Pool,
    goal: Goal,
    withdrawn_seconds: float,
    settling_keys: AbstractSet[RealServerKey],
) -> RealServerConfig | None:
    """Return the entry that follows from a verdict; None for no entry.

    ``settling_keys`` contains the real servers that this cycle has already withdrawn.  A handshake
    with them may still be under way (decision 031).
    """
    outcome = row.verdict.outcome
    if goal.refuses_at_zero and needs_zero_weight(row):
        return None
    if outcome is Outcome.IN:
        return RealServerConfig(goal.forward, row.weight)
    if outcome is Outcome.UNKNOWN:
        return find_present_entry(row, pool)
    if outcome is Outcome.WITHDRAWN:
        return _choose_draining_entry(row, pool, goal, withdrawn_seconds, row.key in settling_keys)
    return None


def needs_zero_weight(row: Row) -> bool:
    """Test whether the verdict leads to weight 0, if the scheduler supports that."""
    outcome = row.verdict.outcome
    return outcome is Outcome.WITHDRAWN or (outcome is Outcome.IN and row.weight == 0)


def find_present_entry(row: Row, pool: Pool) -> RealServerConfig | None:
    """Return the entry as it is now."""
    return pool[row.key].config if row.key is not None and row.key in pool else None


def _choose_draining_entry(
    row: Row, pool: Pool, goal: Goal, withdrawn_seconds: float, is_settling: bool
) -> RealServerConfig | None:
    """Return weight 0 while connections may be left; None afterwards.

    A real server with a weight may get a connection at any moment.  So it first loses its weight,
    and its connections are counted in the next cycle.  One that is only out of sight keeps its
    entry for its grace, because it will probably be found again.
    """
    server = pool.get(row.key) if row.key is not None else None
    timeout = goal.policy.drain_timeout
    if server is None or (
        timeout is not None and withdrawn_seconds >= max(timeout, row.verdict.grace)
    ):
        return None
    is_over = server.config.weight == 0 and not is_settling and not has_connections(server)
    if is_over and not row.verdict.grace:
        return None
    return RealServerConfig(server.config.forward, 0)


def has_connections(server: RealServer) -> bool:
    """Test whether a real server has connections that may not be over.

    ``inactive`` counts all connections that are not established.  They may be closed, or
    half-closed and still in use.
    """
    return any(server.connections)
