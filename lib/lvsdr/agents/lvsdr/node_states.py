"""The findings that follow from the states of cluster nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...errors import SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...pool.model import Candidate, Outcome, PoolSpec, Verdict
from ...pool.sources import explain_untouched, list_followed_resources
from ...pool.sources.nodes import apply_node_state, judge_node
from ...system import crm
from ...values.deadline import Deadline
from .saved_pool import SavedPool


def find_grace(
    verdicts: Mapping[str, Verdict],
    spec: PoolSpec,
    cluster: ClusterState,
    saved: SavedPool,
    deadline: Deadline,
) -> float:
    """Return the seconds that probes of resources out of sight may take; 0 if the table has none.

    Only then the CIB is read: an ordinary cycle does without it.
    """
    hosts = set(saved.names.values())
    away_hosts = [host for host in hosts if host in verdicts and verdicts[host].grace]
    if not away_hosts:
        return 0.0
    from ...pacemaker.cib import find_probe_time

    nodes = [node for node in map(cluster.find_node, away_hosts) if node is not None]
    parts = {*list_followed_resources(spec), *(node.name for node in nodes)}
    parts.update(node.container for node in nodes)
    try:
        return find_probe_time(crm.read_configuration(deadline), parts - {""})
    except SourceUnavailable:
        return 0.0


def judge_nodes(spec: PoolSpec, cluster: ClusterState, hosts: Iterable[str]) -> dict[str, Verdict]:
    """Return the verdicts on hosts from their node states: dead nodes cannot serve."""
    reason = explain_untouched(cluster, spec)
    nodes = {host: cluster.find_node(host) for host in hosts}
    verdicts = {host: judge_node(node, reason) for host, node in nodes.items() if node is not None}
    return {host: verdict for host, verdict in verdicts.items() if verdict is not None}


def list_fallbacks(spec: PoolSpec, cluster: ClusterState) -> list[Candidate]:
    """Return the fallbacks, judged by the state of their nodes alone."""
    verdict = Verdict(Outcome.IN, "fallback")
    reason = explain_untouched(cluster, spec)
    return [apply_node_state(Candidate(host, verdict), cluster, reason) for host in spec.fallback]
