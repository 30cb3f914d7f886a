"""The decisions of one cycle.  Pure.

May the agent change the table?  Is enough known?  Which service is wanted?  The module
``pool.director`` decides on each real server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from ...ipvs.table import RealServerKey, Service, WantedService
from ...pacemaker.cluster import ClusterState
from ...pool.director import Decision, Findings, decide
from ...pool.model import Outcome
from ...values.light_typing import NamedTuple
from .settings import DirectorSettings


class OwnInstance(NamedTuple):
    """The resource that runs this cycle, and its node; None if the agent is run by hand."""

    resource: str
    node: str | None


def find_hands_off(cluster: ClusterState, own: OwnInstance) -> str | None:
    """Return the reason why only an administrator may change the table; None if the agent may.

    Recurring monitors go on while a resource, its node or the whole cluster is unmanaged.
    """
    node = cluster.find_node(own.node or "")
    if node is not None and node.maintenance:
        return f"node {node.name} is in maintenance"
    instances = cluster.resources.get(own.resource, ())
    here = [one for one in instances if own.node is None or one.node == own.node]
    if any(not one.managed for one in here):
        return f"{own.resource} is unmanaged"
    return None


def explain_ignorance(findings: Findings) -> str | None:
    """Return the reason why no fit real server can be determined; None if the result is known.

    An empty result is known, too.  If no candidate is IN, a candidate that only lacks an address
    may be the fit one.
    """
    if findings.unavailable is not None:
        return findings.unavailable
    unknown = [s for s in findings.located if s.verdict.outcome is Outcome.UNKNOWN]
    known = len(findings.located) > len(unknown)
    if any(s.verdict.outcome is Outcome.IN for s in findings.located):
        return None
    if known and all(server.address is not None for server in unknown):
        return None
    return "; ".join(f"{server.host}: {server.verdict.reason}" for server in unknown) or None


class PoolPlan(NamedTuple):
    """The wanted service, and the decision behind it."""

    wanted: WantedService
    decision: Decision


def plan_pool(
    settings: DirectorSettings,
    findings: Findings,
    service: Service | None,
    drains: Mapping[RealServerKey, float],
    now: float,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> PoolPlan:
    """Return the wanted service.

    ``drains`` and ``now`` are in seconds of the monotonic clock.  ``settling`` contains the real
    servers that an earlier pass of this cycle has withdrawn.
    """
    pool = {} if service is None else service.real_servers
    decision = decide(pool, findings, settings.goal, drains, now, settling)
    return PoolPlan(WantedService(settings.config, decision.real_servers), decision)


def is_certain(decision: Decision) -> bool:
    """Test whether a decision can be carried out before all hosts have answered.

    Hosts without an answer are UNKNOWN.  The decision must leave a real server that serves.  So a
    late answer neither leads to a decision about an empty pool nor brings in a fallback.
    """
    present = (Outcome.IN, Outcome.UNKNOWN)
    return any(row.before and row.after and row.verdict.outcome in present for row in decision.rows)


def list_undone(findings: Findings, service: Service | None, plan: PoolPlan) -> Iterator[str]:
    """Yield a sentence for each change that is left to the administrator."""
    reason = findings.hands_off
    if findings.blind:
        yield from plan.decision.degraded
    if service is not None and service.config != plan.wanted.config:
        yield f"options of the service left alone, because {reason}"
    for row in plan.decision.rows:
        if row.before != row.after:
            change = f"{_name_weight(row.before)} instead of {_name_weight(row.after)}"
            yield f"{row.host} left with {change}, because {reason}"


def _name_weight(weight: int | None) -> str:
    return "no entry" if weight is None else f"weight {weight}"
