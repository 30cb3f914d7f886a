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


def find_hands_off_reason(cluster: ClusterState, own_instance: OwnInstance) -> str | None:
    """Return the reason why only an administrator may change the table; None if the agent may.

    Recurring monitors go on while a resource, its node or the whole cluster is unmanaged.
    """
    node = cluster.find_node(own_instance.node or "")
    if node is not None and node.maintenance:
        return f"node {node.name} is in maintenance"
    instances = cluster.resources.get(own_instance.resource, ())
    local_instances = [
        instance
        for instance in instances
        if own_instance.node is None or instance.node == own_instance.node
    ]
    if any(not instance.managed for instance in local_instances):
        return f"{own_instance.resource} is unmanaged"
    return None


def explain_ignorance(findings: Findings) -> str | None:
    """Return the reason why no fit real server can be determined; None if the result is known.

    An empty result is known, too, and so is a candidate whose check has failed.  If no candidate is
    IN, a candidate that only lacks an address may be the fit one.
    """
    if findings.unavailable_reason is not None:
        return findings.unavailable_reason
    unknown_servers = [
        server
        for server in findings.located
        if server.verdict.outcome is Outcome.UNKNOWN and server.verdict.certain
    ]
    has_known = len(findings.located) > len(unknown_servers)
    if any(server.verdict.outcome is Outcome.IN for server in findings.located):
        return None
    if has_known and all(server.address is not None for server in unknown_servers):
        return None
    return (
        "; ".join(f"{server.host}: {server.verdict.reason}" for server in unknown_servers) or None
    )


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
    settling_keys: AbstractSet[RealServerKey] = frozenset(),
    enough_since: float | None = None,
) -> PoolPlan:
    """Return the wanted service.

    ``drains``, ``now`` and ``enough_since`` are in seconds of the monotonic clock.
    ``settling_keys`` contains the real servers that an earlier pass of this cycle has withdrawn.
    """
    pool = {} if service is None else service.real_servers
    decision = decide(pool, findings, settings.goal, drains, now, settling_keys, enough_since)
    return PoolPlan(WantedService(settings.config, decision.real_servers), decision)


def is_certain(decision: Decision) -> bool:
    """Test whether a decision can be carried out before all hosts have answered.

    Hosts without an answer are UNKNOWN.  The decision must leave a real server that serves.  So a
    late answer neither leads to a decision about an empty pool nor brings in its fallback.  One
    that completes a pool (``fallback_below``) may join: it takes nothing away.
    """
    present_outcomes = (Outcome.IN, Outcome.UNKNOWN)
    return any(
        row.weight_before and row.weight_after and row.verdict.outcome in present_outcomes
        for row in decision.rows
    )


def list_undone_changes(
    findings: Findings, service: Service | None, plan: PoolPlan
) -> Iterator[str]:
    """Yield a sentence for each change that is left to the administrator."""
    reason = findings.hands_off_reason
    if findings.blind:
        yield from plan.decision.degraded
    if service is not None and service.config != plan.wanted.config:
        yield f"options of the service left alone, because {reason}"
    for row in plan.decision.rows:
        if row.weight_before != row.weight_after:
            change = (
                f"{_name_weight(row.weight_before)} instead of {_name_weight(row.weight_after)}"
            )
            yield f"{row.host} left with {change}, because {reason}"


def _name_weight(weight: int | None) -> str:
    return "no entry" if weight is None else f"weight {weight}"
